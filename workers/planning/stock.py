"""What an archive holds, and what leaves it to make room: the oldest first, never what a run needs (pure)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from workers.reasons import Reason


@dataclass(frozen=True)
class Archived:
    """An image in the archive: its file there, with its bytes and checksum, saved at some time for a step."""

    image: str
    file: str
    size: int
    sha256: str
    order: str
    step: int
    at: datetime


@dataclass(frozen=True)
class Stock:
    """What a plan may count on: images that lie there, and bytes that can be had for others.

    `trouble` is why nothing can be saved there at all.
    """

    held: frozenset[str] = frozenset()
    room: int = 0
    trouble: Reason | None = None


def room(every: Iterable[Archived], needed: Collection[str], *, most: int, used: int, free: int) -> int:
    """Bytes that can be had, with all gone that nobody needs.

    `most` may be used of which `used` are, and `free` are left on the disk.
    """
    leaving = sum(one.size for one in every if one.image not in needed)
    return max(0, min(most - used, free) + leaving)


def leaving(every: Iterable[Archived], needed: Collection[str], *, lacking: int) -> Sequence[Archived] | None:
    """What goes so that there is room for so many bytes more, oldest first; None where that is not enough.

    `needed` are images of which a run that is young enough to be restored removed the last other copy.
    """
    found: list[Archived] = []
    for one in sorted(every, key=lambda one: (one.at, one.image)):
        if lacking <= 0:
            break
        if one.image not in needed:
            found.append(one)
            lacking -= one.size
    return None if lacking > 0 else found
