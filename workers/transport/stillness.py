"""What the threads beside the worker's loop share: when to hold still, and how to tell of trouble."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from workers.transport.connection import said

logger = logging.getLogger(__name__)

JOIN_SECONDS = 10.0
NO_REDIS = "Redis does not answer; work under way goes on, what there is to tell waits"


class Stillness:
    """Held by a thread while it does what a fork must not catch half-way, and by whoever forks.

    SQLite's state, a log's locks and those inside pydantic (its models are made, read and written under some)
    would be copied as they are, and be wrong or held for ever in the child.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """No fork inside the block."""
        with self._lock:
            yield


class Troubles:
    """Says of a trouble once that it is there, and once that it is over."""

    def __init__(self, stillness: Stillness) -> None:
        self._stillness, self._said = stillness, dict[str, str]()

    def say(self, message: str, *values: object) -> None:
        """Say it, whenever it is so."""
        with self._stillness.held():
            logger.warning(message, *values)

    def met(self, what: str, error: BaseException) -> None:
        """Say what does not work and why, unless that was said before. No Redis is one trouble for all."""
        if isinstance(error, redis.ConnectionError | redis.TimeoutError):
            what = NO_REDIS
        with self._stillness.held():
            if what not in self._said:
                logger.warning("%s: %s", what, said(error))
            self._said[what] = said(error)

    def over(self, what: str, *, took_redis: bool = True) -> None:
        """Say that it works again, where it did not; what took Redis shows that Redis answers, too."""
        with self._stillness.held():
            for known in (what, NO_REDIS) if took_redis else (what,):
                if self._said.pop(known, None):
                    logger.warning("over: %s", known)


@contextmanager
def beside(*runs: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run these in threads of their own inside the block; at its end they are told to stop."""
    stopping = threading.Event()
    threads = [threading.Thread(target=run, args=(stopping,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(JOIN_SECONDS)
