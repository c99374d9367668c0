"""A host's disk before and after a run, as the rows of a table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from bot.render.blocks import printable
from workers.contract import DiskUsage, Filesystem
from workers.wording import size

FILESYSTEMS = 4
PATH = 60

TakenT = TypeVar("TakenT")

HEAD = ("Disk", "Before", "After", "Change")


@dataclass(frozen=True)
class Measure:
    """One figure, before and after; None where it could not be taken."""

    name: str
    before: int | None
    after: int | None
    write: Callable[[int], str] = size

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The figure and its change, as they are shown."""
        return self.name, self._told(self.before), self._told(self.after), self._change()

    def _told(self, value: int | None) -> str:
        return "unknown" if value is None else self.write(value)

    def _change(self) -> str:
        if self.before is None or self.after is None:
            return "unknown"
        change = self.after - self.before
        return f"{'+' if change > 0 else ''}{self.write(change)}"


def disk_rows(before: DiskUsage | None, after: DiskUsage | None) -> list[tuple[str, str, str, str]]:
    """The engine's accounting, then each filesystem; none where neither time was measured."""
    if before is None and after is None:
        return []
    return [measure.row for measure in (*_engine(before, after), *_filesystems(before, after))]


def _engine(before: DiskUsage | None, after: DiskUsage | None) -> Iterable[Measure]:
    def measure(name: str, of: Callable[[DiskUsage], int]) -> Measure:
        return Measure(name, _of(before, of), _of(after, of))

    yield measure("Containers", lambda usage: usage.containers)
    yield measure("Images", lambda usage: usage.images)
    yield measure("Build cache", lambda usage: usage.build_cache)
    yield measure("Volumes", lambda usage: usage.volumes)


def _filesystems(before: DiskUsage | None, after: DiskUsage | None) -> Iterable[Measure]:
    then, now = _by_path(before), _by_path(after)
    paths = list({**then, **now})[:FILESYSTEMS]
    for path in paths:
        # A long path would push the figures off a phone's screen, and one filesystem needs no name.
        place = f" on {printable(path, PATH)}" if len(paths) > 1 else " on disk"
        yield from _filesystem(then.get(path), now.get(path), place)


def _filesystem(then: Filesystem | None, now: Filesystem | None, place: str) -> Iterable[Measure]:
    def measure(name: str, of: Callable[[Filesystem], int], write: Callable[[int], str] = size) -> Measure:
        return Measure(name + place, _of(then, of), _of(now, of), write)

    yield measure("Used", lambda one: one.used)
    yield measure("Free", lambda one: one.free)
    if any(one.inodes for one in (then, now) if one):
        yield measure("Free inodes", lambda one: one.inodes_free, _count)


def _by_path(usage: DiskUsage | None) -> dict[str, Filesystem]:
    return {one.path: one for one in usage.filesystems} if usage else {}


def _of(taken: TakenT | None, figure: Callable[[TakenT], int]) -> int | None:
    return None if taken is None else figure(taken)


def _count(number: int) -> str:
    return f"{number:,}"
