"""Removes one object: a fresh look, the guards, the removal, and what the engine made of it (S2, S7)."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from workers.contract import EngineIdentity, Kind, Outcome, Reference, Step, Store
from workers.engine import Engine
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound
from workers.execution import guards
from workers.execution.restoring import container_way_back, image_way_back, is_there, put_back
from workers.planning import inventory
from workers.planning.fingerprints import differences, of_cache_record
from workers.planning.inventory import CacheRecord, Container, Image
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason
from workers.references import ImageName

# How long a name must have been left alone before it may be taken off by name (S2).
QUIET = timedelta(seconds=60)
# Engine 20.10 reads no time but a span as the last use of a build cache record.
DURATIONS_ONLY = "1.41"


@dataclass(frozen=True)
class Ended:
    """How a removal ended. `alarm` stops the run: something happened that was not planned."""

    outcome: Outcome
    reason: Reason | None = None
    alarm: bool = False


REMOVED = Ended(Outcome.REMOVED)


def refused(why: Reason) -> Ended:
    """A guard said no."""
    return Ended(Outcome.REFUSED, why)


@dataclass(frozen=True)
class Look:
    """What a fresh look found: why not, if anything, and the way back (for the journal) if it may go."""

    ended: Ended | None = None
    way_back: str = "{}"
    image: Image | None = None


@dataclass(frozen=True)
class Removal:
    """How to look at and remove objects of one engine under one policy.

    `records` are the build cache records as they were when the cache's stage began; `released` says when one
    that lay on a record was removed.
    """

    engine: Engine
    identity: EngineIdentity
    policy: Policy
    judged_at: datetime
    image_ids: frozenset[str]
    records: Mapping[str, CacheRecord] = field(default_factory=dict)
    released: dict[str, datetime] = field(default_factory=dict)

    def look(self, step: Step) -> Look:
        """Take a fresh look at the object of a step and ask the guards."""
        looks: Mapping[Kind, Callable[[Step], Look]] = {
            Kind.CONTAINER: self._look_at_container,
            Kind.IMAGE: self._look_at_image,
            Kind.NETWORK: self._look_at_network,
            Kind.BUILD_CACHE: self._look_at_record,
        }
        try:
            return looks[step.object.kind](step)
        except NotFound:
            return Look(Ended(Outcome.GONE, reason(Code.ALREADY_GONE)))
        except EngineUnreachable:
            raise
        except EngineError as error:
            return Look(refused(reason(Code.UNREADABLE, what=str(error))))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            return Look(refused(reason(Code.UNREADABLE, what=f"{type(error).__name__}: {error}")))

    def remove(self, step: Step, look: Look) -> Ended:
        """Ask the engine to remove what was just looked at."""
        try:
            return self._removed(step, look)
        except NotFound:
            return Ended(Outcome.GONE, reason(Code.ALREADY_GONE))
        except Conflict as error:
            return refused(reason(Code.ENGINE_SAYS_IN_USE, detail=str(error)))
        except AnswerLost as error:
            return self._looked_up(step.object, error)
        except EngineUnreachable:
            raise
        except EngineError as error:
            return Ended(Outcome.FAILED, reason(Code.ENGINE_ERROR, detail=str(error)))

    def _removed(self, step: Step, look: Look) -> Ended:
        match step.object.kind:
            case Kind.CONTAINER:
                self.engine.remove_container(step.object.id)
            case Kind.NETWORK:
                self.engine.remove_network(step.object.id)
            case Kind.IMAGE:
                return self._remove_image(look)
            case Kind.BUILD_CACHE:
                return self._remove_record(step)
        return REMOVED

    def _looked_up(self, object_: Reference, error: AnswerLost) -> Ended:
        """A time-out is neither yes nor no: ask again whether the object is there (S4)."""
        try:
            if not is_there(object_, self.engine):
                return REMOVED
        except EngineError:
            pass
        return Ended(Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail=str(error)))

    # Containers

    def containers(self) -> tuple[Container, ...]:
        """List all containers afresh, as facts."""
        return tuple(inventory.container(raw, None, writable=None) for raw in self.engine.containers())

    def _look_at_container(self, step: Step) -> Look:
        inspected = self.engine.inspect_container(step.object.id)
        listed = {
            "Id": step.object.id,
            "Names": [inspected["Name"]],
            "State": inspected["State"]["Status"],
            "ImageID": inspected["Image"],
        }
        fresh = inventory.container(listed, inspected, writable=None)
        why = guards.checked(lambda: guards.container_changed(step, fresh))
        return Look(refused(why)) if why else Look(way_back=container_way_back(inspected))

    # Networks

    def _look_at_network(self, step: Step) -> Look:
        inspected = self.engine.inspect_network(step.object.id)
        fresh = inventory.network(inspected)
        why = guards.checked(lambda: guards.network_changed(step, fresh)) or guards.checked(
            lambda: guards.network_used(fresh, self.containers())
        )
        return Look(refused(why)) if why else Look(way_back=json.dumps(inspected, sort_keys=True))

    # Build cache

    def _look_at_record(self, step: Step) -> Look:
        fresh = self.records.get(step.object.id)
        if fresh is None:
            raise NotFound(f"build cache record {step.object.id}")
        what = differences(step.fingerprint, of_cache_record(fresh))
        return Look(refused(reason(Code.CHANGED, what=what))) if what else Look()

    def _remove_record(self, step: Step) -> Ended:
        id_ = step.object.id
        unused = self.released.get(id_, self.policy.cache_grace)
        if not self.engine.remove_cache_record(id_, unused=unused):
            return refused(reason(Code.ENGINE_SAYS_IN_USE, detail="the record was kept"))
        self._release(self.records[id_].parents)
        return REMOVED

    def _release(self, parents: tuple[str, ...]) -> None:
        """Newer engines take the end of what lay on a record for a use of it (buildkit#5436)."""
        if parents and self.identity.api_version != DURATIONS_ONLY:
            self.released.update(dict.fromkeys(parents, self.engine.clock()))

    # Images

    def _look_at_image(self, step: Step) -> Look:
        inspected = self.engine.inspect_image(step.object.id)
        fresh = inventory.inspected_image(inspected)
        why = (
            guards.checked(lambda: guards.image_changed(step, fresh))
            or guards.checked(lambda: guards.image_protected(fresh, self.policy))
            or guards.checked(lambda: guards.image_used(fresh, self.containers()))
            or guards.checked(lambda: guards.image_arrived(fresh, self._arrivals()))
        )
        return Look(refused(why)) if why else Look(way_back=image_way_back(inspected), image=fresh)

    def _arrivals(self) -> Mapping[str, datetime]:
        """What was pulled, loaded or tagged since the run judged: somebody is about to use it."""
        now = datetime.now(UTC)
        return inventory.arrivals(
            self.engine.image_events(inventory.ARRIVING, since=self.judged_at, until=now)
        )

    def _remove_image(self, look: Look) -> Ended:
        """Take the names off one by one but the last, which goes with the image; put them back otherwise."""
        assert look.image is not None  # noqa: S101 - for the type checker: only _look_at_image leads here
        image, taken = look.image, list[ImageName]()
        try:
            ended = self._take_names(image, taken)
            if ended is REMOVED:
                ended = self._expect(self.engine.remove_image(image.id), {image.id})
        except EngineError:
            if lost := put_back(self.engine, image.id, taken):
                return _nameless(image, lost)
            raise
        return ended if ended is REMOVED or ended.alarm else self._undone(image, taken, ended)

    def _undone(self, image: Image, taken: list[ImageName], ended: Ended) -> Ended:
        """A refusal leaves the image as it was; where it cannot, that is an alarm."""
        lost = put_back(self.engine, image.id, taken)
        return _nameless(image, lost) if lost else ended

    def _take_names(self, image: Image, taken: list[ImageName]) -> Ended:
        for name in image.names[:-1]:
            # Noted first: without an answer it may have been taken off as well.
            taken.append(name)
            ended = self._untag(image, name)
            if ended is not REMOVED:
                taken.pop()
                return ended
        return REMOVED

    def _untag(self, image: Image, name: ImageName) -> Ended:
        try:
            if self.identity.store is Store.CONTAINERD:
                # Compare-and-untag in one step; on a graph driver the same call means something else.
                return self._compared(name, self.engine.remove_image(f"{name.full()}@{image.id}"))
            now = datetime.now(UTC)
            events = self.engine.image_events(guards.TOUCHING, since=now - QUIET, until=now)
            if touched := guards.checked(lambda: guards.name_touched(name.familiar(), events)):
                return refused(touched)
            if self.engine.inspect_image(name.full())["Id"] != image.id:
                return refused(reason(Code.CHANGED, what=f"{name.familiar()} is another image now"))
            return self._expect(self.engine.remove_image(name.full()), set())
        except NotFound:
            return refused(reason(Code.CHANGED, what=f"{name.familiar()} is gone"))

    def _compared(self, name: ImageName, told: Sequence[Mapping[str, str]]) -> Ended:
        """A name that moved: engine 28 then takes off the mark that the image has none, and says so."""
        ended = self._expect(told, set())
        if ended is REMOVED and name.familiar() not in {line.get("Untagged") for line in told}:
            return refused(reason(Code.CHANGED, what=f"{name.familiar()} is another image now"))
        return ended

    def _expect(self, told: Iterable[Mapping[str, str]], planned: set[str]) -> Ended:
        """The engine must have deleted what was planned, and no other image along with it."""
        deleted = {line["Deleted"] for line in told if "Deleted" in line}
        # On a graph driver the reply lists layers beside images; an unknown id is a layer.
        surprise = (deleted & self.image_ids) - planned
        if surprise or (deleted and not planned):
            return Ended(
                Outcome.FAILED,
                reason(Code.UNPLANNED_REMOVAL, object=min(surprise or deleted)),
                alarm=True,
            )
        if planned - deleted:
            return Ended(Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail="the reply does not name it"))
        return REMOVED


def _nameless(image: Image, lost: Iterable[ImageName]) -> Ended:
    names = ", ".join(name.familiar() for name in lost)
    why = reason(Code.ENGINE_ERROR, detail=f"{image.id} could not be given its names again: {names}")
    return Ended(Outcome.FAILED, why, alarm=True)
