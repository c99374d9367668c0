"""Redis gone, empty or rolled back: runs go on, nothing is done twice, and what there is to tell arrives."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.service.queue_stage import QueueStage, queue_stage, until
from tests.service.queue_worker import STEPS
from workers.contract import ExecutionFinished, PlanReady, Status, acknowledged_key, events_key
from workers.reasons import Code

NO_REDIS = "Redis does not answer"


@pytest.fixture
def queue(stage_place: Callable[[], Path]) -> Iterator[QueueStage]:
    with queue_stage(stage_place()) as stage:
        yield stage


@contextmanager
def refused(queue: QueueStage) -> Iterator[None]:
    """Nobody listens."""
    queue.server.kill()
    yield
    queue.server.start()


@contextmanager
def hung(queue: QueueStage) -> Iterator[None]:
    """Whoever connects is let in, and never answered."""
    os.kill(queue.server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(queue.server.pid, signal.SIGCONT)


Outage = Callable[[QueueStage], AbstractContextManager[None]]


@pytest.mark.parametrize("outage", [refused, hung])
def test_a_run_goes_on_without_redis_and_its_report_arrives_later(queue: QueueStage, outage: Outage) -> None:
    order, pid = queue.started_run(), queue.worker.pid

    with outage(queue):
        queue.let_through(*range(STEPS))
        queue.wait_for_note(f"done {STEPS - 1}")
        queue.worker.wait_for_line(NO_REDIS, seconds=60)

    assert Status.DONE is queue.event(ExecutionFinished, order.request_id).report.status
    queue.planned()
    assert pid == queue.worker.pid
    assert queue.worker.is_running


@pytest.mark.parametrize("outage", [refused, hung])
def test_an_idle_worker_outlives_redis_and_says_so_once(queue: QueueStage, outage: Outage) -> None:
    queue.planned()

    with outage(queue):
        queue.worker.wait_for_line(NO_REDIS, seconds=60)

    queue.worker.wait_for_line(f"over: {NO_REDIS}")
    queue.planned()
    assert queue.worker.log.read_text().count(f"WARNING:{NO_REDIS}") == 1


def test_a_worker_that_starts_before_redis_waits_and_says_so_once(stage_place: Callable[[], Path]) -> None:
    with queue_stage(stage_place(), running=False) as queue:
        queue.server.stop()
        queue.worker.start()
        queue.worker.wait_for_line(NO_REDIS)

        queue.server.start()

        queue.planned()
        assert queue.worker.log.read_text().count(f"WARNING:{NO_REDIS}") == 1


def test_a_worker_that_waits_for_redis_can_be_stopped(stage_place: Callable[[], Path]) -> None:
    with queue_stage(stage_place(), running=False) as queue:
        queue.server.stop()
        queue.worker.start()
        queue.worker.wait_for_line(NO_REDIS)

        assert queue.worker.stop(seconds=20) == 0


def test_s11_a_redis_that_is_rolled_back_repeats_an_order_in_vain(queue: QueueStage) -> None:
    order = queue.order(queue.planned())
    queue.worker.stop()
    queue.put(order)
    with_the_order = queue.server.snapshot()
    queue.worker.start()
    queue.event(ExecutionFinished, order.request_id)

    queue.server.roll_back(with_the_order)

    until(lambda: [why.code for why in queue.refusals()] == [Code.ORDER_USED], "a refusal of the repetition")
    assert queue.notes.count(f"execute {order.id}") == 1


def test_s11_so_it_does_after_the_worker_was_started_anew(queue: QueueStage) -> None:
    order = queue.order(queue.planned())
    queue.worker.stop()
    queue.put(order)
    with_the_order = queue.server.snapshot()
    queue.worker.start()
    queue.event(ExecutionFinished, order.request_id)
    queue.worker.stop()

    queue.server.roll_back(with_the_order)
    queue.worker.start()

    until(lambda: [why.code for why in queue.refusals()] == [Code.ORDER_USED], "a refusal of the repetition")
    assert queue.notes.count(f"execute {order.id}") == 1


def test_s15_events_of_a_redis_that_was_emptied_are_told_again(queue: QueueStage) -> None:
    first = queue.planned()
    (seq, _), *_ = queue.events()

    queue.server.restart_empty()

    assert first == queue.event(PlanReady, first.request_id)
    assert seq == queue.events()[0][0]


def test_s15_what_was_acknowledged_is_not_told_again(queue: QueueStage) -> None:
    first = queue.planned()
    ledger = queue.client.xrange(events_key("web-1"))[0][1][b"ledger"].decode()
    last = queue.events()[-1][0]
    queue.client.set(acknowledged_key(queue.host), f"{ledger}:{last}")
    until(lambda: not queue.outbox(), "the ledger to forget what is acknowledged")

    queue.server.restart_empty()

    second = queue.planned()
    assert {second.request_id} == {event.request_id for _, event in queue.events()}
    assert first.request_id != second.request_id
