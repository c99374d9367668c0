"""Whether Slack would take a message or a view, with every fault found in it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.workspace import limits
from tests.workspace.blocks import check_block
from tests.workspace.faults import (
    PLAIN,
    Fault,
    Faults,
    Json,
    kind_of,
    listed,
    objects,
    text_object,
    too_long,
    too_many,
    unique,
)
from tests.workspace.schema import SURFACES
from tests.workspace.tables import strings_under

WEIGHT_PER_OBJECT = 12
"""What an object around text costs of `message.block_weight`: nesting counts, Slack does not say how."""


def validate_message(blocks: object) -> tuple[Fault, ...]:
    """The faults of a message's blocks."""
    return tuple(_message(blocks))


def _message(blocks: object) -> Faults:
    if not isinstance(blocks, list):
        yield Fault("must provide an array", "/blocks", error="invalid_blocks_format")
        return
    yield from _surface(blocks, "message", "/blocks")
    yield from _one_table(blocks)
    yield from _plans(blocks)
    yield from _total(blocks)


def validate_view(view: object) -> tuple[Fault, ...]:
    """The faults of a modal or Home view."""
    return tuple(_view(view))


def _view(view: object) -> Faults:
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        yield Fault("must provide a view of type modal or home", "/view/type", error="invalid_arguments")
        return
    kind = str(view["type"])
    for fault in _surface(view.get("blocks"), kind, "/view/blocks"):
        yield Fault(fault.message, fault.pointer, fault.rule, "invalid_arguments")
    for fault in [*_view_strings(view), *(_modal(view) if kind == "modal" else ())]:
        yield Fault(fault.message, fault.pointer, fault.rule, "invalid_arguments")
    if len(json.dumps(view)) > limits.most("view.bytes"):
        yield Fault("view is too large", "/view", "view.bytes", "view_too_large")


def _view_strings(view: Json) -> Faults:
    for key in ("private_metadata", "callback_id", "external_id"):
        yield from too_long(view.get(key), f"view.{key}", f"/view/{key}")


def _modal(view: Json) -> Faults:
    yield from text_object(view.get("title"), "/view/title", "view.title", PLAIN)
    for key in ("submit", "close"):
        if key in view:
            yield from text_object(view[key], f"/view/{key}", f"view.{key}", PLAIN)
    if "submit" not in view and "input" in map(kind_of, listed(view.get("blocks"))):
        yield Fault("submit is required when blocks contain an input", "/view/submit")


def _surface(blocks: object, surface: str, at: str) -> Faults:
    if not isinstance(blocks, list):
        yield Fault("must provide an array", at)
        return
    yield from too_many(blocks, f"{surface}.blocks", at)
    for index, block in enumerate(blocks):
        yield from check_block(block, f"{at}/{index}", SURFACES[surface])
    yield from unique(_block_ids(blocks, at), "block_id")


def _block_ids(blocks: list[Any], at: str) -> list[tuple[str, str]]:
    return [(str(block["block_id"]), at) for block in nested(blocks) if block.get("block_id")]


def nested(blocks: list[Any]) -> Iterator[Json]:
    """Blocks with those inside containers."""
    for block in objects(blocks):
        yield block
        yield from nested(listed(block.get("child_blocks")))


def _one_table(blocks: list[object]) -> Faults:
    tables = [block for block in nested(blocks) if kind_of(block) == "table"]
    if len(tables) > limits.most("message.tables"):
        yield Fault("only_one_table_allowed", "/blocks", "message.tables", "invalid_attachments")


def _plans(blocks: list[object]) -> Faults:
    kinds = [kind_of(block) for block in nested(blocks)]
    if "plan" in kinds and "task_card" in kinds:
        yield Fault("a plan and loose task_cards exclude each other", "/blocks")


def _total(blocks: list[object]) -> Faults:
    text = sum(len(part) for part in strings_under(blocks))
    if text > limits.most("message.block_text"):
        yield _long(text, "message.block_text")
    weight = text + WEIGHT_PER_OBJECT * sum(1 for _ in _objects(blocks))
    if weight > limits.most("message.block_weight"):
        yield _long(weight, "message.block_weight")


def _long(found: int, rule: str) -> Fault:
    return Fault(f"{found} of {limits.most(rule)} characters", "/blocks", rule, "msg_blocks_too_long")


def _objects(value: object) -> Iterator[object]:
    """Objects that hold text; cells of tables are left out, for tables have a limit of their own."""
    if isinstance(value, dict):
        yield value
        for key, entry in value.items():
            yield from _objects(entry) if key != "rows" else ()
    elif isinstance(value, list):
        for entry in value:
            yield from _objects(entry)


def answer_fields(faults: Sequence[Fault]) -> Json:
    """What Slack adds to its answer: the list, and the same with JSON pointers."""
    messages = [str(fault) for fault in faults]
    return {"errors": messages, "response_metadata": {"messages": [f"[ERROR] {text}" for text in messages]}}
