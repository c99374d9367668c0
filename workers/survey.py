"""Looks at a host once: asks the engine, reads what the ledger remembers, and writes down what was seen."""

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workers.contract import DiskUsage, EngineIdentity, Filesystem, Kind, Store
from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.memory.sightings import Sightings
from workers.planning import inventory
from workers.planning.facts import Memory
from workers.planning.inventory import Inventory

Raw = dict[str, Any]
# An engine keeps its last events only, fewer than a day's; asking further back costs nothing.
REMEMBERED = timedelta(days=7)
CONTAINERD_ROOT = "/var/lib/containerd"


def remember(sightings: Sightings) -> Memory:
    """Read the ledger's memory of an engine."""
    return Memory(sightings=sightings.all(), names=sightings.names(), since=sightings.since())


def take(
    engine: Engine, sightings: Sightings, identity: EngineIdentity, *, local: bool, now: datetime
) -> Inventory:
    """Take the inventory of a host and let the ledger remember it.

    `local`: the engine's files can be looked at from here.
    """
    df = engine.usage()
    # Containers last: one made meanwhile from what was listed before it is then seen as its user.
    images = _images(engine, sightings, identity, local=local)
    networks = tuple(inventory.network(raw) for raw in engine.networks())
    containers = _containers(engine, df)
    taken = Inventory(
        taken_at=now,
        engine=identity,
        usage=disk_usage(df, identity, local=local, now=now),
        containers=containers,
        images=images,
        networks=networks,
        cache=tuple(inventory.cache_record(raw) for raw in df.get("BuildCache") or []),
        volumes=tuple(inventory.volume(raw) for raw in df.get("Volumes") or []),
        service_images=inventory.service_images(engine.services()),
        arrivals=inventory.arrivals(
            engine.image_events(inventory.ARRIVING, since=now - REMEMBERED, until=now)
        ),
    )
    _write_down(taken, sightings, now)
    return taken


def disk_usage(df: Raw, identity: EngineIdentity, *, local: bool, now: datetime) -> DiskUsage:
    """Read the engine's accounting and measure the filesystems under its data."""
    paths = [identity.data_root]
    if identity.store is Store.CONTAINERD:
        paths.append(CONTAINERD_ROOT)
    measured = tuple(_filesystem(path) for path in paths if local and os.path.isdir(path))
    return inventory.disk_usage(df, store=identity.store, now=now, filesystems=measured)


def _filesystem(path: str) -> Filesystem:
    told = os.statvfs(path)
    return Filesystem(
        path=path,
        total=told.f_blocks * told.f_frsize,
        free=told.f_bavail * told.f_frsize,
        inodes=told.f_files,
        inodes_free=told.f_ffree,
    )


def _containers(engine: Engine, df: Raw) -> tuple[inventory.Container, ...]:
    writable = {c["Id"]: c.get("SizeRw") or 0 for c in df.get("Containers") or []}
    listed = engine.containers()
    resting = {name for raw in listed if raw["State"] != "running" for name in _volumes(raw)}
    found = (_container(engine, raw, writable.get(raw["Id"]), resting) for raw in listed)
    return tuple(container for container in found if container is not None)


def _volumes(listed: Raw) -> set[str]:
    return {mount["Name"] for mount in listed.get("Mounts") or [] if mount.get("Name")}


def _container(
    engine: Engine, listed: Raw, writable: int | None, resting: set[str]
) -> inventory.Container | None:
    """Inspect where the list does not tell enough.

    Those are stopped ones, those whose image lost its name, and those with a volume that a stopped one has
    too (`resting`): they may have it from there.
    """
    needs_inspect = listed["State"] != "running" or (listed.get("Image") or "").startswith("sha256:")
    if not needs_inspect and not _volumes(listed) & resting:
        return inventory.container(listed, None, writable=writable)
    try:
        return inventory.container(listed, engine.inspect_container(listed["Id"]), writable=writable)
    except NotFound:
        return None
    except EngineError:
        # `docker inspect` fails on containers that are being removed (docuum#237): unreadable, so kept.
        return inventory.container(listed, None, writable=writable, readable=False)


def _images(
    engine: Engine, sightings: Sightings, identity: EngineIdentity, *, local: bool
) -> tuple[inventory.Image, ...]:
    known = {id_: json.loads(body) for id_, body in sightings.layers().items()}
    fresh: dict[str, str] = {}
    found = []
    for listed in engine.images():
        details = known.get(listed["Id"])
        if details is None or details["names"] != _tags(listed):
            try:
                details = _details(engine, listed)
            except NotFound:
                continue
            if details is not None:
                fresh[listed["Id"]] = json.dumps(details)
        written = _written_at(identity, listed["Id"]) if local else None
        found.append(inventory.image(listed, details, written_at=written))
    sightings.keep_layers(fresh)
    return tuple(found)


def _tags(listed: Raw) -> list[str]:
    return sorted(tag for tag in listed.get("RepoTags") or [] if not tag.startswith("<none>"))


def _details(engine: Engine, listed: Raw) -> Raw | None:
    try:
        told = inventory.image_details(engine.inspect_image(listed["Id"]), engine.history(listed["Id"]))
    except NotFound:
        raise
    except EngineError:
        return None
    return {**told, "names": _tags(listed)}


def _written_at(identity: EngineIdentity, image_id: str) -> datetime | None:
    """When the engine wrote the image's record: the only trace of a pull or load on a graph driver."""
    folder = Path(identity.data_root, "image", identity.storage_driver, "imagedb", "content", "sha256")
    try:
        return datetime.fromtimestamp((folder / image_id.removeprefix("sha256:")).stat().st_mtime, UTC)
    except OSError:
        return None


def _write_down(taken: Inventory, sightings: Sightings, now: datetime) -> None:
    """Let the ledger remember; removing a stopped container must not make its image unused sooner (S9)."""
    images: dict[str, datetime] = {}
    networks: dict[str, datetime] = {}
    for container in taken.containers:
        used = container.finished_at if container.stopped else now
        if used is not None:
            _note(images, [container.image_id], used)
            _note(networks, container.networks, used)
    sightings.see([(Kind.IMAGE.value, i.id, images.get(i.id)) for i in taken.images], now)
    last = [(n.id, [networks[k] for k in (n.id, n.name) if k in networks]) for n in taken.networks]
    sightings.see([(Kind.NETWORK.value, id_, max(used, default=None)) for id_, used in last], now)
    sightings.name([(name.full(), i.id) for i in taken.images for name in i.names], now)


def _note(known: dict[str, datetime], keys: Iterable[str], used: datetime) -> None:
    for key in keys:
        known[key] = max(used, known.get(key, used))
