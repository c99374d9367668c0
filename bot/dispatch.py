"""To the hosts' queues: sealed messages become RQ jobs, called by name and carrying two strings.

Only plain commands are used: RQ's registries, groups and worker lists run code or unpickle in whoever
reads them (rq#2389).
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry
from rq import Queue

from bot.errors import QueueAnswerLost, QueueUnreachable, SettingsError
from bot.keys import SigningKey
from bot.orders import EXECUTE, PLAN, type_of
from bot.requests import PLAN_WITHIN
from workers.contract import Claims
from workers.signing import seal

FUNCTIONS = {PLAN: "workers.jobs.plan", EXECUTE: "workers.jobs.execute"}
# The worker has deadlines of its own; these only end what hangs.
TIMEOUTS = {PLAN: PLAN_WITHIN + timedelta(seconds=60), EXECUTE: timedelta(hours=1)}
KEPT_SECONDS = 3600


class StrictJson:
    """RQ's default is pickle; this writes JSON and nothing else."""

    @staticmethod
    def dumps(*values: object) -> bytes:
        """Write one value."""
        (value,) = values
        return json.dumps(value, allow_nan=False).encode()

    @staticmethod
    def loads(text: bytes) -> Any:
        """Read one value."""
        return json.loads(text)


def connect(url: str, *, seconds: float = 2.0) -> "redis.Redis":
    """A client that gives up soon: whoever waits for it has more to do.

    `from_url` without a retry of its own would not try a second time at all.
    """
    try:
        return redis.Redis.from_url(
            url,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 2),
            retry_on_error=[redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError],
            socket_timeout=seconds,
            socket_connect_timeout=2.0,
            health_check_interval=30,
        )
    except ValueError as error:
        raise SettingsError(f"REDIS_URL cannot be used: {error}") from None


class Dispatch:
    """Puts sealed messages on the queues of the hosts they are for."""

    def __init__(self, client: "redis.Redis", key: SigningKey) -> None:
        self._client, self._key = client, key

    @property
    def key_id(self) -> str:
        """By which name hosts know the key that seals."""
        return self._key.id

    def put(self, messages: Sequence[Claims], now: datetime) -> None:
        """Put all of them on their queues in one transaction.

        Raises:
            QueueUnreachable: nothing was put there.
            QueueAnswerLost: they may be there.
        """
        try:
            self._client.ping()
            pipeline = self._client.pipeline(transaction=True)
            for message in messages:
                self._add(message, pipeline, now)
        except redis.RedisError as error:
            raise QueueUnreachable(_said(error)) from error
        try:
            pipeline.execute()
        except redis.exceptions.ExecAbortError as error:
            raise QueueUnreachable(_said(error)) from error
        except redis.RedisError as error:
            raise QueueAnswerLost(_said(error)) from error

    def _add(self, message: Claims, pipeline: Any, now: datetime) -> None:
        type_ = type_of(message)
        queue = Queue(message.host, connection=self._client, serializer=StrictJson)
        job = Queue.prepare_data(
            FUNCTIONS[type_],
            args=seal(message, self._key.private),
            job_id=f"{message.host}_{message.id}",
            timeout=int(TIMEOUTS[type_].total_seconds()),
            ttl=max(1, int((message.expires_at - now).total_seconds())),
            result_ttl=KEPT_SECONDS,
            failure_ttl=KEPT_SECONDS,
            # RQ's own description would be the call with all its arguments, and RQ logs it.
            description=f"{type_} {message.request_id}",
        )
        queue.enqueue_many([job], pipeline=pipeline)


def _said(error: redis.RedisError) -> str:
    return " ".join(str(error).split()) or type(error).__name__
