"""Whatever stands in Redis: no code runs, the host has it on record, and the worker goes on working.

What succeeds against a worker as RQ has it is in test_attack_table.
"""

import json
import pickle
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.queue_stage import QueueStage, queue_stage, until
from tests.service.queue_worker import owned
from workers.contract import PlanReady
from workers.reasons import Code

OWNED = "tests.service.queue_worker.owned"


@pytest.fixture(scope="module")
def shared_stage(stage_place: Callable[[], Path]) -> Iterator[QueueStage]:
    with queue_stage(stage_place()) as stage:
        stage.planned()
        yield stage


@pytest.fixture
def queue(shared_stage: QueueStage) -> Iterator[QueueStage]:
    """A worker that must be as well after the test as before it."""
    pid, known = shared_stage.worker.pid, len(shared_stage.notes)
    yield shared_stage
    shared_stage.planned()
    assert shared_stage.worker.is_running
    assert shared_stage.worker.pid == pid
    assert not shared_stage.is_owned
    assert len(shared_stage.notes) > known


def turned_away(queue: QueueStage, put: Callable[[], None]) -> Code:
    before = len(queue.refusals())
    put()
    return until(lambda: queue.refusals()[before:], f"a refusal; {queue.worker.log_tail()}")[0].code


class Pickled:
    """What unpickling would do."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return owned, ()


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("builtins.exec", ["open('{folder}/owned', 'w')"]),
        (OWNED, []),
        ("workers.jobs.Ledger", ["{folder}/owned"]),
        ("workers.transport.queue.serve", []),
        ("plan", ["x", "y"]),
    ],
)
def test_s12_no_other_function_is_called(queue: QueueStage, function: str, arguments: list[Any]) -> None:
    text = json.dumps([function, None, arguments, {}]).replace("{folder}", str(queue.folder))

    code = turned_away(queue, lambda: queue.put_by_hand(json.loads(text)))

    assert code is Code.UNKNOWN_FUNCTION


@pytest.mark.parametrize(
    "call",
    [
        ["workers.jobs.plan", None, [], {}],
        ["workers.jobs.plan", None, ["x"], {}],
        ["workers.jobs.plan", None, [["touch"], "x"], {}],
        ["workers.jobs.plan", None, [{}, {}], {}],
        ["workers.jobs.plan", None, ["{}", "x"], {"key": 1}],
        ["workers.jobs.plan", {"instance": 1}, ["{}", "x"], {}],
        ["workers.jobs.plan"],
        {"workers.jobs.plan": 1},
        [None, None, None, None],
        [["workers.jobs.plan"], None, ["{}", "x"], {}],
        "workers.jobs.plan",
        7,
    ],
)
def test_s12_what_is_no_sealed_call_is_turned_away(queue: QueueStage, call: object) -> None:
    assert turned_away(queue, lambda: queue.put_by_hand(call)) is Code.UNREADABLE_ORDER


@pytest.mark.parametrize("name", ["\ud800", "x\ny", "\x00", "x" * 10_000, {"a": []}, 7])
def test_s12_a_key_of_whatever_name_is_on_record(queue: QueueStage, name: object) -> None:
    call: list[object] = ["workers.jobs.plan", None, [json.dumps({"key_id": name}), "AAAA"], {}]

    assert turned_away(queue, lambda: queue.put_by_hand(call)) is Code.BAD_SIGNATURE


@pytest.mark.parametrize("name", ["\ud800", "x\ny", "\x00"])
def test_s12_a_function_of_whatever_name_is_on_record(queue: QueueStage, name: str) -> None:
    call: list[object] = [name, None, ["{}", "AAAA"], {}]

    assert turned_away(queue, lambda: queue.put_by_hand(call)) is Code.UNKNOWN_FUNCTION


@pytest.mark.parametrize(
    "bytes_",
    [
        b"",
        b"not packed",
        zlib.compress(b"not JSON"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b"[NaN" + b"9" * 10_000 + b"]"),
        zlib.compress(json.dumps(["workers.jobs.plan", None, ["{}", "x"], {}]).encode())[:-6],
        zlib.compress(b"\xff\xfe"),
        pickle.dumps(Pickled()),
        zlib.compress(pickle.dumps(("workers.jobs.plan", None, (Pickled(),), {}))),
    ],
    ids=["empty", "raw", "text", "deep", "number", "cut", "binary", "pickle", "packed-pickle"],
)
def test_s12_bytes_that_are_no_call_are_turned_away(queue: QueueStage, bytes_: bytes) -> None:
    assert turned_away(queue, lambda: queue.put_by_hand(data=bytes_)) is Code.UNREADABLE_ORDER


def test_s12_a_huge_field_is_not_even_fetched(queue: QueueStage) -> None:
    huge = b"0" * (100 << 20)

    assert turned_away(queue, lambda: queue.put_by_hand(data=huge)) is Code.UNREADABLE_ORDER
    assert peak_megabytes(queue.worker.pid) < 100


@pytest.mark.parametrize(
    "id_",
    [b"../../etc", b"\xff\xfe", b"a:b", b"a b", b"x" * 10_000, b"", b"web-1_x\n", "wörker".encode()],
    ids=["path", "binary", "colon", "space", "long", "empty", "line", "umlaut"],
)
def test_s12_an_id_that_is_none_stops_nothing(queue: QueueStage, id_: bytes) -> None:
    before = len(queue.refusals())
    queue.client.hset(b"rq:job:" + id_, mapping={"data": zlib.compress(b"[]")})

    queue.client.rpush(f"rq:queue:{queue.host}", id_)

    refusals = until(lambda: queue.refusals()[before:], "a refusal")
    assert [refusal.code for refusal in refusals] == [Code.UNREADABLE_ORDER]


def test_s12_a_key_of_another_type_stops_nothing(queue: QueueStage) -> None:
    queue.client.set("rq:job:web-1_text", "no hash")

    code = turned_away(queue, lambda: queue.client.rpush(f"rq:queue:{queue.host}", "web-1_text"))

    assert code is Code.UNREADABLE_ORDER


def test_a_job_that_has_expired_is_passed_over(queue: QueueStage) -> None:
    before = len(queue.refusals())

    queue.put_by_hand(id_="web-1_gone")

    queue.planned()
    assert queue.refusals()[before:] == []


MALFORMED = {
    "created_at": "not a date",
    "enqueued_at": "\xff",
    "timeout": "-1",
    "status": "no status",
    "result_ttl": "soon",
    "dependency_ids": "{",
    "retry_intervals": "{",
    "ttl": "x",
    "origin": "other",
}
META = {"meta": pickle.dumps(Pickled()), "result": pickle.dumps(Pickled()), "exc_info": b"\x00"}


@pytest.mark.parametrize("fields", [MALFORMED, META], ids=["malformed", "pickled"])
def test_s12_nothing_else_of_a_job_is_obeyed(queue: QueueStage, fields: dict[str, Any]) -> None:
    request = queue.plan_request()

    queue.put_by_hand(queue.sealed_call(request), **fields)

    queue.event(PlanReady, request.request_id)
    queue.planned()
    assert [f"plan {request.request_id}"] == [n for n in queue.notes if request.request_id in n]


def test_nothing_of_a_job_stays_in_redis(queue: QueueStage) -> None:
    request = queue.plan_request()
    queue.put_by_hand(queue.sealed_call(request), id_="web-1_traces", secret="x")

    queue.event(PlanReady, request.request_id)
    queue.planned()

    left = queue.client.hgetall("rq:job:web-1_traces")
    assert left[b"status"] == b"finished"
    assert {b"status", b"started_at", b"last_heartbeat", b"worker_name"} == set(left)


def peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
