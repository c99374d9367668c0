"""A host's disk before and after a run, as the rows of a table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from bot.render.blocks import Block, printable, table
from bot.render.columns import Unit
from workers.contract import DiskUsage, Filesystem
from workers.wording import size

FILESYSTEMS = 4
PATH = 60
THOUSANDS = ("", *"kMGTPE")

Row = tuple[str, str, str, str]
TakenT = TypeVar("TakenT")


@dataclass(frozen=True)
class Hand:
    """How figures are written: sizes, counts, and what could not be taken."""

    size: Callable[[int], str]
    count: Callable[[int], str]
    unknown: str


@dataclass(frozen=True)
class Measure:
    """One figure, before and after; None where it could not be taken. What is no size is counted."""

    name: str
    before: int | None
    after: int | None
    is_size: bool = True

    def row(self, hand: Hand) -> Row:
        """The figure's change, which is what one looks for, then the figure before and after."""
        write = hand.size if self.is_size else hand.count
        before, after = (hand.unknown if one is None else write(one) for one in (self.before, self.after))
        if self.before is None or self.after is None:
            return self.name, hand.unknown, before, after
        change = self.after - self.before
        return self.name, f"{'+' if change > 0 else ''}{write(change)}", before, after


def disk_rows(before: DiskUsage | None, after: DiskUsage | None) -> list[Row]:
    """The engine's accounting, then each filesystem; none where neither time was measured."""
    return [measure.row(IN_FULL) for measure in _measures(before, after)]


def disk_table(before: DiskUsage | None, after: DiskUsage | None) -> list[Block]:
    """The same as a table, in one unit, and narrow enough for a phone."""
    measures = _measures(before, after)
    unit = Unit.of(value for one in measures if one.is_size for value in (one.before, one.after) if value)
    hand = Hand(unit.figure, _short_count, "?")
    return table((unit.head("Disk"), "Change", "Before", "After"), [one.row(hand) for one in measures])


def _measures(before: DiskUsage | None, after: DiskUsage | None) -> list[Measure]:
    if before is None and after is None:
        return []
    return [*_engine(before, after), *_filesystems(before, after)]


def _engine(before: DiskUsage | None, after: DiskUsage | None) -> Iterable[Measure]:
    def measure(name: str, of: Callable[[DiskUsage], int | None]) -> Measure:
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
    def measure(name: str, of: Callable[[Filesystem], int], *, is_size: bool = True) -> Measure:
        return Measure(name + place, _of(then, of), _of(now, of), is_size)

    yield measure("Used", lambda one: one.used)
    yield measure("Free", lambda one: one.free)
    if any(one.inodes for one in (then, now) if one):
        yield measure("Free inodes", lambda one: one.inodes_free, is_size=False)


def _by_path(usage: DiskUsage | None) -> dict[str, Filesystem]:
    return {one.path: one for one in usage.filesystems} if usage else {}


def _of(taken: TakenT | None, figure: Callable[[TakenT], int | None]) -> int | None:
    return None if taken is None else figure(taken)


def _count(number: int) -> str:
    return f"{number:,}"


def _short_count(number: int) -> str:
    """Three digits: the whole of it is in the file."""
    if number < 0:
        return f"-{_short_count(-number)}"
    thousands = 0
    while thousands < len(THOUSANDS) - 1 and number >= 999.5 * 1000**thousands:
        thousands += 1
    return f"{number / 1000**thousands:.3g}{THOUSANDS[thousands]}" if thousands else str(number)


IN_FULL = Hand(size, _count, "unknown")
