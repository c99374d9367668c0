"""The payloads Slack sends: slash commands, clicks, modal submissions, events."""

import secrets
from collections.abc import Mapping
from typing import Any

from tests.workspace.chat_methods import message_json
from tests.workspace.controls import Control, chosen_option
from tests.workspace.people import APP_ID, BOT_USER_ID, TEAM_ID, Channel, User
from tests.workspace.records import Message, View
from tests.workspace.view_methods import view_json

Json = dict[str, Any]
DOMAIN = "safe-prune"
VERIFICATION = "verification-token"
TEAM = {"id": TEAM_ID, "domain": DOMAIN}


def command_payload(user: User, channel: Channel, text: str, trigger: str, response_url: str) -> Json:
    command, _, rest = text.partition(" ")
    kind = "directmessage" if channel.is_im else "privategroup" if channel.is_private else channel.name
    return {
        "token": VERIFICATION,
        "team_id": TEAM_ID,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": kind,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": rest.strip(),
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def _interaction(kind: str, user: User, trigger: str) -> Json:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "token": VERIFICATION,
        "trigger_id": trigger,
        "team": TEAM,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_click(
    user: User,
    channel: Channel,
    message: Message,
    action: Json,
    values: Json,
    trigger: str,
    response_url: str,
) -> Json:
    """A block_actions payload from a message; an ephemeral one is not told its message."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction("block_actions", user, trigger) | {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": values},
        "response_url": response_url,
        "actions": [action],
    }
    return payload if message.ephemeral_to else payload | {"message": message_json(message)}


def view_click(user: User, view: View, action: Json, values: Json, trigger: str) -> Json:
    return _interaction("block_actions", user, trigger) | {
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(view, values),
        "actions": [action],
    }


def view_submission(user: User, view: View, values: Json, trigger: str) -> Json:
    shown = {"view": view_json(view, values), "response_urls": []}
    return _interaction("view_submission", user, trigger) | shown


def view_closed(user: User, view: View, values: Json) -> Json:
    payload = _interaction("view_closed", user, "")
    del payload["trigger_id"]
    return payload | {"view": view_json(view, values), "is_cleared": False}


def action_json(control: Control, ts: str, option: str | None, state: Json | None) -> Json:
    """What was done to a control."""
    action: Json = {
        "type": control.kind,
        "action_id": control.action_id,
        "block_id": control.block_id,
        "action_ts": ts,
    }
    for key in ("text", "value", "style", "confirm"):
        if key in control.element:
            action[key] = control.element[key]
    if option is not None:
        action["selected_option"] = chosen_option(control, option)
    return action | (state or {})


def event_payload(event: Mapping[str, Any], now: float) -> Json:
    return {
        "token": VERIFICATION,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": dict(event),
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(now),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }
