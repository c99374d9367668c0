"""Races that were lost: a container was made of an image in the moment it went (S7)."""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial

from workers.contract import FromArchive, Kind, Outcome, Step, StepOutcome
from workers.engine import Engine
from workers.errors import EngineError, EngineUnreachable
from workers.execution import aftermath
from workers.execution.restoring import put_back
from workers.planning import answers
from workers.reasons import Code, Reason, reason
from workers.references import ImageName
from workers.restore.kept import archived_as

# For all images of one look together: a registry that does not answer must not hold the report.
BRINGING_BACK = timedelta(minutes=10)
Load = Callable[[str, FromArchive, timedelta], Reason | None]


def no_archive(_image: str, copy: FromArchive, _left: timedelta) -> Reason:
    """What has no archive to load from says so."""
    return reason(Code.ARCHIVE_UNREADABLE, detail=copy.file)


def perhaps_gone(steps: Sequence[Step], outcomes: Mapping[int, StepOutcome]) -> list[Step]:
    """The images that a run removed, or may have removed where the engine's answer was lost or odd."""
    asked = [s for s in steps if s.object.kind is Kind.IMAGE and s.index in outcomes]
    return [s for s in asked if _is_perhaps_gone(outcomes[s.index])]


def _is_perhaps_gone(ended: StepOutcome) -> bool:
    if ended.outcome is Outcome.FAILED:
        # Interrupted is what a recovery says of an image that it has found.
        return ended.reason is None or ended.reason.code is not Code.INTERRUPTED
    return ended.outcome is Outcome.REMOVED


def lost_races(
    engine: Engine,
    removed: Sequence[Step],
    *,
    known: Collection[str],
    way_back: Callable[[Step], str],
    told: Collection[Reason] = (),
    load: Load = no_archive,
) -> list[Reason]:
    """Find containers that were made of removed images, and bring those images back.

    `known` are the ids of the containers that were there before; what was `told` is not told again. `load`
    has an image of the archive loaded, or says why not.
    """
    if not removed:
        return []
    # Images last: a container's own must have been there before it.
    containers = [answers.container(raw, None, writable=None) for raw in engine.containers()]
    present = set(map(answers.id_of, engine.images()))
    gone = [s for s in removed if s.object.id not in present]
    lost = aftermath.lost_races(containers, gone, known=known, present=present)
    until = time.monotonic() + BRINGING_BACK.total_seconds()
    found: list[Reason] = []
    for step in (s for s in gone if s.object.id in lost):
        alarm = reason(Code.LOST_RACE, container=lost[step.object.id].name, image=step.object.name)
        if alarm not in told:
            left = timedelta(seconds=until - time.monotonic())
            fetch = partial(_fetch, engine, step, way_back(step), left, load)
            found += [alarm, _bring_back(engine, step, fetch)]
    return found


def _bring_back(engine: Engine, step: Step, fetch: Callable[[], None]) -> Reason:
    """Have the image again, from wherever it may be had, and give it its names again."""
    try:
        fetch()
        # A pull that fails half-way says so only in its stream of texts.
        engine.inspect_image(step.object.id)
    except EngineError:
        return reason(Code.NOT_BROUGHT_BACK, image=step.object.name)
    put_back(engine, step.object.id, [ImageName.parse(name) for name in step.untags])
    return reason(Code.BROUGHT_BACK, image=step.object.name)


def _fetch(engine: Engine, step: Step, way_back: str, left: timedelta, load: Load) -> None:
    """Load its copy, or pull it by its digest, where a registry still has it."""
    kept, until = json.loads(way_back), time.monotonic() + left.total_seconds()
    copy, source = archived_as(kept), aftermath.way_back_of(kept)
    if left <= timedelta(0) or (copy is not None and _is_loaded(step, copy, left, load)):
        return
    if source is not None:
        engine.pull(*source, within=timedelta(seconds=max(0.0, until - time.monotonic())))


def _is_loaded(step: Step, copy: FromArchive, left: timedelta, load: Load) -> bool:
    """A copy that the engine does not take leaves the registry to ask."""
    try:
        return load(step.object.id, copy, left) is None
    except EngineUnreachable:
        raise
    except EngineError:
        return False
