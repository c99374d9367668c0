"""What has to go before what: children before parents, containers before what they hold (pure)."""

from collections.abc import Iterable, Mapping

from workers.contract import Kind
from workers.planning.ages import Users
from workers.planning.containers import joins
from workers.planning.facts import PROJECT, Case
from workers.planning.inventory import CacheRecord, Container, Image, Network
from workers.planning.networks import attached
from workers.planning.versions import repositories
from workers.references import repository_of

STAGES = tuple(Kind)
Needs = Mapping[str, frozenset[str]]


def needs(case: Case, leaving: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return, by id, the ids that must be gone first, among those that leave.

    An image needs every leaving container of its repositories, not of itself alone: with such a container
    still there the repository would count as used, and the image as its way back (S9). A network needs the
    containers of its project as well, for with one of them the project lives.
    """
    containers = [c for c in case.inventory.containers if c.id in leaving]
    images = [i for i in case.inventory.images if i.id in leaving]
    records = [r for r in case.inventory.cache if r.id in leaving]
    using = _users_of_repositories(case, containers)
    users = Users(containers)
    return {
        **{c.id: frozenset(other.id for other in containers if joins(other, c)) for c in containers},
        **{
            i.id: _image_needs(i, images, users.of(i)) | _of(using, repositories(i, case.memory))
            for i in images
        },
        **{n.id: _network_needs(n, containers) for n in case.inventory.networks if n.id in leaving},
        **{r.id: _children(r, records) for r in records},
    }


def _users_of_repositories(case: Case, containers: list[Container]) -> dict[str, set[str]]:
    """The containers that make a repository used, by a name they were made of or by their image."""
    using: dict[str, set[str]] = {}
    for container in containers:
        for name in container.references:
            using.setdefault(repository_of(name), set()).add(container.id)
    users = Users(containers)
    for image in case.inventory.images:
        for repository in repositories(image, case.memory):
            using.setdefault(repository, set()).update(c.id for c in users.of(image))
    return using


def _of(using: Mapping[str, set[str]], repositories_: Iterable[str]) -> frozenset[str]:
    return frozenset(id_ for repository in repositories_ for id_ in using.get(repository, ()))


def _image_needs(image: Image, images: list[Image], users: list[Container]) -> frozenset[str]:
    return frozenset({other.id for other in images if other.parent == image.id} | {c.id for c in users})


def _network_needs(network: Network, containers: list[Container]) -> frozenset[str]:
    project = network.labels.get(PROJECT)
    mates = (c for c in containers if project and c.labels.get(PROJECT) == project)
    return frozenset(c.id for c in (*attached(network, tuple(containers)), *mates))


def _children(record: CacheRecord, records: list[CacheRecord]) -> frozenset[str]:
    return frozenset(other.id for other in records if record.id in other.parents)


def without_order(needed: Needs) -> frozenset[str]:
    """Return what can never come, because it waits for itself: nonsense that no real host shows (S4)."""
    waiting, done = dict(needed), set[str]()
    while ready := [id_ for id_, wanted in waiting.items() if wanted <= done]:
        done.update(ready)
        for id_ in ready:
            del waiting[id_]
    return frozenset(waiting)


def sequence(ids: Iterable[str], needed: Needs) -> list[str]:
    """Order ids so that whatever one needs comes before it; otherwise as given."""
    done: dict[str, None] = {}
    for start in ids:
        waiting = [start]
        while waiting:
            current = waiting[-1]
            missing = [n for n in sorted(needed.get(current, ())) if n not in done and n not in waiting]
            if missing:
                waiting.append(missing[0])
            else:
                done[waiting.pop()] = None
    return list(done)


def closure(id_: str, needed: Needs) -> set[str]:
    """Return an id with everything it needs, directly or not."""
    found, waiting = {id_}, [id_]
    while waiting:
        for one in needed.get(waiting.pop(), frozenset()) - found:
            found.add(one)
            waiting.append(one)
    return found
