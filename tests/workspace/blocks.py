"""Checks of each kind of block; `check_block` picks the one that fits."""

from collections.abc import Callable

from tests.workspace.elements import check_element, check_image
from tests.workspace.faults import (
    PLAIN,
    Fault,
    Faults,
    Json,
    filled_list,
    filled_string,
    kind_of,
    known_fields,
    listed,
    objects,
    text_object,
    too_long,
    too_many,
    unique,
)
from tests.workspace.rich_text import check_rich_text
from tests.workspace.schema import (
    ALERT_LEVELS,
    BLOCK_FIELDS,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    NOT_IN_CONTAINERS,
    TASK_STATES,
)
from tests.workspace.tables import check_data_table, check_table

ALSO = frozenset(("block_id",))


def check_block(block: object, at: str, allowed: frozenset[str]) -> Faults:
    """One block on a surface, or in a container, that allows some kinds only."""
    if not isinstance(block, dict):
        yield Fault("must provide an object", at)
        return
    kind = kind_of(block)
    if kind not in allowed:
        yield Fault(f"unsupported type: {kind}", f"{at}/type", "surface")
        return
    yield from known_fields(block, BLOCK_FIELDS[kind], at, also=ALSO)
    yield from too_long(block.get("block_id"), "block_id", f"{at}/block_id")
    if kind == "container":
        yield from _container(block, at, allowed)
    elif kind in CHECKS:
        yield from CHECKS[kind](block, at)


def _section(block: Json, at: str) -> Faults:
    if "text" not in block and "fields" not in block:
        yield Fault("must provide text or fields", at)
    if "text" in block:
        yield from text_object(block["text"], f"{at}/text", "section.text")
    if "fields" in block:
        yield from _section_fields(block["fields"], f"{at}/fields")
    if "accessory" in block:
        yield from check_element(block["accessory"], f"{at}/accessory", IN_SECTION)


def _section_fields(fields: object, at: str) -> Faults:
    yield from filled_list(fields, at, "section.fields")
    for index, field in enumerate(listed(fields)):
        yield from text_object(field, f"{at}/{index}", "section.field")


def _header(block: Json, at: str) -> Faults:
    yield from text_object(block.get("text"), f"{at}/text", "header.text", PLAIN)


def _image(block: Json, at: str) -> Faults:
    yield from check_image(block, at)
    if "title" in block:
        yield from text_object(block["title"], f"{at}/title", "image.title", PLAIN)


def _elements(block: Json, at: str, rule: str, allowed: frozenset[str]) -> Faults:
    elements = block.get("elements")
    yield from filled_list(elements, f"{at}/elements", rule)
    for index, element in enumerate(listed(elements)):
        yield from check_element(element, f"{at}/elements/{index}", allowed)
    named = [(str(one["action_id"]), at) for one in objects(elements) if one.get("action_id")]
    yield from unique(named, "action_id")


def _actions(block: Json, at: str) -> Faults:
    yield from _elements(block, at, "actions.elements", IN_ACTIONS)


def _context_actions(block: Json, at: str) -> Faults:
    yield from _elements(block, at, "context_actions.elements", IN_CONTEXT_ACTIONS)


def _context(block: Json, at: str) -> Faults:
    elements = block.get("elements")
    yield from filled_list(elements, f"{at}/elements", "context.elements")
    for index, element in enumerate(listed(elements)):
        here = f"{at}/elements/{index}"
        if kind_of(element) in ("mrkdwn", "plain_text"):
            yield from text_object(element, here, "context.text")
        else:
            yield from check_element(element, here, IN_CONTEXT)


def _input(block: Json, at: str) -> Faults:
    yield from text_object(block.get("label"), f"{at}/label", "input.label", PLAIN)
    yield from check_element(block.get("element"), f"{at}/element", IN_INPUT)
    if "hint" in block:
        yield from text_object(block["hint"], f"{at}/hint", "input.hint", PLAIN)


def _markdown(block: Json, at: str) -> Faults:
    yield from filled_string(block.get("text"), f"{at}/text", "markdown.text")


