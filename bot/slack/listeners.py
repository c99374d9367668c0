"""Slack's callbacks: each reads what arrived, hands it over, and acknowledges."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, App, Respond

from bot.errors import BotError, PayloadUnreadable
from bot.reception import Call, Click, Reception
from bot.render import CANCEL, EXECUTE
from bot.render.blocks import Message
from bot.render.receipts import not_noted, not_readable
from workers.contract import Person

logger = logging.getLogger(__name__)

COMMAND = "/prune"
ANY = re.compile("")
Payload = Mapping[str, Any]


def register(app: App, reception: Reception) -> None:
    """Connect the app with the reception."""

    def on_command(ack: Ack, command: Payload) -> None:
        try:
            call = call_of(command)
        except PayloadUnreadable as error:
            _leave_out(error)
            ack(**_private(not_readable()))
        else:
            ack(**_private(reception.command(call)))

    app.command(COMMAND)(on_command)
    app.action(EXECUTE)(_on_click(reception.execute))
    app.action(CANCEL)(_on_click(reception.cancel))
    # The last one, for it takes what is left: controls of other versions.
    app.action(ANY)(_on_click(reception.unknown))


def _on_click(take: Callable[[Click], None]) -> Callable[..., None]:
    def on_click(ack: Ack, body: Payload, respond: Respond) -> None:
        try:
            take(click_of(body))
        except PayloadUnreadable as error:
            _leave_out(error)
        except BotError as error:
            ack()
            respond(**_private(not_noted(str(error))), replace_original=False)
            raise
        ack()

    return on_click


def _private(message: Message) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": message.text, "blocks": list(message.blocks)}


def _leave_out(error: PayloadUnreadable) -> None:
    logger.warning("what came from Slack is left out: %s", error)


def call_of(command: Payload) -> Call:
    """Read a slash command.

    Raises:
        PayloadUnreadable: it lacks something, or holds something else than text.
    """
    return Call(
        text=_text(command, "text") if command.get("text") else "",
        person=Person(team=_text(command, "team_id"), user=_text(command, "user_id")),
        channel=_text(command, "channel_id"),
        trigger_id=_text(command, "trigger_id"),
        response_url=_text(command, "response_url"),
    )


def click_of(body: Payload) -> Click:
    """Read a button press; a person's team is their own, not the one the message is in.

    A value that is no text is read as none: it is answered like any that was altered.

    Raises:
        PayloadUnreadable: it lacks something, or holds something else than text.
    """
    user, container, value = _part(body, "user"), _part(body, "container"), _action(body).get("value")
    return Click(
        value=value if isinstance(value, str) else "",
        person=Person(team=_team(body, user), user=_text(user, "id")),
        channel=_text(_part(body, "channel"), "id", default=""),
        trigger_id=_text(body, "trigger_id"),
        response_url=_text(body, "response_url", default=""),
        is_private=container.get("is_ephemeral") is True,
        message_ts=_text(container, "message_ts", default=""),
    )


def _team(body: Payload, user: Payload) -> str:
    return _text(user, "team_id") if user.get("team_id") else _text(_part(body, "team"), "id")


def _action(body: Payload) -> Payload:
    match body.get("actions"):
        case [Mapping() as action, *_]:
            return action
        case _:
            raise PayloadUnreadable("actions")


def _part(body: Payload, name: str) -> Payload:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(body: Payload, name: str, *, default: str | None = None) -> str:
    match body.get(name):
        case str(text) if text:
            return text
        case None | "" if default is not None:
            return default
        case _:
            raise PayloadUnreadable(name)
