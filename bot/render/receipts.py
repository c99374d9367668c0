"""What somebody reads at once after a command or a click, before anything has happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.errors import SlackError
from bot.render.answers import said, why
from bot.render.blocks import SECTION, Message, code, date, detail, printable, prose
from bot.render.locks import being_pruned, waits_for, way_out
from bot.requests import SILENT_AFTER, Contact, Holder
from workers.wording import listing

NAMED = 5
PLACES = ("this channel", "the thread of the message that you pressed")


def asking(hosts: Sequence[str], held: Mapping[str, Holder], *, in_thread: bool = False) -> Message:
    """The plans are asked for; which hosts are `held` by a run, so that theirs take longer."""
    told = f"Asking {_named(hosts)} for a plan. It comes in {PLACES[in_thread]}; nothing is removed by it."
    return said(told, waits_for(held))


def inquiring(
    contact: Contact, now: datetime, holder: Holder | None = None, *, in_thread: bool = False
) -> Message:
    """A host is asked about itself; what will delay it is said at once."""
    told = f"The answer comes in {PLACES[True]}." if in_thread else "Only you see the answer; it comes here."
    if contact.last_seen is None or now - contact.last_seen > SILENT_AFTER:
        last = f" since {date(contact.last_seen)}" if contact.last_seen else " yet"
        return said(f"Asking {contact.host}, which is not heard of{last}. {told}")
    if holder:
        return said(
            f"Asking {contact.host}, which {being_pruned(holder)}: it answers when that is over. {told}",
            way_out(contact.host),
        )
    return said(f"Asking {contact.host}. {told}")


def looking_up() -> Message:
    """Slack has to be asked first who somebody is."""
    return said("One moment: Slack is asked whether you may. The answer follows here.")


def taken() -> Message:
    """In place of buttons that only one person saw, and has used."""
    return said("Taken. What comes of it is told in this channel.")


def not_noted(error: str) -> Message:
    """What could not be written down is not begun (S14)."""
    return said(
        f"The bot could not note this down: {detail(error)}. Nothing was begun.",
        "Ask again; if it stays so, look at the bot's disk and its log.",
    )


def failed(mark: str) -> Message:
    """An answer where the bot met an error that nobody foresaw."""
    what = "The bot failed at this; it may not have been begun."
    return said(what, "`/prune status` shows what is under way.", mark=mark)


def not_readable() -> Message:
    """An answer to what Slack did not send as it does."""
    return said("This could not be read, so nothing was begun.", "Type it again.")


def without_details(drawn: Message, error: SlackError, mark: str) -> Message:
    """A message in words alone, with why it has no more."""
    first = printable(drawn.text, SECTION)
    why = f"Slack did not take the details of this message ({prose(str(error))})."
    return Message(f"{first}\n{why} In the bot's log: {mark}", ())


def not_attached(name: str, error: SlackError, mark: str) -> Message:
    """In place of a file that Slack does not take."""
    then = f"Whoever runs the bot has to mend that: {prose(error.remedy)}." if error.remedy else ""
    return said(f"Slack did not take the file {code(name)}: {why(error)}.", then, mark=mark)


def _named(hosts: Sequence[str]) -> str:
    return listing(hosts) if len(hosts) <= NAMED else f"{len(hosts)} hosts"
