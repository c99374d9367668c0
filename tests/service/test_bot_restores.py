"""Restores asked for in Slack: planned, confirmed by whoever may, told of to the end, and never by fewer."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.memory.audit import Audit, What
from bot.memory.database import Database
from bot.render import CANCEL, EDIT, EXECUTE, STOP
from tests.service.bot_stage import Clock, HandDriven, Stage, listen, wait_until
from tests.unit.bot_values import image
from tests.unit.restores_told import (
    RUN,
    restore_finished,
    restore_plan,
    restore_planned,
    restore_report,
    step_begun,
)
from workers.contract import (
    Bytes,
    Event,
    OrderRefused,
    PlanFailed,
    Restored,
    RestoreOrder,
    RestoreOutcome,
    RestorePlan,
    RestoreRequest,
    Status,
    stop_key,
)
from workers.reasons import Code, reason
from workers.signing import digest

QUESTION = "Bring back 1 network and 1 image on web-1?"


@pytest.fixture
def bot(stage: Stage) -> Iterator[None]:
    with stage.bot():
        yield


@pytest.fixture
def driven(stage: Stage) -> Iterator[HandDriven]:
    bot = HandDriven(stage, Clock())
    yield bot
    bot.close()


def planned(stage: Stage, **more: Any) -> RestorePlan:
    """Take a request for a restore, and answer it."""
    host = stage.host()
    request = host.take()
    assert isinstance(request, RestoreRequest)
    made = restore_plan(host.name, request.request_id, at=host.clock(), **more)
    host.tell(restore_planned(made, at=host.clock()))
    return made


def order_of(stage: Stage) -> RestoreOrder:
    order = stage.host().take()
    assert isinstance(order, RestoreOrder)
    return order


def ended(stage: Stage, order: RestoreOrder, made: RestorePlan, **facts: Any) -> Event:
    report = restore_report(order.id, made, order.plan_digest, at=stage.host().clock())
    return restore_finished(report.model_copy(update=facts))


def acts(stage: Stage) -> list[str]:
    database = Database(stage.folder / "bot.sqlite3")
    try:
        return [str(act.what) for act in Audit(database).acts()]
    finally:
        database.close()


def buttons(message: Any) -> list[str]:
    return [control.label for control in message.controls]


def test_a_restore_goes_from_the_command_to_the_report_in_one_message(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", f"/prune restore web-1 {RUN[:8]} app:1 front")
    request = stage.host().take()
    assert isinstance(request, RestoreRequest)
    assert (request.run, request.objects, request.requester.user) == (
        RUN[:8],
        ("app:1", "front"),
        stage.slack.user_id("ana"),
    )
    made = restore_plan("web-1", request.request_id, at=stage.host().clock())
    stage.host().tell(restore_planned(made, at=stage.host().clock()))
    root = stage.ready_root(QUESTION)
    assert buttons(root) == ["Restore 2 Objects", "Cancel"]
    for words in ("registry.example/app@", "gets the tags app:1", "container job", "no tag is taken"):
        assert words in root.plain

    stage.slack.click("bo", root, EXECUTE)
    order = order_of(stage)
    assert (order.plan_digest, order.approver.user) == (digest(made), stage.slack.user_id("bo"))
    waiting = stage.root("Confirmed: bring back 2 objects on web-1. Waiting for it to begin…")
    assert buttons(waiting) == ["Stop web-1"]
    stage.host().tell(*(step_begun(order.id, made, n, at=stage.host().clock()) for n in range(2)))
    stage.slack.wait_for(lambda: "2 of 2" in stage.root().plain, what="the second object")
    stage.root("Bringing back 2 objects on web-1…")
    stage.host().tell(ended(stage, order, made))

    root = stage.root("Brought back 2 objects on web-1.")
    stage.slack.wait_for(lambda: len(stage.slack.thread("ops", root.ts)) == 3, 60, what="both files")
    assert len(stage.roots()) == 1
    assert stage.slack.violations == ()
    told = [
        *(What.ASKED, What.PLAN_ASKED, What.RESTORE_PLANNED, What.SHOWN, What.CONFIRMED),
        *(What.RESTORE_ORDERED, What.RESTORED),
    ]
    # A host and a person may be faster than the bot is with its own notes.
    wait_until(lambda: sorted(set(acts(stage)) & set(told)) == sorted(told), what="every act")
    assert [acts(stage).count(act) for act in told] == [1] * len(told)


def test_s12_who_may_not_execute_may_not_restore(stage: Stage, driven: HandDriven) -> None:
    assert "may do this" in driven.command("restore web-1", user="dee")
    assert stage.host().queued == 0

    driven.command("restore web-1")
    driven.carry_on()
    planned(stage)
    driven.hear()
    driven.carry_on()
    assert "may do this" in driven.click(EXECUTE, user="dee")
    driven.carry_on()
    assert stage.host().queued == 0


def ruled(stage: Stage, line: str = "", who: str = '"{ana}", "{bo}"') -> None:
    ids = {name: stage.slack.user_id(name) for name in ("ana", "bo", "cy", "dee")}
    stage.rules = (
        f'[group.web]\nhosts = ["web-*"]\n{line}\n'
        f'[[group.web.allow]]\nchannels = ["{stage.channel}"]\nexecute = [{who.format(**ids)}]\n'
    )


@pytest.mark.parametrize(
    ("line", "plan", "approvers"),
    [
        ("approvals = 2", {}, ("bo", "dee")),
        ('four_eyes = "150MB"', {}, ("bo",)),
        ("", {"unusual": True}, ("bo",)),
    ],
)
def test_s12_a_restore_takes_as_many_people_as_the_removal_did(
    stage: Stage, line: str, plan: dict[str, Any], approvers: tuple[str, ...]
) -> None:
    ruled(stage, line, who='"{ana}", "{bo}", "{dee}"')
    driven = HandDriven(stage, Clock())
    listen(stage, driven)
    made = ready(stage, driven, **plan)

    for user in ("ana", *approvers):
        driven.carry_on(2)
        assert stage.host().queued == 0
        driven.click(EXECUTE, user=user)
    driven.carry_on(2)
    order = order_of(stage)
    assert order.plan_digest == digest(made)
    assert {who.user for who in order.agreed} == {stage.slack.user_id(user) for user in approvers}
    driven.close()


def test_s12_no_order_goes_out_when_who_agreed_may_no_longer(stage: Stage, driven: HandDriven) -> None:
    """The rules are read anew by whoever starts the bot; what was confirmed before waits for its order."""
    ready(stage, driven)
    driven.click(EXECUTE, user="bo")
    ruled(stage, who='"{ana}", "{cy}"')
    again = HandDriven(stage, driven.clock)
    listen(stage, again)
    again.carry_on(3)

    assert stage.host().queued == 0
    assert "An approval no longer counts, nothing was brought back on web-1." in stage.root().plain
    again.close()


def ready(stage: Stage, driven: HandDriven, **more: Any) -> RestorePlan:
    driven.command("restore web-1")
    driven.carry_on()
    made = planned(stage, **more)
    driven.hear()
    driven.carry_on()
    return made


def test_s13_no_answer_is_never_a_yes(stage: Stage, driven: HandDriven) -> None:
    ready(stage, driven)
    driven.wait(61 * 60)
    driven.carry_on(2)

    root = stage.root("Timed out, nothing was brought back on web-1.")
    assert root.controls == ()
    assert stage.host().queued == 0


def test_s11_it_is_settled_once(stage: Stage, driven: HandDriven) -> None:
    ready(stage, driven)
    root = stage.ready_root(QUESTION)
    driven.click(EXECUTE, root=root)
    assert "Already confirmed" in driven.click(EXECUTE, user="ana", root=root)
    assert "Already confirmed" in driven.click(CANCEL, user="ana", root=root)
    driven.carry_on(3)

    order_of(stage)
    assert stage.host().queued == 0


def test_s12_a_button_of_other_plans_is_refused(stage: Stage, driven: HandDriven) -> None:
    ready(stage, driven)
    root = stage.ready_root(QUESTION)
    click = driven.pressed(EXECUTE, root, trigger="forged")
    driven.parts.reception.execute(replace(click, value=click.value.replace('"set": "', '"set": "00')))
    driven.parts.reception.execute(replace(click, trigger_id="other", message_ts="1.1"))
    driven.parts.doorkeeper.step()

    assert "The plans changed after you saw them." in driven.told("forged")
    assert "does not stand where the bot put it" in driven.told("other")
    driven.carry_on(2)
    assert stage.host().queued == 0


def test_s12_no_button_leaves_out_something_of_a_restore(stage: Stage, driven: HandDriven) -> None:
    ready(stage, driven)
    root = stage.ready_root(QUESTION)
    assert not {EDIT, STOP} & {control.action_id for control in root.controls}
    click = replace(driven.pressed(EXECUTE, root, trigger="t1"), chosen=())
    driven.parts.reception.tick(click)
    driven.carry_on()
    assert stage.ready_root(QUESTION)


def under_way(stage: Stage, driven: HandDriven) -> tuple[RestorePlan, RestoreOrder]:
    """A restore that is at its first object."""
    made = ready(stage, driven)
    driven.click(EXECUTE)
    driven.carry_on(2)
    order = order_of(stage)
    stage.host().tell(step_begun(order.id, made, 0, at=driven.clock()))
    driven.hear()
    driven.carry_on(2)
    return made, order


def is_stopped(stage: Stage, order: RestoreOrder) -> bool:
    return stage.host().server.client.get(stop_key("web-1", order.id)) is not None


def test_s14_a_press_stops_a_restore_and_the_report_says_what_was_not_attempted(
    stage: Stage, driven: HandDriven
) -> None:
    made, order = under_way(stage, driven)
    root = stage.roots()[-1]
    assert buttons(root) == ["Stop web-1"]

    assert "Stopping what runs on `web-1`" in driven.click(STOP)
    driven.parts.desk.step()
    driven.carry_on()
    assert is_stopped(stage, order)
    root = stage.root("Bringing back 2 objects on web-1")
    assert root.controls == ()
    assert "Stopped by @bo" in root.plain
    assert "the rest is not brought back" in root.plain

    why = reason(Code.RESTORE_STOPPED, by=order.approver.spelled)
    last = RestoreOutcome(
        index=1,
        object=made.steps[1].object,
        outcome=Restored.NOT_ATTEMPTED,
        reason=reason(Code.RESTORE_ENDED),
    )
    report = restore_report(order.id, made, order.plan_digest, Status.STOPPED, at=driven.clock())
    stopped = {"stopped_by": (why,), "outcomes": (report.outcomes[0], last)}
    stage.host().tell(restore_finished(report.model_copy(update=stopped)))
    driven.hear()
    driven.carry_on(3)

    root, told = stage.roots()
    assert root.first_line == "Stopped on web-1: 1 of 2 objects there again."
    assert "The restore was stopped by @bo" in root.plain
    assert "image app:1 not attempted" in root.plain
    assert "@bo stopped what ran on web-1" in told.plain
    assert "web-1: it is over" in told.plain
    assert stage.slack.violations == ()


def test_a_stop_that_is_typed_ends_a_restore_as_well(stage: Stage, driven: HandDriven) -> None:
    _, order = under_way(stage, driven)

    assert "Stopping what runs on `web-1`" in driven.command("stop web-1", user="bo")
    driven.parts.desk.step()
    driven.carry_on()

    assert is_stopped(stage, order)
    assert "Stopped by @bo" in stage.roots()[-1].plain
    assert "Nothing is under way" in driven.command("stop web-2")


def test_s12_who_may_not_restore_stops_no_restore(stage: Stage, driven: HandDriven) -> None:
    _, order = under_way(stage, driven)

    assert "may do this" in driven.click(STOP, user="dee")
    driven.carry_on()

    assert not is_stopped(stage, order)
    assert stage.roots()[-1].controls


def test_execute_never_shows_a_restore_as_its_confirmation(stage: Stage, driven: HandDriven) -> None:
    ready(stage, driven)

    assert "Asking web-1 for a plan" in driven.command("execute web-1")
    driven.carry_on()
    made = stage.host().answer_with_plan()
    driven.hear()
    driven.carry_on(3)

    # What goes and what comes back stand beside each other; neither replaces the other.
    assert [bool(root.controls) for root in stage.roots()] == [True, True]
    assert made.steps


def test_a_newer_plan_of_a_restore_replaces_the_one_before(stage: Stage, driven: HandDriven) -> None:
    ready(stage, driven)
    ready(stage, driven)
    driven.carry_on(3)

    first, second = stage.roots()
    assert first.first_line == "Replaced by a newer plan, nothing was brought back on web-1."
    assert (first.controls, bool(second.controls)) == ((), True)


def test_a_freeze_holds_up_no_restore_and_a_ledger_does(stage: Stage, driven: HandDriven) -> None:
    frozen = reason(Code.FROZEN, by="T1/U1", since=driven.clock().isoformat(), why="")
    stage.host().beat(frozen)
    driven.hear()
    made = ready(stage, driven)
    driven.click(EXECUTE)
    driven.carry_on(2)
    assert order_of(stage).plan_digest == digest(made)

    stage.host().beat(reason(Code.CLOCK_OFF, seconds=900))
    driven.hear()
    ready(stage, driven)
    driven.carry_on()
    assert stage.roots()[-1].controls == ()


@pytest.mark.parametrize(
    ("more", "first"),
    [
        ({"steps": (), "away": ()}, "Nothing to bring back on web-1."),
        (
            {"free": 1, "needs": Bytes(low=10**9, high=10**9)},
            "No room on web-1: 1.00 GB are needed, 1 B are free.",
        ),
    ],
)
def test_s14_what_cannot_be_confirmed_says_why(
    stage: Stage, driven: HandDriven, more: dict[str, Any], first: str
) -> None:
    ready(stage, driven, **more)
    driven.carry_on()

    root = stage.root(first)
    assert root.controls == ()


def test_s14_a_host_that_cannot_plan_says_why(stage: Stage, driven: HandDriven) -> None:
    driven.command("restore web-1 ffff")
    driven.carry_on()
    request = stage.host().take()
    why = reason(Code.RUN_UNKNOWN, run="ffff", alike=RUN)
    about = {"host": "web-1", "at": driven.clock(), "request_id": request.request_id}
    stage.host().tell(PlanFailed(**about, reason=why))
    driven.hear()
    driven.carry_on(2)

    root = stage.root("No plan: web-1 could not make one.")
    assert f"most like it: {RUN}" in root.plain
    assert "Nothing was brought back there." in root.plain


def test_s14_a_refused_order_ends_with_its_reason(stage: Stage, driven: HandDriven) -> None:
    ready(stage, driven)
    driven.click(EXECUTE)
    driven.carry_on(2)
    order = order_of(stage)
    about = {"host": "web-1", "at": driven.clock(), "request_id": order.request_id, "order_id": order.id}
    stage.host().tell(OrderRefused(**about, reasons=(reason(Code.BUSY, detail="a run"),)))
    driven.hear()
    driven.carry_on(3)

    root = stage.root("web-1 refused, nothing was brought back.")
    assert "Another run holds this engine" in root.plain


def test_s14_a_host_that_never_answers_is_told_of(stage: Stage, driven: HandDriven) -> None:
    driven.command("restore web-1")
    driven.carry_on()
    stage.host().take()
    driven.hear()
    driven.wait(20 * 60)
    driven.hear()
    driven.carry_on(3)

    assert "No plan: web-1 is not answering." in stage.root().first_line


def test_what_was_interrupted_says_how_far_it_came(stage: Stage, driven: HandDriven) -> None:
    made = ready(stage, driven)
    driven.click(EXECUTE)
    driven.carry_on(2)
    order = order_of(stage)
    report = restore_report(order.id, made, order.plan_digest, at=driven.clock())
    last = report.outcomes[1].model_copy(
        update={"outcome": Restored.FAILED, "reason": reason(Code.RESTORE_INTERRUPTED), "tags": ()}
    )
    facts = {"status": Status.INTERRUPTED, "outcomes": (report.outcomes[0], last)}
    stage.host().tell(ended(stage, order, made, **facts))
    driven.hear()
    driven.carry_on(4)

    root = stage.root("Interrupted on web-1: 1 of 2 objects there again.")
    assert f"image {image(1).name} failed: the worker died during the restore" in root.plain


def test_a_restart_in_between_goes_on(stage: Stage, driven: HandDriven, tmp_path: Path) -> None:
    made = ready(stage, driven)
    driven.click(EXECUTE)
    again = HandDriven(stage, driven.clock)
    again.hear()
    again.carry_on(2)
    order = order_of(stage)
    assert stage.host().queued == 0
    stage.host().tell(ended(stage, order, made))
    again.hear()
    again.carry_on(4)

    assert stage.root("Brought back 2 objects on web-1.")
    assert tmp_path
    again.close()


def test_without_a_host_the_runs_are_listed_that_removed_something(stage: Stage, driven: HandDriven) -> None:
    assert "No run has removed anything here yet" in driven.command("restore")
    driven.command("preview web-1")
    driven.carry_on()
    made = stage.host().answer_with_plan()
    driven.hear()
    driven.carry_on()
    driven.click(EXECUTE)
    driven.carry_on(2)
    order_id = stage.host().execute(made)
    driven.hear()
    message = driven.parts.reception.command(driven.call("restore", user="ana", trigger="t9"))

    assert message.text == "Which run is to come back?"
    assert f"`web-1` `{order_id[:12]}`" in str(message.blocks)
    assert f"/prune restore web-1 {order_id[:12]}" in str(message.blocks)
