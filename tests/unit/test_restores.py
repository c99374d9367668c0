"""The ledger's part of restores: a plan is used once, and whoever dies, what was asked for is known."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.bot_values import ANA, ENGINE, NOON, finished, order, plan, plan_ready, report
from tests.unit.restore_values import planned, removed_image
from workers import audit
from workers.audit_lines import HostCopy, read, spelled
from workers.cli.record import record_lines
from workers.contract import (
    EVENT,
    Event,
    Outcome,
    Person,
    Restored,
    RestoreFinished,
    RestoreOrder,
    RestoreOutcome,
    RestorePlan,
    RestorePlanned,
    RestoreReport,
    Status,
    StepFinished,
)
from workers.errors import LedgerError, RefusedError
from workers.execution.aftermath import outcome_of
from workers.memory.ledger import Ledger
from workers.planning.policy import parse
from workers.reasons import Code
from workers.restore import guards
from workers.restore.planning import Present
from workers.signing import digest

POLICY = parse("protected_images = []\ncritical_containers = []", "policy.toml")
PLAN = planned(removed_image(1, "app:1"), removed_image(2, "app:2"), present=Present(free=10**12))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger.db")) as made:
        made.keep_restore_plan(PLAN)
        yield made


def an_order(id_: str = "r1", of: RestorePlan = PLAN, **claims: Any) -> RestoreOrder:
    return RestoreOrder.model_validate(
        {
            "key_id": "k1",
            "id": id_,
            "host": "web-1",
            "issued_at": NOON,
            "expires_at": NOON + timedelta(minutes=5),
            "request_id": "request-2",
            "reply_to": "",
            "requester": ANA,
            "approver": ANA,
            "engine_id": ENGINE.id,
            "plan_digest": digest(of),
            **claims,
        }
    )


def ended(of: RestoreOrder) -> RestoreReport:
    return RestoreReport(
        request_id=of.request_id,
        order_id=of.id,
        host=of.host,
        engine=ENGINE,
        plan_digest=of.plan_digest,
        run=PLAN.run,
        requester=of.requester,
        approver=of.approver,
        started_at=NOON,
        finished_at=NOON,
        status=Status.DONE,
        outcomes=(),
    )


def refusal(ledger: Ledger, of: RestoreOrder) -> Code:
    with pytest.raises(RefusedError) as refused:
        ledger.consume_restore(of, NOON)
    return refused.value.reasons[0].code


def test_s11_a_plan_and_an_order_are_used_once(ledger: Ledger) -> None:
    other = PLAN.model_copy(update={"request_id": "another"})
    ledger.keep_restore_plan(other)
    ledger.consume_restore(an_order(), NOON)

    assert refusal(ledger, an_order()) is Code.RESTORE_PLAN_USED
    assert refusal(ledger, an_order("r2")) is Code.RESTORE_PLAN_USED
    assert refusal(ledger, an_order(of=other)) is Code.ORDER_USED
    unknown = PLAN.model_copy(update={"request_id": "unknown"})
    assert refusal(ledger, an_order("r3", of=unknown)) is Code.RESTORE_PLAN_UNKNOWN


def test_s15_what_was_asked_for_is_known_until_it_is_reported(ledger: Ledger) -> None:
    ledger.consume_restore(an_order(), NOON)
    ledger.ask_restore("r1", 0, NOON)
    ledger.ask_restore("r1", 1, NOON)
    outcome = RestoreOutcome(index=0, object=PLAN.steps[0].object, outcome=Restored.RESTORED)
    ledger.end_restore_step("r1", outcome)
    [found] = ledger.open_restores()
    assert (found.order, found.plan, found.asked) == (an_order(), PLAN, {0: outcome, 1: None})
    ledger.finish_restore(ended(an_order()))

    assert (ledger.open_restores(), ledger.restore_reports()) == ([], [ended(an_order())])


def outbox(ledger: Ledger) -> list[Event]:
    return [EVENT.validate_json(body) for _, body in ledger.outbox(after=0)]


def test_s15_a_plan_that_somebody_waits_for_is_told_of_together_with_being_kept(ledger: Ledger) -> None:
    assert outbox(ledger) == []
    other = PLAN.model_copy(update={"request_id": "another"})
    told = RestorePlanned(host="web-1", at=NOON, request_id="another", reply_to="C1", plan=other)
    name = ledger.keep_restore_plan(other, told)

    assert (outbox(ledger), ledger.restore_plans_named(name)) == ([told], [other])
    ledger.rows("DROP TABLE outbox")
    with pytest.raises(LedgerError):
        ledger.keep_restore_plan(PLAN.model_copy(update={"request_id": "third"}), told)
    assert len(ledger.restore_plans_named("sha256:")) == 2


def test_s15_a_report_is_told_of_together_with_being_kept(ledger: Ledger) -> None:
    ledger.consume_restore(an_order(reply_to="C1"), NOON)
    done = ended(an_order())
    ledger.finish_restore(done)
    about = {"host": "web-1", "at": done.finished_at, "request_id": "request-2", "reply_to": "C1"}

    assert outbox(ledger) == [RestoreFinished(**about, report=done)]


def test_s15_a_report_that_cannot_be_told_of_leaves_the_restore_open(ledger: Ledger) -> None:
    ledger.consume_restore(an_order(), NOON)
    ledger.rows("DROP TABLE outbox")
    with pytest.raises(LedgerError):
        ledger.finish_restore(ended(an_order()))

    assert [found.order for found in ledger.open_restores()] == [an_order()]


def test_plans_hold_ways_back_no_longer_than_the_journal_does(ledger: Ledger) -> None:
    later = NOON + timedelta(microseconds=1)
    ledger.consume_restore(an_order(), NOON)
    ledger.forget_restore_plans(later)
    assert ledger.restore_plans_named(digest(PLAN)) == [PLAN]
    ledger.finish_restore(ended(an_order()))
    ledger.forget_restore_plans(NOON)
    assert ledger.restore_plans_named(digest(PLAN)) == [PLAN]
    ledger.forget_restore_plans(later)

    assert ledger.restore_plans_named("sha256:") == []
    assert refusal(ledger, an_order("r2")) is Code.RESTORE_PLAN_USED


def test_past_runs_hold_what_perhaps_went(ledger: Ledger) -> None:
    made = plan(steps=3)
    ledger.keep_plan(made, plan_ready(made))
    ledger.consume(order("o1", digest(made)), NOON)
    ledger.ask("o1", [(step, '{"Id": "1"}') for step in made.steps], NOON)
    for step, outcome in zip(made.steps, (Outcome.REMOVED, Outcome.REFUSED), strict=False):
        told = outcome_of(step, outcome, None)
        ledger.end_step("o1", told, StepFinished(host="web-1", at=NOON, order_id="o1", step=told))
    done = report("o1", made, digest(made))
    ledger.finish(done, finished(done))
    [run] = ledger.past_runs()

    assert (run.order.id, run.at, run.is_remembered) == ("o1", NOON, True)
    assert [(one.step.index, one.outcome) for one in run.removals] == [(0, Outcome.REMOVED), (2, None)]


def test_what_was_restored_stands_in_the_hosts_copy_with_who_confirmed(ledger: Ledger) -> None:
    ledger.consume_restore(an_order(), NOON)
    ledger.ask_restore("r1", 0, NOON)
    cut_off = copy(ledger)
    [begun] = cut_off.restores
    about = (begun.id, begun.request_id, begun.requester, begun.approvers, begun.plan_digest)
    assert about == ("r1", "request-2", ANA.spelled, (ANA.spelled,), digest(PLAN))
    assert [(one.index, one.outcome) for one in cut_off.restore_steps] == [(0, "")]
    assert recorded(ledger) == [
        f"{ANA.spelled} asked and confirmed: restore begun, and not reported yet (order r1)"
    ]
    ends = (Restored.RESTORED, Restored.FAILED)
    outcomes = tuple(
        RestoreOutcome(index=n, object=PLAN.steps[n].object, outcome=end) for n, end in enumerate(ends)
    )
    ledger.end_restore_step("r1", outcomes[0])
    ledger.finish_restore(ended(an_order()).model_copy(update={"outcomes": outcomes}))
    told = copy(ledger)

    [report] = told.restore_reports
    assert (report.run, report.status) == (PLAN.run, "done")
    assert [one.outcome for one in report.outcomes] == list(ends)
    assert [(one.index, one.outcome) for one in told.restore_steps] == [(0, "restored")]
    assert recorded(ledger) == [
        f"{ANA.spelled} asked and confirmed: restore done, 1 of 2 objects there again"
        f" (order r1, of run {PLAN.run})"
    ]


def copy(ledger: Ledger) -> HostCopy:
    return read("".join(spelled(audit.lines(ledger, "web-1", NOON))))


def recorded(ledger: Ledger) -> list[str]:
    lines = list(record_lines(list(audit.lines(ledger, "web-1", NOON)), has_bot=True))
    return [line.partition("  ")[2] for line in lines if " asked" in line]


# Whether it may be executed


def refusals(
    of: RestoreOrder | None = None, plan: RestorePlan = PLAN, used_by: str = "", **more: Any
) -> list[Code]:
    given = {"engine": ENGINE, "policy": POLICY, "now": NOON, **more}
    found = guards.order_refusals(of or an_order(of=plan), plan, used_by=used_by, **given)
    return [why.code for why in found]


def test_a_plan_in_order_is_executed() -> None:
    assert refusals() == []
    assert refusals(now=PLAN.expires_at) == []


def test_every_guard_can_say_no() -> None:
    other_engine = ENGINE.model_copy(update={"id": "another"})
    full = PLAN.model_copy(update={"free": 0, "needs": PLAN.needs.model_copy(update={"low": 1})})
    named = parse('protected_images = []\ncritical_containers = []\napprovers = ["T9/U9"]', "policy.toml")
    outsider = Person(team="T1", user="U1")

    assert refusals(used_by="o9") == [Code.RESTORE_PLAN_USED]
    assert refusals(now=PLAN.expires_at + timedelta(seconds=1)) == [Code.RESTORE_PLAN_EXPIRED]
    assert refusals(engine=other_engine) == [Code.OTHER_ENGINE]
    assert refusals(an_order(engine_id="another")) == [Code.OTHER_ENGINE]
    assert refusals(plan=PLAN.model_copy(update={"steps": ()})) == [Code.NOTHING_TO_RESTORE]
    assert refusals(plan=full) == [Code.NO_ROOM]
    assert refusals(an_order(approver=outsider), policy=named) == [Code.APPROVER_NOT_ACCEPTED]
    assert refusals(an_order(approver=Person(team="host", user="ana")), policy=named) == []


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ((Restored.RESTORED, Restored.ALREADY_THERE), Status.DONE),
        ((Restored.ALREADY_THERE,), Status.DONE),
        ((Restored.RESTORED, Restored.FAILED), Status.PARTIAL),
        ((Restored.REFUSED, Restored.ALREADY_THERE), Status.PARTIAL),
        ((Restored.REFUSED, Restored.FAILED), Status.FAILED),
        ((Restored.REFUSED,), Status.REFUSED),
    ],
)
def test_a_restore_is_done_where_all_is_there(ends: tuple[Restored, ...], status: Status) -> None:
    outcomes = [RestoreOutcome(index=0, object=PLAN.steps[0].object, outcome=end) for end in ends]

    assert guards.status_of(outcomes, ()) is status
