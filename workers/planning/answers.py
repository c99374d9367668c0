"""Reads what an engine lists and inspects, in all its spellings, as facts (pure).

A field that every engine sends, even empty, and that is missing or not of its kind makes the object
unreadable: it is kept, and named with what could not be read (S4).
"""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from workers.errors import EngineError
from workers.name_grammar import IMAGE_ID
from workers.planning.fields import Fields, epoch, is_clean, moment
from workers.planning.histories import HistoryStep
from workers.planning.inventory import Container, Image, Network, Thing, Volume
from workers.planning.mentions import full
from workers.references import BadName, ImageName, listed_names

Raw = Mapping[str, Any]
Mount = tuple[str, str]
OBJECT_ID = re.compile(r"[0-9a-f]{64}")
# Swarm gives its networks short ids.
NETWORK_ID = re.compile(r"[0-9a-f]{64}|[0-9a-z]{25}")
Listed = TypeVar("Listed", bound=Thing)
# Where the details of an image say that they could not be read.
UNREAD = "unread"


def id_of(listed: object, key: str = "Id") -> str:
    """The id in a line of a list; empty where it has none that could be asked for."""
    value = listed.get(key) if isinstance(listed, Mapping) else None
    return str(value) if is_clean(value) else ""


def told_apart(found: Iterable[Listed]) -> tuple[Listed, ...]:
    """Give each object an id of its own, also those that came without; what is listed twice is read once.

    Two different objects of one id cannot both be right, so what is said of it is not known.
    """
    by_id: dict[str, list[Listed]] = {}
    for number, thing in enumerate(found, start=1):
        same = by_id.setdefault(thing.id or f"without an id ({number} of the list)", [])
        same += [] if thing in same else [thing]
    return tuple(_one(id_, things) for id_, things in by_id.items())


def _one(id_: str, things: list[Listed]) -> Listed:
    first = things[0]
    if len(things) > 1:
        return replace(first, readable=False, unread=f"it is listed in {len(things)} different ways")
    if first.id:
        return first
    return replace(first, name=id_) if isinstance(first, Volume) else replace(first, id=id_)


# Containers


def container(
    listed: Raw, inspected: Raw | None, *, writable: int | None, readable: bool = True
) -> Container:
    """Make a container of its line in the list and, where it was asked for, its inspection."""
    line = Fields(listed)
    line.require("Names", "Labels", "Mounts", "HostConfig")
    details = Fields({} if inspected is None else inspected, path="inspect", unread=line.unread)
    state = details.inside("State", needed=inspected is not None)
    host = details.inside("HostConfig", needed=inspected is not None)
    policy = host.inside("RestartPolicy")
    mounts, listed_state = line.each("Mounts"), line.text("State", needed=True)
    id_ = line.id("Id", OBJECT_ID, needed=True)
    found = Container(
        id=id_,
        name=_first_name(line, id_),
        image=line.text("Image"),
        image_id=line.id("ImageID", IMAGE_ID, needed=True),
        state=state.text("Status") or listed_state,
        created_at=epoch(listed.get("Created")) if isinstance(listed, Mapping) else None,
        labels=line.labels("Labels"),
        networks=frozenset(_networks(line)),
        # Engines list them in any order, and the same host has the same plan.
        volumes=tuple(sorted(_volumes(mounts))),
        image_mounts=tuple(_image_mounts(mounts)),
        references=tuple(_references(line, details)),
        writable=writable,
        status=line.text("Status"),
        started_at=state.moment("StartedAt"),
        finished_at=state.moment("FinishedAt"),
        exit_code=state.number("ExitCode", least=-(2**63)) or 0,
        restart_policy=(policy.text("Name") or "no") if inspected is not None else None,
        joins=frozenset(_joins(host)),
        linked_by=frozenset(_linked_by(line)),
        readable=readable,
    )
    return replace(found, readable=False, unread=line.what) if line.unread else found


def inspected_container(inspected: Raw) -> Container:
    """Make a container of a fresh inspection alone, to be compared with what was planned."""
    config, state = Fields(inspected).inside("Config"), Fields(inspected).inside("State")
    listed = {
        "Id": inspected.get("Id"),
        "Names": [inspected.get("Name")],
        "Image": config.text("Image"),
        "ImageID": inspected.get("Image"),
        "State": state.text("Status"),
        "Labels": config.labels("Labels"),
        "Mounts": inspected.get("Mounts"),
        "HostConfig": inspected.get("HostConfig"),
        "NetworkSettings": inspected.get("NetworkSettings"),
    }
    return container(listed, inspected, writable=None)


