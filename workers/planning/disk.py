"""Where the disk went: the engine's accounting laid over the filesystems under its data (pure).

Volumes and logs are told of here and never planned (S1).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from workers.contract import (
    Bytes,
    DiskAttribution,
    DiskPart,
    Filesystem,
    FilesystemUse,
    LogUse,
    PartUse,
    Store,
    VolumeUse,
)
from workers.memory.sightings import VOLUME
from workers.planning.facts import Case
from workers.planning.inventory import Inventory, Volume

BIGGEST = 5


def attribution(case: Case) -> DiskAttribution:
    """Lay out where the disk went."""
    found = case.inventory
    return DiskAttribution(
        parts=tuple(part_use(found, part) for part in DiskPart),
        filesystems=tuple(filesystem_uses(found)),
        logs=log_uses(found)[:BIGGEST],
        volumes=tuple(volume_use(volume, case) for volume in _biggest(found.volumes)[:BIGGEST]),
    )


def part_use(found: Inventory, part: DiskPart) -> PartUse:
    """What one part holds."""
    match part:
        case DiskPart.IMAGES:
            return PartUse(part=part, size=_images(found), count=len(found.images))
        case DiskPart.WRITABLE_LAYERS:
            return _part(part, (known(c.writable) for c in found.containers))
        case DiskPart.LOGS:
            return _part(part, (found.measured.logs.get(c.id) for c in found.containers))
        case DiskPart.VOLUMES:
            return _part(part, (known(v.size) for v in found.volumes))
        case DiskPart.BUILD_CACHE:
            return _part(part, (known(r.size) for r in found.cache if not r.shared))


def _part(part: DiskPart, sizes: Iterable[int | None]) -> PartUse:
    told = list(sizes)
    known = [size for size in told if size is not None]
    size = None if told and not known else sum(known)
    return PartUse(part=part, size=size, count=len(told), unsized=len(told) - len(known))


def known(size: int | None) -> int | None:
    """Engines write -1 for a size that they did not compute."""
    return None if size is None or size < 0 else size


def _images(found: Inventory) -> int | None:
    """The bytes of all layers; an engine that lists images and accounts nothing for them has not said."""
    told = found.usage.images
    said = told is not None and (told > 0 or not any(image.size for image in found.images))
    return told if said else None


def filesystem_uses(found: Inventory) -> Iterator[FilesystemUse]:
    """Each filesystem under the engine's data, with what lies on it and what else is in use there."""
    for filesystem, parts in found.measured.filesystems:
        holds = tuple(part for part in DiskPart if part in parts)
        yield FilesystemUse(filesystem=filesystem, holds=holds, rest=_rest(found, filesystem, holds))


def _rest(found: Inventory, filesystem: Filesystem, holds: tuple[DiskPart, ...]) -> Bytes:
    sizes = [size_of(found, part) or 0 for part in holds]
    low = max(0, filesystem.used - sum(sizes))
    # The containerd store counts build cache among the images (its snapshots, from engine 29 on its blobs)
    # and does not say how much of it.
    twice = found.engine.store is Store.CONTAINERD and DiskPart.BUILD_CACHE in holds
    again = size_of(found, DiskPart.BUILD_CACHE) or 0 if twice else 0
    return Bytes(low=low, high=max(0, filesystem.used - sum(sizes) + again))


def size_of(found: Inventory, part: DiskPart) -> int | None:
    """The bytes of a part; None where nothing of it is known."""
    return part_use(found, part).size


def log_uses(found: Inventory) -> tuple[LogUse, ...]:
    """The logs that could be read, biggest first; what is empty is left out."""
    sizes = found.measured.logs
    uses = [LogUse(container=c.name, size=sizes[c.id]) for c in found.containers if sizes.get(c.id)]
    return tuple(sorted(uses, key=lambda use: (-use.size, use.container)))


def _biggest(volumes: Iterable[Volume]) -> list[Volume]:
    return sorted(volumes, key=lambda volume: (-volume.size, volume.name))


def volume_use(volume: Volume, case: Case) -> VolumeUse:
    """A volume with its age, its last use, and the containers that mount it now."""
    return VolumeUse(
        name=volume.name,
        size=known(volume.size),
        created_at=volume.created_at,
        last_used_at=_last_used(volume, case),
        users=tuple(sorted(c.name for c in case.inventory.containers if volume.name in c.volumes)),
    )


def _last_used(volume: Volume, case: Case) -> datetime | None:
    """When a container last had it mounted, as far as the ledger knows.

    What is remembered from before its creation belongs to an earlier volume of the same name.
    """
    used = case.memory.last_used(VOLUME, volume.name)
    is_another = used is not None and volume.created_at is not None and used < volume.created_at
    return None if is_another else used
