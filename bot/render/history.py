"""What was done before, and which hosts there are: one line each, newest or most troubled first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.render.blocks import TEXT_BUDGET, Message, code, date, mention, message, paragraphs
from bot.render.headlines import GOOD, removed
from bot.render.summary import sentences
from bot.requests import SILENT_AFTER
from workers.contract import HealthChange, Person, Report, Status
from workers.reasons import Reason
from workers.wording import amount, listing, size

ROOM = TEXT_BUDGET - 500
PROBLEMS = 3
ENDS = {
    Status.DONE: "done",
    Status.PARTIAL: "partly done",
    Status.STOPPED: "stopped",
    Status.REFUSED: "refused, nothing removed",
    Status.FAILED: "failed",
    Status.INTERRUPTED: "interrupted",
}
BUSY = {"plan": "is planning", "execute": "is being pruned"}


@dataclass(frozen=True)
class HistoryRow:
    """One past run; `ran` containers ran before it, `running` of them still do."""

    at: datetime
    host: str
    requester: Person
    approvers: tuple[Person, ...]
    status: Status
    removed: int
    freed: int | None
    ran: int
    running: int
    unchecked: int


@dataclass(frozen=True)
class HostRow:
    """One admitted host, as it is known now."""

    host: str
    last_seen: datetime | None = None
    busy: str = ""
    busy_since: datetime | None = None
    version: str = ""
    problems: tuple[Reason, ...] = ()


def history_row(run: Report) -> HistoryRow:
    """A report in one line of the history."""
    changes = [line.change for line in run.health]
    return HistoryRow(
        at=run.finished_at,
        host=run.host,
        requester=run.requester,
        approvers=run.agreed,
        status=run.status,
        removed=removed(run),
        freed=run.freed,
        ran=len(changes),
        running=sum(change in GOOD for change in changes),
        unchecked=changes.count(HealthChange.NOT_RECHECKED),
    )


def history(rows: Sequence[HistoryRow], host: str | None) -> Message:
    """The past runs, newest first."""
    place = f" on {host}" if host else ""
    if not rows:
        return message(f"No run{place} yet", [])
    newest = sorted(rows, key=lambda row: row.at, reverse=True)
    freed = size(sum(row.freed or 0 for row in rows))
    title = f"{amount(len(rows), 'run').capitalize()}{place}, {freed} freed"
    return message(title, paragraphs([_run(row) for row in newest], room=ROOM, more=_older))


def _older(left: int) -> str:
    return f"+{left} older."


def _run(row: HistoryRow) -> str:
    freed = "freed bytes unknown" if row.freed is None else f"freed {size(row.freed)}"
    facts = [
        f"{date(row.at)}  *{row.host}* {ENDS[row.status]}",
        *([f"{freed} in {amount(row.removed, 'object')}"] if row.removed else []),
        *([_services(row)] if row.ran else []),
        f"{mention(row.requester)} asked, {listing([mention(one) for one in row.approvers])} confirmed",
    ]
    return " · ".join(facts)


def _services(row: HistoryRow) -> str:
    if row.running == row.ran:
        return f"all {row.ran} services ran on" if row.ran > 1 else "the one service ran on"
    later = f", {row.unchecked} not re-checked" if row.unchecked else ""
    return f"{row.running} of {row.ran} services ran on{later}"


def hosts(rows: Sequence[HostRow], now: datetime) -> Message:
    """Every admitted host; one that does not answer stays listed and is shown so."""
    if not rows:
        return message("No host is admitted yet", paragraphs([HOW_TO_ADMIT], room=ROOM, more=_more_hosts))
    silent = sum(_is_silent(row, now) for row in rows)
    title = amount(len(rows), "host").capitalize()
    troubled_first = sorted(rows, key=lambda row: (not _is_silent(row, now), not row.problems, row.host))
    return message(
        f"{title}, {silent} not answering" if silent else f"{title}, all answering",
        paragraphs([line for row in troubled_first for line in _host(row, now)], room=ROOM, more=_more_hosts),
    )


HOW_TO_ADMIT = "Where the bot runs, `python -m bot hosts add NAME` admits one and prints what it needs."


def _more_hosts(left: int) -> str:
    return f"+{amount(left, 'more line')}."


def _host(row: HostRow, now: datetime) -> list[str]:
    told = sentences(row.problems[:PROBLEMS], now)
    return [f"*{row.host}* {_standing(row, now)}", *(f"• {problem}" for problem in told)]


def _standing(row: HostRow, now: datetime) -> str:
    if row.last_seen is None:
        return "has never answered. Start its worker."
    if _is_silent(row, now):
        return f"is not answering since {date(row.last_seen)}. Look at its worker."
    since = f" since {date(row.busy_since)}" if row.busy_since else ""
    engine = f", Docker {code(row.version)}" if row.version else ""
    return f"{BUSY[row.busy]}{since}{engine}" if row.busy in BUSY else f"answers{engine}"


def _is_silent(row: HostRow, now: datetime) -> bool:
    return row.last_seen is None or now - row.last_seen > SILENT_AFTER
