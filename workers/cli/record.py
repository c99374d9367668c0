"""What is on record at a host, one line for each run, refusal and standing order, the oldest first (pure)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from workers.audit_lines import (
    Consumed,
    EventsLine,
    Line,
    OrderLine,
    RefusalLine,
    Reported,
    ReportLine,
    RestoreLine,
    RestoreReportLine,
    StandingLine,
)
from workers.cli.terminal import local_time
from workers.contract import Outcome
from workers.restore.guards import IS_THERE
from workers.wording import amount, fragment, listing, short, size

Dated = tuple[datetime, str]
STANDING = {
    "freeze": "froze this host",
    "unfreeze": "unfroze this host",
    "protect": "protected {about}",
    "unprotect": "ended the protection of {about}",
}


def record_lines(found: Sequence[Line], *, has_bot: bool) -> Iterator[str]:
    """Who asked, who confirmed, and what came of it; `has_bot`: somebody is meant to be told of it."""
    reports = {line.order_id: line for line in found if isinstance(line, Reported)}
    runs = [_run(line, reports.get(line.id)) for line in found if isinstance(line, OrderLine)]
    refusals = [_refusal(line) for line in found if isinstance(line, RefusalLine)]
    restores = [_restore(line, reports.get(line.id)) for line in found if isinstance(line, RestoreLine)]
    standing = [_standing(line) for line in found if isinstance(line, StandingLine)]
    every = sorted([*runs, *restores, *refusals, *standing])
    yield from (text for _, text in every)
    if not every:
        yield "Nothing was ordered and nothing was refused here."
    yield from _waiting((line for line in found if isinstance(line, EventsLine)), has_bot=has_bot)


def _run(order: OrderLine, report: Reported | None) -> Dated:
    end = _end(report if isinstance(report, ReportLine) else None)
    return _dated(order, end, f"plan {short(order.plan_digest)}")


def _restore(order: RestoreLine, report: Reported | None) -> Dated:
    if not isinstance(report, RestoreReportLine):
        return _dated(order, "restore begun, and not reported yet")
    there = sum(one.outcome in IS_THERE for one in report.outcomes)
    objects = amount(len(report.outcomes), "object")
    return _dated(order, f"restore {report.status}, {there} of {objects} there again", f"of run {report.run}")


def _dated(order: Consumed, end: str, *about: str) -> Dated:
    what = ", ".join((f"order {order.id}", *about))
    return order.consumed_at, f"{local_time(order.consumed_at.isoformat())}  {_people(order)}: {end} ({what})"


def _people(order: Consumed) -> str:
    alone = order.approvers == (order.requester,)
    others = " and" if alone else f", {listing(order.approvers)}"
    return f"{order.requester} asked{others} confirmed"


def _end(report: ReportLine | None) -> str:
    if report is None:
        return "begun, and not reported yet"
    removed = sum(one.outcome == Outcome.REMOVED for one in report.outcomes)
    freed = "bytes not measured" if report.freed is None else f"{size(report.freed)} freed"
    return f"{report.status}, {removed} of {amount(len(report.outcomes), 'object')} removed, {freed}"


def _refusal(line: RefusalLine) -> Dated:
    who = line.requester or "somebody unknown"
    why = "; ".join(fragment(one) for one in line.reasons)
    return line.at, f"{local_time(line.at.isoformat())}  {who} was refused: {why}"


def _standing(line: StandingLine) -> Dated:
    what = STANDING.get(line.type, f"{line.type} {{about}}").format(about=line.about)
    at = local_time(line.decided_at.isoformat())
    return line.decided_at, f"{at}  {line.decided_by} {what} (request {line.request_id})"


def _waiting(counted: Iterable[EventsLine], *, has_bot: bool) -> Iterator[str]:
    """Nobody waits where no bot is told of, and none has ever acknowledged anything."""
    for line in counted:
        if line.waiting and (has_bot or len(line.waiting) < line.last):
            yield f"{amount(len(line.waiting), 'event')} of {line.last} not yet acknowledged by the bot."
