"""Reads an engine's accounting of its disk: build cache, volumes, writable layers, and the sums (pure)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from workers.contract import DiskUsage, EngineIdentity, Filesystem, Store
from workers.errors import EngineError
from workers.planning.answers import id_of
from workers.planning.fields import Fields, size_in
from workers.planning.inventory import CacheRecord, Volume

Raw = Mapping[str, Any]
RECORD_ID = re.compile(r"[a-z0-9]{25}")
# The engine of which LayersSize on a containerd store is that of images, snapshots and blobs. Before it the
# figure holds the snapshots of containers and cache as well; what it holds after it, nobody has seen.
IMAGES_ALONE = 29


def section(df: Raw, key: str) -> list[dict[str, Any]]:
    """One list of the disk usage; engines write null for an empty one.

    Raises:
        EngineError: it is no list.
    """
    found = df.get(key)
    if found is None or isinstance(found, list):
        return found or []
    raise EngineError(f"disk usage: {key} is {type(found).__name__}, expected a list")


def all_images(df: Raw) -> list[dict[str, Any]]:
    """The images as a list has them; none where there may be more, for intermediate ones are left out.

    An intermediate image is the parent of another, and the last of them all is never left out.
    """
    images = section(df, "Images")
    listed = {"", *map(id_of, images)}
    return images if all(id_of(image, "ParentId") in listed for image in images) else []


def writable_sizes(df: Raw) -> dict[str, int | None]:
    """Read the size of each container's writable layer, by id; engines leave out a size of zero.

    One that was not computed, which they write as -1, is as unknown as one that cannot be read.
    """
    found = [line for line in section(df, "Containers") if id_of(line)]
    return {id_of(c): Fields(c).number("SizeRw") if "SizeRw" in c else 0 for c in found}


def rootfs_sizes(df: Raw) -> dict[str, int | None]:
    """Read the size of each container's writable layer with all that it lies on, by id, as far as told."""
    return {id_of(c): Fields(c).number("SizeRootFs") for c in section(df, "Containers") if id_of(c)}


def cache_record(listed: Raw) -> CacheRecord:
    """Make a build cache record of its line in the disk usage."""
    line = Fields(listed)
    line.require("InUse", "Size")
    # The key of newer engines is literally " Parents", with a leading space; 20.10 says Parent.
    parents = line.texts(" Parents") or line.texts("Parents") or (line.text("Parent"),)
    for parent in (p for p in parents if p and not RECORD_ID.fullmatch(p)):
        line.note("Parents", parent, "the id of a record")
    found = CacheRecord(
        id=line.id("ID", RECORD_ID, needed=True),
        parents=tuple(p for p in parents if p),
        type=line.text("Type", needed=True),
        description=line.text("Description"),
        in_use=line.flag("InUse", unknown=True),
        shared=line.flag("Shared"),
        size=line.number("Size") or 0,
        created_at=line.moment("CreatedAt"),
        last_used_at=line.moment("LastUsedAt", zero=False),
    )
    return replace(found, readable=False, unread=line.what) if line.unread else found


def volume(listed: Raw) -> Volume:
    """Make a volume of its line in the disk usage; sizes that were not computed read -1."""
    line = Fields(listed)
    size, users = (line.inside("UsageData").number(key, least=-1) for key in ("Size", "RefCount"))
    found = Volume(
        name=line.text("Name", needed=True),
        size=-1 if size is None else size,
        created_at=line.moment("CreatedAt"),
        users=-1 if users is None else users,
    )
    return replace(found, readable=False, unread=line.what) if line.unread else found


def disk_usage(
    df: Raw, engine: EngineIdentity, *, now: datetime, filesystems: tuple[Filesystem, ...] = ()
) -> DiskUsage:
    """Read the engine's accounting; sizes that it did not compute count as nothing."""
    containers = sum(size_in(c, "SizeRw") for c in section(df, "Containers"))
    cache = sum(size_in(c, "Size") for c in section(df, "BuildCache") if not Fields(c).flag("Shared"))
    volumes = [Fields(v).inside("UsageData") for v in section(df, "Volumes")]
    return DiskUsage(
        taken_at=now,
        containers=containers,
        images=_images(df, engine, others=containers + cache),
        build_cache=cache,
        volumes=sum(v.number("Size") or 0 for v in volumes),
        filesystems=filesystems,
    )


def _images(df: Raw, engine: EngineIdentity, *, others: int) -> int | None:
    """The bytes of images in the figure for all layers; `others` may be in it as well."""
    layers = Fields(df).number("LayersSize")
    if layers is None or engine.store is Store.GRAPH_DRIVER:
        return layers
    major = re.match(r"[0-9]{1,4}(?=\.)", engine.version)
    if major is None or int(major[0]) > IMAGES_ALONE:
        return None
    if int(major[0]) == IMAGES_ALONE:
        return layers
    # A record's size has its blob, which may be in no snapshot: then there is no telling what is left.
    return layers - others if layers >= others else None
