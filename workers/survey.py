"""Looks at a host once: asks the engine, reads what the ledger remembers, and writes down what was seen."""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workers import measuring
from workers.container_lines import ContainerLines, Line
from workers.contract import DiskUsage, EngineIdentity, Kind, Store
from workers.engine import Engine
from workers.engine_clock import clock_off
from workers.errors import EngineError
from workers.image_details import ImageDetails
from workers.memory.sightings import VOLUME, Heard, Sightings
from workers.planning import accounting, answers, bases, mentions
from workers.planning.activity import LONG_AGO, activities, images_stood_still
from workers.planning.ages import REPOSITORY, names_made_of, seen_uses
from workers.planning.facts import Memory, as_of
from workers.planning.freed_bytes import holders
from workers.planning.inventory import CacheRecord, Container, Image, Inventory, Measured
from workers.planning.wanted_histories import wanted_histories
from workers.reasons import Code, Reason, reason

Raw = dict[str, Any]
MOST_AT_ONCE = 4
# Of the accounting, at 3,000 images on a slow host.
LONGEST_COUNT = timedelta(minutes=2)


@dataclass(frozen=True)
class _Seen:
    """What an engine told but for its accounting; images with their details, containers with inspections."""

    events: list[Raw]
    images: list[tuple[Raw, Raw | None]]
    networks: list[Raw]
    containers: tuple[Line, ...]
    services: list[Raw]

    @property
    def container_ids(self) -> list[str]:
        """The ids of all containers that have one."""
        return [id_ for line in self.containers if (id_ := answers.id_of(line.listed))]


def remember(
    sightings: Sightings,
    now: datetime,
    removed_images: Mapping[str, datetime] | None = None,
    *,
    since: datetime | None,
) -> Memory:
    """Read the ledger's memory of an engine, whose events are followed since a time, if they are."""
    known = Memory(
        sightings=sightings.all(),
        names=sightings.names(),
        uses=sightings.uses(),
        arrivals=sightings.arrivals(),
        removed_images=removed_images or {},
        since=since,
        followed_first=sightings.taken_in("followed first"),
    )
    return as_of(known, now)


def take(
    engine: Engine,
    sightings: Sightings,
    identity: EngineIdentity,
    *,
    local: bool,
    now: datetime,
    anew: bool = False,
) -> Inventory:
    """Take the inventory of a host and let the ledger remember it; if any part fails, there is none.

    `local`: the engine's files can be looked at from here. `anew`: every container is asked about that is to
    be judged by more than its line in the list, whatever is remembered of it.
    """
    folder = measuring.containers_folder(identity) if local and not anew else ""
    with _some_at_once() as pool:
        usage = pool.submit(engine.usage)
        details = ImageDetails(engine, sightings, pool, now)
        lines = ContainerLines(engine, sightings, pool, now, folder=folder)
        listed = pool.submit(_listed_images, engine, identity.store, usage, now)
        seen = _seen(engine, listed, details, lines, pool, now)
        # All that can be read without it, while the engine still measures.
        images = answers.told_apart(_image(*one, identity, local=local) for one in seen.images)
        known = list(_containers(seen.containers))
        measured = measuring.measure(identity, seen.container_ids) if local else Measured()
        df = usage.result()
        cache = answers.told_apart(map(accounting.cache_record, accounting.section(df, "BuildCache")))
        containers = answers.told_apart(_with_sizes(known, df))
        containers = tuple(_with_layers(containers, images, details))
        images = _with_histories(images, containers, details, cache, identity.store)
        based = bases.built_upon(images, cache, identity.store)
    filesystems = tuple(one for one, _ in measured.filesystems)
    taken = Inventory(
        taken_at=now,
        engine=identity,
        usage=accounting.disk_usage(df, identity, now=now, filesystems=filesystems),
        containers=containers,
        images=images,
        networks=answers.told_apart(map(answers.network, seen.networks)),
        cache=cache,
        volumes=answers.told_apart(map(accounting.volume, accounting.section(df, "Volumes"))),
        service_images=mentions.service_images(seen.services),
        arrivals=mentions.arrivals(seen.events),
        built_upon=based,
        activity=activities(seen.events),
        clock=_clock(engine),
        measured=measured,
    )
    with sightings.together():
        details.keep()
        lines.keep()
        _write_down(taken, sightings, now)
    return taken


def _listed_images(engine: Engine, store: Store, usage: Future[Raw], now: datetime) -> list[Raw]:
    """All images. A containerd store takes as long to list them as for its accounting, which has them too."""
    counted = accounting.all_images(usage.result()) if store is Store.CONTAINERD else []
    return counted if counted and _stood_still(engine, now - LONGEST_COUNT) else engine.images()


def _stood_still(engine: Engine, since: datetime) -> bool:
    """Whoever asks while an engine counts for another has that answer, and it may be of before a change."""
    return images_stood_still(engine.events({}, since=since, until=datetime.now(UTC)), since=since)


