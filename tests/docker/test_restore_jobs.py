"""Restores that are asked for from elsewhere: told of from plan to report, or refused by the host itself."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from tests.docker.worker_host import ANA, WorkerHost
from tests.stage.fixtures import RegistryFactory
from tests.stage.registry import Registry
from tests.stage.slow_door import SlowDoor
from workers import jobs
from workers.contract import (
    EVENT,
    HOST_TEAM,
    Event,
    OrderRefused,
    Person,
    PlanFailed,
    Restored,
    RestoreFinished,
    RestoreOrder,
    RestorePlan,
    RestorePlanned,
    RestoreRequest,
    RestoreStepBegun,
    Status,
)
from workers.execution.lock import engine_lock
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders
from workers.reasons import Code, Reason, reason
from workers.signing import digest

Kind = TypeVar("Kind")


@pytest.fixture
def registry(host: WorkerHost, fresh_registry: RegistryFactory) -> Registry:
    host.policy(probe_registry="true")
    return fresh_registry(host.engine)


@pytest.fixture
def removed(host: WorkerHost, registry: Registry) -> str:
    """An image that came from a registry and went in a run, with a network; returns its id."""
    made = host.image("web:1")
    registry.push(made, "web:1")
    host.engine.client.remove_image(made, force=True)
    image = registry.pull("web:1")
    host.network("front")
    host.execute(host.plan())
    assert not host.has(image)
    return image


def claims(type_: Callable[..., Kind], **more: Any) -> Kind:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {
        "key_id": "k",
        "id": uuid.uuid4().hex,
        "host": "web-1",
        "issued_at": now,
        "expires_at": now + timedelta(minutes=5),
        "request_id": "r2",
        "reply_to": "C1",
        "requester": ANA,
    }
    return type_(**usual | more)


def told(host: WorkerHost) -> list[Event]:
    """What the bot is to read of the restore's request."""
    with closing(Ledger(host.place.ledger_file)) as ledger:
        events = [EVENT.validate_json(body) for _, body in ledger.outbox(after=0)]
    mine = [event for event in events if event.request_id == "r2"]
    assert {event.reply_to for event in mine} <= {"C1"}
    return mine


def planned(host: WorkerHost, **asked: Any) -> Event:
    jobs.restore_plan(claims(RestoreRequest, **asked), host.place)
    return told(host)[-1]


def plan_of(host: WorkerHost, **asked: Any) -> RestorePlan:
    event = planned(host, **asked)
    assert isinstance(event, RestorePlanned)
    return event.plan


def order_for(plan: RestorePlan, **more: Any) -> RestoreOrder:
    about = {"engine_id": plan.engine.id, "plan_digest": digest(plan), "approver": ANA}
    return claims(RestoreOrder, **about | more)


def restored(host: WorkerHost, order: RestoreOrder, *, stop: bool = False) -> Event:
    jobs.restore(order, host.place, lambda: stop)
    return told(host)[-1]


def refusals(host: WorkerHost, order: RestoreOrder) -> list[Code]:
    event = restored(host, order)
    assert isinstance(event, OrderRefused)
    assert event.order_id == order.id
    return [why.code for why in event.reasons]


def test_s14_a_restore_is_told_of_from_its_plan_to_its_report(host: WorkerHost, removed: str) -> None:
    plan = plan_of(host)
    order = order_for(plan)
    last = restored(host, order)

    assert isinstance(last, RestoreFinished)
    assert (last.report.status, last.report.order_id) == (Status.DONE, order.id)
    assert [one.outcome for one in last.report.outcomes] == [Restored.RESTORED] * 2
    begun = [event.object for event in told(host) if isinstance(event, RestoreStepBegun)]
    assert begun == [step.object for step in plan.steps]
    assert host.has(removed)
    assert removed in host.tags().values()
    assert [network["Name"] for network in host.engine.client.networks(names=["front"])] == ["front"]


def test_s11_what_was_restored_is_not_restored_again(host: WorkerHost, removed: str) -> None:
    plan = plan_of(host)
    restored(host, order_for(plan))

    assert refusals(host, order_for(plan)) == [Code.RESTORE_PLAN_USED]
    assert host.has(removed)


def test_only_what_was_named_is_planned(host: WorkerHost, removed: str) -> None:
    assert [step.object.id for step in plan_of(host, objects=("web:1",)).steps] == [removed]
    run = plan_of(host).run
    assert plan_of(host, run=run[:8]).run == run


@pytest.mark.parametrize(
    ("asked", "code"),
    [({"run": "ffff0000"}, Code.RUN_UNKNOWN), ({"objects": ("api:9",)}, Code.NOT_REMOVED_BY_RUN)],
)
def test_s14_what_means_nothing_is_told_with_what_there_is(
    host: WorkerHost, removed: str, asked: dict[str, Any], code: Code
) -> None:
    event = planned(host, **asked)

    assert isinstance(event, PlanFailed)
    assert event.reason.code is code
    assert not host.has(removed)


