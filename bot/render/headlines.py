"""The first line of a request: the decision to take, or what came of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.render.blocks import code, listed, when
from bot.render.returning import of_restore
from bot.render.unheard import no_plan, not_confirmable, unreported
from bot.requests import HostPart, Phase, Request, Settled, Stage
from workers.contract import Bytes, HealthChange, HealthLine, Kind, Outcome, Plan, Report, Status
from workers.reasons import HARM, NOT_SEEN, Code
from workers.wording import amount, bytes_range, listing, objects, size

BAD = (HealthChange.REGRESSED, HealthChange.GONE)
CLOSINGS = {
    Settled.CANCELLED: "Cancelled, nothing was removed {place}.",
    Settled.EXPIRED: "Timed out, nothing was removed {place}.",
    Settled.SUPERSEDED: "Replaced by a newer plan, nothing was removed {place}.",
}
ENDINGS = {
    Status.PARTIAL: "Pruned {freed} on {host}, but not everything was removed.",
    Status.STOPPED: "Stopped on {host} after {freed}.",
    Status.FAILED: "Failed on {host} after {freed}.",
    Status.INTERRUPTED: "Interrupted on {host} after {freed}.",
}
HARMED = "Pruned {freed} on {host}, but not all there is well."
UNSEEN = "Pruned {freed} on {host}, but not all there could be looked at."


def headline(request: Request, now: datetime) -> str:
    """The line that stands on top, and alone in a notification."""
    if request.asked.is_restore:
        return of_restore(request, now)
    match request.phase:
        case Phase.PLANNING:
            return f"Planning on {_hosts_named(request.asked.hosts)}…"
        case Phase.READY:
            return (
                CLOSINGS[Settled.EXPIRED].format(place=_place(request))
                if request.is_expired(now)
                else question(request)
            )
        case Phase.EXECUTING:
            return _under_way(request)
        case Phase.FINISHED:
            return _finished(ordered(request))
        case Phase.CLOSED:
            return _closed(request)


def _under_way(request: Request) -> str:
    """What is confirmed until a host begins with it; from then on, that it is at it."""
    parts = ordered(request)
    if all(part.only_waits for part in parts):
        them = "it" if len(parts) == 1 else "them"
        return f"Confirmed: prune {_worth(request)} {_place(request)}. Waiting for {them} to begin…"
    return f"Pruning {_hosts_named([part.host for part in parts])}…"


def ordered(request: Request) -> tuple[HostPart, ...]:
    """The hosts that were told to execute."""
    return tuple(part for part in request.parts if part.ordered)


def question(request: Request) -> str:
    """What a click decides."""
    if not request.confirmable:
        return f"Nothing is chosen on {_hosts_named([part.host for part in request.offered])}."
    counts = f" {', '.join(kind_counts(request.confirmable))}" if request.expected.high else ""
    return f"Prune {_worth(request)} {_place(request)}?{counts}"


def _worth(request: Request) -> str:
    """What it frees; what goes where that frees nothing."""
    if request.expected.high:
        return bytes_range(request.expected)
    return listing(kind_counts(request.confirmable))


def kind_counts(parts: Iterable[HostPart]) -> list[str]:
    """What would go, by kind: ``41 images``, ``12 stopped containers``."""
    return counted(step.object.kind for part in parts for step in part.chosen_steps)


def counted(kinds: Iterable[Kind]) -> list[str]:
    """Count objects by kind, most first."""
    return [objects(kind, count) for kind, count in Counter(kinds).most_common()]


def _place(request: Request) -> str:
    """Where it would happen: on the one host, or on some of those asked."""
    parts = request.confirmable
    if len(parts) == 1:
        return f"on {parts[0].host}"
    asked = len(request.parts)
    return f"on {len(parts)} hosts" if len(parts) == asked else f"on {len(parts)} of {asked} hosts"


def _hosts_named(hosts: Sequence[str]) -> str:
    return hosts[0] if len(hosts) == 1 else f"{hosts[0]} and {len(hosts) - 1} more" if hosts else "no host"


def _shut(request: Request, how: Settled) -> str:
    place = _place(request) if request.confirmable else f"on {_hosts_named(request.asked.hosts)}"
    return CLOSINGS[how].format(place=place)


def _closed(request: Request) -> str:
    if request.settlement is not None and request.settlement.how in CLOSINGS:
        return _shut(request, request.settlement.how)
    if len(request.parts) == 1:
        return _nothing(request.parts[0])
    without = [part.host for part in request.parts if not _is_whole(part.plan)]
    empty = len(request.parts) - len(without)
    if not without:
        return f"Nothing to remove on {empty} hosts."
    rest = f" Nothing to remove on {empty} of {len(request.parts)} hosts." if empty else ""
    return f"No plan from {_hosts_named(without)}.{rest}"


def _is_whole(plan: Plan | None) -> bool:
    return plan is not None and plan.complete and plan.engine.read_only is None


def _nothing(part: HostPart) -> str:
    if part.plan is None:
        return no_plan(part)
    if not part.plan.complete:
        return f"No plan for {part.host}: not everything could be read."
    if part.plan.engine.read_only is not None:
        return f"Nothing can be removed on {part.host}: its engine is only read."
    if part.withheld:
        return not_confirmable(part.host, part.withheld)
    waiting = next((notice.params for notice in part.plan.notices if notice.code is Code.WAITING), None)
    return f"Nothing to remove on {part.host}." if waiting is None else _later(part.host, waiting)


def _later(host: str, waiting: Mapping[str, str | int]) -> str:
    """Say when there will be something: a host met for the first time waits out its grace."""
    freed, until = waiting.get("size"), waiting.get("until")
    if not isinstance(freed, int) or not freed or not until:
        return f"Nothing to remove on {host} yet."
    return f"0 B now on {host}, up to {size(freed)} from {when(str(until))}."


def _finished(parts: Sequence[HostPart]) -> str:
    if len(parts) == 1:
        return outcome(parts[0])
    reports = [part.report for part in parts if part.report]
    rest = [part.host for part in parts if part.report is None or part.report.status is not Status.DONE]
    told = (
        _pruned(reports, len(parts)),
        f"Look at {_hosts_named(rest)}." if rest else "",
        services(reports, unheard=_unheard(parts)),
    )
    return " ".join(filter(None, told))


def _pruned(reports: Sequence[Report], asked: int) -> str:
    found = sum(removed(report) > 0 for report in reports)
    if not found:
        return f"Nothing was removed on {asked} hosts."
    place = f"{asked} hosts" if found == asked else f"{found} of {asked} hosts"
    return f"Pruned {_freed_together(reports)} on {place}."


def _unheard(parts: Sequence[HostPart]) -> int:
    """How many hosts may have begun and have not told how it went: nothing good is said of those."""
    return sum(part.report is None and part.stage is Stage.LOST for part in parts)


def outcome(part: HostPart) -> str:
    """How one host's run ended, and whether what ran before still runs."""
    if part.report is None:
        return unreported(part)
    report = part.report
    return f"{ending(report)} {services([report])}".strip()


