"""Plans and reports as tables that a person can read in a terminal (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from workers import explaining, whereabouts
from workers.contract import (
    Bytes,
    DiskAttribution,
    DiskUsage,
    Doing,
    Explanation,
    HealthChange,
    HealthLine,
    Kind,
    Outcome,
    Plan,
    Reference,
    Report,
    Restorable,
    Status,
    Step,
    StepOutcome,
    Verdict,
)
from workers.execution.progress import Progress
from workers.reasons import Code, Reason
from workers.signing import digest
from workers.whereabouts import Row
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
    span,
)

NAME_WIDTH = 44
Names = Mapping[Reference, str]
DOING = {
    Doing.WATCHING_FOR_QUIET: (
        "The engine has forgotten part of what was done here lately, so it is watched for up to {span}:"
        " nobody may pull, load, tag or create anything meanwhile."
    ),
    Doing.LOOKING: "Looking at the host once more.",
    Doing.HOLDING_STILL: "Watching for {span} whether the critical containers hold still.",
    Doing.REMOVING: "Removing {what}, each after a fresh look at it.",
    Doing.SETTLING: "Watching the services for {span} after the last removal.",
    Doing.MEASURING: "Measuring what was freed.",
}
CHANGES = {
    HealthChange.SAME: "as before",
    HealthChange.REGRESSED: "WORSE",
    HealthChange.GONE: "GONE",
    HealthChange.NOT_RECHECKED: "not yet re-checked",
    HealthChange.RECOVERED: "better",
}
RESTORABLE = {
    Restorable.YES: "its registry gives it back",
    Restorable.NOT_PROBED: "not known to be restorable",
    Restorable.NO: "not restorable",
    Restorable.RECREATED: "it can be made again",
    Restorable.ARCHIVED: "saved in the archive first",
}
# Worth a line, as it is for every image: other networks are made again.
LOST_NETWORK = (Kind.NETWORK, Restorable.NO)


def local_time(moment: str) -> str:
    """Write an ISO 8601 time in the zone of the machine, and name it: whoever reads may sit in another."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def voice(now: datetime) -> Voice:
    """How reasons are told at a terminal."""
    return Voice(when=local_time, now=now)


def plan_lines(plan: Plan, *, now: datetime) -> Iterator[str]:
    """Write a plan: the decision first, then why not more, then every object."""
    voice = Voice(when=local_time, now=now)
    yield _headline(plan, voice)
    yield from (f"  ! {sentence(notice, voice)}" for notice in plan.notices)
    yield ""
    yield from _where_the_disk_went(plan.disk, voice, plan.made_at)
    names = names_apart(_objects(plan))
    yield from _steps(plan, names, voice)
    yield from _kept(plan, names, voice)
    if plan.applicable:
        yield f"Valid until {local_time(plan.expires_at.isoformat())}. To execute exactly this plan:"
        yield f"  python -m workers execute --confirm {digest(plan)}"


def explanation_lines(found: Iterable[Explanation], *, now: datetime) -> Iterator[str]:
    """Write why objects stay or go: the verdict first, every reason, then what is known."""
    voice = Voice(when=local_time, now=now)
    for one in found:
        yield explaining.verdict(one, voice)
        yield from (f"  {why}" for why in explaining.because(one, voice))
        yield from (f"  {name:<20} {value}" for name, value in explaining.known(one, voice))
        yield ""


def _objects(plan: Plan) -> list[Reference]:
    return [*(step.object for step in plan.steps), *(verdict.object for verdict in plan.verdicts)]


def _headline(plan: Plan, voice: Voice) -> str:
    if not plan.complete:
        return f"No plan for {plan.host}: not everything could be read."
    if not plan.steps:
        return f"{_nothing(plan, voice)}: compared {amount(len(plan.verdicts), 'object')}."
    counts = [(kind, sum(s.object.kind is kind for s in plan.steps)) for kind in Kind]
    what = listing(objects(kind, count) for kind, count in counts if count)
    return f"Prune {bytes_range(plan.expected())} on {plan.host}? {what}."


def _nothing(plan: Plan, voice: Voice) -> str:
    """Say when there will be something: a host met for the first time waits out its grace."""
    waiting = next((notice.params for notice in plan.notices if notice.code is Code.WAITING), None)
    if waiting is None or plan.engine.read_only is not None:
        return f"Nothing to remove on {plan.host}"
    if not (later := int(waiting["size"])):
        return f"Nothing to remove on {plan.host} yet"
    return f"0 B now on {plan.host}, up to {size(later)} from {voice.when(str(waiting['until']))}"


def _where_the_disk_went(disk: DiskAttribution | None, voice: Voice, now: datetime) -> Iterator[str]:
    if disk is None:
        return
    for title, rows in whereabouts.tables(disk, voice, now):
        yield title
        yield from map(_disk_row, rows)
    yield ""


def _disk_row(row: Row) -> str:
    return f"  {row.figure:>16}  {row.name:<{NAME_WIDTH}} {row.note}".rstrip()