def _seen(
    engine: Engine,
    listed: Future[list[Raw]],
    details: ImageDetails,
    lines: ContainerLines,
    pool: Executor,
    now: datetime,
) -> _Seen:
    """Ask for all other lists, as many at once as may be, and for what they do not tell."""
    networks = pool.submit(engine.networks)
    told = pool.submit(engine.activity_events, since=now - LONG_AGO, until=now)
    events = told.result()
    images = list(details.of(listed.result(), mentions.arrivals(events)))
    found_networks = networks.result()
    # Last: one made meanwhile from what was listed before it is then seen as its user.
    containers, services = pool.submit(engine.containers), pool.submit(engine.services)
    return _Seen(events, images, found_networks, lines.of(containers.result(), events), services.result())


@contextmanager
def _some_at_once() -> Iterator[Executor]:
    """Have some calls in flight at a time; when one fails, nobody waits for the others."""
    pool = ThreadPoolExecutor(MOST_AT_ONCE)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def disk_usage(df: Raw, identity: EngineIdentity, *, local: bool, now: datetime) -> DiskUsage:
    """Read the engine's accounting and measure the filesystems under its data."""
    measured = measuring.filesystems(identity) if local else ()
    return accounting.disk_usage(df, identity, now=now, filesystems=measured)


def _clock(engine: Engine) -> Reason | None:
    """Why no order would be begun by the engine's clock; it is read in what was asked for anyway."""
    try:
        return clock_off(engine, engine.clock(anew=False))
    except EngineError as error:
        return reason(Code.ACTIVITY_UNKNOWN, detail=str(error))


def _containers(lines: Iterable[Line]) -> Iterator[tuple[str, Container]]:
    """Each with the id that the list has for it."""
    for line in lines:
        found = answers.container(line.listed, line.inspected, writable=None, readable=line.readable)
        yield answers.id_of(line.listed), found


def _with_sizes(containers: Iterable[tuple[str, Container]], df: Raw) -> Iterator[Container]:
    writable, rootfs = accounting.writable_sizes(df), accounting.rootfs_sizes(df)
    for id_, found in containers:
        yield replace(found, writable=writable.get(id_), rootfs=rootfs.get(id_))


def _with_layers(
    containers: Iterable[Container], images: Iterable[Image], details: ImageDetails
) -> Iterator[Container]:
    """Tell of those whose image the engine lists no more what they are made of."""
    listed = {image.id for image in images}
    for one in containers:
        is_listed = one.image_id in listed
        yield one if is_listed else replace(one, layers=details.remembered_layers(one.image_id))


def _image(listed: Raw, details: Raw | None, identity: EngineIdentity, *, local: bool) -> Image:
    written = _written_at(identity, answers.id_of(listed)) if local else None
    return answers.image(listed, details, written_at=written)


def _with_histories(
    images: tuple[Image, ...],
    containers: tuple[Container, ...],
    details: ImageDetails,
    cache: tuple[CacheRecord, ...],
    store: Store,
) -> tuple[Image, ...]:
    """Ask for as many histories as exact bytes need."""
    asked = set[str]()
    while wanted := wanted_histories(holders(images, containers, store), cache, store=store, asked=asked):
        asked |= wanted
        told = details.histories(wanted)
        images = tuple(replace(i, history=told[i.id]) if i.id in told else i for i in images)
    return images


def _written_at(identity: EngineIdentity, image_id: str) -> datetime | None:
    """When the engine wrote the image's record: the only trace of a pull or load on a graph driver."""
    folder = f"{identity.data_root}/image/{identity.storage_driver}/imagedb/content/sha256"
    try:
        return datetime.fromtimestamp(os.stat(f"{folder}/{image_id.removeprefix('sha256:')}").st_mtime, UTC)
    except (OSError, ValueError):
        return None


def _write_down(taken: Inventory, sightings: Sightings, now: datetime) -> None:
    """Let the ledger remember what is here, how it is called, and when it was used."""
    used = seen_uses(taken)
    here = [(Kind.IMAGE.value, i.id) for i in taken.images]
    here += [(Kind.NETWORK.value, n.id) for n in taken.networks]
    here += [(VOLUME, v.name) for v in taken.volumes]
    here += [key for key in used if key[0] == REPOSITORY]
    begun = [(bases.BASE, id_, min(at, now)) for id_, at in taken.built_upon.items()]
    sightings.see([*((*key, used.get(key)) for key in here), *begun], now)
    named = {(name.full(), i.id) for i in taken.images for name in i.names}
    sightings.name(sorted(named), now)
    # Most containers are made of a name that their image still has.
    made_of = (one for one in names_made_of(taken.containers, now) if one[:2] not in named)
    sightings.hear(Heard(names=tuple(made_of)))
    sightings.take_in("inventory", now)
