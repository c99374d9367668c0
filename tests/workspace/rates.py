"""Token buckets for Slack's rate limits: bursts pass, sustained excess is told to wait."""

import math
from dataclasses import dataclass, field

from tests.workspace import limits


@dataclass
class Bucket:
    """`burst` at once, then `per_second`."""

    burst: float
    per_second: float
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.burst

    def wait(self, now: float) -> float:
        """Seconds until one more passes; 0 takes it."""
        if self.at:
            self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.per_second)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.per_second


class Rates:
    """One bucket per method, and per channel or message where Slack counts those."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def retry_after(self, method: str, tier: int | None, target: str, now: float) -> int:
        """Whole seconds to wait, 0 if the call passes."""
        waits = [self._bucket(method, target, special=True).wait(now)] if _special(method) else []
        waits += [self._bucket(method, "", tier=tier).wait(now)] if tier else []
        return math.ceil(max(waits, default=0.0))

    def _bucket(self, method: str, target: str, *, special: bool = False, tier: int | None = None) -> Bucket:
        key = (method, target) if special else (method, "tier")
        if key not in self._buckets:
            self._buckets[key] = _special_bucket(method) if special else _tier_bucket(tier or 4)
        return self._buckets[key]


def _special(method: str) -> bool:
    return f"{method}.burst" in limits.BY_NAME


def _special_bucket(method: str) -> Bucket:
    return Bucket(limits.rate(f"{method}.burst"), limits.rate(f"{method}.per_second"))


def _tier_bucket(tier: int) -> Bucket:
    per_minute = limits.rate(f"tier{tier}.per_minute")
    return Bucket(max(per_minute, 3), per_minute / 60)
