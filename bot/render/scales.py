"""Honest axes: they begin at 0, end at a round number above all that is drawn, and say what marks mean."""

from collections.abc import Iterable
from dataclasses import dataclass

from workers.wording import UNITS

MARKS = 5


@dataclass(frozen=True)
class Mark:
    """A place on an axis, from 0 to 1, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class Scale:
    """Bytes from 0 to `top` as fractions of an axis."""

    top: int
    step: int

    @classmethod
    def over(cls, sizes: Iterable[int]) -> "Scale":
        """The scale on which all of these can be drawn."""
        most = max(sizes, default=0)
        step = _step(most)
        return cls(top=max(-(-most // step), 1) * step, step=step)

    def at(self, size: int) -> float:
        """Where a size is; below nothing there is nothing."""
        # Whole numbers divide exactly here however great they are; as floats they would not.
        return max(size, 0) / self.top

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks, from 0 to the top."""
        return tuple(Mark(self.at(n), _label(n, self.top)) for n in range(0, self.top + 1, self.step))


def _step(most: int) -> int:
    """The smallest of 1, 2, 5, 10, 20 … with which few marks are enough."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power * MARKS >= most:
                return digit * power
        power *= 10


def _label(size: int, top: int) -> str:
    """Write a mark in the unit of its axis, so that marks can be compared at sight."""
    if size == 0:
        return "0"
    power = 0
    while power < len(UNITS) - 1 and top >= 1000 ** (power + 1):
        power += 1
    return f"{size / 1000**power:g} {UNITS[power]}"
