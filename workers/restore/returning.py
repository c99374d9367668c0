"""Brings one object back: a fresh look, then no more than is missing, then a look whether it came.

Nothing is removed, no tag is taken from another image, nothing is started.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from workers.contract import (
    FromArchive,
    FromDescription,
    FromRegistry,
    Kind,
    NetworkDescription,
    Restored,
    RestoreStep,
)
from workers.engine import Engine
from workers.errors import EngineError, EngineUnreachable, NotFound
from workers.planning import answers
from workers.reasons import Code, Reason, reason
from workers.references import ImageName
from workers.restore import networks
from workers.restore.planning import network_refusal

Load = Callable[[str, FromArchive, timedelta], Reason | None]


@dataclass(frozen=True)
class Ended:
    """How a step ended; `tags` are those that the image got, `found` is what else is to be told."""

    outcome: Restored
    reason: Reason | None = None
    tags: tuple[str, ...] = ()
    found: tuple[Reason, ...] = ()


@dataclass
class Returning:
    """Brings objects back to one engine.

    `ask` is called before the engine is told anything of a step; `free` tells the bytes left on its disk;
    `left` tells how long a pull may take; `load` has an image of the archive loaded, or says why not.
    """

    engine: Engine
    ask: Callable[[RestoreStep], None]
    free: Callable[[], int | None]
    left: Callable[[], timedelta]
    load: Load
    _asked: set[int] = field(default_factory=set)

    def bring(self, step: RestoreStep) -> Ended:
        """Bring back what is missing of one object.

        Raises:
            EngineUnreachable: nobody knows what came of it.
        """
        try:
            return self._network(step) if step.object.kind is Kind.NETWORK else self._image(step)
        except EngineUnreachable:
            raise
        except EngineError as error:
            return Ended(Restored.FAILED, reason(Code.ENGINE_ERROR, detail=str(error)))

    def _tell(self, step: RestoreStep) -> None:
        if step.index not in self._asked:
            self.ask(step)
            self._asked.add(step.index)

    # Images

    def _image(self, step: RestoreStep) -> Ended:
        if is_image(self.engine, step.object.id):
            return self._tags(step)
        if why := self._short_of_room(step):
            return Ended(Restored.REFUSED, why)
        self._tell(step)
        failed = self._fetched(step)
        if not is_image(self.engine, step.object.id):
            first, *others = [*failed.values(), reason(Code.NO_SOURCE)]
            # A damaged copy is told whatever else there was.
            return Ended(Restored.FAILED, first, found=tuple(one for one in others if _is_of_archive(one)))
        return self._tags(step, is_pulled=True, found=_lacking(step, failed))

    def _short_of_room(self, step: RestoreStep) -> Reason | None:
        free = self.free()
        if free is None or step.needs.low <= free:
            return None
        return reason(Code.NO_ROOM, needed=step.needs.low, free=free)

    def _fetched(self, step: RestoreStep) -> dict[str, Reason]:
        """Have it from every repository that gives it, for each has a digest of it that was known here.

        After the first one this takes next to nothing. A copy ends the search, and is not looked at where the
        image is here. Returns why not, by repository or file.
        """
        failed: dict[str, Reason] = {}
        for source in step.sources:
            match source:
                case FromRegistry():
                    name, why = source.repository, self._pull(step.object.id, source)
                case FromArchive() if not is_image(self.engine, step.object.id):
                    name, why = source.file, self._load(step.object.id, source)
                    if why is None:
                        break
                case _:
                    continue
            if why is not None:
                failed[name] = why
        return failed

    def _load(self, id_: str, source: FromArchive) -> Reason | None:
        """Why it did not come from the archive; the look decides, for the answer may be lost."""
        try:
            why = self.load(id_, source, self.left())
        except EngineUnreachable:
            raise
        except EngineError as error:
            why = reason(Code.ENGINE_ERROR, detail=str(error))
        if is_image(self.engine, id_):
            return None
        return why or reason(
            Code.ARCHIVE_UNREADABLE, detail="the engine loaded it, and the image is not there"
        )

    def _pull(self, id_: str, source: FromRegistry) -> Reason | None:
        """Why it did not come from there, whatever is here already."""
        why = reason(Code.NOT_GIVEN_BACK, reference=f"{source.repository}@{source.digest}")
        try:
            self.engine.pull(source.repository, source.digest, within=self.left())
        except NotFound:
            return why
        except EngineError as error:
            # An answer that was lost may have been a good one: the look decides.
            why = reason(Code.ENGINE_ERROR, detail=str(error))
        return self._why_not(id_, f"{source.repository}@{source.digest}", why)

    def _why_not(self, id_: str, name: str, why: Reason) -> Reason | None:
        """What came under the name of the digest tells, if anything did."""
        came = owner_of(self.engine, name)
        if came == id_:
            return None
        return reason(Code.OTHER_CONTENT, found=came) if came else why

    def _tags(self, step: RestoreStep, *, is_pulled: bool = False, found: Iterable[Reason] = ()) -> Ended:
        """Give it its tags, each where it is nobody's at this very moment."""
        given: list[str] = []
        found = list(found)
        for tag in step.tags:
            owner = owner_of(self.engine, tag)
            if not owner:
                self._tell(step)
                if why := self._tag(step.object.id, tag):
                    return Ended(Restored.FAILED, why, tuple(given), tuple(found))
                given.append(tag)
            elif owner != step.object.id:
                found.append(reason(Code.TAG_TAKEN, name=tag, image=owner))
        came = is_pulled or bool(given)
        outcome = Restored.RESTORED if came else Restored.ALREADY_THERE
        return Ended(outcome, None if came else reason(Code.ALREADY_THERE), tuple(given), tuple(found))

    def _tag(self, id_: str, tag: str) -> Reason | None:
        name = ImageName.parse(tag)
        try:
            self.engine.tag(id_, f"{name.registry}/{name.repository}", name.tag or "latest")
        except EngineUnreachable:
            raise
        except EngineError as error:
            # The image may be here all the same, with some of its tags: what it got is told.
            return reason(Code.ENGINE_ERROR, detail=str(error))
        return None

    # Networks

    def _network(self, step: RestoreStep) -> Ended:
        source = next((one for one in step.sources if isinstance(one, FromDescription)), None)
        if source is None:
            return Ended(Restored.FAILED, reason(Code.NO_SOURCE))
        present = described(self.engine)
        why = network_refusal(step.object.id, source.network, present)
        if why is not None:
            is_there = why.code is Code.ALREADY_THERE
            return Ended(Restored.ALREADY_THERE if is_there else Restored.REFUSED, why)
        self._tell(step)
        return self._made(source.network)

    def _made(self, network: NetworkDescription) -> Ended:
        """Make it, and see whether what was made is what was asked for."""
        try:
            made = self.engine.create_network(networks.spelled(network))
            fresh = networks.described(self.engine.inspect_network(made))
        except EngineUnreachable:
            raise
        except EngineError as error:
            if any(networks.is_same(network, other) for other in described(self.engine).values()):
                return Ended(Restored.RESTORED)
            return Ended(Restored.FAILED, reason(Code.ENGINE_ERROR, detail=str(error)))
        if differing := networks.differing(network, fresh):
            return Ended(Restored.FAILED, reason(Code.CHANGED, what=", ".join(differing)))
        return Ended(Restored.RESTORED)


