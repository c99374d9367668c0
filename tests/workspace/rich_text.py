"""Checks of rich_text blocks."""

import re

from tests.workspace.faults import (
    Fault,
    Faults,
    Json,
    filled_list,
    filled_string,
    kind_of,
    known_fields,
    listed,
)
from tests.workspace.schema import DATE_FIELDS, RICH_TEXT_LEAVES, RICH_TEXT_PARTS

USER = re.compile(r"[UW][A-Z0-9]{1,20}")


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
    elif leaf["type"] == "user":
        yield from _user(leaf.get("user_id"), f"{at}/user_id")
    elif leaf["type"] == "date":
        yield from _date(leaf, at)


def _user(id_: object, at: str) -> Faults:
    if not isinstance(id_, str) or not USER.fullmatch(id_):
        yield Fault("must be a user's id", at)


def _date(leaf: Json, at: str) -> Faults:
    yield from known_fields(leaf, DATE_FIELDS, at, also=frozenset())
    if not isinstance(leaf.get("timestamp"), int):
        yield Fault("must provide an integer", f"{at}/timestamp")
    yield from filled_string(leaf.get("format"), f"{at}/format")
    if "url" in leaf:
        yield from filled_string(leaf["url"], f"{at}/url")
