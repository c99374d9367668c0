"""What people do in Slack, as it arrives (values)."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from workers.contract import Person


@dataclass(frozen=True)
class Call:
    """A slash command as it arrived."""

    text: str
    person: Person
    channel: str
    trigger_id: str
    response_url: str


@dataclass(frozen=True)
class Click:
    """A button press as it arrived; `is_private`: on a message that only this person sees.

    `message_ts`: which message of the channel was pressed.
    """

    value: str
    person: Person
    channel: str
    trigger_id: str
    response_url: str
    is_private: bool = False
    message_ts: str = ""


CALL, CLICK = TypeAdapter(Call), TypeAdapter(Click)
