"""To the hosts' queues: sealed messages become RQ jobs, called by name and carrying two strings.

Only plain commands are used: RQ's registries, groups and worker lists run code or unpickle in whoever
reads them (rq#2389).
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from rq import Queue

from bot.errors import QueueAnswerLost, QueueUnreachable, SettingsError
from bot.keys import SigningKey
from bot.orders import ANSWER, EXECUTE, KEEP, PLAN, RESTORE, RESTORE_PLAN, TYPES, type_of
from bot.requests import PLAN_WITHIN
from workers.contract import Claims, FreezeOrder, ProtectOrder, rq_name
from workers.signing import seal

FUNCTIONS = {type_: f"workers.jobs.{type_}" for _, type_ in TYPES}
# The worker has deadlines of its own; these only end what hangs.
TIMEOUTS = {
    PLAN: PLAN_WITHIN + timedelta(seconds=60),
    ANSWER: PLAN_WITHIN + timedelta(seconds=60),
    EXECUTE: timedelta(hours=1),
    RESTORE_PLAN: PLAN_WITHIN + timedelta(seconds=60),
    RESTORE: timedelta(hours=1),
    KEEP: timedelta(minutes=3),
}
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
            # What a client tells of itself takes rights of its own, and nobody reads it.
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
    except ValueError:
        # The error may hold a part of the password.
        raise SettingsError("REDIS_URL cannot be used: it is no address of a Redis") from None


class Dispatch:
    """Puts sealed messages on the queues of the hosts they are for."""

    def __init__(self, client: "redis.Redis", signing: Callable[[], SigningKey]) -> None:
        self._client, self._signing = client, signing

    @property
    def key_id(self) -> str:
        """By which name hosts know the key that seals."""
        return self._signing().id

    def put(self, messages: Sequence[Claims], now: datetime) -> None:
        """Put all of them on their queues in one transaction.

        Raises:
            QueueUnreachable: nothing was put there.
            QueueAnswerLost: they may be there.
        """
        try:
            self._client.ping()
            pipeline, key = self._client.pipeline(transaction=True), self._signing()
            for message in messages:
                self._add(message, key, pipeline, now)
        except redis.RedisError as error:
            raise QueueUnreachable(_said(error)) from error
        try:
            pipeline.execute()
        except redis.exceptions.ExecAbortError as error:
            raise QueueUnreachable(_said(error)) from error
        except redis.RedisError as error:
            raise QueueAnswerLost(_said(error)) from error

    def leave(self, key: str, message: Claims, now: datetime) -> None:
        """Leave a sealed message under a key, where a host looks beside its work, while it is in force.

        Raises:
            QueueUnreachable: it may not be there.
        """
        seconds = max(1, int((message.expires_at - now).total_seconds()))
        try:
            self._client.set(key, json.dumps(_sealed(message, self._signing())), ex=seconds)
        except redis.RedisError as error:
            raise QueueUnreachable(_said(error)) from error

    def _add(self, message: Claims, key: SigningKey, pipeline: Any, now: datetime) -> None:
        type_ = type_of(message)
        queue = Queue(message.host, connection=self._client, serializer=StrictJson)
        job = Queue.prepare_data(
            FUNCTIONS[type_],
            args=_sealed(message, key),
            job_id=rq_name(message.host, message.id),
            timeout=int(TIMEOUTS[type_].total_seconds()),
            ttl=max(1, int((message.expires_at - now).total_seconds())),
            result_ttl=KEPT_SECONDS,
            failure_ttl=KEPT_SECONDS,
            # What keeps a host safe does not wait behind orders.
            at_front=isinstance(message, FreezeOrder | ProtectOrder),
            # RQ's own description would be the call with all its arguments, and RQ logs it.
            description=f"{type_} {message.request_id}",
        )
        queue.enqueue_many([job], pipeline=pipeline)


def _sealed(message: Claims, key: SigningKey) -> list[str]:
    """Seal with the key of this moment, whichever signed when the message was made."""
    return seal(message.model_copy(update={"key_id": key.id}), key.private)


def _said(error: redis.RedisError) -> str:
    return " ".join(str(error).split()) or type(error).__name__
