"""When an image came to this host and when it was last used, by the best evidence there is (pure; S10)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workers.contract import Kind
from workers.memory.sightings import VOLUME
from workers.planning.bases import BASE
from workers.planning.facts import Case, Memory
from workers.planning.fields import NEVER
from workers.planning.inventory import Container, Image, Inventory
from workers.planning.mentions import begins
from workers.references import repository_of

# The kind under which a ledger remembers when a repository was last used, whichever version it was.
REPOSITORY = "repository"


@dataclass(frozen=True)
class Arrival:
    """A time with what it is known from."""

    at: datetime | None
    evidence: str


def arrival(image: Image, memory: Memory, arrivals: Mapping[str, datetime]) -> Arrival:
    """Return the latest evidence of arrival; the build date is none, first sight counts only alone."""
    return latest(image, memory, evidence(image, memory, arrivals))


def latest(image: Image, memory: Memory, known: Sequence[Arrival]) -> Arrival:
    """Return the latest of what is known of an image's arrival."""
    if not known:
        return Arrival(memory.first_seen(Kind.IMAGE, image.id), "seen")
    return max(known, key=lambda one: one.at or NEVER)


def came(image: Image, memory: Memory, known: Sequence[Arrival]) -> datetime | None:
    """Return when an image was here at the latest: what is told of it later (a new tag) made it no newer.

    Only where its record cannot be looked at does it count when it was seen first.
    """
    times = [one.at for one in known]
    if image.written_at is None:
        times.append(memory.first_seen(Kind.IMAGE, image.id))
    return min((at for at in times if at is not None), default=None)


def evidence(image: Image, memory: Memory, arrivals: Mapping[str, datetime]) -> list[Arrival]:
    """Return all that tells when an image came, but for its first sight."""
    found = (
        (image.tagged_at, "tagged"),
        (image.written_at, "written"),
        (_newly_named(image, memory), "named"),
        (told(image, arrivals), "pulled, loaded or tagged"),
        (told(image, memory.arrivals), "pulled, loaded or tagged"),
    )
    return [Arrival(at, what) for at, what in found if at is not None]


def told(image: Image, arrivals: Mapping[str, datetime]) -> datetime | None:
    """When an event spoke of the image or one of its names."""
    if not arrivals:
        return None
    return max((arrivals[key] for key in image.called if key in arrivals), default=None)


def _newly_named(image: Image, memory: Memory) -> datetime | None:
    """When a tag appeared on an image that had been seen before without it."""
    seen, known = memory.first_seen(Kind.IMAGE, image.id), memory.names.get(image.id, {})
    times = [known[n.full()] for n in image.names if n.full() in known]
    return max((t for t in times if seen and t > seen), default=None)


def uses(container: Container, image: Image) -> bool:
    """Whether a container, in whatever state, needs this image: by id, by name, or as a mount."""
    return bool(Users([container]).of(image))


def ran_of(image: Image, users: Iterable[Container]) -> list[Container]:
    """Return those users whose content this image is.

    A container made of a name that moved since needs the image that has the name now, and never ran of it.
    """
    keys = set(image.called)
    return [c for c in users if c.image_id == image.id or keys & set(c.image_mounts)]


class Users:
    """Finds the containers that use an image, for many images and containers at once."""

    def __init__(self, containers: Iterable[Container]) -> None:
        self._by_key: dict[str, list[Container]] = {}
        for container in containers:
            names = (name.full() for name in container.references)
            for key in {container.image_id, *container.image_mounts, *names}:
                self._by_key.setdefault(key, []).append(container)

    def of(self, image: Image) -> list[Container]:
        """Return the users of an image, each once."""
        found = {c.id: c for key in image.called for c in self._by_key.get(key, ())}
        return list(found.values())


def seen_uses(inventory: Inventory) -> dict[tuple[str, str], datetime]:
    """What a ledger has to remember of the containers: when each image, repository, network
    and volume was last used.

    Else removing a stopped container would make what it used look unused sooner (S9). An exit still to come
    is a clock gone wrong: it counts as a use just now.
    """
    now, found = inventory.taken_at, dict[tuple[str, str], datetime]()
    users = Users(inventory.containers)
    for image in inventory.images:
        of_image = users.of(image)
        _note(found, Kind.IMAGE, image.id, (_ran(c, now) for c in ran_of(image, of_image)))
        for repository in {repository_of(name) for name in (*image.names, *image.digests)}:
            _note(found, REPOSITORY, repository, (_ran(c, now) for c in of_image))
    for container in inventory.containers:
        for name in container.references:
            _note(found, REPOSITORY, repository_of(name), [_ran(container, now)])
        for volume in container.volumes:
            _note(found, VOLUME, volume, [_ran(container, now)])
    for network in inventory.networks:
        attached = (c for c in inventory.containers if c.networks & {network.id, network.name})
        _note(found, Kind.NETWORK, network.id, (_ran(c, now) or c.created_at for c in attached))
    return found


def names_made_of(containers: Iterable[Container], now: datetime) -> list[tuple[str, str, datetime]]:
    """Return (full name, image id, when) of the names containers were made of, of the images they have.

    The name may be another image's by now, and where it was before all else is known, nothing else tells it.
    """
    return [
        (name.full(), one.image_id, min(one.created_at, now))
        for one in containers
        if one.image_id and one.created_at
        for name in one.references
        if not begins(one.image_id, name.familiar().removesuffix(":latest"))
    ]


def ran_repositories(inventory: Inventory, memory: Memory) -> dict[str, datetime]:
    """When a container of any version of a repository ran last, be it gone by now."""
    found: dict[str, datetime] = {}
    seen = {key: sighting.last_used for key, sighting in memory.sightings.items()}
    for (kind, repository), at in (*seen.items(), *seen_uses(inventory).items()):
        if kind == REPOSITORY and at is not None:
            found[repository] = min(max(at, found.get(repository, at)), inventory.taken_at)
    return found


def _ran(container: Container, now: datetime) -> datetime | None:
    return (container.finished_at and min(container.finished_at, now)) if container.stopped else now


def _note(
    found: dict[tuple[str, str], datetime], kind: str, id_: str, times: Iterable[datetime | None]
) -> None:
    known = [time for time in times if time is not None]
    if known:
        found[kind, id_] = max([*known, found.get((kind, id_), known[0])])


def last_used(image: Image, case: Case, users: list[Container]) -> datetime | None:
    """Return the newest known use: seen by the ledger, or the exit of a container that ran of it."""
    known = [case.memory.last_used(Kind.IMAGE, image.id)]
    known += [container.finished_at for container in users]
    # An exit still to come is a clock gone wrong; until it is reached it counts as a use just now.
    return max((min(time, case.now) for time in known if time is not None), default=None)


def last_built_upon(image: Image, case: Case) -> datetime | None:
    """Return when a build last began from an image: by the build cache, or by the ledger once it is gone."""
    known = (case.inventory.built_upon.get(image.id), case.memory.last_used(BASE, image.id))
    return max((min(time, case.now) for time in known if time is not None), default=None)
