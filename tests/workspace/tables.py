"""Checks of table and data_table blocks, and the characters their cells hold."""

from collections.abc import Iterator

from tests.workspace import limits
from tests.workspace.faults import Fault, Faults, Json, filled_list, filled_string, kind_of, listed, too_many
from tests.workspace.rich_text import check_rich_text
from tests.workspace.schema import CELL_TYPES

ALIGNMENTS = ("left", "center", "right")


def check_table(block: Json, at: str) -> Faults:
    yield from _rows(block, at, "table.rows")
    yield from _characters(block, at, "table.characters")
    settings = block.get("column_settings") or []
    yield from too_many(settings, "table.column_settings", f"{at}/column_settings")
    for index, column in enumerate(listed(settings)):
        if isinstance(column, dict) and column.get("align", "left") not in ALIGNMENTS:
            yield Fault("must be a valid enum value", f"{at}/column_settings/{index}/align")


def check_data_table(block: Json, at: str) -> Faults:
    yield from _rows(block, at, "data_table.rows")
    yield from _characters(block, at, "data_table.characters")
    yield from filled_string(block.get("caption"), f"{at}/caption")


def _rows(block: Json, at: str, rule: str) -> Faults:
    rows = block.get("rows")
    yield from filled_list(rows, f"{at}/rows", rule)
    for index, row in enumerate(listed(rows)):
        yield from _row(row, f"{at}/rows/{index}")
    if len({len(row) for row in listed(rows) if isinstance(row, list)}) > 1:
        yield Fault("all rows must have the same number of cells", f"{at}/rows")


def _row(row: object, at: str) -> Faults:
    yield from filled_list(row, at, "table.columns")
    for index, cell in enumerate(listed(row)):
        yield from _cell(cell, f"{at}/{index}")


def _cell(cell: object, at: str) -> Faults:
    kind = kind_of(cell)
    if not isinstance(cell, dict) or kind not in CELL_TYPES:
        yield Fault(f"unsupported type: {kind}", f"{at}/type")
    elif kind == "rich_text":
        yield from check_rich_text(cell, at)
    elif kind == "raw_text":
        yield from filled_string(cell.get("text"), f"{at}/text")
    elif not isinstance(cell.get("value"), int | float):
        yield Fault("must provide a number", f"{at}/value")


def _characters(block: Json, at: str, rule: str) -> Faults:
    if table_characters(block) > limits.most(rule):
        yield Fault(f"no more than {limits.most(rule)} characters across all cells", at, rule)


def table_characters(block: Json) -> int:
    return sum(len(text) for text in strings_under(block.get("rows")))


def strings_under(value: object) -> Iterator[str]:
    """Every text a reader of this value would see."""
    if isinstance(value, list):
        for entry in value:
            yield from strings_under(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _shown(key, entry)


SHOWN = frozenset(("text", "title", "alt_text", "caption", "fallback", "url"))


def _shown(key: str, entry: object) -> Iterator[str]:
    if isinstance(entry, str):
        if key in SHOWN:
            yield entry
    else:
        yield from strings_under(entry)
