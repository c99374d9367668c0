"""Told to stop, by whatever signal, a run finishes the object in hand and reports; a dead one is reported."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.service.queue_stage import QueueStage, queue_stage, until
from tests.service.queue_worker import FAILING, GATED
from tests.stage.readiness import wait_until_gone
from workers.contract import ExecutionFinished, ExecutionOrder, PlanFailed, Status, beat_key
from workers.reasons import Code

SECONDS = 20


@pytest.fixture
def queue(stage_place: Callable[[], Path]) -> Iterator[QueueStage]:
    with queue_stage(stage_place()) as stage:
        yield stage


def expect_partial_report(queue: QueueStage, order: ExecutionOrder) -> None:
    told = queue.event(ExecutionFinished, order.request_id)
    assert Status.STOPPED is told.report.status
    assert sorted({why.code for why in told.report.stopped_by}) == [Code.TERMINATED]
    steps = [note for note in queue.notes if note.startswith(("begun", "done"))]
    assert steps == ["begun 0", "done 0"]


def test_s11_sigterm_to_the_worker_lets_it_finish_the_object_in_hand(queue: QueueStage) -> None:
    order = queue.started_run()

    os.kill(queue.worker.pid, signal.SIGTERM)
    queue.let_through(0)

    assert wait_until_gone(queue.worker.pid, seconds=SECONDS)
    expect_partial_report(queue, order)
    assert queue.notes[-1] == "ended"


def test_s11_so_does_sigterm_to_every_process_of_the_service(queue: QueueStage) -> None:
    order = queue.started_run()

    for pid in (queue.worker.pid, *queue.children()):
        os.kill(pid, signal.SIGTERM)
    queue.let_through(0)

    assert wait_until_gone(queue.worker.pid, seconds=SECONDS)
    expect_partial_report(queue, order)


def test_s11_so_does_ctrl_c_to_the_group(queue: QueueStage) -> None:
    order = queue.started_run()

    os.killpg(queue.worker.pid, signal.SIGINT)
    queue.let_through(0)

    assert wait_until_gone(queue.worker.pid, seconds=SECONDS)
    expect_partial_report(queue, order)


def test_s11_being_told_again_kills_nothing(queue: QueueStage) -> None:
    order = queue.started_run()

    for _ in range(3):
        os.kill(queue.worker.pid, signal.SIGTERM)
        os.kill(queue.children()[0], signal.SIGTERM)
    queue.let_through(0)

    assert wait_until_gone(queue.worker.pid, seconds=SECONDS)
    expect_partial_report(queue, order)


def test_s11_a_run_whose_worker_is_killed_stops_and_its_report_comes_with_the_next(queue: QueueStage) -> None:
    order = queue.started_run()
    (run,) = queue.children()

    os.kill(queue.worker.pid, signal.SIGKILL)
    queue.let_through(0)

    assert wait_until_gone(run, seconds=SECONDS)
    queue.worker.start()
    expect_partial_report(queue, order)


def test_s11_a_killed_run_is_reported_and_not_resumed(queue: QueueStage) -> None:
    order = queue.started_run()

    os.kill(queue.children()[0], signal.SIGKILL)

    told = queue.event(ExecutionFinished, order.request_id)
    assert Status.INTERRUPTED is told.report.status
    queue.planned()
    assert "done 0" not in queue.notes


def test_s11_a_run_killed_with_its_worker_is_reported_by_the_next_worker(queue: QueueStage) -> None:
    order = queue.started_run()
    victims = [*queue.children(), queue.worker.pid]

    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in victims:
        wait_until_gone(pid, seconds=SECONDS)
    queue.worker.start()

    assert Status.INTERRUPTED is queue.event(ExecutionFinished, order.request_id).report.status
    assert queue.notes.count(f"execute {order.id}") == 1


def test_a_plan_changes_nothing_so_it_is_cut_off_and_said_to_be(queue: QueueStage) -> None:
    request = queue.plan_request(reply_to=GATED)
    queue.put(request)
    queue.wait_for_note(f"plan {request.request_id}")

    assert queue.worker.stop() == 0

    assert Code.TERMINATED is queue.event(PlanFailed, request.request_id).reason.code


def test_s14_a_plan_whose_process_dies_is_told_of(queue: QueueStage) -> None:
    request = queue.plan_request(reply_to=GATED)
    queue.put(request)
    queue.wait_for_note(f"plan {request.request_id}")

    os.kill(queue.children()[0], signal.SIGKILL)

    assert Code.INTERRUPTED is queue.event(PlanFailed, request.request_id).reason.code
    queue.planned()


def test_s14_a_mistake_of_ours_is_told_of_and_not_repeated(queue: QueueStage) -> None:
    request = queue.plan_request(reply_to=FAILING)

    queue.put(request)

    assert Code.INTERRUPTED is queue.event(PlanFailed, request.request_id).reason.code
    queue.planned()
    assert queue.notes.count(f"plan {request.request_id}") == 1


def test_an_idle_worker_ends_at_once_and_takes_its_sign_of_life_away(queue: QueueStage) -> None:
    queue.planned()
    until(lambda: queue.client.exists(beat_key("web-1")), "a sign of life")

    assert queue.worker.stop(seconds=5) == 0

    assert not queue.client.exists(beat_key("web-1"))


def test_what_waits_in_the_queue_waits_for_the_next_worker(queue: QueueStage) -> None:
    order, request = queue.started_run(), queue.plan_request()
    queue.put(request)

    os.kill(queue.worker.pid, signal.SIGTERM)
    queue.let_through(0)
    wait_until_gone(queue.worker.pid, seconds=SECONDS)

    expect_partial_report(queue, order)
    assert queue.client.llen("rq:queue:web-1") == 1
    queue.worker.start()
    queue.wait_for_note(f"plan {request.request_id}")


def test_s11_what_a_dying_worker_had_taken_and_not_begun_is_done_by_the_next(queue: QueueStage) -> None:
    queue.planned()
    queue.worker.stop()
    request = queue.plan_request()
    queue.put(request)

    queue.client.lmove("rq:queue:web-1", "rq:queue:web-1:intermediate")
    queue.worker.start()

    queue.wait_for_note(f"plan {request.request_id}")
    assert queue.client.llen("rq:queue:web-1:intermediate") == 0