def test_s14_a_host_that_removed_nothing_yet_says_so(host: WorkerHost) -> None:
    host.plan()
    event = planned(host)

    assert isinstance(event, PlanFailed)
    assert event.reason.code is Code.NOTHING_REMOVED_YET


def test_s12_the_host_itself_turns_away_what_is_not_in_order(host: WorkerHost, removed: str) -> None:
    plan = plan_of(host)
    outsider = Person(team=HOST_TEAM, user="root")

    assert refusals(host, order_for(plan, engine_id="another")) == [Code.OTHER_ENGINE]
    assert refusals(host, order_for(plan, plan_digest=f"sha256:{'0' * 64}")) == [Code.RESTORE_PLAN_UNKNOWN]
    for whose in ({"requester": outsider}, {"approver": outsider}, {"approvers": (outsider,)}):
        assert refusals(host, order_for(plan, **whose)) == [Code.APPROVER_NOT_ACCEPTED]
    with engine_lock(host.place.engines, plan.engine.id):
        assert refusals(host, order_for(plan)) == [Code.BUSY]
    host.policy(approvers='["T9/U9"]')
    with host.opened():
        assert refusals(host, order_for(plan)) == [Code.APPROVER_NOT_ACCEPTED]
    assert not host.has(removed)


def test_s11_told_to_stop_before_the_first_object_it_brings_nothing(host: WorkerHost, removed: str) -> None:
    event = restored(host, order_for(plan_of(host)), stop=True)

    assert isinstance(event, RestoreFinished)
    assert (event.report.status, host.has(removed)) == (Status.STOPPED, False)


@pytest.fixture
def two_removed(host: WorkerHost, registry: Registry) -> Iterator[tuple[SlowDoor, set[str]]]:
    """Two images that came through a slow door and went in a run; the door, and their ids."""
    with SlowDoor(registry) as door:
        pulled = set()
        for name in ("api:1", "web:1"):
            made = host.image(name)
            registry.push(made, name)
            host.engine.client.remove_image(made, force=True)
            pulled.add(door.pull(name))
        host.network("front")
        host.execute(host.plan())
        assert not any(map(host.has, pulled))
        yield door, pulled


def test_s14_stopped_while_an_image_comes_it_ends_after_that_one_and_a_new_restore_brings_the_rest(
    host: WorkerHost, two_removed: tuple[SlowDoor, set[str]]
) -> None:
    door, images = two_removed
    order = order_for(plan_of(host))
    why = reason(Code.RESTORE_STOPPED, by=ANA.spelled)
    with ThreadPoolExecutor(1) as pool, door.held("GET /v2/.*/blobs/") as hold:
        running = pool.submit(jobs.restore, order, host.place, lambda: False)
        hold.wait_until_reached()
        stop(host, order, why)
        hold.let_through()
        running.result()
    last = told(host)[-1]

    assert isinstance(last, RestoreFinished)
    assert (last.report.status, last.report.stopped_by) == (Status.STOPPED, (why,))
    ends = [one.outcome for one in last.report.outcomes]
    assert ends == [Restored.RESTORED, Restored.RESTORED, Restored.NOT_ATTEMPTED]
    came, left = (one.object.id for one in last.report.outcomes[1:])
    assert (host.has(came), host.has(left), {came, left}) == (True, False, images)
    assert restored(host, order_for(plan_of(host)))
    assert host.has(left)


def stop(host: WorkerHost, order: RestoreOrder, why: Reason) -> None:
    with closing(Ledger(host.place.ledger_file)) as ledger:
        StandingOrders(ledger).stop(order.id, why, datetime.now(UTC))


def test_s14_one_that_was_stopped_before_it_began_is_refused_and_its_plan_unused(
    host: WorkerHost, removed: str
) -> None:
    plan = plan_of(host)
    order = order_for(plan)
    stop(host, order, reason(Code.RESTORE_STOPPED, by=ANA.spelled))

    assert refusals(host, order) == [Code.RESTORE_STOPPED]
    assert not host.has(removed)
    assert isinstance(restored(host, order_for(plan)), RestoreFinished)
    assert host.has(removed)


def test_s15_a_ledger_that_fails_after_the_order_is_consumed_leaves_it_to_the_recovery(
    host: WorkerHost, removed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = order_for(plan_of(host))
    with closing(Ledger(host.place.ledger_file)) as ledger:
        full = "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        ledger.rows(f"CREATE TRIGGER full BEFORE INSERT ON restore_journal {full}")
    with pytest.raises(Exception, match="disk is full"):
        jobs.restore(order, host.place, lambda: False)
    with closing(Ledger(host.place.ledger_file)) as ledger:
        ledger.rows("DROP TRIGGER full")
    with host.opened() as opened:
        opened.recover()
    last = told(host)[-1]

    assert isinstance(last, RestoreFinished)
    assert (last.report.order_id, last.report.status) == (order.id, Status.INTERRUPTED)
    assert not [event for event in told(host) if isinstance(event, OrderRefused)]
    assert removed
