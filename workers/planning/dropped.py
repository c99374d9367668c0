"""Versions that the engine itself has dropped, as a containerd store does when their tag moves (pure; S9).

There a build, a pull or a load of the same name leaves nothing of the image that had it, not even while a
container runs from it. So the way back may be gone although nobody removed it, and what is left of the
repository must not be taken for one that is complete.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from workers.contract import Kind, Store
from workers.planning.facts import Case, Memory
from workers.planning.fields import NEVER
from workers.references import ImageName, repository_of


@dataclass(frozen=True)
class Absent:
    """A version that was here: since when, and its last sign of life."""

    since: datetime
    last: datetime


Dropped = dict[str, list[Absent]]


def dropped(case: Case, leaving: Collection[str]) -> Dropped:
    """Return, by repository, the versions that no run has removed and that are gone all the same.

    `leaving` are the ids of containers that the plan removes.
    """
    found: Dropped = {}
    if case.inventory.engine.store is not Store.CONTAINERD:
        return found
    present = {image.id for image in case.inventory.images}
    for image_id in case.memory.names.keys() - present - _removed(case.memory):
        for repository, absent in _remembered(image_id, case.memory):
            found.setdefault(repository, []).append(absent)
    for repository in orphaned(case, leaving):
        found.setdefault(repository, []).append(Absent(NEVER, case.now))
    return found


def _removed(memory: Memory) -> set[str]:
    """What runs have removed, unless it came again and was seen since."""
    times = memory.removed_images.items()
    seen = {id_: memory.sightings.get((Kind.IMAGE.value, id_)) for id_, _ in times}
    return {id_ for id_, at in times if (last := seen[id_]) is None or last.last_seen <= at}


def _remembered(image_id: str, memory: Memory) -> Iterator[tuple[str, Absent]]:
    used = memory.last_used(Kind.IMAGE, image_id)
    for name, since in memory.names[image_id].items():
        yield repository_of(ImageName.parse(name)), Absent(since, max(since, used or since))


def orphaned(case: Case, leaving: Collection[str]) -> frozenset[str]:
    """Return the repositories of containers that stay and whose image is not here any more."""
    if case.inventory.engine.store is not Store.CONTAINERD:
        return frozenset()
    present = {image.id for image in case.inventory.images}
    staying = (c for c in case.inventory.containers if c.id not in leaving)
    left = (c for c in staying if c.image_id and c.image_id not in present)
    return frozenset(repository_of(name) for container in left for name in container.references)


def was_way_back(
    gone: Iterable[Absent], newest_since: datetime | None, older: list[datetime], keep: int
) -> bool:
    """Whether one of those that are gone belonged to the `keep` versions before the newest.

    `older` are the last signs of life of the older versions that are still here.
    """
    before = (one for one in gone if newest_since is None or one.since <= newest_since)
    return any(sum(sign > one.last for sign in older) < keep for one in before)