def needs_inspection(listed: object, resting: Set[Mount]) -> bool:
    """Whether the list does not tell enough: of stopped ones, and of those whose image lost its name.

    Also of those with a mount that a stopped one has too (`resting`), for they may have it from there.
    """
    if not isinstance(listed, Mapping) or not id_of(listed):
        return False
    mounted = bool(_mounts(Fields(listed)) & resting)
    return listed.get("State") != "running" or is_nameless(listed) or mounted


def is_nameless(listed: Raw) -> bool:
    """Whether it shows the id of an image that was named when the container was made, or never was."""
    return str(listed.get("Image") or "").startswith("sha256:")


def resting_mounts(listed: Iterable[object]) -> set[Mount]:
    """What is mounted into stopped containers, and where."""
    lines = (Fields(one) for one in listed if isinstance(one, Mapping) and one.get("State") != "running")
    return {mount for line in lines for mount in _mounts(line)}


def _mounts(line: Fields) -> set[Mount]:
    found = ((one.text("Name") or one.text("Source"), one.text("Destination")) for one in line.each("Mounts"))
    return {(what, where) for what, where in found if what}


def is_shareable(inspected: Raw) -> bool:
    """Whether others may have joined its memory: they go on without it, but never start again."""
    return Fields(inspected).inside("HostConfig").text("IpcMode") == "shareable"


def _volumes(mounts: Iterable[Fields]) -> set[str]:
    return {mount.text("Name") for mount in mounts if mount.text("Type", needed=True) == "volume"} - {""}


def _first_name(line: Fields, id_: str) -> str:
    names = [name.lstrip("/") for name in line.texts("Names")]
    # A legacy link shows as other/alias beside the container's own name.
    return next((name for name in names if "/" not in name), id_[:12])


def _linked_by(line: Fields) -> Iterable[str]:
    """The names of the containers with a legacy link to it: it is called other/alias as well then."""
    for name in line.texts("Names"):
        other, link, _ = name.lstrip("/").partition("/")
        if link:
            yield other


def _image_mounts(mounts: Iterable[Fields]) -> Iterable[str]:
    """The images mounted as volumes: the name is what was asked for, the source a path or the id."""
    for mount in mounts:
        if mount.text("Type") == "image":
            texts = (mount.text("Name", needed=True), mount.text("Source"))
            yield from (full(text) for text in texts if text)


def _references(line: Fields, details: Fields) -> Iterable[ImageName]:
    """The names a container was made from; the list shows an id instead once the tag has moved."""
    texts = {line.text("Image", needed=True), details.inside("Config").text("Image")}
    for text in sorted(texts - {""}):
        try:
            yield ImageName.parse(text)
        except BadName as error:
            if not IMAGE_ID.fullmatch(text):
                line.note("Image", text, error.expected)


def _joins(host: Fields) -> Iterable[str]:
    for mode in (host.text("PidMode"), host.text("IpcMode")):
        kind, _, other = mode.partition(":")
        if kind == "container" and other:
            yield other
    # A link names the other container by its path: /db:/web/db.
    others = (
        text.partition(":")[0].lstrip("/") for text in (*host.texts("VolumesFrom"), *host.texts("Links"))
    )
    yield from (other for other in others if other)


def _networks(line: Fields) -> Iterable[str]:
    """Name and id of every network a container is attached to, stopped ones included."""
    mode = line.inside("HostConfig", needed=True).text("NetworkMode")
    if mode:
        yield mode
    for name, settings in line.inside("NetworkSettings", needed=True).named("Networks", needed=True).items():
        yield name
        if network_id := settings.id("NetworkID", NETWORK_ID):
            yield network_id


# Images


