"""Checks of rich_text blocks."""

from tests.workspace.faults import Fault, Faults, Json, filled_list, filled_string, kind_of, listed
from tests.workspace.schema import RICH_TEXT_LEAVES, RICH_TEXT_PARTS


def check_rich_text(block: Json, at: str) -> Faults:
    parts = block.get("elements")
    yield from filled_list(parts, f"{at}/elements")
    for index, part in enumerate(listed(parts)):
        yield from _part(part, f"{at}/elements/{index}", RICH_TEXT_PARTS)


def _part(part: object, at: str, allowed: frozenset[str]) -> Faults:
    if not isinstance(part, dict) or kind_of(part) not in allowed:
        yield Fault(f"unsupported type: {kind_of(part)}", f"{at}/type")
        return
    inside = frozenset(("rich_text_section",)) if part["type"] == "rich_text_list" else None
    for index, child in enumerate(listed(part.get("elements"))):
        here = f"{at}/elements/{index}"
        yield from _part(child, here, inside) if inside else _leaf(child, here)


def _leaf(leaf: object, at: str) -> Faults:
    if not isinstance(leaf, dict) or kind_of(leaf) not in RICH_TEXT_LEAVES:
        yield Fault(f"unsupported type: {kind_of(leaf)}", f"{at}/type")
    elif leaf["type"] == "text":
        yield from filled_string(leaf.get("text"), f"{at}/text")
    elif leaf["type"] == "link":
        yield from filled_string(leaf.get("url"), f"{at}/url")
    elif leaf["type"] == "date":
        yield from _date(leaf, at)


def _date(leaf: Json, at: str) -> Faults:
    if not isinstance(leaf.get("timestamp"), int):
        yield Fault("must provide an integer", f"{at}/timestamp")
    yield from filled_string(leaf.get("format"), f"{at}/format")
