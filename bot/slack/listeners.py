"""Slack's callbacks: each reads what arrived, hands it over, and acknowledges."""

from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, App, Respond

from bot.errors import BotError
from bot.reception import Call, Click, Reception
from bot.render import CANCEL, EXECUTE
from bot.render.blocks import Message
from bot.render.receipts import not_noted
from workers.contract import Person

COMMAND = "/prune"
Payload = Mapping[str, Any]


def register(app: App, reception: Reception) -> None:
    """Connect the app with the reception."""

    def on_command(ack: Ack, command: Payload) -> None:
        ack(**_private(reception.command(call_of(command))))

    app.command(COMMAND)(on_command)
    app.action(EXECUTE)(_on_click(reception.execute))
    app.action(CANCEL)(_on_click(reception.cancel))


def _on_click(take: Callable[[Click], None]) -> Callable[..., None]:
    def on_click(ack: Ack, body: Payload, respond: Respond) -> None:
        try:
            take(click_of(body))
        except BotError as error:
            ack()
            respond(**_private(not_noted(str(error))), replace_original=False)
            raise
        ack()

    return on_click


def _private(message: Message) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": message.text, "blocks": list(message.blocks)}


def call_of(command: Payload) -> Call:
    """Read a slash command."""
    return Call(
        text=str(command.get("text", "")),
        person=Person(team=str(command["team_id"]), user=str(command["user_id"])),
        channel=str(command["channel_id"]),
        trigger_id=str(command["trigger_id"]),
        response_url=str(command["response_url"]),
    )


def click_of(body: Payload) -> Click:
    """Read a button press; a person's team is their own, not the one the message is in."""
    user, container = body["user"], body.get("container") or {}
    return Click(
        value=str(body["actions"][0].get("value", "")),
        person=Person(team=str(user.get("team_id") or body["team"]["id"]), user=str(user["id"])),
        channel=str((body.get("channel") or {}).get("id", "")),
        trigger_id=str(body["trigger_id"]),
        response_url=str(body.get("response_url", "")),
        is_private=bool(container.get("is_ephemeral")),
    )
