"""Only what the bot has sealed, for this host, of this type, in time and for the first time, is done."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.keys import SigningKey
from tests.service.queue_stage import QueueStage, queue_stage, until
from tests.service.queue_worker import FAILING
from workers.contract import (
    Answered,
    Claims,
    ExecutionFinished,
    NotAnswered,
    OrderRefused,
    PlanFailed,
    PlanReady,
    RestoreFinished,
    Status,
    Topic,
)
from workers.reasons import Code

LATE = timedelta(minutes=20)
TYPES = ("plan", "answer", "execute", "restore_plan", "restore")


@pytest.fixture(scope="module")
def queue(stage_place: Callable[[], Path]) -> Iterator[QueueStage]:
    with queue_stage(stage_place()) as stage:
        yield stage


def refused_with(queue: QueueStage, call: object) -> Code:
    """The reason for which a call is on record as turned away; the worker works on, nothing was done."""
    queue.planned()
    before, notes = len(queue.refusals()), queue.notes
    queue.put_by_hand(call)
    refusals = until(lambda: queue.refusals()[before:], "a refusal")
    assert notes == queue.notes
    queue.planned()
    return refusals[0].code


def told_of(queue: QueueStage, request_id: str) -> list[str]:
    """What the host told, each once: it may be sent again, and has its number to be known by."""
    told = {seq: event.event for seq, event in queue.events() if event.request_id == request_id}
    return list(told.values())


def test_s12_a_forged_request_is_refused_and_nobody_is_told(queue: QueueStage) -> None:
    request = queue.plan_request()
    stranger = SigningKey(Ed25519PrivateKey.generate())

    assert refused_with(queue, queue.sealed_call(request, key=stranger)) is Code.BAD_SIGNATURE
    assert told_of(queue, request.request_id) == []


def test_s12_a_request_of_an_unknown_key_is_refused(queue: QueueStage) -> None:
    request = queue.plan_request().model_copy(update={"key_id": "other"})

    assert refused_with(queue, queue.sealed_call(request)) is Code.BAD_SIGNATURE


def test_s12_an_altered_order_is_refused(queue: QueueStage) -> None:
    order = queue.order(queue.planned())
    call = copy.deepcopy(queue.sealed_call(order))
    envelope = call[2]
    assert isinstance(envelope, list)
    body = json.loads(envelope[0]) | {"excluded": [0]}
    envelope[0] = json.dumps(body, sort_keys=True, separators=(",", ":"))

    assert refused_with(queue, call) is Code.BAD_SIGNATURE


def test_s12_an_order_for_another_host_is_refused_and_nobody_is_told(queue: QueueStage) -> None:
    order = queue.order(queue.planned()).model_copy(update={"host": "web-2"})
    before = told_of(queue, order.request_id)

    assert refused_with(queue, queue.sealed_call(order)) is Code.OTHER_HOST
    assert before == told_of(queue, order.request_id)


@pytest.mark.parametrize(
    ("late", "life", "code"),
    [
        (timedelta(minutes=20), timedelta(minutes=10), Code.EXPIRED),
        (timedelta(minutes=-20), timedelta(minutes=10), Code.NOT_YET_VALID),
        (timedelta(), timedelta(minutes=16), Code.TOO_LONG_LIVED),
    ],
)
def test_s12_an_order_out_of_time_is_refused_and_who_asked_is_told(
    queue: QueueStage, late: timedelta, life: timedelta, code: Code
) -> None:
    made = queue.order(queue.planned())
    start = made.issued_at - late
    order = made.model_copy(update={"issued_at": start, "expires_at": start + life})

    assert refused_with(queue, queue.sealed_call(order)) is code
    told = queue.event(OrderRefused, order.request_id)
    assert (order.id, code) == (told.order_id, told.reasons[0].code)


@pytest.mark.parametrize(("message", "function"), list(permutations(TYPES, 2)))
def test_s12_a_message_of_another_type_is_refused(queue: QueueStage, message: str, function: str) -> None:
    sealed: dict[str, Callable[[], Claims]] = {
        "plan": queue.plan_request,
        "answer": queue.question,
        "execute": lambda: queue.order(queue.planned()),
        "restore_plan": queue.restore_request,
        "restore": lambda: queue.restore_order(queue.restore_planned()),
    }

    code = refused_with(queue, queue.sealed_call(sealed[message](), f"workers.jobs.{function}"))

    assert code in (Code.OTHER_TYPE, Code.UNREADABLE_ORDER)


def test_a_question_is_answered_once_and_makes_no_plan(queue: QueueStage) -> None:
    question = queue.question()
    queue.put(question)
    queue.event(Answered, question.request_id)

    assert refused_with(queue, queue.sealed_call(question)) is Code.ORDER_USED
    assert told_of(queue, question.request_id) == ["answered"]
    assert queue.notes.count(f"answer {question.request_id}") == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"host": "web-2"}, Code.OTHER_HOST),
        ({"key_id": "other"}, Code.BAD_SIGNATURE),
        ({"object": ""}, Code.UNREADABLE_ORDER),
        ({"topic": Topic.POLICY}, Code.UNREADABLE_ORDER),
    ],
)
def test_s12_a_question_that_is_not_in_order_is_refused(
    queue: QueueStage, change: dict[str, object], code: Code
) -> None:
    assert refused_with(queue, queue.sealed_call(queue.question().model_copy(update=change))) is code


def test_s14_a_question_out_of_time_is_refused_and_who_asked_is_told(queue: QueueStage) -> None:
    question = queue.question()
    times = {"issued_at": question.issued_at - LATE, "expires_at": question.expires_at - LATE}

    late = question.model_copy(update=times)
    assert refused_with(queue, queue.sealed_call(late)) is Code.EXPIRED
    told = queue.event(OrderRefused, question.request_id)
    assert (told.order_id, told.reasons[0].code) == (question.id, Code.EXPIRED)


def test_s14_a_question_whose_work_dies_is_told_of(queue: QueueStage) -> None:
    question = queue.question(reply_to=FAILING)
    queue.put(question)

    assert queue.event(NotAnswered, question.request_id).reason.code is Code.INTERRUPTED
    queue.planned()


def test_s11_an_order_is_executed_once_however_often_it_comes(queue: QueueStage) -> None:
    order = queue.order(queue.planned())
    queue.put(order)
    queue.event(ExecutionFinished, order.request_id)

    assert refused_with(queue, queue.sealed_call(order)) is Code.ORDER_USED
    assert queue.notes.count(f"execute {order.id}") == 1


def test_s11_a_restore_is_done_once_however_often_its_order_comes(queue: QueueStage) -> None:
    order = queue.restore_order(queue.restore_planned())
    queue.put(order)
    report = queue.event(RestoreFinished, order.request_id).report

    assert refused_with(queue, queue.sealed_call(order)) is Code.ORDER_USED
    assert (report.order_id, queue.notes.count(f"restore {order.id}")) == (order.id, 1)


@pytest.mark.parametrize(
    ("change", "code"), [({"host": "web-2"}, Code.OTHER_HOST), ({"key_id": "other"}, Code.BAD_SIGNATURE)]
)
def test_s12_a_restore_that_is_not_in_order_is_refused(
    queue: QueueStage, change: dict[str, object], code: Code
) -> None:
    order = queue.restore_order(queue.restore_planned()).model_copy(update=change)

    assert refused_with(queue, queue.sealed_call(order)) is code
    assert refused_with(queue, queue.sealed_call(queue.restore_request().model_copy(update=change))) is code


def test_s14_a_restore_out_of_time_is_refused_and_who_asked_is_told(queue: QueueStage) -> None:
    order = queue.restore_order(queue.restore_planned())
    times = {"issued_at": order.issued_at - LATE, "expires_at": order.expires_at - LATE}

    assert refused_with(queue, queue.sealed_call(order.model_copy(update=times))) is Code.EXPIRED
    told = queue.event(OrderRefused, order.request_id)
    assert (told.order_id, told.reasons[0].code) == (order.id, Code.EXPIRED)


def test_s14_a_restore_whose_work_dies_is_told_of(queue: QueueStage) -> None:
    request = queue.restore_request(reply_to=FAILING)
    order = queue.restore_order(queue.restore_planned(), reply_to=FAILING)
    queue.put(request, order)

    assert queue.event(PlanFailed, request.request_id).reason.code is Code.INTERRUPTED
    # It was begun, so its end is told by who recovers it, and it is no refusal.
    assert queue.event(RestoreFinished, order.request_id).report.status is Status.INTERRUPTED
    queue.planned()
    assert told_of(queue, order.request_id) == ["restore_planned", "restore_finished"]


def test_a_request_that_comes_twice_is_answered_once(queue: QueueStage) -> None:
    request = queue.plan_request()
    queue.put(request)
    queue.event(PlanReady, request.request_id)

    assert refused_with(queue, queue.sealed_call(request)) is Code.ORDER_USED
    assert told_of(queue, request.request_id).count("plan_ready") == 1


def test_s11_a_plan_is_used_once_by_whatever_order(queue: QueueStage) -> None:
    told = queue.planned()
    first, second = queue.order(told), queue.order(told)

    queue.put(first, second)

    refusal = queue.event(OrderRefused, told.request_id)
    assert (second.id, Code.PLAN_USED) == (refusal.order_id, refusal.reasons[0].code)
    assert [f"execute {first.id}"] == [n for n in queue.notes if first.id in n or second.id in n]
