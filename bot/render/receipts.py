"""What somebody reads at once after a command or a click, before anything has happened."""

from collections.abc import Sequence

from bot.render.answers import said
from bot.render.blocks import Message, escaped
from workers.wording import listing

NAMED = 5


def asking(hosts: Sequence[str]) -> Message:
    """The plans are asked for."""
    return said(f"Asking {_named(hosts)} for a plan. It comes in this channel; nothing is removed by it.")


def history_follows() -> Message:
    """The history is on its way into the channel."""
    return said("The history comes in this channel.")


def taken() -> Message:
    """In place of buttons that only one person saw, and has used."""
    return said("Taken. What comes of it is told in this channel.")


def not_noted(error: str) -> Message:
    """What could not be written down is not begun (S14)."""
    return said(
        f"The bot could not note this down: {escaped(error)}. Nothing was begun.",
        "Ask again; if it stays so, look at the bot's disk and its log.",
    )


def not_attached(name: str, error: str) -> Message:
    """In place of a file that Slack does not take."""
    return said(f"Slack did not take the file {escaped(name)}: {escaped(error)}.")


def _named(hosts: Sequence[str]) -> str:
    return listing(hosts) if len(hosts) <= NAMED else f"{len(hosts)} hosts"
