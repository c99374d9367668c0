"""The host's queue: a hardened RQ worker that runs four functions, each call in a process of its own.

    serve(
        host="web-1",                         # its queue, its stream, its sign of life
        redis_url="redis://…",
        keys={"key id": Ed25519PublicKey},    # the bot's public keys
        ledger_file=Path("…/ledger.db"),
        functions={"plan": f, …, "keep": k},  # f(claims, halt) in a forked child; halt.requested: bool
        recover=r,                            # r() in a forked child, at start and after a child that died
        condition=c,                          # c() -> Condition(engine_id, problems), in the beat's thread
        follow=f,                             # f(stopping, stillness, troubles), in a thread of its own
        version="0.1.0",
    )                                         # returns when told to stop (SIGTERM, SIGINT)

Whoever can write to Redis can make a plain RQ worker run any code (rq#2389). So of a job only its bytes are
read, bounded, and nothing of RQ's callbacks, webhooks, repeats, retries, results or remote commands is left.
RQ's word on how a job ended is nobody's truth: that is told through the ledger.
"""

import json
import logging
import re
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rq import Queue, Worker, worker_registration
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job, JobStatus

from workers.contract import rq_name
from workers.transport.account import Account
from workers.transport.admission import MAX_PACKED, Gate, JobType
from workers.transport.beat import Condition, Heart, Neighbour
from workers.transport.connection import Patience, connect, said
from workers.transport.duties import Duties, Function
from workers.transport.outbox import Outbox, Relay
from workers.transport.stillness import Stillness, Troubles, beside
from workers.transport.urgent import Urgent

logger = logging.getLogger(__name__)

# A lost line to Redis is waited out for minutes: a job in hand would be lost with it.
TRIES = 60
WORKER_TTL, MONITORING, MAINTENANCE, KEPT = 60, 10, 60, 3600
PAUSE = 2.0
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
UNREADABLE = "unreadable"


class StrictJson:
    """RQ's default is pickle, which runs what it reads."""

    @staticmethod
    def dumps(value: object) -> bytes:
        """Write one value."""
        return json.dumps(value, allow_nan=False).encode()

    @staticmethod
    def loads(text: bytes) -> Any:
        """Read one value."""
        return json.loads(text)


class GuardedJob(Job):
    """A job of which only the bytes of its call are ever read; None where they have expired."""

    raw_id = b""
    packed: bytes | None = b""

    @classmethod
    def taken(cls, raw_id: bytes, queue: Queue) -> "GuardedJob":
        """Take a job by the id that stood in the queue, whatever that is."""
        name = _own_name(raw_id, queue.name)
        job = cls(rq_name(queue.name, name or UNREADABLE), queue.connection, StrictJson)
        job.raw_id, job.origin = raw_id, queue.name
        job.packed = _packed(queue.connection, job.key) if name else b""
        return job

    def restore(self, raw_data: Any) -> Any:  # noqa: ARG002
        """Never: callbacks, webhooks, retries and repeats would come with it."""
        raise NoSuchJobError(f"{self.id} is not read as RQ would")


def _own_name(raw_id: bytes, host: str) -> str:
    """What a job is called on this host; nothing if it is not one of its own, and not ours to touch."""
    text, prefix = raw_id.decode(errors="replace"), rq_name(host, "")
    return text.removeprefix(prefix) if text.startswith(prefix) and JOB_ID.fullmatch(text) else ""


def _packed(client: Any, key: str) -> bytes | None:
    try:
        if client.hstrlen(key, "data") > MAX_PACKED:
            return b""
        found: bytes | None = client.hget(key, "data")
        return b"" if found is None and client.exists(key) else found
    except redis.ResponseError:
        return b""


class GuardedQueue(Queue):
    """A queue whose jobs are taken as they are, without importing or unpacking anything."""

    job_class = GuardedJob

    @classmethod
    def dequeue_any(  # type: ignore[override]
        cls, queues: Sequence[Queue], timeout: int | None, connection: "redis.Redis", **_: object
    ) -> tuple[GuardedJob, Queue]:
        """Wait for the next job; a time-out is an exception of RQ's."""
        (queue,) = queues
        # One that was taken from the queue and not begun: its worker died, or Redis' answer was lost.
        left: Any = connection.lindex(queue.intermediate_queue_key, 0)
        raw_id = left or cls.lmove(connection, queue.key, timeout)[1]
        return GuardedJob.taken(raw_id, queue), queue


class Stop:
    """Whether the worker was told to end."""

    def __init__(self, patience: Patience) -> None:
        self.requested, self._patience = False, patience

    def request(self, *_: object) -> None:
        """Take note, and wait no longer for Redis; a signal handler."""
        self.requested = True
        self._patience.lose()


