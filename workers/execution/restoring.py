"""The way back: what is noted of an object before it goes, and names given again where it did not (S2)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from workers.contract import Kind, Reference
from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.planning.answers import id_of
from workers.planning.facts import PROJECT
from workers.references import ImageName


def is_there(object_: Reference, engine: Engine) -> bool:
    """Ask the engine afresh whether it has the object."""
    try:
        return _found(object_, engine)
    except NotFound:
        return False


def _found(object_: Reference, engine: Engine) -> bool:
    match object_.kind:
        case Kind.CONTAINER:
            engine.inspect_container(object_.id)
        case Kind.IMAGE:
            engine.inspect_image(object_.id)
        case Kind.NETWORK:
            engine.inspect_network(object_.id)
        case Kind.BUILD_CACHE:
            return any(id_of(raw, "ID") == object_.id for raw in engine.cache_records())
    return True


def is_being_removed(object_: Reference, engine: Engine) -> bool:
    """Ask the engine whether it is at it now; only of containers does it tell."""
    try:
        raw = engine.inspect_container(object_.id) if object_.kind is Kind.CONTAINER else {}
    except NotFound:
        return False
    state = raw.get("State")
    return isinstance(state, dict) and state.get("Status") == "removing"


def put_back(engine: Engine, image_id: str, names: Iterable[ImageName]) -> list[ImageName]:
    """Give an image its names again; returns those that could not be given.

    A name that has come to mean something else meanwhile stays with that: it would be taken from it.
    """
    return [name for name in names if not _is_given(engine, image_id, name)]


def _is_given(engine: Engine, image_id: str, name: ImageName) -> bool:
    try:
        engine.inspect_image(name.full())
    except NotFound:
        return _give(engine, image_id, name)
    except EngineError:
        return False
    return True


def _give(engine: Engine, image_id: str, name: ImageName) -> bool:
    try:
        engine.tag(image_id, f"{name.registry}/{name.repository}", name.tag or "latest")
    except EngineError:
        return False
    return True


def image_way_back(inspected: Mapping[str, Any]) -> str:
    """Keep what names an image and its content, as JSON."""
    kept = ("Id", "RepoTags", "RepoDigests", "Created", "Size", "Architecture", "Os", "RootFS", "Metadata")
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    return json.dumps({**{k: inspected.get(k) for k in kept}, "Labels": labels}, sort_keys=True)


def container_way_back(inspected: Mapping[str, Any]) -> str:
    """Keep what names a container's parts. Environment and command may hold secrets, so they are left out."""
    config, settings = inspected["Config"], inspected["HostConfig"]
    mounts = [
        {k: m.get(k) for k in ("Type", "Name", "Source", "Destination", "RW")} for m in inspected["Mounts"]
    ]
    return json.dumps(
        {
            "Name": inspected["Name"],
            "Image": config.get("Image"),
            "ImageID": inspected["Image"],
            "Project": (config.get("Labels") or {}).get(PROJECT),
            "ExitCode": inspected["State"].get("ExitCode"),
            "FinishedAt": inspected["State"].get("FinishedAt"),
            "RestartPolicy": settings.get("RestartPolicy"),
            "NetworkMode": settings.get("NetworkMode"),
            "Networks": sorted((inspected.get("NetworkSettings") or {}).get("Networks") or {}),
            "Mounts": mounts,
        },
        sort_keys=True,
    )
