"""Every limit of the table passes at its most and trips one beyond it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace import limits
from tests.workspace.faults import Fault
from tests.workspace.manifest import validate_manifest
from tests.workspace.validate import WEIGHT_PER_OBJECT, validate_message, validate_view

Json = dict[str, Any]
Build = Callable[[int], tuple[Fault, ...]]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def long(count: int) -> Json:
    return plain("x" * count)


def message(*blocks: Json) -> tuple[Fault, ...]:
    return validate_message(list(blocks))


def section(**fields: Any) -> Json:
    return {"type": "section", "text": plain("x"), **fields}


def in_actions(element: Json) -> tuple[Fault, ...]:
    return message({"type": "actions", "elements": [element]})


def button(**fields: Any) -> Json:
    return {"type": "button", "action_id": "go", "text": plain("Go"), **fields}


def confirm(**fields: Any) -> tuple[Fault, ...]:
    dialog = {"title": plain("T"), "text": plain("x"), "confirm": plain("Y"), "deny": plain("N"), **fields}
    return in_actions(button(confirm=dialog))


def options(count: int) -> list[Json]:
    return [{"text": plain(f"o{number}"), "value": f"v{number}"} for number in range(count)]


def chooser(kind: str, chosen: list[Json], **fields: Any) -> tuple[Fault, ...]:
    return in_actions({"type": kind, "action_id": "pick", "options": chosen, **fields})


def modal(**fields: Any) -> tuple[Fault, ...]:
    view = {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": [section()]}
    return validate_view({**view, **fields})


def input_block(**fields: Any) -> tuple[Fault, ...]:
    block = {"type": "input", "label": plain("L"), "element": {"type": "plain_text_input"}, **fields}
    return modal(blocks=[block])


def table(rows: int = 1, columns: int = 1, text: str = "x", **fields: Any) -> Json:
    cell = {"type": "raw_text", "text": text}
    return {"type": "table", "rows": [[cell] * columns] * rows, **fields}


def task(number: int, title: str = "x") -> Json:
    return {"type": "task_card", "task_id": f"t{number}", "title": title, "status": "complete"}


def plan(count: int, title: str = "x") -> Json:
    return {"type": "plan", "title": title, "tasks": [task(number) for number in range(count)]}


def container(**fields: Any) -> tuple[Fault, ...]:
    return message({"type": "container", "title": plain("T"), "child_blocks": [section()], **fields})


def card(**fields: Any) -> Json:
    return {"type": "card", "title": plain("T"), **fields}


def image(**fields: Any) -> tuple[Fault, ...]:
    return message({"type": "image", "image_url": "https://x", "alt_text": "x", **fields})


def total(characters: int) -> tuple[Fault, ...]:
    return message(*(section(text=long(part)) for part in _parts(characters)))


def weighing(weight: int) -> tuple[Fault, ...]:
    """Fifty sections with their text objects weigh something of their own; the rest is text."""
    count = 50
    text = weight - 2 * count * WEIGHT_PER_OBJECT
    sizes = [text // count + (1 if number < text % count else 0) for number in range(count)]
    return message(*(section(text=long(size)) for size in sizes))


def manifest(part: str, **fields: Any) -> tuple[Fault, ...]:
    """A small whole manifest with one part changed."""
    parts: dict[str, Json] = {
        "display_information": {"name": "x"},
        "bot_user": {"display_name": "x"},
        "command": {"command": "/x", "description": "x"},
        "scopes": {"bot": ["commands"]},
        "events": {"bot_events": ["app_home_opened"]},
        "features": {},
    }
    parts[part] = {**parts[part], **fields}
    features = {"bot_user": parts["bot_user"], "slash_commands": [parts["command"]], **parts["features"]}
    return validate_manifest(
        {
            "display_information": parts["display_information"],
            "features": features,
            "oauth_config": {"scopes": parts["scopes"]},
            "settings": {"socket_mode_enabled": True, "event_subscriptions": parts["events"]},
        }
    )


def _parts(characters: int) -> list[int]:
    return [min(3000, characters - start) for start in range(0, characters, 3000)]


BUILDS: dict[str, Build] = {
    "message.blocks": lambda n: message(*[section()] * n),
    "modal.blocks": lambda n: modal(blocks=[section()] * n),
    "home.blocks": lambda n: validate_view({"type": "home", "blocks": [section()] * n}),
    "message.block_text": total,
    "message.block_weight": weighing,
    "message.tables": lambda n: message(*[table()] * n),
    "view.title": lambda n: modal(title=long(n)),
    "view.submit": lambda n: modal(submit=long(n)),
    "view.close": lambda n: modal(close=long(n)),
    "view.private_metadata": lambda n: modal(private_metadata="x" * n),
    "view.callback_id": lambda n: modal(callback_id="x" * n),
    "view.external_id": lambda n: modal(external_id="x" * n),
    "block_id": lambda n: message(section(block_id="x" * n)),
    "section.text": lambda n: message(section(text=long(n))),
    "section.fields": lambda n: message(section(fields=[plain("x")] * n)),
    "section.field": lambda n: message(section(fields=[long(n)])),
    "header.text": lambda n: message({"type": "header", "text": long(n)}),
    "context.elements": lambda n: message({"type": "context", "elements": [plain("x")] * n}),
    "context.text": lambda n: message({"type": "context", "elements": [long(n)]}),
    "context_actions.elements": lambda n: message(
        {
            "type": "context_actions",
            "elements": [{"type": "icon_button", "icon": "trash", "text": plain("x")}] * n,
        }
    ),
    "actions.elements": lambda n: message(
        {"type": "actions", "elements": [button(action_id=f"a{number}") for number in range(n)]}
    ),
    "input.label": lambda n: input_block(label=long(n)),
    "input.hint": lambda n: input_block(hint=long(n)),
    "image.url": lambda n: image(image_url="x" * n),
    "image.alt_text": lambda n: image(alt_text="x" * n),
    "image.title": lambda n: image(title=long(n)),
    "markdown.text": lambda n: message({"type": "markdown", "text": "x" * n}),
    "alert.text": lambda n: modal(blocks=[{"type": "alert", "text": long(n)}]),
    "table.rows": lambda n: message(table(rows=n)),
    "table.columns": lambda n: message(table(columns=n)),
    "table.column_settings": lambda n: message(table(column_settings=[{"align": "left"}] * n)),
    "table.characters": lambda n: message(table(text="x" * n)),
    "data_table.rows": lambda n: message({**table(rows=n), "type": "data_table", "caption": "x"}),
    "plan.tasks": lambda n: message(plan(n)),
    "plan.title": lambda n: message(plan(1, "x" * n)),
    "task_card.title": lambda n: message(task(1, "x" * n)),
    "container.child_blocks": lambda n: container(child_blocks=[section()] * n),
    "container.title": lambda n: container(title=long(n)),
    "container.subtitle": lambda n: container(subtitle=long(n)),
    "card.actions": lambda n: message(card(actions=[button(action_id=f"a{number}") for number in range(n)])),
    "card.title": lambda n: message(card(title=long(n))),
    "card.subtitle": lambda n: message(card(subtitle=long(n))),
    "card.body": lambda n: message(card(body=long(n))),
    "carousel.elements": lambda n: message({"type": "carousel", "elements": [card()] * n}),
    "action_id": lambda n: in_actions(button(action_id="x" * n)),
    "placeholder": lambda n: chooser("static_select", options(1), placeholder=long(n)),
    "button.text": lambda n: in_actions(button(text=long(n))),
    "button.value": lambda n: in_actions(button(value="x" * n)),
    "button.url": lambda n: in_actions(button(url="x" * n)),
    "button.accessibility_label": lambda n: in_actions(button(accessibility_label="x" * n)),
    "overflow.options": lambda n: chooser("overflow", options(n)),
    "select.options": lambda n: chooser("static_select", options(n)),
    "checkboxes.options": lambda n: chooser("checkboxes", options(n)),
    "radio_buttons.options": lambda n: chooser("radio_buttons", options(n)),
    "option.text": lambda n: chooser("checkboxes", [{"text": long(n), "value": "v"}]),
    "option.value": lambda n: chooser("checkboxes", [{"text": plain("x"), "value": "v" * n}]),
    "option.description": lambda n: chooser(
        "checkboxes", [{"text": plain("x"), "value": "v", "description": long(n)}]
    ),
    "option_group.label": lambda n: in_actions(
        {"type": "static_select", "option_groups": [{"label": long(n), "options": options(1)}]}
    ),
    "confirm.title": lambda n: confirm(title=long(n)),
    "confirm.text": lambda n: confirm(text=long(n)),
    "confirm.confirm": lambda n: confirm(confirm=long(n)),
    "confirm.deny": lambda n: confirm(deny=long(n)),
    "plain_text_input.max_length": lambda n: input_block(
        element={"type": "plain_text_input", "max_length": n}
    ),
    "manifest.name": lambda n: manifest("display_information", name="x" * n),
    "manifest.description": lambda n: manifest("display_information", description="x" * n),
    "manifest.display_name": lambda n: manifest("bot_user", display_name="x" * n),
    "manifest.commands": lambda n: manifest(
        "features", slash_commands=[{"command": "/x", "description": "x"}] * n
    ),
    "manifest.command": lambda n: manifest("command", command="/".ljust(n, "x")),
    "manifest.command_description": lambda n: manifest("command", description="x" * n),
    "manifest.usage_hint": lambda n: manifest("command", usage_hint="x" * n),
    "manifest.scopes": lambda n: manifest("scopes", bot=["commands"] * n),
    "manifest.events": lambda n: manifest("events", bot_events=["app_home_opened"] * n),
}
"""For each limit, a payload that measures `n` by it and offends nothing else up to its most."""

ELSEWHERE = {
    "message.text",
    "message.text_recommended",
    "message.update_text",
    "message.metadata",
    "view.bytes",
    "view.depth",
    "data_table.characters",
    "upload.alt_txt",
}
"""Tried against the Web API in test_workspace_web_api.py, or not by length alone."""


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_passes_at_its_most(name: str) -> None:
    assert BUILDS[name](limits.most(name)) == ()


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_trips_one_beyond_its_most(name: str) -> None:
    assert name in [fault.rule for fault in BUILDS[name](limits.most(name) + 1)]


def test_every_limit_of_blocks_and_views_is_tried() -> None:
    other = ("seconds", "uses", "connections", "retries", "per_second", "per_minute", "burst")
    sizes = {limit.name for limit in limits.TABLE if not limit.name.endswith(other)}
    assert sizes == set(BUILDS) | ELSEWHERE


def test_every_limit_says_where_it_is_written() -> None:
    assert [limit.name for limit in limits.TABLE if not limit.source] == []
