"""The admitted hosts, one line each, most troubled first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.render.blocks import TEXT_BUDGET, Message, date, message, paragraphs
from bot.render.locks import being_pruned, way_out
from bot.render.summary import sentences
from bot.requests import SILENT_AFTER, Holder
from workers.reasons import Reason
from workers.wording import amount

ROOM = TEXT_BUDGET - 500
PROBLEMS = 3
BUSY = {"plan": "is planning", "execute": "is being pruned", "restore": "is being restored"}


@dataclass(frozen=True)
class HostRow:
    """One admitted host, as it is known now."""

    host: str
    last_seen: datetime | None = None
    busy: str = ""
    busy_since: datetime | None = None
    problems: tuple[Reason, ...] = ()
    holder: Holder | None = None


def hosts(rows: Sequence[HostRow], now: datetime) -> Message:
    """Every admitted host; one that does not answer stays listed and is shown so."""
    if not rows:
        return message("No host is admitted yet", paragraphs([HOW_TO_ADMIT], room=ROOM, more=_more_hosts))
    silent = sum(is_silent(row, now) for row in rows)
    title = amount(len(rows), "host").capitalize()
    troubled_first = sorted(rows, key=lambda row: (not is_silent(row, now), not row.problems, row.host))
    return message(
        f"{title}, {silent} not answering" if silent else f"{title}, all answering",
        paragraphs([line for row in troubled_first for line in _host(row, now)], room=ROOM, more=_more_hosts),
    )


HOW_TO_ADMIT = "Where the bot runs, `python -m bot hosts add NAME` admits one and prints what it needs."


def _more_hosts(left: int) -> str:
    return f"+{amount(left, 'more line')}."


def _host(row: HostRow, now: datetime) -> list[str]:
    told = sentences(row.problems[:PROBLEMS], now)
    return [f"*{row.host}* {standing(row, now)}", *(f"• {problem}" for problem in told)]


def standing(row: HostRow, now: datetime) -> str:
    """Whether it answers, and what it is at."""
    if row.last_seen is None:
        return "has never answered. Start its worker."
    if is_silent(row, now):
        return f"is not answering since {date(row.last_seen)}. Look at its worker."
    since = f" since {date(row.busy_since)}" if row.busy_since else ""
    if row.holder:
        return f"{being_pruned(row.holder)}. {way_out(row.host)}"
    return f"{BUSY[row.busy]}{since}" if row.busy in BUSY else "answers"


def is_silent(row: HostRow, now: datetime) -> bool:
    """Whether it has not been heard of for too long."""
    return row.last_seen is None or now - row.last_seen > SILENT_AFTER