def _alert(block: Json, at: str) -> Faults:
    yield from text_object(block.get("text"), f"{at}/text", "alert.text")
    if str(block.get("level", "default")) not in ALERT_LEVELS:
        yield Fault("must be a valid enum value", f"{at}/level")


def _loose_task_card(block: Json, at: str) -> Faults:
    yield from check_task_card(block, at)
    if block.get("status") == "pending":
        yield Fault("pending is only allowed inside a plan", f"{at}/status")


def check_task_card(block: Json, at: str) -> Faults:
    yield from known_fields(block, BLOCK_FIELDS["task_card"], at, also=ALSO)
    yield from filled_string(block.get("task_id"), f"{at}/task_id")
    yield from filled_string(block.get("title"), f"{at}/title", "task_card.title")
    if "status" in block and str(block["status"]) not in TASK_STATES:
        yield Fault("must be a valid enum value", f"{at}/status")
    for key in ("details", "output"):
        if key in block:
            yield from _rich_text_entity(block[key], f"{at}/{key}")


def _rich_text_entity(value: object, at: str) -> Faults:
    if isinstance(value, dict) and kind_of(value) == "rich_text":
        yield from check_rich_text(value, at)
    else:
        yield Fault("must provide a rich_text entity", at)


def _plan(block: Json, at: str) -> Faults:
    yield from filled_string(block.get("title"), f"{at}/title", "plan.title")
    tasks = block.get("tasks", [])
    yield from too_many(tasks, "plan.tasks", f"{at}/tasks")
    for index, task in enumerate(listed(tasks)):
        here = f"{at}/tasks/{index}"
        if kind_of(task) != "task_card":
            yield Fault("must provide a task_card", here)
        else:
            yield from check_task_card(task, here)
    yield from unique([(str(task.get("task_id")), f"{at}/tasks") for task in objects(tasks)], "task_id")


def _container(block: Json, at: str, allowed: frozenset[str]) -> Faults:
    children = block.get("child_blocks")
    yield from filled_list(children, f"{at}/child_blocks", "container.child_blocks")
    for index, child in enumerate(listed(children)):
        yield from check_block(child, f"{at}/child_blocks/{index}", allowed - NOT_IN_CONTAINERS)
    if "title" not in block and "rich_text_title" not in block:
        yield Fault("must provide title or rich_text_title", at)
    if "title" in block:
        yield from text_object(block["title"], f"{at}/title", "container.title", PLAIN)
    if "subtitle" in block:
        yield from text_object(block["subtitle"], f"{at}/subtitle", "container.subtitle")
    if block.get("is_collapsible") and block.get("has_header_divider"):
        yield Fault("has_header_divider excludes is_collapsible", at)
    if block.get("default_collapsed") and not block.get("is_collapsible"):
        yield Fault("default_collapsed needs is_collapsible", at)


def _card(block: Json, at: str) -> Faults:
    for key in ("title", "subtitle", "body"):
        if key in block:
            yield from text_object(block[key], f"{at}/{key}", f"card.{key}")
    yield from too_many(block.get("actions"), "card.actions", f"{at}/actions")
    for index, element in enumerate(listed(block.get("actions"))):
        yield from check_element(element, f"{at}/actions/{index}", frozenset(("button",)))


def _carousel(block: Json, at: str) -> Faults:
    cards = block.get("elements")
    yield from filled_list(cards, f"{at}/elements", "carousel.elements")
    for index, card in enumerate(listed(cards)):
        yield from check_block(card, f"{at}/elements/{index}", frozenset(("card",)))


CHECKS: dict[str, Callable[[Json, str], Faults]] = {
    "section": _section,
    "header": _header,
    "image": _image,
    "actions": _actions,
    "context_actions": _context_actions,
    "context": _context,
    "input": _input,
    "markdown": _markdown,
    "alert": _alert,
    "task_card": _loose_task_card,
    "plan": _plan,
    "card": _card,
    "carousel": _carousel,
    "rich_text": check_rich_text,
    "table": check_table,
    "data_table": check_data_table,
}
