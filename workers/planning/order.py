"""What has to go before what: children before parents, containers before what they hold (pure)."""

from collections.abc import Collection, Iterable, Mapping

from workers.contract import DiskUsage, Filesystem, Kind
from workers.planning.ages import Users
from workers.planning.containers import guests, has_joined, names_of
from workers.planning.facts import PROJECT, Case
from workers.planning.image_mounts import ImageMounts
from workers.planning.inventory import Container, Network
from workers.planning.networks import attached
from workers.planning.versions import repositories
from workers.references import repository_of

STAGES = tuple(Kind)
NONE: frozenset[str] = frozenset()
# Where no byte is left, taking a name off an image fails as well: the graph driver writes the list of all
# names anew (moby#44632). Containers and build cache need no room to go, and make some.
STAGES_WITHOUT_ROOM = (Kind.CONTAINER, Kind.BUILD_CACHE, Kind.IMAGE, Kind.NETWORK)
SHORT_PERCENT = 3
ENGINE_NEEDS = 64_000_000
Needs = Mapping[str, frozenset[str]]


def needs(case: Case, leaving: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return, by id, the ids that must be gone first, among those that leave.

    An image needs every leaving container of its repositories, not of itself alone: with such a container
    still there the repository would count as used, and the image as its way back (S9). A network needs the
    containers of its project as well, for with one of them the project lives. A container needs
    those that have joined it, for while one is there it is in use.
    """
    containers = [c for c in case.inventory.containers if c.id in leaving]
    images = [i for i in case.inventory.images if i.id in leaving]
    records = [r for r in case.inventory.cache if r.id in leaving]
    using = _users_of_repositories(case, containers)
    users, mounts = Users(containers), ImageMounts(containers, case.inventory.images, case.memory)
    known_as = {i.id: repositories(i, case.memory) for i in images}
    above = _lying_on((i.parent, i.id) for i in images)
    cached_on = _lying_on((parent, r.id) for r in records for parent in r.parents)
    return {
        **_guests(containers, names_of(case.inventory.containers)),
        **{
            i.id: above.get(i.id, NONE)
            | {c.id for c in (*users.of(i), *mounts.of(i, known_as[i.id]))}
            | _of(using, known_as[i.id])
            for i in images
        },
        **{n.id: _network_needs(n, containers) for n in case.inventory.networks if n.id in leaving},
        **{r.id: cached_on.get(r.id, NONE) for r in records},
    }


def _lying_on(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """The children of each one, from pairs of parent and child."""
    found: dict[str, set[str]] = {}
    for parent, child in pairs:
        found.setdefault(parent, set()).add(child)
    return {parent: frozenset(children) for parent, children in found.items()}


def _guests(containers: list[Container], names: Collection[str]) -> dict[str, frozenset[str]]:
    """Those that have joined each. Names can be given so that each waits for another: there none is first."""
    joining = guests(containers)
    joined = {c.id: frozenset(g.id for g in joining if has_joined(g, c, names)) for c in containers}
    return {
        id_: frozenset(g for g in found if id_ not in closure(g, joined)) for id_, found in joined.items()
    }


def _users_of_repositories(case: Case, containers: list[Container]) -> dict[str, set[str]]:
    """The containers that make a repository used, by a name they were made of or by their image."""
    using: dict[str, set[str]] = {}
    for container in containers:
        for name in container.references:
            using.setdefault(repository_of(name), set()).add(container.id)
    users = Users(containers)
    for image in case.inventory.images:
        if found := users.of(image):
            for repository in repositories(image, case.memory):
                using.setdefault(repository, set()).update(c.id for c in found)
    return using


def _of(using: Mapping[str, set[str]], repositories_: Iterable[str]) -> frozenset[str]:
    return frozenset(id_ for repository in repositories_ for id_ in using.get(repository, ()))


def _network_needs(network: Network, containers: list[Container]) -> frozenset[str]:
    project = network.labels.get(PROJECT)
    mates = (c for c in containers if project and c.labels.get(PROJECT) == project)
    return frozenset(c.id for c in (*attached(network, tuple(containers)), *mates))


def short_of_room(usage: DiskUsage) -> Filesystem | None:
    """A filesystem under the engine's data that has little left, in percent, in bytes or in inodes."""
    return next((one for one in usage.filesystems if _is_short(one)), None)


def _is_short(one: Filesystem) -> bool:
    return short_of_bytes(one) or (one.inodes > 0 and one.inodes_free * 100 < one.inodes)


def short_of_bytes(one: Filesystem) -> bool:
    """Whether there is little room left, whatever there is of inodes."""
    return one.free < max(ENGINE_NEEDS, one.total * SHORT_PERCENT // 100)


def stages(usage: DiskUsage) -> tuple[Kind, ...]:
    """Return the order of the kinds: on a full disk what frees most for least comes first."""
    return STAGES_WITHOUT_ROOM if short_of_room(usage) else STAGES


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
