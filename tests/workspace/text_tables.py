"""Tables as aligned columns of plain text."""

from collections.abc import Callable, Sequence
from typing import Any

Json = dict[str, Any]


def table_lines(block: Json, written: Callable[[Json], str]) -> list[str]:
    """The first row is the head, a rule under it; columns aligned as the block says."""
    rows = [[written(cell) for cell in row] for row in block["rows"]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    sides = _sides(block.get("column_settings") or (), len(widths))
    head, *body = [_line(row, widths, sides) for row in rows]
    return [head, "  ".join("-" * width for width in widths), *body]


def _sides(settings: Sequence[Json | None], columns: int) -> list[str]:
    named = [(one or {}).get("align", "left") for one in settings]
    return (named + ["left"] * columns)[:columns]


def _line(row: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    marks = {"left": "<", "right": ">", "center": "^"}
    cells = [f"{text:{marks[side]}{width}}" for text, width, side in zip(row, widths, sides, strict=True)]
    return "  ".join(cells).rstrip()
