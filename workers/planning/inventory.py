"""What is on a host: the engine's answers as frozen facts, with no judgement in them (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from workers.contract import DiskUsage, EngineIdentity, Store
from workers.planning.histories import HistoryStep
from workers.references import BadName, ImageName, listed_names

Raw = Mapping[str, Any]

STOPPED_STATES = frozenset({"exited", "dead", "created"})
ARRIVING = frozenset({"pull", "load", "tag", "import"})
NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Container:
    """A container in any state. What only an inspect tells is None where it was not asked for."""

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
    readable: bool = True

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

    @property
    def shown(self) -> str:
        """A name for people: the first tag, else the short id."""
        named = [*self.names, *self.digests]
        return named[0].familiar() if named else self.id[:19]


@dataclass(frozen=True)
class Network:
    """A network, with what tells whose it is."""

    id: str
    name: str
    created_at: datetime | None
    scope: str
    driver: str
    labels: Mapping[str, str]
    ingress: bool
    config_only: bool


@dataclass(frozen=True)
class CacheRecord:
    """A record of the build cache."""

    id: str
    parents: tuple[str, ...]
    type: str
    description: str
    in_use: bool
    shared: bool
    size: int
    created_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Volume:
    """A volume: listed, never planned (S1)."""

    name: str
    size: int
    created_at: datetime | None
    users: int


@dataclass(frozen=True)
class Inventory:
    """A host at one moment.

    `arrivals` are what the engine still remembers of pulls, loads and tags: when, by full name or image id.
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

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return all(c.readable for c in self.containers) and all(i.readable for i in self.images)


def container(
    listed: Raw, inspected: Raw | None, *, writable: int | None, readable: bool = True
) -> Container:
    """Make a container of its line in the list and, where it was asked for, its inspection."""
    state = (inspected or {}).get("State") or {}
    policy = ((inspected or {}).get("HostConfig") or {}).get("RestartPolicy") or {}
    # Newer engines list them in another order each time.
    mounts = sorted(listed.get("Mounts") or [], key=lambda m: str(m.get("Destination")))
    return Container(
        id=listed["Id"],
        name=_first_name(listed),
        image=listed.get("Image") or "",
        image_id=listed.get("ImageID") or "",
        state=state.get("Status") or listed["State"],
        created_at=_epoch(listed.get("Created")),
        labels=listed.get("Labels") or {},
        networks=frozenset(_networks(listed)),
        volumes=tuple(m["Name"] for m in mounts if m.get("Type") == "volume" and m.get("Name")),
        image_mounts=tuple(_image_mounts(mounts)),
        references=tuple(_references(listed, inspected)),
        writable=writable,
        status=listed.get("Status") or "",
        started_at=moment(state.get("StartedAt")),
        finished_at=moment(state.get("FinishedAt")),
        exit_code=int(state.get("ExitCode") or 0),
        restart_policy=(policy.get("Name") or "no") if inspected else None,
        readable=readable,
    )


def image(listed: Raw, details: Raw | None, *, written_at: datetime | None) -> Image:
    """Make an image of its line in the list and its cached details (see `image_details`)."""
    try:
        names, digests = listed_names(listed.get("RepoTags")), listed_names(listed.get("RepoDigests"))
    except BadName:
        # What it is called cannot be compared with anything, so it stays (S4).
        names, digests, details = (), (), None
    known = details or {}
    history = known.get("history")
    return Image(
        id=listed["Id"],
        names=tuple(n for n in names if n.tag),
        digests=_all_digests(listed["Id"], names, digests),
        parent=listed.get("ParentId") or "",
        size=int(listed.get("Size") or 0),
        labels=listed.get("Labels") or {},
        built_at=_epoch(listed.get("Created")),
        tagged_at=moment(known.get("tagged_at")),
        written_at=written_at,
        layers=tuple(known.get("layers") or ()),
        history=None if history is None else tuple(HistoryStep(size, text) for size, text in history),
        content=known.get("content"),
        readable=details is not None,
    )


def _all_digests(id_: str, names: Iterable[ImageName], told: Iterable[ImageName]) -> tuple[ImageName, ...]:
    """The digests of an image, each once.

    On a containerd store they are made of its names and its id; the list tells only one of them.
    """
    found = set(told)
    if any(name.digest == id_ for name in found):
        found |= {replace(name, tag=None, digest=id_) for name in names}
    return tuple(sorted(found, key=ImageName.full))


def inspected_image(raw: Raw) -> Image:
    """Make an image of a fresh inspection alone, to be compared with what was planned."""
    listed = {
        **raw,
        "ParentId": raw.get("Parent"),
        "Labels": (raw.get("Config") or {}).get("Labels"),
        "Created": None,
    }
    return image(listed, image_details(raw, ()), written_at=None)


def image_details(inspected: Raw, history: Iterable[Raw]) -> dict[str, Any]:
    """Pick of an image what never changes while its names do not: fit to be kept as JSON."""
    return {
        "names": inspected.get("RepoTags") or [],
        "tagged_at": (inspected.get("Metadata") or {}).get("LastTagTime"),
        "layers": (inspected.get("RootFS") or {}).get("Layers") or [],
        "content": inspected.get("Size"),
        "history": [[step.get("Size") or 0, step.get("CreatedBy") or ""] for step in history],
    }


