"""What is known of services that are worse than before a run, and of what it removed before that (pure).

Only what was written down is told: a tie that nothing proves is none.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.contract import (
    Condition,
    Kind,
    LogTail,
    Outcome,
    Reference,
    Removed,
    Restorable,
    Step,
    StepOutcome,
    Tie,
    Trouble,
    Worse,
)
from workers.execution.aftermath import way_back_of
from workers.execution.health import Vital
from workers.planning.bounds import clipped
from workers.planning.facts import PROJECT
from workers.planning.inventory import STOPPED_STATES, Container
from workers.references import BadName, ImageName, repository_of

# More services than these are named in the report's lines of health, more objects in its outcomes.
MOST_WORSE = 20
MOST_REMOVED = 40
MOST_NAMES = 3


@dataclass(frozen=True)
class Fallen:
    """A service that is worse than before the run, as it was then and as it is now; None where it is gone.

    `seen_at`: when a look first found it so.
    """

    before: Vital
    now: Vital | None
    seen_at: datetime

    @property
    def id(self) -> str:
        """The container's."""
        return self.before.container.id


def trouble(
    fallen: Sequence[Fallen],
    asked: Iterable[tuple[Step, datetime, str]],
    outcomes: Iterable[StepOutcome],
    *,
    logs: Mapping[str, LogTail],
) -> Trouble | None:
    """Tell of what fell, if anything did.

    `asked` are (step, when, way back as JSON) of the removals, as they came. `logs` are the ends of logs, by
    container id, where they might be read.
    """
    if not fallen:
        return None
    gone = {one.index for one in outcomes if one.outcome is Outcome.REMOVED}
    removed = [_Removal(step, at, json.loads(kept)) for step, at, kept in asked if step.index in gone]
    worse = [_worse(one, removed, logs.get(one.id)) for one in fallen[:MOST_WORSE]]
    kept = _kept(removed, {index for one in worse for index in one.ties})
    return Trouble(
        worse=tuple(worse),
        removed=tuple(one.told() for one in kept),
        more=len(removed) - len(kept),
    )


def _kept(removed: Sequence["_Removal"], tied: set[int]) -> list["_Removal"]:
    """All that is tied comes before the rest, of which the last ones count: they went nearest to the fall."""
    first = sorted(removed, key=lambda one: (one.index not in tied, -one.at.timestamp()))
    kept = {one.index for one in first[:MOST_REMOVED]}
    return [one for one in removed if one.index in kept]


def _worse(one: Fallen, removed: Iterable["_Removal"], log: LogTail | None) -> Worse:
    service = one.before.container
    ties = {gone.index: tuple(gone.ties(service)) for gone in removed if gone.at <= one.seen_at}
    return Worse(
        name=clipped(service.name),
        before=condition(one.before),
        now=condition(one.now) if one.now else None,
        seen_at=one.seen_at,
        ties={index: found for index, found in ties.items() if found},
        log=log,
    )


def condition(vital: Vital) -> Condition:
    """How a container is at a look, and since when."""
    since, earlier = _since(vital)
    is_over = vital.state in STOPPED_STATES or vital.state == "restarting"
    return Condition(
        state=clipped(vital.state),
        health=clipped(vital.health),
        restarts=vital.restarts,
        exit_code=vital.container.exit_code if is_over and vital.container.finished_at else None,
        since=since,
        earlier=earlier,
    )


def _since(vital: Vital) -> tuple[datetime | None, bool]:
    if vital.state == "running":
        if vital.health == "unhealthy":
            return (vital.failing.since, vital.failing.earlier) if vital.failing else (None, False)
        return vital.started_at, False
    # Since when a container is paused, no engine tells.
    return (None if vital.state == "paused" else vital.container.finished_at), False


@dataclass(frozen=True)
class _Removal:
    """One object that went, with what the journal kept of it."""

    step: Step
    at: datetime
    kept: Mapping[str, Any]

    @property
    def index(self) -> int:
        return self.step.index

    @property
    def object(self) -> Reference:
        return self.step.object

    def told(self) -> Removed:
        return Removed(
            index=self.index,
            object=self.object.model_copy(update={"name": clipped(self.object.name)}),
            at=self.at,
            names=self.step.untags[:MOST_NAMES],
            pull=self._pull(),
            restorable=self.step.restorable,
        )

    def _pull(self) -> str:
        """A digest alone proves no way back where the registry is known to have dropped it."""
        if self.object.kind is not Kind.IMAGE or self.step.restorable is Restorable.NO:
            return ""
        source = way_back_of(self.kept)
        return "@".join(source) if source else ""

    def ties(self, service: Container) -> Iterator[Tie]:
        match self.object.kind:
            case Kind.NETWORK:
                # By its id: another network may have the same name.
                if self.object.id in service.networks:
                    yield Tie.NETWORK
            case Kind.IMAGE:
                if self._repositories() & {repository_of(name) for name in service.references}:
                    yield Tie.REPOSITORY
        if self._project() and self._project() == service.labels.get(PROJECT):
            yield Tie.PROJECT

    def _project(self) -> str:
        """The compose project of a container or a network, as the journal has it of either."""
        if self.object.kind is Kind.CONTAINER:
            return str(self.kept.get("Project") or "")
        return str((self.kept.get("Labels") or {}).get(PROJECT) or "")

    def _repositories(self) -> set[str]:
        """By the names it lost, and by its digests: an image without a name may have one of these."""
        found = set[str]()
        for text in (*self.step.untags, *(self.kept.get("RepoDigests") or ())):
            with suppress(BadName):
                found.add(repository_of(ImageName.parse(text)))
        return found
