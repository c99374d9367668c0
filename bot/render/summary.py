"""Plans and reports in short: counts, bytes, what stays and why, what has no way back."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from bot.render.blocks import slack_voice
from bot.render.headlines import counted
from bot.requests import HostPart
from workers.contract import (
    Bytes,
    HealthChange,
    Kind,
    Outcome,
    Plan,
    Report,
    Restorable,
    Step,
    StepOutcome,
    Verdict,
)
from workers.exclusions import expected
from workers.reasons import Code, Reason
from workers.wording import bytes_range, label, listing, objects, sentence, size

# Above the buttons only what a decision needs; the thread has all of it.
NOTES = 3
LABELS = 4
OUTCOMES = {
    Outcome.REMOVED: "Removed",
    Outcome.GONE: "Already gone",
    Outcome.REFUSED: "Refused",
    Outcome.FAILED: "Failed",
    Outcome.NOT_ATTEMPTED: "Not attempted",
}
CHANGES = {
    HealthChange.SAME: "as before",
    HealthChange.REGRESSED: "worse",
    HealthChange.GONE: "gone",
    HealthChange.NOT_RECHECKED: "not yet re-checked",
    HealthChange.RECOVERED: "better",
}
NOTHING = "nothing"
NO_WAY_BACK = (Restorable.NO, Restorable.NOT_PROBED)
MAY_BE_MISSED = (Kind.CONTAINER, Kind.IMAGE, Kind.NETWORK)


def by_kind(plan: Plan, excluded: Collection[int] = ()) -> list[str]:
    """What goes, with its bytes, most first: ``14 images (12.1 GB)``."""
    return [
        f"{objects(kind, count)} ({bytes_range(freed)})" if freed.high else objects(kind, count)
        for kind, count, freed in kinds_by_bytes(plan, excluded)
    ]


def kinds_by_bytes(plan: Plan, excluded: Collection[int] = ()) -> list[tuple[Kind, int, Bytes]]:
    """The kinds of a plan with their counts and what they free less what is left out, most bytes first."""
    found = Counter(step.object.kind for step in plan.steps if step.index not in excluded)
    kinds = [(kind, count, expected(plan, excluded, kind=kind)) for kind, count in found.items()]
    return sorted(kinds, key=lambda row: -row[2].high)


def kept(plan: Plan) -> list[str]:
    """Count what stays by its first reason: protected things are shown, not only doomed ones."""
    found = Counter(label(verdict.reasons[0].code) for verdict in plan.verdicts if verdict.keep)
    if not found:
        return []
    top = found.most_common(LABELS)
    others = found.total() - sum(count for _, count in top)
    counts = [f"{name} {count}" for name, count in top] + ([f"other reasons {others}"] if others else [])
    return [f"Keeps {found.total()}: {', '.join(counts)}."]


def gone_for_good(steps: Iterable[Step]) -> list[str]:
    """Say what nobody is known to be able to give back."""
    lost = counted(step.object.kind for step in steps if is_unrestorable(step))
    return [f"No known way back for {listing(lost)}."] if lost else []


def left_out(part: HostPart) -> list[str]:
    """Count what people chose to leave alone."""
    steps = part.plan.steps if part.plan else ()
    kinds = counted(step.object.kind for step in steps if step.index in part.excluded)
    return [f"Left out: {listing(kinds)}."] if kinds else []


def is_unrestorable(step: Step) -> bool:
    """Whether somebody may miss it: cache and most networks are made anew, an image no one holds is not."""
    return step.object.kind in MAY_BE_MISSED and step.restorable in NO_WAY_BACK


def notes(plan: Plan, now: datetime) -> list[str]:
    """What is said above a plan; the count of what is not restorable is told from the steps themselves."""
    told = sentences([n for n in plan.notices if n.code is not Code.UNRESTORABLE_COUNT], now)
    left = len(told) - NOTES
    return [
        *(f"Note: {note}" for note in told[:NOTES]),
        *([f"+{left} more notes in the thread."] if left > 0 else []),
    ]


def sentences(reasons: Iterable[Reason], now: datetime) -> list[str]:
    """Reasons as a reader in Slack wants them."""
    voice = slack_voice(now)
    return [sentence(reason, voice) for reason in reasons]


def what_became(report: Report) -> str:
    """What became of the steps of a run."""
    gone = listing(counted(s.object.kind for s in report.outcomes if s.outcome is Outcome.REMOVED))
    rest = Counter(_how(step) for step in report.outcomes if step.outcome is not Outcome.REMOVED)
    others = [f"{count} {how.lower()}" for how, count in rest.most_common()]
    return f"{'; '.join([f'Removed {gone or NOTHING}', *others])}."


def freed(run: Report) -> str:
    """What a run freed against what was expected of it, and by whose figures."""
    gone = run.gone
    whole = "" if gone == run.expected else f" The whole plan was {bytes_range(run.expected)}."
    expected = f"{bytes_range(gone)} expected of what was removed.{whole}"
    if run.freed is None:
        return f"could not be measured, {expected}"
    figures = "the engine's own figures" if run.measured_by_engine else "the filesystem's figures"
    return f"{size(run.freed)} by {figures}, {expected}"


def _how(step: StepOutcome) -> str:
    """How a step ended; one that people took out is not one that the run did not come to."""
    is_left_out = step.reason is not None and step.reason.code is Code.EXCLUDED
    return "Left out" if is_left_out else OUTCOMES[step.outcome]


def steps_by_kind(plan: Plan) -> list[tuple[Kind, list[Step]]]:
    """What goes, kind by kind, most bytes first."""
    found = [(kind, [step for step in plan.steps if step.object.kind is kind]) for kind in Kind]
    return [(kind, sorted(steps, key=_bytes_first)) for kind, steps in found if steps]


def _bytes_first(step: Step) -> tuple[int, str]:
    return -step.expected.high, step.object.name


def kept_by_kind(plan: Plan) -> list[tuple[Kind, list[Verdict]]]:
    """What stays, kind by kind."""
    kept = [verdict for verdict in plan.verdicts if verdict.keep]
    found = [(kind, [v for v in kept if v.object.kind is kind]) for kind in Kind]
    return [(kind, sorted(verdicts, key=lambda v: v.object.name)) for kind, verdicts in found if verdicts]
