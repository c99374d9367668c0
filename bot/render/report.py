"""The reply after a run: the disk before and after, what became of each object, how the services are."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import accumulate

from bot.render.blocks import (
    TEXT_BUDGET,
    Block,
    Message,
    code,
    context,
    date,
    mention,
    message,
    paragraphs,
    slack_voice,
    weight,
)
from bot.render.disk import disk_table
from bot.render.files import report_file
from bot.render.headlines import BAD, counted, outcome
from bot.render.summary import CHANGES, OUTCOMES, freed, is_unrestorable, sentences
from bot.render.titles import NOUNS
from bot.requests import HostPart
from workers.contract import (
    HealthChange,
    HealthLine,
    Outcome,
    Report,
    Restorable,
    Status,
    Step,
    StepOutcome,
)
from workers.wording import amount, fragment, listing, short, span

NAMED = 12
NAMES = 25
# In one line, which is never cut.
LISTED = 2_500
NAME = 60
STATE = 40
WELL = ("healthy", "running")
STOPS = {Status.REFUSED: "Refused", Status.FAILED: "Failed"}
LOOKED_AT = (Outcome.REFUSED, Outcome.FAILED, Outcome.NOT_ATTEMPTED, Outcome.GONE)


def report(part: HostPart, now: datetime) -> Message:
    """Tell a host's run, or why it never began."""
    if part.report is None:
        reasons = [f"• {told}" for told in sentences(part.reasons, now)]
        return message(outcome(part), paragraphs(reasons, room=TEXT_BUDGET // 2, more=_more_lines))
    run, title = part.report, outcome(part)
    figures = disk_table(run.usage_before, run.usage_after) if began(run) else []
    end = _record(run)
    room = TEXT_BUDGET - len(title) - weight([*figures, end])
    more = _more_in(report_file(part)[0])
    return message(title, [*figures, *paragraphs(_lines(part, run, now), room=room, more=more), end])


def _more_lines(left: int) -> str:
    return f"+{amount(left, 'more line')}."


def _more_in(file: str) -> Callable[[int], str]:
    return lambda left: f"+{amount(left, 'more line')} in `{file}`."


def began(run: Report) -> bool:
    """Whether there is anything to tell but why nothing was done."""
    return run.status is not Status.REFUSED or any(
        s.outcome is not Outcome.NOT_ATTEMPTED for s in run.outcomes
    )


def _lines(part: HostPart, run: Report, now: datetime) -> list[str]:
    stops = [f"*{STOPS.get(run.status, 'Stopped')}:* {why}" for why in sentences(run.stopped_by, now)]
    if not began(run):
        return [*stops, *_health(run.health), *_findings(run, now), "Nothing of the plan was touched."]
    return [
        *stops,
        *_health(run.health),
        f"*Freed:* {freed(run)}",
        *_outcomes(run, now),
        *_findings(run, now),
        *_ways_back(part, run),
    ]


def _health(lines: Sequence[HealthLine]) -> list[str]:
    """Critical ones first, and what changed before what did not."""
    lines = sorted(lines, key=lambda line: (not line.critical, line.name))
    if not lines:
        return []
    others = [line for line in lines if line.change in (*BAD, HealthChange.RECOVERED)]
    others.sort(key=lambda line: line.change not in BAD)
    return [
        f"*Services:* {_tally(lines)}",
        *_capped([changed(line) for line in others]),
        *_named("Not yet re-checked", lines, HealthChange.NOT_RECHECKED),
        *_named("As before", lines, HealthChange.SAME),
    ]


def _tally(lines: Sequence[HealthLine]) -> str:
    found = Counter(line.change for line in lines)
    critical = sum(line.critical for line in lines)
    counts = [f"{count} {CHANGES[change]}" for change, count in found.most_common()]
    return f"{', '.join(counts)}, of {len(lines)} that ran before, {critical} of them critical."


def changed(line: HealthLine) -> str:
    """What became of a service, in short."""
    was, now = code(line.before, STATE), code(line.after, STATE)
    return f"• {service(line)} is {CHANGES[line.change]}: {was} before, {now} now"


def service(line: HealthLine) -> str:
    """A service by its name."""
    return f"{code(line.name, NAME)}{' (critical)' if line.critical else ''}"


def _named(title: str, lines: Iterable[HealthLine], change: HealthChange) -> list[str]:
    names = [f"{service(line)}{_states(line)}" for line in lines if line.change is change]
    ends = accumulate(len(name) + len(", ") for name in names)
    shown = [name for name, end in zip(names, ends, strict=True) if end <= LISTED][:NAMES]
    more = [f"{len(names) - len(shown)} more"] if len(names) > len(shown) else []
    return [f"{title}: {listing([*shown, *more])}."] if names else []


def _states(line: HealthLine) -> str:
    """How it was and is, where that is not simply well: what was ill before is no worse, and still ill."""
    if line.before == line.after:
        return "" if line.before in WELL else f" ({code(line.before, STATE)})"
    return f" ({code(line.before, STATE)} before, {code(line.after, STATE)} now)"


def _outcomes(run: Report, now: datetime) -> list[str]:
    gone = counted(step.object.kind for step in run.outcomes if step.outcome is Outcome.REMOVED)
    first = f"*Removed:* {listing(gone) or 'nothing'}."
    return [first, *(line for how in LOOKED_AT for line in _unremoved(run, how, now))]


def _unremoved(run: Report, how: Outcome, now: datetime) -> list[str]:
    steps = [step for step in run.outcomes if step.outcome is how]
    if not steps:
        return []
    kinds = listing(counted(step.object.kind for step in steps))
    return [f"*{OUTCOMES[how]}:* {kinds}", *_capped([_ended(step, now) for step in steps])]


def _ended(step: StepOutcome, now: datetime) -> str:
    why = f": {fragment(step.reason, slack_voice(now))}" if step.reason else ""
    return f"• {NOUNS[step.object.kind]} {code(step.object.name)}{why}"


def _capped(lines: list[str]) -> list[str]:
    left = len(lines) - NAMED
    return [*lines[:NAMED], *([f"+{left} more in the file"] if left > 0 else [])]


def _findings(run: Report, now: datetime) -> list[str]:
    if not run.findings:
        return [] if not began(run) else ["*Found:* nothing unexpected after the run."]
    return ["*Found after the run:*", *(f"• {told}" for told in sentences(run.findings, now))]


def _ways_back(part: HostPart, run: Report) -> list[str]:
    """How to get back what went; the host's ledger has the particulars."""
    if part.plan is None:
        return []
    gone = {step.index for step in run.outcomes if step.outcome is Outcome.REMOVED}
    steps = [step for step in part.plan.steps if step.index in gone]
    ways = [
        *_way(steps, Restorable.YES, "can be pulled again"),
        *_way(steps, Restorable.ARCHIVED, "can come back from the archive"),
        *_way(steps, Restorable.RECREATED, "can be made again"),
    ]
    lost = counted(step.object.kind for step in steps if is_unrestorable(step))
    told = [*ways, *([f"none known for {listing(lost)}"] if lost else [])]
    return [f"*Ways back:* {'; '.join(told)}. The ledger on {run.host} names each."] if told else []


def _way(steps: Iterable[Step], restorable: Restorable, way: str) -> list[str]:
    found = counted(step.object.kind for step in steps if step.restorable is restorable)
    return [f"{listing(found)} {way}"] if found else []


def _record(run: Report) -> Block:
    took = span((run.finished_at - run.started_at).total_seconds())
    facts = (
        f"Asked for by {mention(run.requester)}",
        f"Confirmed by {listing([mention(person) for person in run.agreed])}",
        f"Plan {short(run.plan_digest)}",
        f"{date(run.finished_at)}, took {took}",
    )
    return context(" · ".join(facts))
