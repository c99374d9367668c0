"""A stop and a freeze reach the run under way; what does not hold is recorded once and does nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.keys import SigningKey
from tests.service.queue_stage import QueueStage, queue_stage, until
from tests.service.queue_worker import GATED
from tests.unit.bot_values import ANA
from workers.contract import (
    Claims,
    ExecutionFinished,
    ExecutionOrder,
    FreezeOrder,
    ProtectOrder,
    RestoreFinished,
    RestoreOrder,
    RestoreReport,
    StandingTaken,
    Status,
    StopOrder,
    UnfreezeOrder,
    freeze_key,
    stop_key,
)
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders
from workers.reasons import Code
from workers.signing import seal
from workers.transport.account import Account
from workers.transport.connection import Patience, connect
from workers.transport.stillness import Stillness, Troubles
from workers.transport.urgent import UNREADABLE_SECONDS, Urgent

STEPS_DONE = ["begun 0", "done 0"]


@pytest.fixture
def queue(stage_place: Callable[[], Path]) -> Iterator[QueueStage]:
    with queue_stage(stage_place()) as stage:
        yield stage


def sealed(queue: QueueStage, message: Claims, key: SigningKey | None = None) -> str:
    return json.dumps(seal(message, (key or queue.key).private))


def claims(queue: QueueStage, **others: Any) -> dict[str, Any]:
    return queue.plan_request().model_dump(exclude={"type", "kinds"}) | others


def a_stop(queue: QueueStage, order: ExecutionOrder | RestoreOrder, **others: Any) -> StopOrder:
    return StopOrder(**claims(queue, request_id=order.request_id) | {"order_id": order.id} | others)


def a_freeze(queue: QueueStage, type_: Any = FreezeOrder) -> Any:
    made = claims(queue)
    return type_(**made, decided_at=made["issued_at"])


def steps(queue: QueueStage) -> list[str]:
    return [note for note in queue.notes if note.startswith(("begun", "done"))]


def kept_for(queue: QueueStage, order: ExecutionOrder) -> Code | None:
    with queue.ledger() as ledger:
        found = StandingOrders(ledger).bars(order.id)
        return found.code if found else None


def refused_after(queue: QueueStage, known: int) -> Code:
    return until(lambda: queue.refusals()[known:], "a refusal")[0].code


def ended_by(queue: QueueStage, order: ExecutionOrder) -> list[tuple[Code, object]]:
    report = queue.event(ExecutionFinished, order.request_id).report
    assert report.status is Status.STOPPED
    return [(why.code, why.params.get("by")) for why in report.stopped_by]


def test_s13_a_stop_ends_the_run_after_the_object_in_hand_and_says_who_said_so(queue: QueueStage) -> None:
    order = queue.started_run()

    queue.client.set(stop_key(queue.host, order.id), sealed(queue, a_stop(queue, order)), ex=600)
    until(lambda: kept_for(queue, order), "the stop in the ledger")
    queue.let_through(0)

    assert ended_by(queue, order) == [(Code.STOP_ORDERED, ANA.spelled)]
    assert steps(queue) == STEPS_DONE
    assert queue.refusals() == []


def test_s12_stops_that_do_not_hold_are_recorded_and_the_run_goes_on(queue: QueueStage) -> None:
    order = queue.started_run()
    stop, hour = a_stop(queue, order), timedelta(hours=1)
    past = {"issued_at": stop.issued_at - hour, "expires_at": stop.expires_at - hour}
    for text, code in (
        (sealed(queue, stop, SigningKey(Ed25519PrivateKey.generate())), Code.BAD_SIGNATURE),
        (sealed(queue, a_stop(queue, order, order_id="o9")), Code.OTHER_ORDER),
        (sealed(queue, stop.model_copy(update=past)), Code.EXPIRED),
        (sealed(queue, stop.model_copy(update={"host": "web-2"})), Code.OTHER_HOST),
        (sealed(queue, queue.plan_request()), Code.OTHER_TYPE),
        ("[" * 5000, Code.UNREADABLE_ORDER),
    ):
        known = len(queue.refusals())
        queue.client.set(stop_key(queue.host, order.id), text, ex=600)
        assert refused_after(queue, known) is code
    queue.let_through(0, 1, 2)

    assert queue.event(ExecutionFinished, order.request_id).report.status is Status.DONE
    assert len(queue.refusals()) == 6


def test_s13_a_stop_that_comes_before_its_order_has_nothing_removed(queue: QueueStage) -> None:
    order = queue.order(queue.planned())
    queue.client.set(stop_key(queue.host, order.id), sealed(queue, a_stop(queue, order)), ex=600)

    queue.put(order)

    assert ended_by(queue, order) == [(Code.STOP_ORDERED, ANA.spelled)]
    assert steps(queue) == []


def started_restore(queue: QueueStage) -> RestoreOrder:
    """A restore that stands in the middle of an object until it is let through."""
    order = queue.restore_order(queue.restore_planned(), reply_to=GATED)
    queue.put(order)
    queue.wait_for_note(f"restore {order.id}")
    return order


def restored(queue: QueueStage, order: RestoreOrder) -> RestoreReport:
    queue.let_through(order.id)
    return queue.event(RestoreFinished, order.request_id).report


def test_s14_a_stop_ends_a_restore_after_the_object_in_hand_and_says_who_said_so(queue: QueueStage) -> None:
    order = started_restore(queue)

    queue.client.set(stop_key(queue.host, order.id), sealed(queue, a_stop(queue, order)), ex=600)
    until(lambda: stops_of(queue, order), "the stop in the ledger")
    report = restored(queue, order)

    assert report.status is Status.STOPPED
    assert [(why.code, why.params["by"]) for why in report.stopped_by] == [
        (Code.RESTORE_STOPPED, ANA.spelled)
    ]
    assert queue.refusals() == []


def stops_of(queue: QueueStage, order: RestoreOrder) -> object:
    with queue.ledger() as ledger:
        return StandingOrders(ledger).stops(order.id)


def test_a_freeze_is_kept_beside_a_restore_and_does_not_end_it(queue: QueueStage) -> None:
    order, freeze = started_restore(queue), a_freeze(queue)

    queue.client.set(freeze_key(queue.host), sealed(queue, freeze), ex=600)
    assert queue.event(StandingTaken, freeze.request_id).in_force

    assert restored(queue, order).status is Status.DONE


def test_s12_a_stop_that_is_for_another_order_ends_no_restore(queue: QueueStage) -> None:
    order = started_restore(queue)
    text = sealed(queue, a_stop(queue, order, order_id="o9"))

    queue.client.set(stop_key(queue.host, order.id), text, ex=600)
    assert refused_after(queue, 0) is Code.OTHER_ORDER

    assert restored(queue, order).status is Status.DONE


def test_a_freeze_ends_the_run_under_way_and_is_acknowledged_beside_it(queue: QueueStage) -> None:
    order, freeze = queue.started_run(), a_freeze(queue)

    queue.put(freeze)
    queue.client.set(freeze_key(queue.host), sealed(queue, freeze), ex=600)
    assert queue.event(StandingTaken, freeze.request_id).in_force
    queue.let_through(0)

    assert ended_by(queue, order) == [(Code.FROZEN, ANA.spelled)]
    assert steps(queue) == STEPS_DONE
    # The one in the queue says the same, and is done when the run is over.
    until(lambda: "freeze True" in queue.notes, "the job")


def test_s12_a_standing_order_that_does_not_hold_is_refused_and_recorded(queue: QueueStage) -> None:
    freeze = a_freeze(queue)
    for message, key, code in (
        (freeze, SigningKey(Ed25519PrivateKey.generate()), Code.BAD_SIGNATURE),
        (freeze.model_copy(update={"host": "web-2"}), None, Code.OTHER_HOST),
        (queue.plan_request(), None, Code.OTHER_TYPE),
        (a_stop(queue, queue.order(queue.planned())), None, Code.OTHER_TYPE),
    ):
        known = len(queue.refusals())
        queue.put_by_hand(queue.sealed_call(message, "workers.jobs.keep", key))
        assert refused_after(queue, known) is code
    assert not any(note.startswith("freeze") for note in queue.notes)


def test_standing_orders_of_every_type_pass_the_queue(queue: QueueStage) -> None:
    freeze, made = a_freeze(queue), claims(queue)
    protect = ProtectOrder(**made, decided_at=made["issued_at"], kind="image", pattern="app:1")
    unfreeze = a_freeze(queue, UnfreezeOrder)

    queue.put(freeze, unfreeze, protect)

    assert queue.event(StandingTaken, protect.request_id).order == protect
    assert queue.event(StandingTaken, unfreeze.request_id).in_force


def reader(queue: QueueStage, order: ExecutionOrder | RestoreOrder, clock: Callable[[], float]) -> Urgent:
    """What the worker has in a thread, for a test to step."""
    stillness = Stillness()
    return Urgent(
        host=queue.host,
        client=connect(queue.server.url, Patience(0), seconds=1),
        keys={queue.key.id: queue.key.private.public_key()},
        account=Account(queue.host, queue.folder / "ledger.db", stillness),
        troubles=Troubles(stillness),
        in_hand=lambda: order,
        halt=lambda: pytest.fail("the ledger can be written"),
        clock=clock,
    )


def test_s12_what_is_read_every_second_is_recorded_once(queue: QueueStage) -> None:
    order = queue.order(queue.planned())
    other = sealed(queue, a_stop(queue, order, order_id="o9"))
    queue.client.set(stop_key(queue.host, order.id), other, ex=600)
    queue.client.set(freeze_key(queue.host), "forged", ex=600)
    urgent = reader(queue, order, lambda: 0.0)

    for _ in range(3):
        urgent.step()

    assert [why.code for why in queue.refusals()] == [Code.OTHER_ORDER, Code.UNREADABLE_ORDER]


@pytest.mark.parametrize("what", ["stop", "freeze"])
def test_s13_what_the_ledger_could_not_take_is_read_again_until_it_can(queue: QueueStage, what: str) -> None:
    order, halted = queue.order(queue.planned()), []
    key, message = (
        (stop_key(queue.host, order.id), a_stop(queue, order))
        if what == "stop"
        else (freeze_key(queue.host), a_freeze(queue))
    )
    queue.client.set(key, sealed(queue, message), ex=600)
    in_its_place = queue.folder / "not-yet.db"
    in_its_place.mkdir()
    urgent = reader(queue, order, lambda: 0.0)
    urgent.account = Account(queue.host, in_its_place, urgent.account.stillness)
    urgent.halt = lambda: halted.append(True)
    urgent.step()
    in_its_place.rmdir()
    urgent.step()

    assert halted == [True]
    with closing(Ledger(in_its_place)) as ledger:
        assert StandingOrders(ledger).bars(order.id) is not None


def test_s4_a_run_that_nobody_could_stop_for_a_minute_is_to_end(queue: QueueStage) -> None:
    order, seconds = queue.order(queue.planned()), [0.0]
    urgent = reader(queue, order, lambda: seconds[0])
    urgent.step()
    queue.server.stop()
    for seconds[0] in (UNREADABLE_SECONDS, UNREADABLE_SECONDS + 1):
        assert kept_for(queue, order) is None
        urgent.step()

    assert kept_for(queue, order) is Code.STOP_UNREADABLE


def test_s4_the_minute_of_a_run_begins_with_it_whatever_went_unheard_before(queue: QueueStage) -> None:
    restore, order = queue.restore_order(queue.restore_planned()), queue.order(queue.planned())
    seconds = [0.0]
    urgent = reader(queue, restore, lambda: seconds[0])
    queue.server.stop()
    urgent.step()
    urgent.in_hand = lambda: order
    for seconds[0] in (UNREADABLE_SECONDS + 1, 2 * UNREADABLE_SECONDS + 2):
        assert kept_for(queue, order) is None
        urgent.step()

    assert kept_for(queue, order) is Code.STOP_UNREADABLE


def test_a_restore_that_nobody_could_stop_goes_on_for_it_removes_nothing(queue: QueueStage) -> None:
    order, seconds = queue.restore_order(queue.restore_planned()), [0.0]
    urgent = reader(queue, order, lambda: seconds[0])
    urgent.step()
    queue.server.stop()
    seconds[0] = UNREADABLE_SECONDS + 1
    urgent.step()

    assert stops_of(queue, order) is None
