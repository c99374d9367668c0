"""When pruning cannot help: a filesystem that stays full after it, and what fills it (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass

from workers.contract import DiskPart, Filesystem, FilesystemUse, Kind, Step
from workers.planning.disk import filesystem_uses, log_uses, size_of
from workers.planning.facts import Case
from workers.planning.inventory import Inventory
from workers.reasons import Code, Reason, reason

# Where a kubelet begins to collect images, in percent; of more than two filesystems nobody reads.
FULL = 85
MOST = 2
NAMED = 3
PARTS = {
    Kind.CONTAINER: DiskPart.WRITABLE_LAYERS,
    Kind.IMAGE: DiskPart.IMAGES,
    Kind.BUILD_CACHE: DiskPart.BUILD_CACHE,
}


@dataclass(frozen=True)
class _Going:
    """What a plan takes away at most, part by part; with a container its log goes."""

    sizes: dict[DiskPart, int]
    containers: frozenset[str]

    def of(self, use: FilesystemUse) -> int:
        return sum(self.sizes.get(part, 0) for part in use.holds)


def stays_full(case: Case, steps: tuple[Step, ...]) -> tuple[Reason, ...]:
    """Say of each filesystem that stays over the threshold what would remain and what is big there."""
    found = case.inventory
    going = _going(found, steps)
    told = [told for use in filesystem_uses(found) for told in _told(found, use, going)]
    return tuple(sorted(told, key=lambda one: -int(one.params["share"]))[:MOST])


def _going(found: Inventory, steps: tuple[Step, ...]) -> _Going:
    containers = frozenset(s.object.id for s in steps if s.object.kind is Kind.CONTAINER)
    sizes = {
        part: sum(s.expected.high for s in steps if s.object.kind is kind) for kind, part in PARTS.items()
    }
    logs = sum(found.measured.logs.get(id_, 0) for id_ in containers)
    return _Going(sizes | {DiskPart.LOGS: logs}, containers)


def _told(found: Inventory, use: FilesystemUse, going: _Going) -> Iterator[Reason]:
    filesystem = use.filesystem
    freed = going.of(use)
    if _is_over(filesystem.used - freed, filesystem.capacity):
        yield reason(
            Code.DISK_STAYS_FULL,
            path=filesystem.path,
            share=_percent(filesystem.used, filesystem.capacity),
            freed=freed,
            used=filesystem.used,
            after=_percent(filesystem.used - freed, filesystem.capacity),
            biggest="\n".join(_biggest(found, use, going)),
        )
    yield from _inodes(filesystem)


def _inodes(filesystem: Filesystem) -> Iterator[Reason]:
    used = filesystem.inodes - filesystem.inodes_free
    if _is_over(used, filesystem.inodes):
        share = _percent(used, filesystem.inodes)
        yield reason(
            Code.INODES_STAY_SCARCE, path=filesystem.path, share=share, used=used, total=filesystem.inodes
        )


def _is_over(used: int, of: int) -> bool:
    return 100 * used > FULL * of


def _percent(used: int, of: int) -> int:
    """Round up, as df does: what is over the threshold never reads as if it were at it."""
    return -(-100 * used // of) if of > 0 else 0


def _biggest(found: Inventory, use: FilesystemUse, going: _Going) -> list[str]:
    """The biggest of what stays there: a word for what it is, its bytes, its name."""
    held = [one for one in _held(found, use, going) if one[1] > 0]
    held.sort(key=lambda one: (-one[1], one))
    return [" ".join([what, str(size), *name.split()]) for what, size, name in held[:NAMED]]


def _held(found: Inventory, use: FilesystemUse, going: _Going) -> Iterator[tuple[str, int, str]]:
    if DiskPart.LOGS in use.holds:
        stay = {c.name for c in found.containers if c.id not in going.containers}
        yield from (("log", log.size, log.container) for log in log_uses(found) if log.container in stay)
    if DiskPart.VOLUMES in use.holds:
        yield from (("volume", v.size, v.name) for v in found.volumes)
    for part in (part for part in PARTS.values() if part in use.holds):
        yield part.value, (size_of(found, part) or 0) - going.sizes[part], ""
    yield "rest", use.rest.low, ""
