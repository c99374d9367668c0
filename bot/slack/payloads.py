"""What Slack sends, read into values; what is missing or of another type is said."""

from collections.abc import Mapping
from typing import Any

from bot.arrivals import Call, Click, Filled
from bot.errors import PayloadUnreadable
from workers.contract import Person

Payload = Mapping[str, Any]


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
    container, action = _part(body, "container"), _action(body)
    value = action.get("value")
    return Click(
        value=value if isinstance(value, str) else "",
        person=presser_of(body),
        channel=_text(_part(body, "channel"), "id", default=""),
        trigger_id=_text(body, "trigger_id"),
        response_url=_text(body, "response_url", default=""),
        is_private=container.get("is_ephemeral") is True,
        message_ts=_text(container, "message_ts", default=""),
        chosen=_chosen(action),
    )


def reader_of(body: Payload) -> Person | None:
    """Read who has opened the Home tab; None where another tab was opened.

    Raises:
        PayloadUnreadable: it lacks something, or holds something else than text.
    """
    event = _part(body, "event")
    if _text(event, "tab", default="home") != "home":
        return None
    return Person(team=_text(body, "team_id"), user=_text(event, "user"))


def presser_of(body: Payload) -> Person:
    """Read who has pressed something on the Home tab.

    Raises:
        PayloadUnreadable: it lacks something, or holds something else than text.
    """
    user = _part(body, "user")
    return Person(team=_team(body, user), user=_text(user, "id"))


def filled_of(body: Payload) -> Filled:
    """Read a form, handed in or changed.

    Raises:
        PayloadUnreadable: it lacks something, or holds something else than text.
    """
    view = _part(body, "view")
    fields = [field for field in _part(_part(view, "state"), "values").values() if isinstance(field, Mapping)]
    return Filled(
        form=_text(view, "callback_id"),
        about=_text(view, "private_metadata"),
        values={name: _chosen(told) or _typed(told) for field in fields for name, told in field.items()},
        person=presser_of(body),
        trigger_id=_text(body, "trigger_id"),
        view=_text(view, "id"),
        version=_text(view, "hash"),
    )


def _chosen(told: object) -> tuple[str, ...]:
    """What is ticked or picked in a control."""
    if not isinstance(told, Mapping):
        return ()
    options = [told.get("selected_option"), *(told.get("selected_options") or ())]
    return tuple(
        str(option["value"]) for option in options if isinstance(option, Mapping) and "value" in option
    )


def _typed(told: object) -> tuple[str, ...]:
    """What is typed into a field."""
    text = told.get("value") if isinstance(told, Mapping) else None
    return (text,) if isinstance(text, str) and text else ()


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
