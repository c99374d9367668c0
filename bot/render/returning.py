"""The first line of a restore, and its counts: what a click brings back, or what came of it."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from bot.past import IS_THERE
from bot.render.titles import NOUNS
from bot.render.unheard import no_plan, not_confirmable, unreported
from bot.requests import HostPart, Phase, Request, Settled
from workers.contract import Kind, RestorePlan, RestoreReport, Status
from workers.wording import amount, bytes_range, listing, size

CLOSINGS = {
    Settled.CANCELLED: "Cancelled, nothing was brought back on {host}.",
    Settled.EXPIRED: "Timed out, nothing was brought back on {host}.",
    Settled.SUPERSEDED: "Replaced by a newer plan, nothing was brought back on {host}.",
}
CUT_SHORT = {
    Status.STOPPED: "Stopped on {host}: {there}.",
    Status.INTERRUPTED: "Interrupted on {host}: {there}.",
}
NO_TAG_IS_TAKEN = "Nothing is removed by it, and no tag is taken from another image."


def of_restore(request: Request, now: datetime) -> str:
    """The line that stands on top of a restore, and alone in a notification."""
    [part] = request.parts
    match request.phase:
        case Phase.PLANNING:
            return f"Planning a restore on {part.host}…"
        case Phase.READY if request.is_expired(now):
            return CLOSINGS[Settled.EXPIRED].format(host=part.host)
        case Phase.READY if part.back:
            return _question(part.host, part.back)
        case Phase.EXECUTING if part.only_waits:
            return f"Confirmed: bring back {_counted(part)} on {part.host}. Waiting for it to begin…"
        case Phase.EXECUTING:
            return f"Bringing back {_counted(part)} on {part.host}…"
        case Phase.FINISHED:
            return _ended(part.restored) if part.restored else unreported(part)
    how = request.settlement.how if request.settlement else None
    return CLOSINGS[how].format(host=part.host) if how in CLOSINGS else _nothing(part)


def _question(host: str, plan: RestorePlan) -> str:
    takes = f" It takes {bytes_range(plan.needs)}{_free(plan)}." if plan.needs.high else ""
    return f"Bring back {listing(by_kind(plan))} on {host}?{takes}"


def _free(plan: RestorePlan) -> str:
    return "" if plan.free is None else f", {size(plan.free)} are free"


def by_kind(plan: RestorePlan) -> list[str]:
    """What comes back, by kind: ``2 images``, ``1 network``."""
    return counted(step.object.kind for step in plan.steps)


def counted(kinds: Iterable[Kind]) -> list[str]:
    """Count objects that are not there by kind, most first."""
    return [amount(count, NOUNS[kind]) for kind, count in Counter(kinds).most_common()]


def _counted(part: HostPart) -> str:
    return amount(len(part.back.steps), "object") if part.back else "what was confirmed"


def _ended(report: RestoreReport) -> str:
    back = sum(one.outcome in IS_THERE for one in report.outcomes)
    there = f"{back} of {amount(len(report.outcomes), 'object')} there again"
    if report.status in CUT_SHORT:
        return CUT_SHORT[report.status].format(host=report.host, there=there)
    if report.status is Status.DONE:
        return f"Brought back {amount(back, 'object')} on {report.host}."
    return f"Not everything came back on {report.host}: {there}."


def _nothing(part: HostPart) -> str:
    plan = part.back
    if plan is None:
        return no_plan(part)
    if plan.engine.read_only is not None:
        return f"Nothing can be brought back on {part.host}: its engine is only read."
    if not plan.steps:
        return f"Nothing to bring back on {part.host}."
    if not plan.fits:
        return f"No room on {part.host}: {bytes_range(plan.needs)} are needed{_free(plan)}."
    return not_confirmable(part.host, part.withheld) if part.withheld else f"No decision for {part.host}."
