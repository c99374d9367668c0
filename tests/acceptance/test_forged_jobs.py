"""Whoever can write to Redis: nothing runs, the host has it on record, and the worker goes on (S12)."""

import json
import uuid
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot import keys
from tests.acceptance.small_host import litter
from tests.stage.company import Company
from tests.stage.member import Member, until
from workers.contract import ExecutionOrder, Person
from workers.reasons import Code
from workers.signing import seal

EXECUTE = "workers.jobs.execute"


@dataclass(frozen=True)
class Intruder:
    """Somebody with a connection to Redis, and what they covet."""

    company: Company
    order: ExecutionOrder

    def put(self, function: str, *arguments: object) -> None:
        name = f"web-1_{uuid.uuid4().hex}"
        call = zlib.compress(json.dumps([function, None, arguments, {}]).encode())
        self.put_bytes(name, call)

    def put_bytes(self, name: str, call: bytes) -> None:
        with closing(self.company.redis.client()) as redis:
            redis.hset(f"rq:job:{name}", "data", call)
            redis.rpush("rq:queue:web-1", name)

    @property
    def genuine(self) -> list[str]:
        """What only the bot can make."""
        return seal(self.order, keys.load(self.company.signing_key_file).private)


@pytest.fixture
def intruder(company: Company, web: Member) -> Iterator[Intruder]:
    """After the attack all is still there, nothing has run, and the same worker serves the next request."""
    coveted = litter(web, f"coveted-{uuid.uuid4().hex[:6]}")
    company.ready("web-1")
    pid, reports, known = web.worker.pid, web.reports(), len(web.refusals())

    yield Intruder(company, _order(company, web))

    until(lambda: web.refusals()[known:], "the refusal on record")
    assert (coveted in web.names(), web.reports(), company.queued("web-1")) == (True, reports, 0)
    company.ready("web-1")
    assert (web.worker.pid, web.worker.is_running) == (pid, True)


def _order(company: Company, web: Member) -> ExecutionOrder:
    """An order for the newest plan, which nobody has confirmed."""
    with web.ledger() as ledger:
        rows: Any = ledger.rows("SELECT digest FROM plans ORDER BY made_at DESC LIMIT 1")
    now = datetime.now(UTC)
    bo = Person(team=company.slack.team_id, user=company.slack.user_id("bo"))
    return ExecutionOrder(
        key_id=keys.load(company.signing_key_file).id,
        id=uuid.uuid4().hex,
        host="web-1",
        issued_at=now,
        expires_at=now + timedelta(minutes=10),
        request_id=uuid.uuid4().hex,
        reply_to=company.slack.channel_id("ops"),
        requester=bo,
        approver=bo,
        engine_id=web.engine.engine_id,
        plan_digest=rows[0][0],
    )


def _queued_job(company: Company) -> bytes:
    """What the bot has put there for a worker that is not running."""
    with closing(company.redis.client()) as redis:
        (queued,) = until(lambda: _raw(redis.lrange("rq:queue:web-1", 0, -1)), "the order")
        job: bytes = _raw(redis.hget(f"rq:job:{queued.decode()}", "data"))
        return job


def _raw(answer: Any) -> Any:
    return answer


def latest(web: Member, known: int) -> Code:
    return until(lambda: web.refusals()[known:], "a refusal")[0].code


def test_s12_no_other_function_is_called(intruder: Intruder, web: Member, tmp_path: Path) -> None:
    known = len(web.refusals())
    intruder.put("os.system", f"touch {tmp_path}/owned")
    assert latest(web, known) is Code.UNKNOWN_FUNCTION
    assert list(tmp_path.iterdir()) == []


def test_s12_an_order_without_a_seal_is_refused(intruder: Intruder, web: Member) -> None:
    known = len(web.refusals())
    intruder.put(EXECUTE, intruder.order.model_dump_json(), "")
    assert latest(web, known) in (Code.BAD_SIGNATURE, Code.UNREADABLE_ORDER)


def test_s12_an_order_with_somebody_elses_seal_is_refused(intruder: Intruder, web: Member) -> None:
    known = len(web.refusals())
    intruder.put(EXECUTE, *seal(intruder.order, Ed25519PrivateKey.generate()))
    assert latest(web, known) is Code.BAD_SIGNATURE


def test_s12_an_altered_order_is_refused(intruder: Intruder, web: Member) -> None:
    known = len(web.refusals())
    body, signature = intruder.genuine
    approver = intruder.order.approver.user
    intruder.put(EXECUTE, body.replace(approver, "U0MALLORY01"), signature)
    assert latest(web, known) is Code.BAD_SIGNATURE


def test_s12_an_expired_order_is_refused(intruder: Intruder, web: Member) -> None:
    known, hour = len(web.refusals()), timedelta(hours=1)
    times = {"issued_at": intruder.order.issued_at - hour, "expires_at": intruder.order.expires_at - hour}
    key = keys.load(intruder.company.signing_key_file).private
    intruder.put(EXECUTE, *seal(intruder.order.model_copy(update=times), key))
    assert latest(web, known) is Code.EXPIRED


def test_s12_a_genuine_order_for_another_engine_is_refused(intruder: Intruder, web: Member) -> None:
    known = len(web.refusals())
    key = keys.load(intruder.company.signing_key_file).private
    intruder.put(EXECUTE, *seal(intruder.order.model_copy(update={"engine_id": "ANOTHER"}), key))
    assert latest(web, known) is Code.OTHER_ENGINE


@pytest.mark.parametrize("restarted", [False, True])
def test_s11_an_order_that_was_obeyed_is_not_obeyed_again(
    company: Company, web: Member, restarted: bool
) -> None:
    litter(web, f"once-{restarted}")
    root = company.ready("web-1")
    web.worker.stop()
    company.confirm(root)
    job = _queued_job(company)
    web.worker.start()
    company.becomes(root, "Pruned")
    web.worker.wait_for_line("listens to its queue")
    reports, known = web.reports(), len(web.refusals())
    if restarted:
        web.worker.stop()
        web.worker.start()

    litter(web, f"twice-{restarted}")
    Intruder(company, _order(company, web)).put_bytes("web-1_replayed", job)

    assert latest(web, known) in (Code.ORDER_USED, Code.PLAN_USED)
    company.ready("web-1")
    assert (web.reports(), f"twice-{restarted}" in web.names()) == (reports, True)
