"""How long to leave alone what has just failed: longer each time, never for good."""

from collections.abc import Hashable
from datetime import datetime, timedelta

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class Patience:
    """Remembers what failed, how often, and when it is tried again."""

    def __init__(self) -> None:
        self._failures: dict[Hashable, int] = {}
        self._until: dict[Hashable, datetime] = {}

    def allows(self, what: Hashable, now: datetime) -> bool:
        """Whether it is time to try."""
        return what not in self._until or now >= self._until[what]

    def failed(self, what: Hashable, now: datetime, *, seconds: float = 0.0) -> None:
        """Wait for the given time at least, and twice as long as the last time."""
        failures = self._failures[what] = self._failures.get(what, 0) + 1
        backed_off = min(FIRST_SECONDS * 2 ** min(failures - 1, 10), LONGEST_SECONDS)
        self._until[what] = now + timedelta(seconds=max(seconds, backed_off))

    def wait(self, what: Hashable, until: datetime) -> None:
        """Wait without having failed."""
        self._until[what] = until

    def succeeded(self, what: Hashable) -> None:
        """Forget its failures."""
        self._failures.pop(what, None)
        self._until.pop(what, None)
