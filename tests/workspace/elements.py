"""Checks of interactive elements and composition objects: buttons, menus, options, confirmation dialogs."""

from typing import Any

from tests.workspace import limits
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
)
from tests.workspace.schema import ELEMENT_FIELDS

STYLES = (None, "primary", "danger")
OPTION_FIELDS = frozenset(("text", "value", "description", "url"))


def check_element(element: object, at: str, allowed: frozenset[str]) -> Faults:
    """One element inside a block that allows some kinds only."""
    if not isinstance(element, dict):
        yield Fault("must provide an object", at)
        return
    kind = kind_of(element)
    if kind not in allowed:
        yield Fault(f"unsupported type: {kind}", f"{at}/type")
        return
    if kind in ELEMENT_FIELDS:
        yield from known_fields(element, ELEMENT_FIELDS[kind], at, also=frozenset())
    yield from _common(element, at)
    yield from _own(kind, element, at)


def _common(element: Json, at: str) -> Faults:
    yield from too_long(element.get("action_id"), "action_id", f"{at}/action_id")
    if "placeholder" in element:
        yield from text_object(element["placeholder"], f"{at}/placeholder", "placeholder", PLAIN)
    if "confirm" in element:
        yield from check_confirm(element["confirm"], f"{at}/confirm")


def _own(kind: str, element: Json, at: str) -> Faults:
    if kind in ("button", "icon_button"):
        yield from _button(element, at)
    elif kind in ("checkboxes", "radio_buttons", "overflow"):
        yield from _options(element, at, f"{kind}.options")
    elif kind in ("static_select", "multi_static_select"):
        yield from _menu(element, at)
    elif kind == "plain_text_input":
        yield from _plain_text_input(element, at)
    elif kind == "image":
        yield from check_image(element, at)


def _button(element: Json, at: str) -> Faults:
    yield from text_object(element.get("text"), f"{at}/text", "button.text", PLAIN)
    for key in ("value", "url", "accessibility_label"):
        yield from too_long(element.get(key), f"button.{key}", f"{at}/{key}")
    if element.get("style") not in STYLES:
        yield Fault("must be a valid enum value", f"{at}/style")


def _options(element: Json, at: str, rule: str) -> Faults:
    options = element.get("options")
    yield from filled_list(options, f"{at}/options", rule)
    yield from _each_option(options, f"{at}/options")
    yield from _initial(element, at)


def _each_option(options: object, at: str) -> Faults:
    for index, option in enumerate(listed(options)):
        yield from _option(option, f"{at}/{index}")


def _option(option: object, at: str) -> Faults:
    if not isinstance(option, dict):
        yield Fault("must provide an object", at)
        return
    for key in sorted(set(option) - OPTION_FIELDS):
        yield Fault(f"invalid additional property: {key}", at)
    yield from text_object(option.get("text"), f"{at}/text", "option.text")
    yield from filled_string(option.get("value"), f"{at}/value", "option.value")
    if "description" in option:
        yield from text_object(option["description"], f"{at}/description", "option.description")


def _initial(element: Json, at: str) -> Faults:
    """An initial option must be one of the options, to the letter."""
    chosen = element.get("initial_options")
    single = element.get("initial_option")
    if chosen is not None:
        yield from filled_list(chosen, f"{at}/initial_options")
    for option in [*listed(chosen), *([single] if single else ())]:
        if option not in all_options(element):
            yield Fault("initial option is not among the options", at)


def all_options(element: Json) -> list[Any]:
    groups = objects(element.get("option_groups"))
    grouped = [option for group in groups for option in listed(group.get("options"))]
    return [*listed(element.get("options")), *grouped]


def _menu(element: Json, at: str) -> Faults:
    if ("options" in element) == ("option_groups" in element):
        yield Fault("must provide either options or option_groups", at)
    if "options" in element:
        yield from _options(element, at, "select.options")
    for index, group in enumerate(objects(element.get("option_groups"))):
        here = f"{at}/option_groups/{index}"
        yield from text_object(group.get("label"), f"{here}/label", "option_group.label", PLAIN)
        yield from _options(group, here, "select.options")


def _plain_text_input(element: Json, at: str) -> Faults:
    longest = element.get("max_length")
    if isinstance(longest, int) and longest > limits.most("plain_text_input.max_length"):
        rule = "plain_text_input.max_length"
        yield Fault(f"must be less than or equal to {limits.most(rule)}", f"{at}/max_length", rule)


def check_confirm(confirm: object, at: str) -> Faults:
    """A confirmation dialog: four plain texts, each with its own limit (`text` may be mrkdwn)."""
    if not isinstance(confirm, dict):
        yield Fault("must provide an object", at)
        return
    for key in ("title", "text", "confirm", "deny"):
        yield from _confirm_text(confirm, key, at)
    if confirm.get("style") not in STYLES:
        yield Fault("must be a valid enum value", f"{at}/style")
    for key in sorted(set(confirm) - {"title", "text", "confirm", "deny", "style"}):
        yield Fault(f"invalid additional property: {key}", at)


def _confirm_text(confirm: Json, key: str, at: str) -> Faults:
    if key not in confirm:
        yield Fault(f"missing required field: {key}", at)
    elif key == "text":
        yield from text_object(confirm[key], f"{at}/{key}", f"confirm.{key}")
    else:
        yield from text_object(confirm[key], f"{at}/{key}", f"confirm.{key}", PLAIN)


def check_image(image: Json, at: str) -> Faults:
    yield from filled_string(image.get("alt_text"), f"{at}/alt_text", "image.alt_text")
    if ("image_url" in image) == ("slack_file" in image):
        yield Fault("must provide either image_url or slack_file", at)
    yield from too_long(image.get("image_url"), "image.url", f"{at}/image_url")
