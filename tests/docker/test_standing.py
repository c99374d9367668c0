"""Every path to a removal keeps to what the host was told; each refusal stands in the host's ledger."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.docker.worker_host import ANA, WorkerHost, ended, on, order_for
from workers import jobs
from workers.cli import standing as at_the_host
from workers.cli.command_line import Exit, parser, run
from workers.contract import (
    EVENT,
    HOST_TEAM,
    Claims,
    Doing,
    ExecutionOrder,
    FreezeOrder,
    Kind,
    Outcome,
    Person,
    Plan,
    ProtectOrder,
    Status,
    UnfreezeOrder,
    UnprotectOrder,
    WorkBegun,
)
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders
from workers.reasons import Code
from workers.signing import digest

Order = FreezeOrder | UnfreezeOrder | ProtectOrder | UnprotectOrder


@pytest.fixture
def plan(host: WorkerHost) -> Plan:
    """A container, the image that only it uses, and a network."""
    host.image("app:1")
    host.spent("first", "app:1")
    host.network("front")
    return host.plan()


def a_standing(plan: Plan, type_: Any, *, who: Person = ANA, **claims: Any) -> Any:
    order = order_for(plan).model_dump(include=set(Claims.model_fields))
    return type_(**order | {"requester": who}, decided_at=order["issued_at"], **claims)


def executed(host: WorkerHost, order: ExecutionOrder) -> list[Code]:
    """Have the real job do an order; the reasons that stand in the ledger."""
    jobs.execute(order, host.place, lambda: False)
    return refused(host)


def refused(host: WorkerHost) -> list[Code]:
    with closing(Ledger(host.place.ledger_file)) as ledger:
        return [why.code for _, reasons in ledger.refusals() for why in reasons]


def command(host: WorkerHost, *words: str) -> tuple[Exit, list[str]]:
    said: list[str] = []
    return run(parser().parse_args(words), host.place, said.append), said


def test_s12_what_an_order_may_not_say_is_refused_and_on_record(host: WorkerHost, plan: Plan) -> None:
    image = next(step.needs[0] for step in plan.steps if step.object.kind is Kind.IMAGE)
    for order, code in (
        (order_for(plan, plan_digest=f"sha256:{'0' * 64}"), Code.UNKNOWN_PLAN),
        (order_for(plan, engine_id="ANOTHER"), Code.OTHER_ENGINE),
        (order_for(plan, excluded=(99,)), Code.UNKNOWN_STEP),
        (order_for(plan, excluded=(image,)), Code.NOT_CLOSED),
        (order_for(plan, approver=Person(team=HOST_TEAM, user="root")), Code.APPROVER_NOT_ACCEPTED),
    ):
        assert executed(host, order)[-1] is code
    assert all(host.has(step.object.id) for step in plan.steps)


def test_s11_a_plan_that_was_used_is_refused_and_on_record(host: WorkerHost, plan: Plan) -> None:
    assert executed(host, order_for(plan)) == []
    assert executed(host, order_for(plan)) == [Code.PLAN_USED]


def test_a_frozen_host_is_previewed_and_nothing_is_removed_by_whatever_path(
    host: WorkerHost, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.keep(a_standing(plan, FreezeOrder, why="disk is swapped"), host.place)

    assert executed(host, order_for(plan)) == [Code.FROZEN]
    assert [notice.code for notice in host.plan().notices][:1] == [Code.FROZEN]
    assert command(host, "execute", "--unusual", "--confirm", digest(plan))[0] is Exit.REFUSED
    said = capsys.readouterr().err
    assert "This host was frozen by T1/UANA" in said
    assert "disk is swapped" in said
    assert all(host.has(step.object.id) for step in plan.steps)

    assert command(host, "unfreeze")[0] is Exit.DONE
    assert command(host, "execute", "--unusual", "--confirm", digest(plan))[0] is Exit.DONE


def test_a_freeze_at_the_host_ends_a_run_after_the_object_in_hand(host: WorkerHost, plan: Plan) -> None:
    report = host.execute(plan, before=on("container", lambda: command(host, "freeze", "wait")))

    assert report.status is Status.STOPPED
    assert [why.code for why in report.stopped_by] == [Code.FROZEN]
    assert ended(report) == {
        "first": Outcome.REMOVED,
        "app:1": Outcome.NOT_ATTEMPTED,
        "front": Outcome.NOT_ATTEMPTED,
    }
    exit_code, said = command(host, "standing")
    assert (exit_code, said[0].startswith("host: This host was frozen by cli:")) == (Exit.DONE, True)


def test_s4_what_cannot_be_read_has_nothing_removed_and_the_plan_says_so(
    host: WorkerHost, plan: Plan
) -> None:
    jobs.keep(a_standing(plan, ProtectOrder, kind=Kind.IMAGE, pattern="other"), host.place)
    with closing(Ledger(host.place.ledger_file)) as ledger:
        ledger.rows("UPDATE standing SET body = '{}'")

    assert executed(host, order_for(plan)) == [Code.STANDING_UNREADABLE]
    assert all(host.has(step.object.id) for step in plan.steps)


def test_s3_s8_what_is_protected_after_the_preview_stays(host: WorkerHost, plan: Plan) -> None:
    jobs.keep(a_standing(plan, ProtectOrder, kind=Kind.IMAGE, pattern="app:*"), host.place)

    report = host.execute(plan)

    assert (ended(report)["app:1"], ended(report)["first"]) == (Outcome.REFUSED, Outcome.REMOVED)
    image = next(one for one in report.outcomes if one.object.kind is Kind.IMAGE)
    assert image.reason is not None
    assert image.reason.code is Code.PROTECTED_FROM_SLACK
    assert "app:1" not in {step.object.name for step in host.plan().steps}


def test_s7_what_is_protected_during_a_run_ends_it_after_the_object_in_hand(
    host: WorkerHost, plan: Plan
) -> None:
    def protect(_kind: str, _id: str) -> None:
        with closing(Ledger(host.place.ledger_file)) as ledger:
            order = a_standing(plan, ProtectOrder, kind=Kind.IMAGE, pattern="app:*")
            StandingOrders(ledger).take(order, datetime.now(UTC))

    report = host.execute(plan, after=protect)

    assert [why.code for why in report.stopped_by] == [Code.PROTECTED_MEANWHILE]
    assert [one.outcome for one in report.outcomes] == [Outcome.REMOVED, *[Outcome.NOT_ATTEMPTED] * 2]
    assert list(host.tags()) == ["app:1"]


def test_slack_lifts_no_protection_of_the_policy(host: WorkerHost, plan: Plan) -> None:
    host.policy(protected_images='["app:1"]')

    jobs.keep(a_standing(plan, UnprotectOrder, kind=Kind.IMAGE, pattern="app:1"), host.place)

    assert refused(host) == [Code.NOT_PROTECTED]
    assert "app:1" not in {step.object.name for step in host.plan().steps}


def test_s12_where_the_host_names_approvers_nobody_else_unfreezes_it(host: WorkerHost, plan: Plan) -> None:
    host.policy(approvers='["T0123/U0BO"]')
    host.plan()
    jobs.keep(a_standing(plan, FreezeOrder), host.place)

    jobs.keep(a_standing(plan, UnfreezeOrder), host.place)

    assert refused(host) == [Code.APPROVER_NOT_ACCEPTED]
    with closing(Ledger(host.place.ledger_file)) as ledger:
        assert StandingOrders(ledger).frozen() is not None
        assert StandingOrders(ledger).protections(datetime.now(UTC)) == ()


def test_s12_nobody_from_elsewhere_passes_for_who_is_at_the_host(host: WorkerHost, plan: Plan) -> None:
    jobs.keep(a_standing(plan, FreezeOrder, who=Person(team=HOST_TEAM, user="root")), host.place)

    assert refused(host) == [Code.APPROVER_NOT_ACCEPTED]
    assert list(at_the_host.in_force(host.place)) == []
    asked = order_for(plan).model_copy(update={"requester": Person(team=HOST_TEAM, user="root")})
    assert executed(host, asked) == [Code.APPROVER_NOT_ACCEPTED] * 2
    assert list(host.tags()) == ["app:1"]


def test_a_run_tells_what_it_does_in_its_order(host: WorkerHost, plan: Plan) -> None:
    host.keys = host.keys | {"settle": '"1s"'}
    order = order_for(host.plan())
    assert executed(host, order) == []
    with closing(Ledger(host.place.ledger_file)) as ledger:
        told = [EVENT.validate_json(text) for _, text in ledger.outbox(after=0)]
    work = [(event.doing, event.kind, event.count) for event in told if isinstance(event, WorkBegun)]
    removing = [(Doing.REMOVING, kind, 1) for kind in (Kind.CONTAINER, Kind.IMAGE, Kind.NETWORK)]
    assert work[-6:] == [
        (Doing.LOOKING, None, 0),
        *removing,
        (Doing.SETTLING, None, 0),
        (Doing.MEASURING, None, 0),
    ]
    assert {event.order_id for event in told if isinstance(event, WorkBegun)} == {order.id}
