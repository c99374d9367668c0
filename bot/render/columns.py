"""Sizes of one table in one unit, which its head names: so they compare at sight."""

from collections.abc import Iterable
from dataclasses import dataclass

from workers.contract import Bytes
from workers.wording import UNITS


@dataclass(frozen=True)
class Unit:
    """A unit of bytes, and to how many decimals sizes are told in it."""

    name: str
    factor: int
    decimals: int

    @classmethod
    def of(cls, sizes: Iterable[int]) -> "Unit":
        """The unit of the largest of them."""
        most = max(map(abs, sizes), default=0)
        power = 0
        while power < len(UNITS) - 1 and most >= 999.5 * 1000**power:
            power += 1
        factor = 1000**power
        return cls(UNITS[power], factor, 0 if factor == 1 else 2 if most < 99.5 * factor else 1)

    def head(self, what: str) -> str:
        """The head of a column."""
        return f"{what} ({self.name})"

    def figure(self, size: int) -> str:
        """One size; what is too small to show is not shown as nothing."""
        if size < 0:
            return f"-{self.figure(-size)}"
        told = f"{size / self.factor:.{self.decimals}f}"
        is_lost = bool(size) and not float(told)
        return f"<{10**-self.decimals:.{self.decimals}f}" if is_lost else told if size else "0"

    def interval(self, size: Bytes) -> str:
        """A size that may be an interval."""
        low, high = self.figure(size.low), self.figure(size.high)
        return high if low == high else f"{low} to {high}"
