"""What a run came to: its status, and what should not have happened (pure)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from workers.contract import HealthChange, HealthLine, Outcome, Status, Step, StepOutcome
from workers.planning.inventory import Container, Inventory
from workers.reasons import HARM, NOT_SEEN, Code, Reason, reason
from workers.references import ImageName

NOT_DONE = HARM | NOT_SEEN
SHOWS_WITHIN = 20
SHOWS_EARLIEST, SHOWS_LATEST = timedelta(seconds=0.25), timedelta(seconds=5)
DONE_OUTCOMES = frozenset({Outcome.REMOVED, Outcome.GONE})


def status_of(
    outcomes: Iterable[StepOutcome], stopped_by: Iterable[Reason], findings: Iterable[Reason], *, began: bool
) -> Status:
    """Derive how the run ended; steps that people took out do not count against it.

    A run after which a service is worse, a volume is missing, or either could not be seen, is not called
    done, whatever it removed.
    """
    counted = [o.outcome for o in outcomes if o.reason is None or o.reason.code is not Code.EXCLUDED]
    if not began:
        return Status.REFUSED
    if any(True for _ in stopped_by):
        return Status.STOPPED
    if all(outcome in DONE_OUTCOMES for outcome in counted):
        return Status.PARTIAL if any(found.code in NOT_DONE for found in findings) else Status.DONE
    if not any(outcome in DONE_OUTCOMES for outcome in counted):
        return Status.FAILED if Outcome.FAILED in counted else Status.REFUSED
    return Status.PARTIAL


def is_unknown(ended: StepOutcome) -> bool:
    """Whether the engine was asked, and nobody knows what it did."""
    return ended.reason is not None and ended.reason.code is Code.STATE_UNKNOWN


def outcome_of(step: Step, outcome: Outcome, why: Reason | None) -> StepOutcome:
    """Say how a step ended."""
    return StepOutcome(
        index=step.index, object=step.object, outcome=outcome, reason=why, expected=step.expected
    )


def shown_by(removals: Sequence[tuple[datetime, datetime]]) -> datetime:
    """Say until when a container may show that was made while an image went; by when each was asked and done.

    Measured: it shows up to seven times as long after the removal's reply as the removal took.
    """
    took = timedelta(seconds=median((done - asked).total_seconds() for asked, done in removals))
    return removals[-1][1] + min(max(SHOWS_WITHIN * took, SHOWS_EARLIEST), SHOWS_LATEST)


def lost_races(
    containers: Iterable[Container],
    removed: Iterable[Step],
    *,
    known: Collection[str],
    present: Collection[str],
) -> dict[str, Container]:
    """Return, by removed image id, a container that was made of it in the very moment it went.

    The engine's own refusal has a gap of some milliseconds, and the container shows only after the
    removal's reply: so they are matched afterwards, by image id and by name (S7). One that was `known`
    before the run is not new; one whose image is `present` has lost nothing, whatever its name: that was
    built or pulled anew.
    """
    new = [c for c in containers if c.id not in known and c.image_id not in present]
    found = {}
    for step in removed:
        wanted = {_full(name) for name in step.untags}
        for container in new:
            if container.image_id == step.object.id or wanted & {r.full() for r in container.references}:
                found[step.object.id] = container
    return found


def _full(name: str) -> str:
    return ImageName.parse(name).full()


def missing_volumes(before: Inventory, after: Iterable[str]) -> list[Reason]:
    """Say which volumes were there before and are not now; none ever should be (S1)."""
    left = set(after)
    return [reason(Code.VOLUME_MISSING, volume=v.name) for v in before.volumes if v.name not in left]


def health_findings(lines: Iterable[HealthLine]) -> list[Reason]:
    """Say which services are worse than before the run."""
    return [
        reason(Code.CONTAINER_LOST, container=line.name)
        if line.change is HealthChange.GONE
        else reason(Code.HEALTH_REGRESSED, container=line.name, before=line.before, after=line.after)
        for line in lines
        if line.change in (HealthChange.GONE, HealthChange.REGRESSED)
    ]


def way_back_of(image: Mapping[str, object]) -> tuple[str, str] | None:
    """Return (repository, digest) from which a registry may give an image back."""
    digests = image.get("RepoDigests")
    for text in digests if isinstance(digests, list) else ():
        repository, at, found = str(text).partition("@")
        if at and repository != "<none>":
            return repository, found
    return None