def network(listed: Raw) -> Network:
    """Make a network of its line in the list."""
    return Network(
        id=listed["Id"],
        name=listed["Name"],
        created_at=moment(listed.get("Created")),
        scope=listed.get("Scope") or "",
        driver=listed.get("Driver") or "",
        labels=listed.get("Labels") or {},
        ingress=bool(listed.get("Ingress")),
        config_only=bool(listed.get("ConfigOnly")),
    )


def cache_record(listed: Raw) -> CacheRecord:
    """Make a build cache record of its line in the disk usage."""
    # The key of newer engines is literally " Parents", with a leading space; 20.10 says Parent.
    parents = listed.get(" Parents") or listed.get("Parents") or [listed.get("Parent")]
    return CacheRecord(
        id=listed["ID"],
        parents=tuple(p for p in parents if p),
        type=listed.get("Type") or "",
        description=listed.get("Description") or "",
        in_use=bool(listed.get("InUse", True)),
        shared=bool(listed.get("Shared")),
        size=int(listed.get("Size") or 0),
        created_at=moment(listed.get("CreatedAt")),
        last_used_at=moment(listed.get("LastUsedAt")),
    )


def arrivals(events: Iterable[Raw]) -> dict[str, datetime]:
    """Read when images came, or came again: a pull of what is there already leaves no other trace."""
    found: dict[str, datetime] = {}
    for event in events:
        if event.get("Type") == "image" and event.get("Action") in ARRIVING and event.get("time"):
            at = datetime.fromtimestamp(event["time"], UTC)
            found.update(dict.fromkeys(_spoken_of(event.get("Actor") or {}), at))
    return found


def _spoken_of(actor: Raw) -> Iterable[str]:
    for text in (actor.get("ID") or "", (actor.get("Attributes") or {}).get("name") or ""):
        yield _full(text)


def _image_mounts(mounts: Iterable[Raw]) -> Iterable[str]:
    """The images mounted as volumes: the name is what was asked for, the source a path or the id."""
    for mount in mounts:
        if mount.get("Type") == "image":
            yield from (_full(text) for text in (mount.get("Name"), mount.get("Source")) if text)


def _full(text: str) -> str:
    """The full spelling of a name; what is none, an id most often, stays as it is."""
    try:
        return ImageName.parse(text).full()
    except BadName:
        return text


def service_images(services: Iterable[Raw]) -> frozenset[ImageName]:
    """Read the images that services name, with and without the digest that swarm pins beside the tag."""
    specs = ((s.get("Spec") or {}).get("TaskTemplate") or {} for s in services)
    texts = ((spec.get("ContainerSpec") or {}).get("Image") or "" for spec in specs)
    named = [ImageName.parse(full) for full in map(_full, texts) if "/" in full]
    return frozenset(spelled for name in named for spelled in _tag_and_digest(name))


def _tag_and_digest(name: ImageName) -> Iterable[ImageName]:
    if name.tag and name.digest:
        return replace(name, digest=None), replace(name, tag=None)
    return (name,)


def volume(listed: Raw) -> Volume:
    """Make a volume of its line in the disk usage; sizes that were not computed read -1."""
    usage = listed.get("UsageData") or {}
    return Volume(
        name=listed["Name"],
        size=int(usage.get("Size", -1)),
        created_at=moment(listed.get("CreatedAt")),
        users=int(usage.get("RefCount", -1)),
    )


def disk_usage(df: Raw, *, store: Store, now: datetime, **measured: Any) -> DiskUsage:
    """Read the engine's accounting; sizes that it did not compute count as nothing."""
    containers = sum(max(0, c.get("SizeRw") or 0) for c in df.get("Containers") or [])
    cache = sum(c.get("Size") or 0 for c in df.get("BuildCache") or [] if not c.get("Shared"))
    images = int(df.get("LayersSize") or 0)
    # On the containerd store LayersSize holds the snapshots of containers and cache as well.
    if store is Store.CONTAINERD:
        cache = min(cache, max(0, images - containers))
        images = max(0, images - containers - cache)
    return DiskUsage(
        taken_at=now,
        containers=containers,
        images=images,
        build_cache=cache,
        volumes=sum(max(0, (v.get("UsageData") or {}).get("Size", 0)) for v in df.get("Volumes") or []),
        **measured,
    )


def moment(text: str | int | None) -> datetime | None:
    """Read a time as engines write it; their zero (year 1) and what is unreadable mean unknown."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    return None if aware.year <= NEVER.year else aware.astimezone(UTC)


def _epoch(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and seconds > 0 else None


def _first_name(listed: Raw) -> str:
    names: list[str] = [name.lstrip("/") for name in listed.get("Names") or []]
    # A legacy link shows as other/alias beside the container's own name.
    return next((name for name in names if "/" not in name), str(listed["Id"])[:12])


def _references(listed: Raw, inspected: Raw | None) -> Iterable[ImageName]:
    """The names a container was made from; the list shows an id instead once the tag has moved."""
    texts = {listed.get("Image") or "", ((inspected or {}).get("Config") or {}).get("Image") or ""}
    for text in sorted(texts):
        try:
            yield ImageName.parse(text)
        except BadName:
            continue


def _networks(listed: Raw) -> Iterable[str]:
    """Name and id of every network a container is attached to, stopped ones included."""
    mode = (listed.get("HostConfig") or {}).get("NetworkMode")
    if mode:
        yield mode
    for name, settings in ((listed.get("NetworkSettings") or {}).get("Networks") or {}).items():
        yield name
        if settings and settings.get("NetworkID"):
            yield settings["NetworkID"]
