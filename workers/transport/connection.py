"""Redis clients that outlive an outage; each thread and each process has its own."""

from typing import Any, Self

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

LONGEST_PAUSE = 5.0
CONNECT_SECONDS = 5.0


class Patience(Retry):
    """How often a command is tried again. It can be lost while a command is waiting."""

    def __init__(self, tries: int) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.1, cap=LONGEST_PAUSE), tries)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Stay one: redis-py copies it for each connection, and `lose` is to reach them all."""
        return self

    def lose(self) -> None:
        """Let whatever waits for Redis fail at its next try."""
        self.update_retries(0)


def connect(url: str, patience: Patience, *, seconds: float = 5.0) -> "redis.Redis":
    """Make a client; nothing is sent yet.

    `from_url` ignores redis-py's default retry, so a worker started with it dies in any outage.
    """
    return redis.Redis.from_url(
        url,
        retry=patience,
        retry_on_error=[redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError],
        socket_timeout=seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        health_check_interval=30,
        # What a client tells of itself takes rights of its own, and nobody reads it.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )


def said(error: BaseException) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
