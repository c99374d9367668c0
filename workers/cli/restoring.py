"""Runs of the past, plans of restores and their reports, as a person can read them in a terminal (pure)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from workers.cli.terminal import local_time, voice
from workers.contract import (
    FromArchive,
    FromDescription,
    Kind,
    Restored,
    RestorePlan,
    RestoreReport,
    RestoreStep,
    Source,
    StaysAway,
    TakenTag,
)
from workers.reasons import Code
from workers.restore.past import PastRun
from workers.signing import digest
from workers.wording import (
    Voice,
    amount,
    bytes_range,
    fragment,
    listing,
    names_apart,
    objects,
    sentence,
    short,
    size,
)

NAME_WIDTH = 44
BUILD_CACHE = Kind.BUILD_CACHE


def run_lines(runs: Sequence[PastRun], host: str) -> Iterator[str]:
    """Name every run, the newest last."""
    for run in runs:
        at = local_time(run.at.isoformat())
        kept = "" if run.is_remembered else "; its ways back are forgotten"
        yield f"{short(run.order.id)}  {at}  {_counted(run)} removed, confirmed by {_people(run)}{kept}"
    if runs:
        yield "To see what would come back of one: python -m workers restore RUN"
    else:
        yield f"Nothing was removed on {host} yet, as far as its ledger knows."


def run_as_json(run: PastRun) -> dict[str, Any]:
    """One run, for programs."""
    return {
        "order": run.order.id,
        "plan_digest": run.order.plan_digest,
        "at": run.at.isoformat(),
        "confirmed_by": [person.spelled for person in run.order.agreed],
        "removed": {kind.value: run.count(kind) for kind in Kind},
        "remembered": run.is_remembered,
    }


def _counted(run: PastRun) -> str:
    counts = [(kind, run.count(kind)) for kind in Kind]
    return listing(objects(kind, count) for kind, count in counts if count) or "nothing"


def _people(run: PastRun) -> str:
    return listing(person.spelled for person in run.order.agreed)


def plan_lines(plan: RestorePlan, *, now: datetime) -> Iterator[str]:
    """Write a plan: the decision first, then what comes back and from where, then what does not and why."""
    told = voice(now)
    yield _headline(plan)
    yield from (f"  ! {sentence(notice, told)}" for notice in plan.notices)
    yield ""
    names = names_apart([*(s.object for s in plan.steps), *(a.object for a in plan.away)])
    for kind, steps in groupby(plan.steps, key=lambda step: step.object.kind):
        yield f"{kind.value}: bring back"
        for step in steps:
            yield from _step(step, names[step.object])
        yield ""
    yield from _away(plan.away, names, told)
    if plan.applicable:
        yield f"Valid until {local_time(plan.expires_at.isoformat())}. To execute exactly this plan:"
        yield f"  python -m workers restore --confirm {digest(plan)}"


def _headline(plan: RestorePlan) -> str:
    at = local_time(plan.run_at.isoformat())
    what = f"of run {short(plan.run)} on {plan.host}, {at}"
    if not plan.steps:
        return f"Nothing to bring back {what}."
    free = "an unknown size is" if plan.free is None else f"{size(plan.free)} are"
    return (
        f"Bring back {amount(len(plan.steps), 'object')} {what}? "
        f"{bytes_range(plan.needs)} needed, {free} free."
    )


def _step(step: RestoreStep, name: str) -> Iterator[str]:
    needs = bytes_range(step.needs) if step.needs.high else ""
    yield f"  {name:<{NAME_WIDTH}} {needs:>10}  {_source(step)}".rstrip()
    if step.tags:
        yield f"         gets the tags {listing(step.tags)}"
    yield from _taken(step.taken)


def _source(step: RestoreStep) -> str:
    if not step.sources:
        return "it is here and lacks tags"
    return listing(map(_told, step.sources))


def _told(source: Source) -> str:
    if isinstance(source, FromArchive):
        return f"from the archive ({size(source.size)} there)"
    if isinstance(source, FromDescription):
        pools = listing(pool.subnet for pool in source.network.pools)
        return f"as it was described: {source.network.driver} {pools}".rstrip()
    asked = "gives it back" if source.asked else "not asked"
    return f"{source.repository}@{short(source.digest)} ({asked})"


def _taken(taken: Iterable[TakenTag]) -> Iterator[str]:
    for tag in taken:
        yield f"         {tag.name} names {short(tag.image)} by now, and is left there"


def _away(away: Sequence[StaysAway], names: Any, told: Voice) -> Iterator[str]:
    shown = [one for one in away if one.object.kind is not BUILD_CACHE]
    cache = len(away) - len(shown)
    for one in shown:
        yield f"  {one.object.kind.value} {names[one.object]}: {fragment(one.reason, told)}"
        yield from _taken(one.taken)
        if one.command:
            yield f"         {one.command}"
    if cache:
        yield f"  {objects(BUILD_CACHE, cache)}: build cache comes back with the next build"
    if away:
        yield ""


def step_line(step: RestoreStep) -> str:
    """Say what is brought back now."""
    return f"Bringing back {step.object.kind.value} {step.object.name}."


def report_lines(report: RestoreReport, *, now: datetime) -> Iterator[str]:
    """Write a report: the outcome first, then every object."""
    told = voice(now)
    counts = [sum(one.outcome is end for one in report.outcomes) for end in Restored]
    yield f"{report.host}: {report.status.value}. {_ends(counts)}. Nothing was removed."
    yield from (f"  ! {sentence(why, told)}" for why in (*report.stopped_by, *report.findings))
    yield ""
    names = names_apart(one.object for one in report.outcomes)
    for one in report.outcomes:
        why = fragment(one.reason, told) if one.reason and one.reason.code is not Code.ALREADY_THERE else ""
        tags = f"tagged {listing(one.tags)}" if one.tags else ""
        note = "; ".join(filter(None, (tags, why)))
        yield f"  {_word(one.outcome):<14} {names[one.object]:<{NAME_WIDTH}} {note}".rstrip()


def _ends(counts: Sequence[int]) -> str:
    ends = [f"{count} {_word(end)}" for end, count in zip(Restored, counts, strict=True) if count]
    return listing(ends) or "nothing to do"


def _word(outcome: Restored) -> str:
    return outcome.value.replace("_", " ")
