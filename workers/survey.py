"""Looks at a host once: asks the engine, reads what the ledger remembers, and writes down what was seen."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workers.contract import DiskUsage, EngineIdentity, Filesystem, Kind, Store
from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.memory.sightings import Sightings
from workers.planning import accounting, answers, mentions
from workers.planning.ages import REPOSITORY, seen_uses
from workers.planning.facts import Memory
from workers.planning.inventory import Container, Image, Inventory

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
    networks = answers.told_apart(answers.network(raw) for raw in engine.networks())
    containers = answers.told_apart(_containers(engine, df))
    taken = Inventory(
        taken_at=now,
        engine=identity,
        usage=disk_usage(df, identity, local=local, now=now),
        containers=containers,
        images=answers.told_apart(images),
        networks=networks,
        cache=answers.told_apart(map(accounting.cache_record, accounting.section(df, "BuildCache"))),
        volumes=answers.told_apart(map(accounting.volume, accounting.section(df, "Volumes"))),
        service_images=mentions.service_images(engine.services()),
        arrivals=mentions.arrivals(engine.image_events(mentions.ARRIVING, since=now - REMEMBERED, until=now)),
    )
    _write_down(taken, sightings, now)
    return taken


def disk_usage(df: Raw, identity: EngineIdentity, *, local: bool, now: datetime) -> DiskUsage:
    """Read the engine's accounting and measure the filesystems under its data."""
    paths = [identity.data_root]
    if identity.store is Store.CONTAINERD:
        paths.append(CONTAINERD_ROOT)
    measured = tuple(_filesystem(path) for path in paths if local and os.path.isdir(path))
    return accounting.disk_usage(df, store=identity.store, now=now, filesystems=measured)


def _filesystem(path: str) -> Filesystem:
    told = os.statvfs(path)
    return Filesystem(
        path=path,
        total=told.f_blocks * told.f_frsize,
        free=told.f_bavail * told.f_frsize,
        inodes=told.f_files,
        inodes_free=told.f_ffree,
    )


def _containers(engine: Engine, df: Raw) -> tuple[Container, ...]:
    writable = accounting.writable_sizes(df)
    found = (_container(engine, raw, writable.get(answers.id_of(raw))) for raw in engine.containers())
    return tuple(container for container in found if container is not None)


def _container(engine: Engine, listed: Raw, writable: int | None) -> Container | None:
    """Inspect where the list does not tell enough."""
    if not answers.needs_inspection(listed):
        return answers.container(listed, None, writable=writable)
    try:
        return answers.container(listed, engine.inspect_container(listed["Id"]), writable=writable)
    except NotFound:
        return None
    except EngineError:
        # `docker inspect` fails on containers that are being removed (docuum#237): unreadable, so kept.
        return answers.container(listed, None, writable=writable, readable=False)


def _images(
    engine: Engine, sightings: Sightings, identity: EngineIdentity, *, local: bool
) -> tuple[Image, ...]:
    known = {id_: json.loads(body) for id_, body in sightings.layers().items()}
    fresh: dict[str, str] = {}
    found = []
    for listed in engine.images():
        id_ = answers.id_of(listed)
        details = known.get(id_)
        if details is None or details["names"] != answers.tags(listed):
            try:
                details = _details(engine, id_, answers.tags(listed))
            except NotFound:
                continue
            if answers.UNREAD not in details:
                fresh[id_] = json.dumps(details)
        written = _written_at(identity, id_) if local else None
        found.append(answers.image(listed, details, written_at=written))
    sightings.keep_layers(fresh)
    return tuple(found)


def _details(engine: Engine, id_: str, tags: list[str]) -> Raw:
    try:
        told = answers.image_details(engine.inspect_image(id_), engine.history(id_))
    except NotFound:
        raise
    except EngineError as error:
        return {answers.UNREAD: str(error)}
    return {**told, "names": tags}


def _written_at(identity: EngineIdentity, image_id: str) -> datetime | None:
    """When the engine wrote the image's record: the only trace of a pull or load on a graph driver."""
    folder = Path(identity.data_root, "image", identity.storage_driver, "imagedb", "content", "sha256")
    try:
        return datetime.fromtimestamp((folder / image_id.removeprefix("sha256:")).stat().st_mtime, UTC)
    except (OSError, ValueError):
        return None


def _write_down(taken: Inventory, sightings: Sightings, now: datetime) -> None:
    """Let the ledger remember what is here, how it is called, and when it was used."""
    used = seen_uses(taken)
    here = [(Kind.IMAGE.value, i.id) for i in taken.images] + [
        (Kind.NETWORK.value, n.id) for n in taken.networks
    ]
    repositories = [key for key in used if key[0] == REPOSITORY]
    sightings.see([(*key, used.get(key)) for key in (*here, *repositories)], now)
    sightings.name([(name.full(), i.id) for i in taken.images for name in i.names], now)
