"""Which manifests Slack makes an app of."""

from copy import deepcopy
from typing import Any

import pytest

from tests.workspace.manifest import validate_manifest

Json = dict[str, Any]
SMALL: Json = {
    "display_information": {"name": "x", "background_color": "#1f4e5f"},
    "features": {
        "bot_user": {"display_name": "x-1.y_z"},
        "slash_commands": [{"command": "/x", "description": "x"}],
    },
    "oauth_config": {"scopes": {"bot": ["commands", "chat:write"]}},
    "settings": {
        "socket_mode_enabled": True,
        "interactivity": {"is_enabled": True},
        "event_subscriptions": {"bot_events": ["app_home_opened"]},
    },
}


def changed(path: str, value: Any) -> Json:
    manifest = deepcopy(SMALL)
    *way, last = path.split("/")
    place: Any = manifest
    for key in way:
        place = place[int(key) if key.isdigit() else key]
    place[last] = value
    return manifest


def said(manifest: Any) -> list[str]:
    return [str(fault) for fault in validate_manifest(manifest)]


def test_a_whole_manifest_is_taken() -> None:
    assert said(SMALL) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("colour", "x", "invalid additional property: colour [json-pointer:]"),
        ("features/slash_command", [], "invalid additional property: slash_command [json-pointer:/features]"),
        ("display_information/name", "", "missing required field: name [json-pointer:/display_information]"),
        (
            "display_information/background_color",
            "teal",
            "must be a hex color value [json-pointer:/display_information/background_color]",
        ),
        (
            "features/bot_user/display_name",
            "Safe Prune",
            "must be of a-z, 0-9, -, _ and . [json-pointer:/features/bot_user/display_name]",
        ),
        (
            "features/slash_commands/0/hint",
            "x",
            "invalid additional property: hint [json-pointer:/features/slash_commands/0]",
        ),
        (
            "features/slash_commands/0/command",
            "x",
            "must begin with / [json-pointer:/features/slash_commands/0/command]",
        ),
        (
            "oauth_config/scopes/bot",
            ["commands", "chat:writes"],
            "not a bot scope: chat:writes [json-pointer:/oauth_config/scopes/bot/1]",
        ),
        (
            "oauth_config/scopes/bot",
            ["chat:write"],
            "slash commands require the bot scope commands [json-pointer:/oauth_config/scopes/bot]",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(path: str, value: Any, fault: str) -> None:
    assert said(changed(path, value)) == [fault]


def test_without_socket_mode_every_way_in_needs_an_address() -> None:
    assert [fault.pointer for fault in validate_manifest(changed("settings/socket_mode_enabled", False))] == [
        "/features/slash_commands/0",
        "/settings/event_subscriptions",
        "/settings/interactivity",
    ]


@pytest.mark.parametrize("manifest", [None, [], "x"])
def test_what_is_no_manifest_is_refused(manifest: Any) -> None:
    assert said(manifest) == ["must provide an object [json-pointer:]"]
