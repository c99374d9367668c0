"""How far the hosts' clocks are off the bot's, told by their signs of life.

When a sign was made is known within bounds: after the last look that did not find it yet, and before the one
that did. Only what no delay can explain counts. A sign may have waited, in a Redis that hung, so a clock is
called off when several in a row say so.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workers.contract import Beat
from workers.reasons import Code, Reason, reason

LARGEST = timedelta(seconds=10)
IN_A_ROW = 3
STEP = 10
ZERO = timedelta(0)


@dataclass
class _Clock:
    """What is known of one host's clock; positive is ahead of the bot's."""

    sign: tuple[str, datetime] | None = None
    looked_at: datetime | None = None
    offs: deque[timedelta] = field(default_factory=lambda: deque(maxlen=IN_A_ROW))


class Clocks:
    """Compares the clocks of all hosts with the bot's."""

    def __init__(self) -> None:
        self._clocks: dict[str, _Clock] = {}

    def look(self, beats: Iterable[Beat], *, asked_at: datetime, now: datetime) -> list[Beat]:
        """Take note of the signs that were asked for and are here now; those that are off say so."""
        return [self._look(beat, asked_at, now) for beat in beats]

    def _look(self, beat: Beat, asked_at: datetime, now: datetime) -> Beat:
        clock, sign = self._clocks.setdefault(beat.host, _Clock()), (beat.boot, beat.at)
        if clock.sign is not None and sign != clock.sign and clock.looked_at is not None:
            clock.offs.append(off(beat.at, after=clock.looked_at, before=now))
        clock.sign, clock.looked_at = sign, asked_at
        found = verdict(clock.offs)
        return beat.model_copy(update={"problems": (*beat.problems, found)}) if found else beat


def off(at: datetime, *, after: datetime, before: datetime) -> timedelta:
    """How much a clock is off at least that read `at` somewhere between two moments."""
    return max(ZERO, at - before) + min(ZERO, at - after)


def verdict(offs: Iterable[timedelta]) -> Reason | None:
    """Whether all of the last signs say that the clock is off, in the same direction."""
    known = list(offs)
    if len(known) < IN_A_ROW:
        return None
    least = min(known, key=abs)
    agree = min(known) > ZERO or max(known) < ZERO
    if not agree or abs(least) <= LARGEST:
        return None
    # In steps, or every sign of life would be news.
    seconds = int(abs(least).total_seconds()) // STEP * STEP
    return reason(Code.CLOCK_OFF, off=seconds, way="ahead of" if least > ZERO else "behind")
