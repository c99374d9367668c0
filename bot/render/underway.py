"""What is under way, and what was taken back, as one person reads it."""

from collections.abc import Sequence
from datetime import datetime

from bot.render.answers import said
from bot.render.blocks import TEXT_BUDGET, Message, date, listed, mention, message, paragraphs
from bot.render.headlines import headline
from bot.requests import Request
from workers.wording import amount

ROOM = TEXT_BUDGET - 500
NAMED = 5


def underway(found: Sequence[tuple[Request, str]], now: datetime) -> Message:
    """Each request in a line, oldest first, with a link to its thread."""
    if not found:
        return said("Nothing is under way in this channel.", "`/prune history` shows what was done.")
    lines = [_line(request, link, now) for request, link in found]
    title = f"{amount(len(found), 'request').capitalize()} under way in this channel"
    return message(title, paragraphs(lines, room=ROOM, more=lambda left: f"+{left} more."))


def _line(request: Request, link: str, now: datetime) -> str:
    asked = request.asked
    thread = f" · <{link}|thread>" if link else ""
    return (
        f"*{headline(request, now)}*\nAsked for by {mention(asked.requester)} {date(asked.made_at)}{thread}"
    )


def cancelled(requests: Sequence[Request]) -> Message:
    """What was taken back."""
    if not requests:
        return said(
            "Nothing that you could cancel waits for a decision here.",
            "Name a host to cancel what others asked for; `/prune stop` ends a run or a restore.",
        )
    hosts = sorted({host for request in requests for host in request.asked.hosts})
    return said(f"Cancelled on {listed(hosts, NAMED)}: nothing was removed by it.")