def _steps(plan: Plan, names: Names, voice: Voice) -> Iterator[str]:
    for kind in Kind:
        steps = [s for s in plan.steps if s.object.kind is kind]
        if not steps:
            continue
        yield f"{kind.value}: remove {len(steps)}, {bytes_range(plan.expected(kind))}"
        for step in steps:
            yield _row("remove", names[step.object], step.expected, "")
            yield f"         because {_because(step.reasons, voice)}"
            yield from (f"         {line}" for line in _asides(step))
        yield ""


def _asides(step: Step) -> Iterator[str]:
    if len(step.untags) > 1:
        yield f"loses the names {listing(step.untags)}"
    if step.leaves:
        yield f"leaves the volumes {listing(step.leaves)}"
    if step.object.kind is Kind.IMAGE or (step.object.kind, step.restorable) == LOST_NETWORK:
        yield RESTORABLE[step.restorable]


def _kept(plan: Plan, names: Names, voice: Voice) -> Iterator[str]:
    kept = [v for v in plan.verdicts if v.keep]
    for kind in Kind:
        verdicts = [v for v in kept if v.object.kind is kind]
        if verdicts:
            yield f"{kind.value}: keep {len(verdicts)}"
            yield from (_kept_row(names[v.object], v, voice) for v in verdicts)
            yield ""


def _kept_row(name: str, verdict: Verdict, voice: Voice) -> str:
    return f"  keep   {name:<{NAME_WIDTH}} {_because(verdict.reasons, voice)}"


def _because(reasons: Iterable[Reason], voice: Voice) -> str:
    return "; ".join(fragment(reason, voice) for reason in reasons)


def _row(verb: str, name: str, expected: Bytes, note: str) -> str:
    return f"  {verb:<6} {name:<{NAME_WIDTH}} {bytes_range(expected):>10}  {note}".rstrip()


def progress_line(now: Progress) -> str:
    """Say what a run does now, and how long that may take."""
    what = objects(now.kind, now.count) if now.kind else ""
    return DOING[now.doing].format(span=span(now.seconds), what=what)


def report_lines(report: Report, *, now: datetime) -> Iterator[str]:
    """Write a report: the outcome first, then disk, objects, health, findings."""
    voice = Voice(when=local_time, now=now)
    yield _outcome_line(report)
    yield from (f"  ! {sentence(reason, voice)}" for reason in (*report.stopped_by, *report.findings))
    if all(one.outcome is Outcome.NOT_ATTEMPTED for one in report.outcomes):
        return
    yield ""
    yield from _disk(report.usage_before, report.usage_after)
    yield from _outcomes(report.outcomes, voice)
    yield from _health(report.health)


def _outcome_line(report: Report) -> str:
    if report.status is Status.REFUSED:
        return f"{report.host}: refused. Nothing was removed."
    done = sum(o.outcome is Outcome.REMOVED for o in report.outcomes)
    removed = f"{amount(done, 'object')} removed, {_freed(report)}, {bytes_range(report.expected)} expected"
    return f"{report.host}: {report.status.value}. {removed}."


def _freed(report: Report) -> str:
    """What was freed; where only the disk tells it, that is what the disk has: others write there too."""
    if report.freed is None:
        return "an unknown size freed"
    if report.measured_by_engine:
        return f"{size(report.freed)} freed"
    return f"its disk has {size(abs(report.freed))} {'less' if report.freed < 0 else 'more'} room"


def _disk(before: DiskUsage | None, after: DiskUsage | None) -> Iterator[str]:
    if before is None or after is None:
        return
    yield f"{'disk usage':<28} {'before':>10} {'after':>10} {'difference':>12}"
    rows = [(name, getattr(before, name), getattr(after, name)) for name in _COLUMNS]
    later = {f.path: f for f in after.filesystems}
    rows += [(f"{f.path} used", f.used, later[f.path].used) for f in before.filesystems if f.path in later]
    for name, old, new in rows:
        yield f"  {name.replace('_', ' '):<26} {size(old):>10} {size(new):>10} {size(new - old):>12}"
    yield ""


_COLUMNS = ("containers", "images", "build_cache", "volumes")


def _outcomes(outcomes: Sequence[StepOutcome], voice: Voice) -> Iterator[str]:
    yield "objects"
    names = names_apart(one.object for one in outcomes)
    for one in outcomes:
        why = fragment(one.reason, voice) if one.reason else ""
        yield _row(one.outcome.value.replace("_", " "), names[one.object], one.expected, why)
    yield ""


def _health(lines: Sequence[HealthLine]) -> Iterator[str]:
    if not lines:
        return
    yield f"services   {sum(line.change is HealthChange.SAME for line in lines)} of {len(lines)} as before"
    for line in sorted(lines, key=lambda one: (one.change is HealthChange.SAME, not one.critical, one.name)):
        mark = "critical" if line.critical else ""
        change = f"{line.before:>10} -> {line.after:<10} {CHANGES[line.change]:<20}"
        yield f"  {line.name:<32} {change} {mark}".rstrip()


def digest_line(plan: Plan) -> str:
    """Name a plan, for the question that is asked of whoever executes it."""
    return f"plan {short(digest(plan))} of {plan.host}"
