"""An image goes with its names: one by one but the last, and they are given back where it stays (S2)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from workers.contract import Kind, Outcome, Reference, Store
from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.execution import guards
from workers.execution.ended import REMOVED, Ended, refused
from workers.execution.listening import Listening
from workers.execution.restoring import is_there, put_back
from workers.planning import answers
from workers.planning.inventory import Image
from workers.reasons import Code, reason
from workers.references import BadName, ImageName, repository_of

Told = Iterable[Mapping[str, str]]


@dataclass(frozen=True)
class NamedRemoval:
    """How an image is removed from an engine; `known` are the ids of all images it had."""

    engine: Engine
    store: Store
    known: Collection[str]
    listening: Listening

    def remove(self, image: Image) -> Ended:
        """Take off one by one the names that do not go with the image itself; put them back otherwise."""
        taken: list[ImageName] = []
        try:
            ended = self._take_names(image, taken)
            if ended is REMOVED:
                ended = self._removed(image)
        except EngineError:
            lost = [] if self._is_gone(image) else self._put_back(image, taken)
            if lost:
                return _nameless(image, lost)
            raise
        return ended if ended is REMOVED else self._undone(image, taken, ended)

    def _is_gone(self, image: Image) -> bool:
        """Whether the image went though its answer was lost: then its names are not missing."""
        try:
            return not is_there(Reference(kind=Kind.IMAGE, id=image.id, name=image.shown), self.engine)
        except EngineError:
            return False

    def _undone(self, image: Image, taken: list[ImageName], ended: Ended) -> Ended:
        """A refusal leaves the image as it was; where it cannot, that is an alarm. An alarm stays one."""
        lost = self._put_back(image, taken)
        return _nameless(image, lost) if lost and not ended.alarm else ended

    def _put_back(self, image: Image, taken: list[ImageName]) -> list[ImageName]:
        """Give it its names again; returns those that could not be given.

        On a graph driver digests go with the last tag of their repository, and only a pull gives them.
        """
        lost = put_back(self.engine, image.id, taken)
        return [*lost, *self._lost_digests(image)] if taken else lost

    def _lost_digests(self, image: Image) -> list[ImageName]:
        try:
            left = answers.inspected_image(self.engine.inspect_image(image.id)).digests
        except EngineError:
            return []
        return [digest for digest in image.digests if digest not in left]

    def _removed(self, image: Image) -> Ended:
        """By id the engine refuses an image with two names; the one that it has must be a planned one."""
        told = self.engine.remove_image(image.id)
        return self._expect(told, {image.id}, image.names)

    def _take_names(self, image: Image, taken: list[ImageName]) -> Ended:
        for name in _to_take(image):
            # Noted first: without an answer it may have been taken off as well.
            taken.append(name)
            ended = self._untag(image, name)
            if ended is not REMOVED:
                taken.pop()
                return ended
        return REMOVED

    def _untag(self, image: Image, name: ImageName) -> Ended:
        try:
            if self.store is Store.CONTAINERD:
                # Compare-and-untag in one step; on a graph driver the same call means something else.
                return self._compared(name, self.engine.remove_image(f"{name.full()}@{image.id}"))
            return self._untag_by_name(image, name)
        except NotFound:
            return refused(reason(Code.CHANGED, what=f"{name.familiar()} is gone"))

    def _compared(self, name: ImageName, told: Sequence[Mapping[str, str]]) -> Ended:
        """A name that moved: engine 28 then takes off the mark that the image has none, and says so."""
        ended = self._expect(told, set(), [name])
        if ended is REMOVED and name.full() not in _untagged(told):
            return refused(reason(Code.CHANGED, what=f"{name.familiar()} is another image now"))
        return ended

    def _untag_by_name(self, image: Image, name: ImageName) -> Ended:
        """A graph driver cannot compare: so it is looked at before, and at the events after."""
        recent = self.listening.recent()
        if touched := guards.checked(lambda: guards.name_touched(name.familiar(), recent)):
            return refused(touched)
        if self.engine.inspect_image(name.full())["Id"] != image.id:
            return refused(reason(Code.CHANGED, what=f"{name.familiar()} is another image now"))
        ended = self._expect(self.engine.remove_image(name.full()), set(), [name])
        if ended is not REMOVED:
            return ended
        lost_by = guards.lost_a_name(self.listening.listen())
        return REMOVED if image.id in lost_by else self._taken_from_another(image, name, lost_by)

    def _taken_from_another(self, image: Image, name: ImageName, lost_by: Collection[str]) -> Ended:
        """The name moved in the last moment and was taken from where it had gone: that image has it back.

        Where no event tells whose it was, it was this image's when that was looked at.
        """
        if len(lost_by) <= 1:
            put_back(self.engine, min(lost_by, default=image.id), [name])
        whose = ", ".join(sorted(lost_by)) or "an image that the engine does not tell"
        why = reason(Code.UNPLANNED_REMOVAL, object=f"{name.familiar()} of {whose}")
        return Ended(Outcome.FAILED, why, alarm=True)

    def _expect(self, told: Told, planned: set[str], names: Iterable[ImageName]) -> Ended:
        """The engine must have deleted what was planned, and no other image or name along with it."""
        lines = list(told)
        deleted = {line["Deleted"] for line in lines if "Deleted" in line}
        # On a graph driver the reply lists layers beside images; an unknown id is a layer.
        surprise = (deleted & set(self.known)) - planned
        surprise |= _untagged(lines) - {name.full() for name in names}
        if surprise or (deleted and not planned):
            why = reason(Code.UNPLANNED_REMOVAL, object=min(surprise or deleted))
            return Ended(Outcome.FAILED, why, alarm=True)
        if planned - deleted:
            return Ended(Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail="the reply does not name it"))
        return REMOVED


def _to_take(image: Image) -> list[ImageName]:
    """Its names but the last, or all beside a digest of another repository: by id goes what is of one.

    Last come those with which digests would go, for they cannot be put back.
    """
    digested = {repository_of(digest) for digest in image.digests}
    names = sorted(image.names, key=lambda name: repository_of(name) in digested)
    return names if image.untagged_repositories else names[:-1]


def _untagged(lines: Iterable[Mapping[str, str]]) -> set[str]:
    """The tags that the engine took off; digests go with the last tag of their repository."""
    return {name for line in lines if (name := _tag(line.get("Untagged", "")))}


def _tag(text: str) -> str:
    try:
        name = ImageName.parse(text)
    except BadName:
        return ""
    return "" if name.digest else name.full()


def _nameless(image: Image, lost: Iterable[ImageName]) -> Ended:
    names = ", ".join(name.familiar() for name in lost)
    why = reason(Code.ENGINE_ERROR, detail=f"{image.id} could not be given its names again: {names}")
    return Ended(Outcome.FAILED, why, alarm=True)
