"""Whether the running bot works, in words for whoever watches it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.requests import Line

READ_AGE = timedelta(seconds=30)
STEP_AGE = timedelta(seconds=90)
SILENCE = timedelta(seconds=60)


@dataclass(frozen=True)
class Signs:
    """What the parts of the bot say of themselves."""

    is_connected: bool | None  # None: Slack calls us
    silent_for: float | None  # seconds; None: Slack calls us
    line: Line
    last_read: datetime | None
    last_step: datetime | None
    lost: str = ""  # what Slack says where it does not take the bot's token


def troubles(signs: Signs, now: datetime) -> Iterator[str]:
    """Say what does not work; nothing where all does."""
    if signs.is_connected is False:
        yield "not connected to Slack"
    elif signs.silent_for is not None and signs.silent_for > SILENCE.total_seconds():
        yield f"nothing came over the connection to Slack for {signs.silent_for:.0f} s"
    if signs.lost:
        yield f"Slack does not take the bot's token ({signs.lost})"
    if not signs.line.up:
        yield f"Redis cannot be read: {signs.line.error or 'not tried yet'}"
    elif signs.last_read is None or now - signs.last_read > READ_AGE:
        yield f"the hosts' streams were last read {_ago(signs.last_read, now)}"
    if signs.last_step is None or now - signs.last_step > STEP_AGE:
        yield f"requests were last carried on {_ago(signs.last_step, now)}"


def _ago(moment: datetime | None, now: datetime) -> str:
    return "never" if moment is None else f"{(now - moment).total_seconds():.0f} s ago"
