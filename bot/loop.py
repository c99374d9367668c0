"""A thread that takes one step after another, at once when woken; no step's error ends it."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

AFTER_ERROR_SECONDS = 1.0


class Loop:
    """Runs a step that returns after how many seconds it wants to be run again."""

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self._step = step
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def stop(self, seconds: float) -> bool:
        """Let the step under way end, and take no further one; False if it did not end in time."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            pause = self._one_step()
            self._woken.wait(pause)

    def _one_step(self) -> float:
        try:
            return self._step()
        except Exception:
            logger.exception("%s: a step failed", self._thread.name)
            return AFTER_ERROR_SECONDS