class GuardedWorker(Worker):
    """Takes one job after the other off the host's queue."""

    job_class, queue_class = GuardedJob, GuardedQueue
    max_connection_wait_time = 5.0
    last_cleaned_at: Any

    def __init__(self, host: str, client: "redis.Redis", duties: Duties, stop: Stop) -> None:
        self._duties, self._stop = duties, stop
        # RQ keeps a list of all hosts' workers besides, which one host could read and spoil for the others.
        self.redis_workers_keys = worker_registration.WORKERS_BY_QUEUE_KEY % host
        self._is_waiting = False
        super().__init__(
            [GuardedQueue(host, connection=client, serializer=StrictJson)],
            # A fixed name would be refused for minutes after a crash.
            name=rq_name(host, uuid.uuid4().hex),
            connection=client,
            serializer=StrictJson,
            worker_ttl=WORKER_TTL,
            job_monitoring_interval=MONITORING,
            maintenance_interval=MAINTENANCE,
            default_result_ttl=KEPT,
            log_job_description=False,
        )

    def subscribe(self) -> None:
        """Listen to nobody: whoever can publish could end the worker."""

    def check_for_suspension(self, burst: bool) -> None:  # noqa: ARG002, FBT001
        """Obey signals alone: whoever can write to Redis could suspend the worker."""
        if self._stop.requested:
            raise StopRequested

    def run_maintenance_tasks(self) -> None:
        """Forget dead workers' names, and have the runs reported that they left open."""
        names: Any = self.connection.smembers(self.redis_workers_keys)
        if gone := [name for name in names if not self.connection.exists(name)]:
            self.connection.srem(self.redis_workers_keys, *gone)
        if not self._duties.has_recovered:
            self._duties.recover(self._live)
        self.last_cleaned_at = datetime.now(UTC)

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """Wait for a job; only here does a signal cut in."""
        self._is_waiting = True
        try:
            self.check_for_suspension(burst=False)
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        finally:
            self._is_waiting = False

    def request_stop(self, signum: Any, frame: Any) -> None:  # noqa: ARG002
        """End after the object in hand. A second signal says the same; it kills nothing."""
        self._stop.request()
        if not self._duties.stop() and self._is_waiting:
            raise StopRequested

    def execute_job(self, job: GuardedJob, queue: Queue) -> None:  # type: ignore[override]
        """Do a job that is in order, turn away any other; when told to stop, leave it to the next worker."""
        if self._stop.requested:
            return
        self._take(job, queue)
        if job.packed is None:
            logger.warning("job %s had expired in the queue", job.id)
        is_done = job.packed is not None and self._duties.do(job.packed, self._live)
        self._close(job, JobStatus.FINISHED if is_done else JobStatus.FAILED)

    def _take(self, job: GuardedJob, queue: Queue) -> None:
        """Leave nothing in Redis of what was put there: the job's hash is our own from here on."""
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 1, cast(str, job.raw_id))
            pipeline.delete(job.key)
            job.prepare_for_execution(self.name, pipeline=pipeline)
            pipeline.expire(job.key, KEPT)
            self.set_state("busy", pipeline=pipeline)
            pipeline.execute()

    def _close(self, job: GuardedJob, status: JobStatus) -> None:
        # How it ended stands in the ledger; if Redis cannot take its copy, nothing is lost.
        with suppress(redis.RedisError), self.connection.pipeline() as pipeline:
            job.set_status(status, pipeline=pipeline)
            pipeline.expire(job.key, KEPT)
            self.set_state("idle", pipeline=pipeline)
            pipeline.execute()

    def _live(self) -> None:
        # RQ's parent dies here of a lost line, and leaves its child alone (rq#1119).
        with suppress(redis.RedisError):
            self.heartbeat()

    def teardown(self) -> None:
        """Sign off, if Redis is there at once."""
        with suppress(redis.RedisError):
            super().teardown()  # type: ignore[no-untyped-call]


def serve(
    *,
    host: str,
    redis_url: str,
    keys: Mapping[str, Ed25519PublicKey],
    ledger_file: Path,
    functions: Mapping[JobType, Function],
    recover: Callable[[], None],
    condition: Callable[[], Condition],
    follow: Callable[[threading.Event, Stillness, Troubles], None],
    version: str,
) -> None:
    """Work for the bot until told to stop, whatever becomes of Redis meanwhile."""
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    patience, stillness, neighbour = Patience(TRIES), Stillness(), Neighbour()
    stop, troubles = Stop(patience), Troubles(stillness)
    account = Account(host, ledger_file, stillness)
    duties = Duties(Gate(host, keys), functions, recover, account, neighbour)
    urgent = _urgent(duties, connect(redis_url, Patience(1)), troubles)
    duties.heed = urgent.heed
    relay = Relay(host, connect(redis_url, Patience(1)), Outbox(ledger_file, stillness), troubles)
    heart = Heart(
        host=host,
        version=version,
        client=connect(redis_url, Patience(1)),
        condition=condition,
        activity=lambda: duties.activity,
        ledger=lambda: relay.ledger,
        neighbour=neighbour,
        stillness=stillness,
        keys=tuple(keys),
        troubles=troubles,
    )
    with (
        _told_by_signals(stop),
        beside(relay.run, heart.run, urgent.run, lambda stopping: follow(stopping, stillness, troubles)),
    ):
        _work(host, connect(redis_url, patience), duties, stop)


def _urgent(duties: Duties, client: "redis.Redis", troubles: Troubles) -> Urgent:
    return Urgent(
        host=duties.gate.host,
        client=client,
        keys=duties.gate.keys,
        account=duties.account,
        troubles=troubles,
        in_hand=lambda: duties.in_hand,
        halt=duties.halt,
    )


@contextmanager
def _told_by_signals(stop: Stop) -> Iterator[None]:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.request)
    yield
    for number in (signal.SIGTERM, signal.SIGINT):
        # Python gives its handlers up before it ends; a second signal would kill what ends as it was told to.
        signal.signal(number, signal.SIG_IGN)


def _work(host: str, client: "redis.Redis", duties: Duties, stop: Stop) -> None:
    """Let one worker follow the other: one that cannot go on is replaced."""
    while not stop.requested:
        try:
            worker = GuardedWorker(host, client, duties, stop)
            logger.info("host %s listens to its queue", host)
            worker.work(logging_level=None)
        except redis.RedisError as error:
            logger.warning("the queue cannot be read: %s", said(error))
        if not stop.requested:
            time.sleep(PAUSE)
