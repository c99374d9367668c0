"""What a person can press or fill in: the interactive elements of blocks, and the values they send."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.workspace.errors import WorkspaceError

Json = dict[str, Any]


@dataclass(frozen=True)
class Control:
    """One interactive element with the block it stands in."""

    block_id: str
    action_id: str
    kind: str
    label: str
    element: Json
    required: bool = False

    @property
    def place(self) -> str:
        """Which control of its surface it is: an action_id alone is that of one control per block only."""
        return f"{self.block_id} {self.action_id}"

    @property
    def value(self) -> str:
        return str(self.element.get("value", ""))

    @property
    def style(self) -> str:
        return str(self.element.get("style", ""))

    @property
    def confirm(self) -> Json | None:
        return self.element.get("confirm")

    @property
    def options(self) -> tuple[Json, ...]:
        grouped = (option for group in self.element.get("option_groups", ()) for option in group["options"])
        return (*self.element.get("options", ()), *grouped)


def controls_in(blocks: Sequence[Json]) -> tuple[Control, ...]:
    """Every control of these blocks, in reading order."""
    return tuple(_controls(blocks))


def _controls(blocks: Sequence[Json]) -> Iterator[Control]:
    for block in blocks:
        for element in _elements(block):
            if "action_id" in element:
                yield _control(block, element)
        yield from _controls(block.get("child_blocks", ()))


def _elements(block: Json) -> Iterator[Json]:
    kind = block.get("type")
    if kind in ("actions", "context_actions"):
        yield from block.get("elements", ())
    elif kind == "section" and "accessory" in block:
        yield block["accessory"]
    elif kind == "input":
        yield block["element"]
    elif kind == "card":
        yield from block.get("actions", ())


def _control(block: Json, element: Json) -> Control:
    label = element.get("text", block.get("label", {}))
    return Control(
        block_id=str(block.get("block_id", "")),
        action_id=str(element["action_id"]),
        kind=str(element["type"]),
        label=str(label.get("text", "")) if isinstance(label, dict) else str(label),
        element=element,
        required=block.get("type") == "input" and not block.get("optional", False),
    )


def find_control(controls: Sequence[Control], name: str | Control) -> Control | None:
    """The very control, or by its place; else the first by action_id, else by label, else by block_id."""
    wanted = name.place if isinstance(name, Control) else name
    for key in ("place", "action_id", "label", "block_id"):
        found = [one for one in controls if getattr(one, key) == wanted]
        if found:
            return found[0]
    return None


def chosen_option(control: Control, value: str) -> Json:
    """The option a person picks, by its value or its words."""
    for option in control.options:
        if value in (option["value"], option["text"]["text"]):
            return option
    offered = ", ".join(str(option["value"]) for option in control.options)
    raise WorkspaceError(f"{control.action_id} has no option {value!r}; it offers: {offered}")


def initial_value(control: Control) -> Json:
    """What an untouched control says of itself in `state.values`."""
    element = control.element
    pairs = {
        "checkboxes": ("selected_options", element.get("initial_options", [])),
        "multi_static_select": ("selected_options", element.get("initial_options", [])),
        "radio_buttons": ("selected_option", element.get("initial_option")),
        "static_select": ("selected_option", element.get("initial_option")),
        "users_select": ("selected_user", element.get("initial_user")),
        "multi_users_select": ("selected_users", element.get("initial_users", [])),
        "datepicker": ("selected_date", element.get("initial_date")),
        "timepicker": ("selected_time", element.get("initial_time")),
    }
    key, value = pairs.get(control.kind, ("value", element.get("initial_value")))
    return {"type": control.kind, key: value}


def typed_value(control: Control, value: Any) -> Json:
    """What a filled-in control says: plain Python values become Slack's shapes."""
    state = initial_value(control)
    key = next(name for name in state if name != "type")
    if key == "selected_options":
        return {**state, key: [chosen_option(control, one) for one in value]}
    if key == "selected_option":
        return {**state, key: None if value is None else chosen_option(control, value)}
    return {**state, key: value}


STATELESS = frozenset(("button", "overflow", "icon_button", "feedback_buttons", "workflow_button"))


def state_values(controls: Sequence[Control], filled: Mapping[str, Json]) -> Json:
    """`state.values` of a surface: each control's value, filled in (by place) or initial."""
    values: Json = {}
    for control in controls:
        if control.kind not in STATELESS:
            state = filled.get(control.place, initial_value(control))
            values.setdefault(control.block_id, {})[control.action_id] = state
    return values


def is_empty(state: Json) -> bool:
    return not any(value for key, value in state.items() if key != "type")
