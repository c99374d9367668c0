"""A Redis, the bot's own way of putting jobs there, and a worker process that writes down what it does."""

import contextlib
import json
import time
import uuid
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot import dispatch
from bot.dispatch import Dispatch
from bot.keys import SigningKey
from bot.rights import Rights, hashed, of_bot, of_host
from tests.service.queue_worker import GATED, STEPS
from tests.stage.processes import ProjectProcess
from tests.stage.redis import RedisServer
from tests.unit.bot_values import ANA, BO
from workers.contract import (
    EVENT,
    Claims,
    Event,
    ExecutionOrder,
    PlanReady,
    PlanRequest,
    Question,
    RestoreOrder,
    RestorePlanned,
    RestoreRequest,
    Topic,
    events_key,
)
from workers.memory.ledger import Ledger
from workers.reasons import Reason
from workers.signing import digest, seal

SECONDS = 90.0
PASSWORD = "swordfish"
Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str) -> Found:
    """What the look finds, once it finds anything."""
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)
    return found


@dataclass
class QueueStage:
    """One host's queue with the worker that reads it."""

    folder: Path
    server: RedisServer
    host: str = "web-1"
    key: SigningKey = field(default_factory=lambda: SigningKey(Ed25519PrivateKey.generate()))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.client: Any = redis.Redis.from_url(self.server.url)
        for rights in (of_bot(), of_host(self.host)):
            self.server.admit(rights.line(hashed(PASSWORD)))
        self.bot_client = dispatch.connect(self.url_of(of_bot()))
        self.worker = self.new_worker("worker")

    def url_of(self, rights: Rights) -> str:
        return self.server.url_of(rights.user, PASSWORD)

    def new_worker(self, name: str) -> ProjectProcess:
        public = b64encode(self.key.public).decode()
        environment = {
            "QUEUE_FOLDER": str(self.folder),
            "QUEUE_HOST": self.host,
            "QUEUE_KEY": f"{self.key.id}:{public}",
            "REDIS_URL": self.url_of(of_host(self.host)),
        }
        arguments = ["-m", "tests.service.queue_worker"]
        return ProjectProcess(name, arguments, folder=self.folder, environment=environment)

    # What the bot does

    def plan_request(self, *, reply_to: str = "", life: timedelta = timedelta(minutes=10)) -> PlanRequest:
        now = datetime.now(UTC)
        return PlanRequest(
            key_id=self.key.id,
            id=uuid.uuid4().hex,
            host=self.host,
            issued_at=now,
            expires_at=now + life,
            request_id=uuid.uuid4().hex,
            reply_to=reply_to,
            requester=ANA,
        )

    def question(self, *, reply_to: str = "") -> Question:
        claims = self.plan_request(reply_to=reply_to).model_dump(exclude={"type", "kinds"})
        return Question(**claims, topic=Topic.OBJECT, object="app:1")

    def order(self, told: PlanReady, *, reply_to: str = "") -> ExecutionOrder:
        claims = self.plan_request(reply_to=reply_to).model_dump(exclude={"type", "kinds"})
        claims["request_id"] = told.request_id
        return ExecutionOrder(
            **claims, engine_id=told.plan.engine.id, plan_digest=digest(told.plan), approver=BO
        )

    def restore_request(self, *, reply_to: str = "") -> RestoreRequest:
        claims = self.plan_request(reply_to=reply_to).model_dump(exclude={"type", "kinds"})
        return RestoreRequest(**claims, run="ab12", objects=("app:1",))

    def restore_order(self, told: RestorePlanned, *, reply_to: str = "") -> RestoreOrder:
        claims = self.plan_request(reply_to=reply_to).model_dump(exclude={"type", "kinds"})
        claims["request_id"] = told.request_id
        return RestoreOrder(
            **claims, engine_id=told.plan.engine.id, plan_digest=digest(told.plan), approver=BO
        )

    def restore_planned(self) -> RestorePlanned:
        request = self.restore_request()
        self.put(request)
        return self.event(RestorePlanned, request.request_id)

    def put(self, *messages: Claims) -> None:
        Dispatch(self.bot_client, lambda: self.key).put(messages, datetime.now(UTC))

    def planned(self) -> PlanReady:
        """A plan, asked for and made: the proof that the worker works."""
        request = self.plan_request()
        self.put(request)
        return self.event(PlanReady, request.request_id)

    def started_run(self) -> ExecutionOrder:
        """An order whose first object is in hand until `let_through(0)`."""
        order = self.order(self.planned(), reply_to=GATED)
        self.put(order)
        self.wait_for_note("begun 0")
        return order

    # What somebody else does who can write to Redis

    def put_by_hand(self, call: object = None, *, id_: str | bytes = "", **fields: Any) -> None:
        """A job written without RQ: its call, and whatever other fields."""
        name = id_ or f"{self.host}_{uuid.uuid4().hex}"
        if call is not None:
            fields["data"] = zlib.compress(json.dumps(call).encode())
        if fields:
            self.client.hset(b"rq:job:" + (name.encode() if isinstance(name, str) else name), mapping=fields)
        self.client.rpush(f"rq:queue:{self.host}", name)

    def sealed_call(self, message: Claims, function: str = "", key: SigningKey | None = None) -> list[object]:
        function = function or f"workers.jobs.{message.model_dump()['type']}"
        return [function, None, seal(message, (key or self.key).private), {}]

    # What there is to see

    @property
    def notes(self) -> list[str]:
        diary = self.folder / "diary"
        return diary.read_text().splitlines() if diary.exists() else []

    def wait_for_note(self, line: str) -> None:
        until(lambda: line in self.notes, f"the note {line!r} in\n{self.notes}\n{self.worker.log_tail()}")

    def let_through(self, *gates: object) -> None:
        for gate in gates:
            (self.folder / f"open-{gate}").touch()

    @property
    def is_owned(self) -> bool:
        return (self.folder / "owned").exists()

    def events(self) -> list[tuple[int, Event]]:
        entries = self.client.xrange(events_key(self.host))
        return [(int(fields[b"seq"]), EVENT.validate_json(fields[b"event"])) for _, fields in entries]

    def event(self, kind: type[Found], request_id: str) -> Found:
        """The event of this kind for the request, once it is in the stream."""

        def found() -> Found | None:
            told = [e for _, e in self.events() if e.request_id == request_id]
            return next((e for e in told if isinstance(e, kind)), None)

        event = until(found, f"{kind.__name__} of {request_id}; the worker says\n{self.worker.log_tail()}")
        assert isinstance(event, kind)
        return event

    def ledger(self) -> "contextlib.closing[Ledger]":
        return contextlib.closing(Ledger(self.folder / "ledger.db"))

    def refusals(self) -> list[Reason]:
        with self.ledger() as ledger:
            return [why for _, reasons in ledger.refusals() for why in reasons]

    def outbox(self) -> list[tuple[int, str]]:
        with contextlib.closing(Ledger(self.folder / "ledger.db")) as ledger:
            return ledger.outbox(after=0)

    def children(self) -> list[int]:
        pid = self.worker.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def queue_stage(folder: Path, *, running: bool = True) -> Iterator[QueueStage]:
    with RedisServer(folder / "redis") as server:
        stage = QueueStage(folder, server)
        if running:
            stage.worker.start()
        try:
            yield stage
        finally:
            stage.let_through(*range(STEPS))
            stage.worker.kill()
            stage.client.close()
            stage.bot_client.close()
        assert server.note_refusals() == []