def ending(report: Report) -> str:
    """How a run ended, in one plain sentence."""
    if not removed(report):
        return f"Nothing was removed on {report.host}: {NOTHING_BECAUSE[report.status]}."
    return _template(report).format(freed=freed_words(report), host=report.host)


def _template(report: Report) -> str:
    if not is_harmed(report):
        return ENDINGS.get(report.status, "Pruned {freed} on {host}.")
    found = {one.code for one in report.findings}
    return UNSEEN if found & NOT_SEEN and not found & HARM else HARMED


NOTHING_BECAUSE = {
    Status.DONE: "it was all gone already",
    Status.PARTIAL: "each step was refused or failed",
    Status.STOPPED: "the run was stopped",
    Status.REFUSED: "the host refused",
    Status.FAILED: "the run failed",
    Status.INTERRUPTED: "the run was interrupted",
}


def is_harmed(report: Report) -> bool:
    """Whether all went that was to go, and the run is not called done for what is worse or unseen now."""
    counted = (o for o in report.outcomes if o.reason is None or o.reason.code is not Code.EXCLUDED)
    return report.status is Status.PARTIAL and all(
        o.outcome in (Outcome.REMOVED, Outcome.GONE) for o in counted
    )


def removed(report: Report) -> int:
    """How many objects went."""
    return sum(step.outcome is Outcome.REMOVED for step in report.outcomes)


def freed_words(report: Report) -> str:
    """What was freed, measured; what was removed where that could not be measured or something else grew."""
    if report.freed is None or report.freed < 0:
        return listing(counted(s.object.kind for s in report.outcomes if s.outcome is Outcome.REMOVED))
    return size(report.freed)


def _freed_together(reports: Sequence[Report]) -> str:
    measured = [report.freed for report in reports if report.freed is not None]
    if len(measured) == len(reports) and all(freed >= 0 for freed in measured):
        return size(sum(measured))
    return bytes_range(sum((report.gone for report in reports), Bytes()))


def services(reports: Iterable[Report], *, unheard: int = 0) -> str:
    """Whether everything that ran before still does, as far as it is known."""
    lines = [line for report in reports for line in report.health]
    bad = [line for line in lines if line.change in BAD]
    unchecked = [line for line in lines if line.change is HealthChange.NOT_RECHECKED]
    if not lines:
        return ""
    if bad:
        return f"{_of(bad, lines)} not run as before: {_names(bad)}."
    if unheard:
        return f"What runs on {amount(unheard, 'host')} is not known."
    if unchecked:
        good = len(lines) - len(unchecked)
        return f"{good} of {len(lines)} services still run, {len(unchecked)} not yet re-checked."
    return f"All {len(lines)} services still run." if len(lines) > 1 else "The one service still runs."


def _of(bad: Sequence[HealthLine], lines: Sequence[HealthLine]) -> str:
    return f"{len(bad)} of {len(lines)} services {'does' if len(bad) == 1 else 'do'}"


def _names(lines: Sequence[HealthLine]) -> str:
    critical_first = sorted(lines, key=lambda line: not line.critical)
    return listed([code(line.name, 60) for line in critical_first], 3)
