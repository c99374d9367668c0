"""How services are now that were worse after a run, beside how they were then and before that (pure)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from workers.contract import CheckedService, HealthChange, HealthLine, Report, ServicesAnswer
from workers.errors import LedgerError
from workers.execution import health
from workers.execution.health import Vital, Vitals
from workers.execution.trouble import condition
from workers.planning import bounds
from workers.planning.bounds import clipped
from workers.planning.policy import Policy
from workers.reasons import Reason
from workers.wording import listing

WORSE = (HealthChange.REGRESSED, HealthChange.GONE)
UNKNOWN = HealthChange.NOT_RECHECKED
MOST = 20


def named(report: Report, baseline: Iterable[Vital]) -> list[Vital]:
    """Those of a baseline that the post-check of the run named as worse.

    Raises:
        LedgerError: of one of them it is not kept how it was; nobody is told that all are well then.
    """
    names = {line.name for line in report.health if line.change in WORSE}
    found = [vital for vital in baseline if vital.name in names]
    if lost := names - {vital.name for vital in found}:
        raise LedgerError(f"how {listing(sorted(lost))} ran before run {report.order_id} is not kept")
    return found


def answer(
    report: Report,
    before: Sequence[Vital],
    known: Sequence[Vital],
    now: Vitals,
    *,
    failing: Sequence[Reason] = (),
    policy: Policy,
    since: datetime,
    at: datetime,
) -> ServicesAnswer:
    """Judge them as the post-check did; `known`: under their names of now, `since`: the last removal."""
    lines = health.lines(health.started_anew(known, now), now, policy, last_removal=since)
    there = {one.name: one for one in known}
    was = {one.name: one for one in before}
    every = [_checked(line, was[line.name], there[line.name], now, report) for line in lines]
    every.sort(key=lambda one: (one.line.change not in WORSE, one.line.change is not UNKNOWN, not one.is_ill))
    kept = bounds.fitting(every[:MOST])
    return ServicesAnswer(
        run=report.order_id,
        checked_at=report.finished_at,
        taken_at=at,
        services=kept,
        worse=sum(one.line.change in WORSE for one in every),
        unchecked=sum(one.line.change is UNKNOWN for one in every),
        more=len(every) - len(kept),
        failing=tuple(map(bounds.clipped_reason, failing[: bounds.MOST_REASONS])),
    )


def _checked(line: HealthLine, before: Vital, known: Vital, now: Vitals, report: Report) -> CheckedService:
    told = {one.name: one for one in report.trouble.worse} if report.trouble else {}
    then, found = told.get(clipped(line.name)), now.get(known.container.id)
    return CheckedService(
        line=line.model_copy(update={"name": clipped(line.name), "change": _change(line, found)}),
        was=next(one.after for one in report.health if one.name == line.name),
        before=then.before if then else condition(before),
        then=then.now if then else None,
        now=condition(found) if found else None,
        replaced=found is not None and known.container.id != before.container.id,
    )


def _change(line: HealthLine, now: Vital | None) -> HealthChange:
    """What was ill before the run is no worse for being so again; it is for being ill in another way."""
    is_other = now is not None and not now.well and line.after != line.before
    return HealthChange.REGRESSED if is_other else line.change
