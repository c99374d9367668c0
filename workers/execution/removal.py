"""Removes one object: a fresh look, the guards, the removal, and what the engine made of it (S2, S7)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from workers.contract import EngineIdentity, Kind, Outcome, Reference, Step
from workers.engine import Engine
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound
from workers.execution import guards
from workers.execution.ended import REMOVED, Ended, refused
from workers.execution.listening import Listening
from workers.execution.names import NamedRemoval
from workers.execution.records import RecordRemoval
from workers.execution.restoring import is_there
from workers.execution.start import Start
from workers.planning import answers
from workers.planning.inventory import Container, Image
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason
from workers.restore import kept


@dataclass(frozen=True)
class Look:
    """What a fresh look found: why not, if anything, and the way back (for the journal) if it may go."""

    ended: Ended | None = None
    way_back: str = "{}"
    image: Image | None = None


@dataclass(frozen=True)
class Removal:
    """How to look at and remove objects of one engine under one policy.

    `start` is what the host held when the run judged; `records` is how build cache is removed; `pool` takes
    looks at the same moment; `in_swarm`: services may come that need an image before any container does;
    `came`: what is known of the images that came since.
    """

    engine: Engine
    identity: EngineIdentity
    policy: Policy
    listening: Listening
    start: Start
    records: RecordRemoval
    pool: Executor
    in_swarm: bool = False
    came: dict[str, Image | None] = field(default_factory=dict)

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
        except (AnswerLost, EngineUnreachable) as error:
            return self._looked_up(step.object, error)
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
                return next(ended for _, ended in self.records.remove([step]))
        return REMOVED

    def _looked_up(self, object_: Reference, error: EngineError) -> Ended:
        """A time-out or a cut is neither yes nor no: ask again whether the object is there (S4)."""
        try:
            if not is_there(object_, self.engine):
                return REMOVED
        except EngineUnreachable:
            raise
        except EngineError:
            pass
        return Ended(Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail=str(error)))

    # Containers

    def containers(self) -> tuple[Container, ...]:
        """List all containers afresh, as facts."""
        found = tuple(answers.container(raw, None, writable=None) for raw in self.engine.containers())
        # What one of them uses is not known then, so nobody can say that an object is unused (S4).
        for container in (c for c in found if not c.readable):
            raise EngineError(f"list containers: {container.name or container.id}: {container.unread}")
        return found

    def _look_at_container(self, step: Step) -> Look:
        listed = self.pool.submit(self.engine.containers)
        inspected = self.engine.inspect_container(step.object.id)
        fresh = answers.inspected_container(inspected)
        why = guards.checked(lambda: guards.container_changed(step, fresh)) or guards.checked(
            lambda: guards.container_joined(fresh, self._came_since(listed.result()))
        )
        if why:
            return Look(refused(why))
        return Look(way_back=kept.of_container(inspected, commands=self.policy.keep_commands))

    def _came_since(self, listed: Iterable[Mapping[str, Any]]) -> Iterator[Container]:
        """The containers made since the run judged; a list tells only part of what they have joined."""
        for id_ in {answers.id_of(raw) for raw in listed} - self.start.containers:
            with suppress(NotFound):
                yield answers.inspected_container(self.engine.inspect_container(id_))

    # Networks

    def _look_at_network(self, step: Step) -> Look:
        inspected = self.engine.inspect_network(step.object.id)
        fresh = answers.network(inspected)
        why = (
            guards.checked(lambda: guards.network_changed(step, fresh))
            or guards.checked(lambda: guards.network_used(fresh, self.containers()))
            or guards.checked(lambda: guards.network_joined(fresh, self.listening.news().joined))
        )
        return Look(refused(why)) if why else Look(way_back=kept.of_network(inspected))

    # Build cache

    def _look_at_record(self, step: Step) -> Look:
        why = self.records.changed(step)
        return Look(refused(why)) if why else Look()

    # Images

    def _look_at_image(self, step: Step) -> Look:
        # Three looks at the same moment: one after the other they take longer than the removal.
        listed, heard = self.pool.submit(self.containers), self.pool.submit(self.listening.news)
        services = [self.pool.submit(self.engine.services)] if self.in_swarm else []
        beside: list[Future[Any]] = [listed, heard, *services]
        try:
            inspected = self.engine.inspect_image(step.object.id)
        finally:
            # Nobody listens for the next image while somebody still does for this one.
            wait(beside)
        fresh = answers.inspected_image(inspected)
        why = (
            guards.checked(lambda: guards.image_changed(step, fresh))
            or guards.checked(lambda: guards.image_protected(fresh, self.policy))
            or guards.checked(lambda: self._image_needed(fresh, listed.result()))
            or guards.checked(lambda: guards.image_arrived(fresh, heard.result().arrivals))
            or guards.checked(lambda: guards.image_ran(fresh, heard.result().uses))
            or guards.checked(lambda: guards.image_built_upon(fresh, self._came(heard.result().arrivals)))
            or guards.checked(lambda: guards.image_served(fresh, *(one.result() for one in services)))
        )
        return Look(refused(why)) if why else Look(way_back=kept.of_image(inspected), image=fresh)

    def _image_needed(self, fresh: Image, containers: tuple[Container, ...]) -> Reason | None:
        """One list tells both: a container uses the image, or one came for which it is the way back."""
        return guards.image_used(fresh, containers) or self.start.way_back(fresh.id, containers)

    def _came(self, arrivals: Iterable[str]) -> list[Image]:
        """The images that were not here when the run judged, each asked about once."""
        for key in arrivals:
            if key not in self.came:
                self.came[key] = self._image(key)
        return [one for one in self.came.values() if one and one.id not in self.start.repositories]

    def _image(self, name: str) -> Image | None:
        with suppress(NotFound):
            return answers.inspected_image(self.engine.inspect_image(name))
        return None

    def _remove_image(self, look: Look) -> Ended:
        assert look.image is not None  # noqa: S101 - for the type checker: only _look_at_image leads here
        known = self.start.repositories.keys()
        return NamedRemoval(self.engine, self.identity.store, known, self.listening).remove(look.image)