def _lacking(step: RestoreStep, failed: Mapping[str, Reason]) -> list[Reason]:
    """What is to be told of an image that came all the same."""
    return [
        why
        if _is_of_archive(why)
        else reason(Code.DIGEST_LACKING, image=step.object.name, repository=repository)
        for repository, why in sorted(failed.items())
    ]


def _is_of_archive(why: Reason) -> bool:
    return why.code in (Code.ARCHIVE_DAMAGED, Code.ARCHIVE_UNREADABLE)


def is_image(engine: Engine, id_: str) -> bool:
    """Whether the engine has the image now."""
    return owner_of(engine, id_) == id_


def owner_of(engine: Engine, name: str) -> str:
    """The id of the image of that name now; empty where the name is nobody's."""
    try:
        return answers.id_of(engine.inspect_image(name if name.startswith("sha256:") else _full(name)))
    except NotFound:
        return ""


def _full(name: str) -> str:
    return ImageName.parse(name).full()


def described(engine: Engine) -> Mapping[str, NetworkDescription]:
    """All networks of the engine by their ids."""
    return {answers.id_of(raw): networks.described(raw) for raw in engine.networks()}


def is_back(step: RestoreStep, engine: Engine) -> bool:
    """Whether the object of a step is there now, whoever brought it."""
    if step.object.kind is Kind.IMAGE:
        return is_image(engine, step.object.id)
    wanted = [source.network for source in step.sources if isinstance(source, FromDescription)]
    present = described(engine).values()
    return any(networks.is_same(one, other) for one in wanted for other in present)
