"""How a host is described: what lies on it, how old it is, and whether the default policy should keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Literal

Fate = Literal["kept", "waste"]

COMPOSE = "com.docker.compose"


class Life(Enum):
    """What became of a container."""

    RUNNING = auto()
    PAUSED = auto()
    RESTARTING = auto()
    EXITED = auto()
    CREATED = auto()


def days(count: float) -> timedelta:
    return timedelta(days=count)


def compose(project: str, service: str, *, one_off: bool = False) -> dict[str, str]:
    """The labels docker compose puts on a container."""
    return {
        f"{COMPOSE}.project": project,
        f"{COMPOSE}.service": service,
        f"{COMPOSE}.oneoff": str(one_off),
        f"{COMPOSE}.container-number": "1",
    }


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that came to the host some time ago; `tags` may be empty, `arrived` None means just now.

    One that is `pulled` came from a registry: by its tag, or by its digest, and then it has no tag.
    """

    name: str
    fate: Fate
    tags: tuple[str, ...] | None = None
    arrived: timedelta | None
    built: datetime | None = None
    pulled: Literal["tag", "digest"] | None = None
    megabytes: float = 1
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        return (self.name,) if self.tags is None else self.tags


@dataclass(frozen=True, kw_only=True)
class Build:
    """An image built on the host again and again under one tag; the earlier results lose it.

    Where `containers_between`, the last time is when the containers are there, so that one can be of the
    result before it.
    """

    tag: str
    parent: str
    builder: Literal["classic", "kit"]
    fate: Fate
    times: int = 1
    built: timedelta | None
    kilobytes: int = 500
    cache_mount: bool = False
    containers_between: bool = False

    def result(self, number: int) -> str:
        """The name of what a time gave: the tag is that of the last."""
        return self.tag if number == self.times else f"{self.tag} build {number}"

    @property
    def first_times(self) -> range:
        """The times before there are containers."""
        return range(1, self.times + (not self.containers_between))

    @property
    def last_times(self) -> range:
        """The times after that."""
        return range(self.first_times.stop, self.times + 1)


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container; `image` is the name of an Image or a result of a Build, `binds` are the machine's paths.

    `made_of` is the reference that it is made of, where its image has several; `mounted` are names of images
    that it has mounted, `second_network` is one that it is connected to after it is made.
    """

    name: str
    image: str
    fate: Fate
    life: Life
    created: timedelta
    stopped: timedelta | None = None
    command: str = "true"
    restart: str = "no"
    network: str = "none"
    second_network: str | None = None
    made_of: str | None = None
    mounted: tuple[str, ...] = ()
    health: str | None = None
    critical: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    anonymous: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    volumes_from: tuple[str, ...] = ()

    @property
    def is_up(self) -> bool:
        return self.life in (Life.RUNNING, Life.PAUSED, Life.RESTARTING)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A user-defined bridge network, or with `settings_only` one that others are made with."""

    name: str
    fate: Fate
    created: timedelta | None
    labels: Mapping[str, str] = field(default_factory=dict)
    settings_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Service:
    """A swarm service scaled to nothing; it was updated from one image to another."""

    name: str
    image: str
    before: str


@dataclass(frozen=True, kw_only=True)
class Past:
    """What happened before anything of today was made: a worker saw it, and nothing else tells of it.

    `rebuilt`: (tag, name of the image that took it), in their order; `ran`: images of jobs that removed
    themselves.
    """

    rebuilt: tuple[tuple[str, str], ...] = ()
    ran: tuple[str, ...] = ()
    jobs_ran: timedelta = timedelta(days=10)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything on one host, and what its owners wrote into their policy.

    `protected_digests` are names of images pulled by digest, which the policy protects by it.
    """

    images: tuple[Image, ...]
    containers: tuple[Container, ...]
    networks: tuple[Network, ...] = ()
    builds: tuple[Build, ...] = ()
    volumes: tuple[str, ...] = ()
    past: Past = field(default_factory=Past)
    services: tuple[Service, ...] = ()
    overlays: tuple[str, ...] = ()
    moved_tags: Mapping[str, str] = field(default_factory=dict)
    protected_images: tuple[str, ...] = ()
    protected_digests: tuple[str, ...] = ()
    protected_containers: tuple[str, ...] = ()
    protected_networks: tuple[str, ...] = ()

    @property
    def critical_containers(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.containers if one.critical)
