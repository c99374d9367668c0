"""Reads what an engine lists and inspects, in all its spellings, as facts (pure).

A field that every engine sends, even empty, and that is missing or not of its kind makes the object
unreadable: it is kept, and named with what could not be read (S4).
"""

import re
from collections.abc import Iterable, Mapping
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
    policy = details.inside("HostConfig", needed=inspected is not None).inside("RestartPolicy")
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
        # Engines list mounts in any order; a plan of the same host must read the same.
        volumes=tuple(
            sorted(m.text("Name") for m in mounts if m.text("Type") == "volume" and m.text("Name"))
        ),
        image_mounts=tuple(_image_mounts(mounts)),
        references=tuple(_references(line, details)),
        writable=writable,
        status=line.text("Status"),
        started_at=state.moment("StartedAt"),
        finished_at=state.moment("FinishedAt"),
        exit_code=state.number("ExitCode", least=-(2**63)) or 0,
        restart_policy=(policy.text("Name") or "no") if inspected is not None else None,
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


def needs_inspection(listed: object) -> bool:
    """Whether the list does not tell enough: of stopped ones, and of those whose image lost its name."""
    if not isinstance(listed, Mapping) or not id_of(listed):
        return False
    return listed.get("State") != "running" or str(listed.get("Image") or "").startswith("sha256:")


def _first_name(line: Fields, id_: str) -> str:
    names = [name.lstrip("/") for name in line.texts("Names")]
    # A legacy link shows as other/alias beside the container's own name.
    return next((name for name in names if "/" not in name), id_[:12])


def _image_mounts(mounts: Iterable[Fields]) -> Iterable[str]:
    """The images mounted as volumes: the name is what was asked for, the source a path or the id."""
    for mount in mounts:
        if mount.text("Type") == "image":
            yield from (full(text) for text in (mount.text("Name"), mount.text("Source")) if text)


def _references(line: Fields, details: Fields) -> Iterable[ImageName]:
    """The names a container was made from; the list shows an id instead once the tag has moved."""
    texts = {line.text("Image", needed=True), details.inside("Config").text("Image")}
    for text in sorted(texts - {""}):
        try:
            yield ImageName.parse(text)
        except BadName as error:
            if not IMAGE_ID.fullmatch(text):
                line.note("Image", text, error.expected)


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
    found = Image(
        id=line.id("Id", IMAGE_ID, needed=True),
        names=tuple(n for n in names if n.tag),
        digests=digests,
        parent=line.id("ParentId", IMAGE_ID),
        size=line.number("Size") or 0,
        labels=line.labels("Labels"),
        built_at=epoch(listed.get("Created")) if isinstance(listed, Mapping) else None,
        tagged_at=moment(known.get("tagged_at")),
        written_at=written_at,
        layers=tuple(known.get("layers") or ()),
        history=None if history is None else tuple(HistoryStep(size, text) for size, text in history),
        content=known.get("content"),
    )
    unread = "; ".join([*line.unread, *([known[UNREAD]] if UNREAD in known else [])])
    return replace(found, readable=False, unread=unread) if unread else found


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
    return image(listed, image_details(raw, ()), written_at=None)


def image_details(inspected: Raw, history: Iterable[Raw]) -> dict[str, Any]:
    """Pick of an image what never changes while its names do not: fit to be kept as JSON.

    Raises:
        EngineError: it says what could not be read.
    """
    told = Fields(inspected, path="inspect")
    steps = [Fields(step, path="history", unread=told.unread) for step in history]
    metadata = told.inside("Metadata")
    tagged_at = metadata.moment("LastTagTime")
    details = {
        "names": list(told.texts("RepoTags")),
        "tagged_at": tagged_at and tagged_at.isoformat(),
        "layers": list(told.inside("RootFS").texts("Layers")),
        "content": told.number("Size"),
        "history": [[step.number("Size") or 0, step.text("CreatedBy")] for step in steps],
    }
    if told.unread:
        raise EngineError(told.what)
    return details


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
    )
    return replace(found, readable=False, unread=line.what) if line.unread else found
