"""What is on a host at one moment: frozen facts, with no judgement in them (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from workers.contract import DiskPart, DiskUsage, EngineIdentity, Filesystem
from workers.planning.activity import Activity
from workers.planning.histories import HistoryStep
from workers.reasons import Reason
from workers.references import ImageName, repository_of

STOPPED_STATES = frozenset({"exited", "dead", "created"})
# Docker is younger than that: an earlier time is a clock that was not set, or nonsense.
EARLIEST = datetime(2013, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Container:
    """A container in any state. What only an inspect tells is None where it was not asked for.

    `joins` are the containers, by name or id, whose processes, memory or volumes it takes; `linked_by` are
    the names of those that have a legacy link to it. `writable` and `rootfs` are the bytes of its writable
    layer, and of that with all layers below it. `layers` are diff ids, lowest first, of an image that is in
    no list any more, as far as they are remembered.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: str
    created_at: datetime | None
    labels: Mapping[str, str]
    networks: frozenset[str]
    volumes: tuple[str, ...]
    image_mounts: tuple[str, ...]
    references: tuple[ImageName, ...]
    writable: int | None
    status: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    restart_policy: str | None = None
    joins: frozenset[str] = frozenset()
    linked_by: frozenset[str] = frozenset()
    rootfs: int | None = None
    layers: tuple[str, ...] = ()
    readable: bool = True
    unread: str = ""

    @property
    def joined(self) -> frozenset[str]:
        """The containers, by name or id, whose network or anything else it takes."""
        modes = (mode.partition(":") for mode in self.networks)
        return self.joins | {other for kind, _, other in modes if kind == "container" and other}

    @property
    def below(self) -> int | None:
        """The bytes of the layers that it is made of; None where the engine does not tell."""
        return None if self.rootfs is None else max(0, self.rootfs - max(0, self.writable or 0))

    @property
    def stopped(self) -> bool:
        """Whether its state is one in which it could be removed."""
        return self.state in STOPPED_STATES


@dataclass(frozen=True)
class Image:
    """An image, tagged or not, intermediates too. `size` is what the engine lists."""

    id: str
    names: tuple[ImageName, ...]
    digests: tuple[ImageName, ...]
    parent: str
    size: int
    labels: Mapping[str, str]
    built_at: datetime | None
    tagged_at: datetime | None = None
    written_at: datetime | None = None
    layers: tuple[str, ...] = ()
    history: tuple[HistoryStep, ...] | None = None
    content: int | None = None
    readable: bool = True
    unread: str = ""

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Its id, and all its names spelled in full: asked for many times in a plan."""
        return (self.id, *(name.full() for name in (*self.names, *self.digests)))

    @property
    def untagged_repositories(self) -> list[str]:
        """The repositories of which it has a digest and no tag: with tags, digests go by themselves."""
        tagged = {repository_of(name) for name in self.names}
        return sorted({repository_of(digest) for digest in self.digests} - tagged)

    @property
    def shown(self) -> str:
        """A name for people: the first tag, else the short id."""
        named = [*self.names, *self.digests]
        return named[0].familiar() if named else self.id[:19]


@dataclass(frozen=True)
class Network:
    """A network, with what tells whose it is; `config_from` names another one that has its settings."""

    id: str
    name: str
    created_at: datetime | None
    scope: str
    driver: str
    labels: Mapping[str, str]
    ingress: bool
    config_only: bool
    config_from: str = ""
    readable: bool = True
    unread: str = ""


@dataclass(frozen=True)
class CacheRecord:
    """A record of the build cache; `shared`: an image needs its layer too."""

    id: str
    parents: tuple[str, ...]
    type: str
    description: str
    in_use: bool
    shared: bool
    size: int
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    readable: bool = True
    unread: str = ""


@dataclass(frozen=True)
class Volume:
    """A volume: listed, never planned (S1).

    The disk usage has only those that lie in the engine's own folder (moby's LocalVolumesSize leaves out
    other drivers, and the local one's with options).
    """

    name: str
    size: int
    created_at: datetime | None
    users: int
    readable: bool = True
    unread: str = ""

    @property
    def id(self) -> str:
        """A volume's name is its identity."""
        return self.name


Thing = Container | Image | Network | CacheRecord | Volume


@dataclass(frozen=True)
class Measured:
    """What the engine's own files show; nothing where they cannot be looked at from here.

    `logs` are bytes by container id, without those that could not be read. `filesystems` are those under
    the engine's data, each once, with what lies on it.
    """

    logs: Mapping[str, int] = field(default_factory=dict)
    filesystems: tuple[tuple[Filesystem, frozenset[DiskPart]], ...] = ()


@dataclass(frozen=True)
class Inventory:
    """A host at one moment.

    `arrivals` are what the engine still remembers of pulls, loads and tags: when, by full name or image id.
    `built_upon` is when a build last began from an image, by its id, as far as the build cache tells.
    `clock` is why nothing may be removed by the engine's clock, where it is not this worker's.
    """

    taken_at: datetime
    engine: EngineIdentity
    usage: DiskUsage
    containers: tuple[Container, ...] = ()
    images: tuple[Image, ...] = ()
    networks: tuple[Network, ...] = ()
    cache: tuple[CacheRecord, ...] = ()
    volumes: tuple[Volume, ...] = ()
    service_images: frozenset[ImageName] = field(default_factory=frozenset)
    arrivals: Mapping[str, datetime] = field(default_factory=dict)
    built_upon: Mapping[str, datetime] = field(default_factory=dict)
    activity: tuple[Activity, ...] = ()
    clock: Reason | None = None
    measured: Measured = field(default_factory=Measured)

    @property
    def unreadable(self) -> tuple[Thing, ...]:
        """What could not be read, or not all of it; each says in `unread` what of it."""
        kinds = (self.containers, self.images, self.networks, self.cache, self.volumes)
        return tuple(thing for things in kinds for thing in things if not thing.readable)

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.unreadable
