"""A word to stop that comes just before the work begins reaches it all the same."""

import json
import os
import signal
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.stage.redis import RedisServer
from tests.unit.bot_values import ANA, BO, POLICY
from workers.contract import EVENT, Claims, Event, ExecutionOrder, OrderRefused, PlanFailed, PlanRequest
from workers.errors import EngineUnreachable
from workers.halt import Halt
from workers.memory.ledger import Ledger
from workers.reasons import Code
from workers.signing import seal
from workers.transport.account import Account
from workers.transport.admission import Gate
from workers.transport.beat import Neighbour
from workers.transport.connection import Patience
from workers.transport.duties import Duties
from workers.transport.queue import GuardedWorker, Stop
from workers.transport.stillness import Stillness

KEY = Ed25519PrivateKey.generate()


def nothing() -> None:
    """There is nothing to do."""


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def duties(
    ledger_file: Path, work: Callable[[Claims, Halt], None], recover: Callable[[], None] = nothing
) -> Duties:
    gate = Gate("web-1", {"k1": KEY.public_key()})
    account = Account("web-1", ledger_file, Stillness())
    return Duties(gate, {"plan": work, "execute": work}, recover, account, Neighbour())


def packed(message: Claims) -> bytes:
    function = "plan" if isinstance(message, PlanRequest) else "execute"
    return zlib.compress(json.dumps([f"workers.jobs.{function}", None, seal(message, KEY), {}]).encode())


def request() -> PlanRequest:
    now = datetime.now(UTC)
    return PlanRequest(
        key_id="k1",
        id="p1",
        host="web-1",
        issued_at=now,
        expires_at=now + timedelta(minutes=10),
        request_id="r1",
        reply_to="C1",
        requester=ANA,
    )


def order() -> ExecutionOrder:
    common = request().model_dump(exclude={"type", "kinds"})
    return ExecutionOrder(**common, engine_id="engine-1", plan_digest=POLICY, approver=BO)


def told(ledger_file: Path) -> list[Event]:
    with closing(Ledger(ledger_file)) as ledger:
        return [EVENT.validate_json(event) for _, event in ledger.outbox(after=0)]


def test_s13_a_stop_that_is_found_just_before_its_run_reaches_it_and_no_other(ledger_file: Path) -> None:
    def work(claims: Claims, halt: Halt) -> None:
        (ledger_file.parent / claims.id).write_text(str(halt.requested))

    mine = duties(ledger_file, work)
    mine.heed = lambda _: mine.halt()

    assert mine.do(packed(order()), nothing)
    mine.halt()
    assert mine.do(packed(request().model_copy(update={"id": "p2"})), nothing)
    assert [(ledger_file.parent / id_).read_text() for id_ in ("p1", "p2")] == ["True", "False"]


def test_s11_a_run_told_to_stop_before_it_began_knows_at_its_first_look(ledger_file: Path) -> None:
    def work(_: Claims, halt: Halt) -> None:
        (ledger_file.parent / "halt").write_text(str(halt.requested))

    mine = duties(ledger_file, work)
    mine.stop()

    assert mine.do(packed(order()), nothing)
    assert (ledger_file.parent / "halt").read_text() == "True"


def test_a_plan_told_to_stop_before_it_began_is_not_made_and_said_to_be_cut_off(ledger_file: Path) -> None:
    def work(_: Claims, __: Halt) -> None:
        (ledger_file.parent / "made").touch()

    mine = duties(ledger_file, work)
    mine.stop()

    assert not mine.do(packed(request()), nothing)
    (event,) = told(ledger_file)
    assert isinstance(event, PlanFailed)
    assert event.reason.code is Code.TERMINATED
    assert not (ledger_file.parent / "made").exists()


def test_s14_an_order_whose_process_dies_before_it_is_consumed_is_told_of(ledger_file: Path) -> None:
    def work(_: Claims, __: Halt) -> None:
        raise RuntimeError("a mistake of ours")

    assert not duties(ledger_file, work).do(packed(order()), nothing)

    (event,) = told(ledger_file)
    assert isinstance(event, OrderRefused)
    assert (event.order_id, event.reasons[0].code) == ("p1", Code.INTERRUPTED)


def test_s14_runs_that_could_not_be_reported_are_looked_for_again_until_they_could(
    ledger_file: Path, redis_server: RedisServer
) -> None:
    """What killed a run, an engine that died or memory that ran out, may hinder its recovery too."""
    is_well, looks = ledger_file.parent / "well", ledger_file.parent / "looks"

    def recover() -> None:
        with looks.open("a") as file:
            file.write("x")
        if not is_well.exists():
            raise EngineUnreachable("it is away")

    def work(_: Claims, __: Halt) -> None:
        is_well.unlink()
        os.kill(os.getpid(), signal.SIGKILL)

    mine = duties(ledger_file, work, recover)
    is_well.touch()
    with closing(redis_server.client()) as client:
        worker = GuardedWorker("web-1", client, mine, Stop(Patience(1)))
        seen = []
        for when in (
            nothing,
            nothing,
            lambda: mine.do(packed(order()), nothing),
            nothing,
            is_well.touch,
            nothing,
        ):
            when()
            worker.run_maintenance_tasks()
            seen.append(len(looks.read_text()))

    # Once at its start, once after the death, then until it is done.
    assert seen == [1, 1, 3, 4, 5, 5]


def test_a_ledger_that_cannot_be_written_does_not_end_the_worker(ledger_file: Path) -> None:
    ledger_file.write_bytes(b"no ledger" * 1000)
    mine = duties(ledger_file, lambda _, __: None)

    assert not mine.do(b"no job", nothing)
    assert mine.do(packed(order()), nothing)
