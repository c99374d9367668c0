"""What people do in Slack, as it arrives (values)."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from workers.contract import Person


@dataclass(frozen=True)
class Call:
    """A slash command as it arrived, or a press that says the same; `thread`: where its answer belongs."""

    text: str
    person: Person
    channel: str
    trigger_id: str
    response_url: str
    thread: str = ""


@dataclass(frozen=True)
class Click:
    """A button press as it arrived; `is_private`: on a message that only this person sees.

    `message_ts`: which message of the channel was pressed; `chosen`: what is ticked or picked there.
    """

    value: str
    person: Person
    channel: str
    trigger_id: str
    response_url: str
    is_private: bool = False
    message_ts: str = ""
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filled:
    """A form as somebody has filled it in; `values` are by field, `about` is what it was opened for.

    `view`, `version`: by which name Slack draws it anew, unless it has changed since.
    """

    form: str
    about: str
    values: Mapping[str, tuple[str, ...]]
    person: Person
    trigger_id: str
    view: str = ""
    version: str = ""


CALL, CLICK, FILLED = TypeAdapter(Call), TypeAdapter(Click), TypeAdapter(Filled)
