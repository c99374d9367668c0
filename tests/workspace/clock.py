"""The workspace's clock: real time plus what tests have moved it by."""

import threading
import time


class Clock:
    """Seconds since the epoch, and Slack's timestamps, which never repeat."""

    def __init__(self) -> None:
        self._moved = 0.0
        self._last_ts = 0
        self._lock = threading.Lock()

    def now(self) -> float:
        return time.time() + self._moved

    def advance(self, seconds: float) -> None:
        self._moved += seconds

    def next_ts(self) -> str:
        with self._lock:
            self._last_ts = max(self._last_ts + 1, int(self.now() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"