def image(listed: Raw, details: Raw | None, *, written_at: datetime | None) -> Image:
    """Make an image of its line in the list and its cached details (see `image_details`)."""
    line = Fields(listed)
    line.require("ParentId", "RepoTags", "RepoDigests", "Labels", "Size")
    known: Raw = details if details is not None else {UNREAD: "inspect"}
    names, digests = _names(line, "RepoTags"), _names(line, "RepoDigests")
    history = known.get("history")
    id_ = line.id("Id", IMAGE_ID, needed=True)
    found = Image(
        id=id_,
        names=tuple(n for n in names if n.tag),
        digests=_all_digests(id_, names, digests),
        parent=line.id("ParentId", IMAGE_ID),
        size=line.number("Size") or 0,
        labels=line.labels("Labels"),
        built_at=epoch(listed.get("Created")) if isinstance(listed, Mapping) else None,
        tagged_at=moment(known.get("tagged_at")),
        written_at=written_at,
        layers=tuple(known.get("layers") or ()),
        history=None if history is None else history_steps(history),
        content=known.get("content"),
    )
    unread = "; ".join([*line.unread, *([known[UNREAD]] if UNREAD in known else [])])
    return replace(found, readable=False, unread=unread) if unread else found


def _all_digests(id_: str, names: Iterable[ImageName], told: Iterable[ImageName]) -> tuple[ImageName, ...]:
    """The digests of an image, each once.

    On a containerd store they are made of its names and its id; the list tells only one of them.
    """
    found = set(told)
    if any(name.digest == id_ for name in found):
        found |= {replace(name, tag=None, digest=id_) for name in names}
    return tuple(sorted(found, key=ImageName.full))


def _names(line: Fields, key: str) -> tuple[ImageName, ...]:
    try:
        return listed_names(line.texts(key))
    except BadName as error:
        # What it is called cannot be compared with anything, so it stays (S4).
        line.note(key, error.text, error.expected)
        return ()


def inspected_image(raw: Raw) -> Image:
    """Make an image of a fresh inspection alone, to be compared with what was planned."""
    listed = {
        **raw,
        "ParentId": raw.get("Parent", ""),
        "Labels": Fields(raw).inside("Config").labels("Labels"),
        "Created": None,
    }
    return image(listed, image_details(raw), written_at=None)


def image_details(inspected: Raw) -> dict[str, Any]:
    """Pick of an image what never changes while its names do not: fit to be kept as JSON.

    Raises:
        EngineError: it says what could not be read.
    """
    told = Fields(inspected, path="inspect")
    metadata = told.inside("Metadata")
    tagged_at = metadata.moment("LastTagTime")
    details = {
        "names": list(told.texts("RepoTags")),
        "tagged_at": tagged_at and tagged_at.isoformat(),
        "layers": list(told.inside("RootFS").texts("Layers")),
        "content": told.number("Size"),
    }
    if told.unread:
        raise EngineError(told.what)
    return details


def history_details(history: Iterable[Raw]) -> list[tuple[int, str]]:
    """Pick of a history what tells of layers, newest first: fit to be kept as JSON.

    Raises:
        EngineError: it says what could not be read.
    """
    unread: list[str] = []
    steps = [Fields(step, path="history", unread=unread) for step in history]
    kept = [(step.number("Size") or 0, step.text("CreatedBy")) for step in steps]
    if unread:
        raise EngineError("; ".join(unread))
    return kept


def history_steps(kept: Iterable[tuple[int, str]]) -> tuple[HistoryStep, ...]:
    """Make steps of what was kept of a history."""
    return tuple(HistoryStep(size, text) for size, text in kept)


def tags(listed: object) -> list[str]:
    """The tags in an image's line of the list, sorted; what cannot be read there is no tag."""
    names = listed.get("RepoTags") if isinstance(listed, Mapping) else None
    texts = names if isinstance(names, list) else []
    return sorted(tag for tag in texts if is_clean(tag) and not tag.startswith("<none>"))


# Networks


def network(listed: Raw) -> Network:
    """Make a network of its line in the list."""
    line = Fields(listed)
    line.require("Labels", "Ingress", "ConfigOnly")
    found = Network(
        id=line.id("Id", NETWORK_ID, needed=True),
        name=line.text("Name", needed=True),
        created_at=line.moment("Created"),
        scope=line.text("Scope", needed=True),
        driver=line.text("Driver"),
        labels=line.labels("Labels"),
        ingress=line.flag("Ingress"),
        config_only=line.flag("ConfigOnly"),
        config_from=line.inside("ConfigFrom").text("Network"),
    )
    return replace(found, readable=False, unread=line.what) if line.unread else found
