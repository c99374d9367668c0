"""The bot step by step, on real Redis and a strict Slack: whatever fails, each thing shows once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.arrivals import Click
from bot.render import AGAIN, CANCEL, EDIT, EXECUTE, STOP
from tests.service.bot_stage import HandDriven, Stage, listen
from tests.unit.bot_values import (
    finished,
    plan,
    plan_failed,
    plan_ready,
    report,
    started,
    step_finished,
)
from tests.unit.soundness import assert_timed
from workers.contract import ExecutionOrder, Plan
from workers.reasons import Code, reason
from workers.signing import digest


def restarted(stage: Stage, bot: HandDriven) -> HandDriven:
    bot.close()
    again = HandDriven(stage, bot.clock)
    listen(stage, again)
    return again


def ready(stage: Stage, bot: HandDriven, command: str = "/prune preview web-1") -> None:
    """Ask, and let web-1 answer."""
    bot.command(command.removeprefix("/prune "))
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(6)


def test_a_preview_is_one_root_with_its_details_in_the_thread(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)

    (root,) = stage.roots()
    assert root.first_line.startswith("Prune 200 MB on web-1?")
    assert [c.action_id for c in root.controls] == [EXECUTE, EDIT, CANCEL]
    assert len(stage.slack.thread("ops", root.ts)) == 3
    assert stage.slack.violations == ()


def test_a_confirmed_plan_is_executed_and_reported(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on()

    said = bot.click(EXECUTE)
    bot.carry_on()
    stage.host().execute(made)
    bot.hear()
    bot.carry_on(8)

    (root,) = stage.roots()
    assert said == ""
    assert root.first_line.startswith("Pruned 200 MB on web-1.")
    assert root.controls == ()
    assert len(stage.slack.thread("ops", root.ts)) == 6
    assert bot.store.open_requests() == ()


def test_s12_what_is_unusual_is_not_confirmed_by_whoever_asked(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1", user="bo")
    bot.carry_on()
    stage.host().answer_with_plan(unusual=True)
    bot.hear()
    bot.carry_on(6)

    said = bot.click(EXECUTE, user="bo")
    bot.carry_on()

    assert "takes two people" in said
    assert (stage.host().queued, len(stage.roots()[0].controls)) == (0, 3)


def test_controls_are_gone_before_the_order_goes_out(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    bot.click(EXECUTE)
    stage.slack.fail_next("chat.update", after_effect=True)

    bot.parts.desk.step()

    assert [control.action_id for control in stage.roots()[0].controls] == [STOP]
    assert stage.host().queued == 1


def test_the_order_goes_out_even_while_slack_is_away(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    bot.click(EXECUTE)
    stage.slack.go_away()

    bot.carry_on()

    assert isinstance(stage.host().take(), ExecutionOrder)
    stage.slack.come_back()


def test_s11_two_clicks_are_one_order(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    root = stage.roots()[0]

    first = bot.click(EXECUTE, user="ana", root=root)
    second = bot.click(EXECUTE, user="bo", root=root)
    bot.carry_on(3)

    assert first == ""
    assert second.startswith("Already confirmed by")
    assert stage.host().queued == 1


def test_s11_the_same_click_delivered_twice_is_one_and_is_not_answered(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    root = stage.roots()[0]

    said = [bot.click(EXECUTE, root=root, trigger="t9") for _ in range(2)]
    bot.carry_on(3)

    assert said == ["", ""]
    assert stage.host().queued == 1


def test_the_same_command_delivered_twice_is_one_request(stage: Stage, bot: HandDriven) -> None:
    said = [bot.command("preview web-1", trigger="t9") for _ in range(2)]
    bot.carry_on(3)

    assert said[0] == said[1]
    assert len(stage.roots()) == 1
    assert stage.host().queued == 1


def test_s13_a_click_after_the_plans_time_removes_nothing(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    bot.wait(3600)

    said = bot.click(EXECUTE)
    bot.carry_on(2)

    assert said.startswith("This plan expired")
    assert stage.roots()[0].first_line == "Timed out, nothing was removed on web-1."
    assert [control.action_id for control in stage.roots()[0].controls] == [AGAIN]
    assert stage.host().queued == 0


def test_s13_nobody_is_reminded_of_a_plan_and_its_end_is_an_edit(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    told = {method: len(stage.slack.calls(method)) for method in ("chat.postMessage", "chat.update")}

    for _ in range(7):
        bot.wait(600)
        stage.host().beat()
        stage.host().tell(plan_failed(request="of-nobody"))
        bot.hear()
        bot.carry_on(2)

    posted, edited = (len(stage.slack.calls(method)) - count for method, count in told.items())
    assert (posted, edited) == (0, 1)
    assert stage.slack.ephemerals("ana") == ()
    assert stage.roots()[0].first_line == "Timed out, nothing was removed on web-1."


def test_s3_a_click_on_plans_that_are_no_longer_the_ones_drawn_is_refused(
    stage: Stage, bot: HandDriven
) -> None:
    bot.command("preview web-1 web-2")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.wait(70)
    stage.host().beat()
    stage.host().tell(plan_failed(request="of-nobody"))
    bot.hear()
    bot.carry_on(4)
    seen = stage.ready_root()
    stage.host("web-2").answer_with_plan()
    bot.hear()

    said = bot.click(EXECUTE, root=seen, trigger="t9")
    [why] = [note.message.blocks[1]["text"]["text"] for note in bot.posts.owed() if note.id == "t9"]
    bot.carry_on(2)

    assert said.startswith("The plans changed")
    assert why == "New since then: web-2. Look at the message again, then decide."
    assert stage.host().queued == 0
    assert "2 hosts" in stage.ready_root().first_line


def test_s12_who_may_not_is_told_who_may(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)

    said = bot.click(EXECUTE, user="cy")
    bot.carry_on(2)

    assert said.startswith("Only <@U")
    assert stage.host().queued == 0
    assert stage.roots()[0].controls


def test_a_click_before_every_host_has_answered_is_refused(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    early = stage.roots()[0]
    bot.command("preview web-1 web-2")
    bot.carry_on()
    value = (early.controls[0].value or "").replace(
        bot.store.open_requests()[0].asked.id, bot.store.open_requests()[1].asked.id
    )

    said = press(bot, value)

    assert said.startswith("Not every host has answered yet.")


@pytest.mark.parametrize("value", ["", "{}", '{"request": "unknown", "set": "x"}', "[" * 5000])
def test_a_button_that_says_nothing_known_is_answered(bot: HandDriven, value: str) -> None:
    assert press(bot, value).startswith("This request is not known any more.")


def press(bot: HandDriven, value: str) -> str:
    """Press a button that says this, in the newest message there is."""
    ts = next((root.ts for root in bot.stage.roots()[::-1]), "")
    click = Click(value, bot.person("bo"), bot.stage.channel, "t7", "", message_ts=ts)
    bot.parts.reception.execute(click)
    bot.parts.doorkeeper.step()
    return next(note.message.text for note in bot.posts.owed() if note.id == "t7")


def test_whoever_asked_may_cancel(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1", user="dee")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(2)

    said = bot.click(CANCEL, user="dee")
    bot.carry_on(2)

    assert said == ""
    assert stage.roots()[0].first_line == "Cancelled, nothing was removed on web-1."
    assert stage.host().queued == 0


def test_execute_without_a_plan_asks_for_one_and_waits_for_the_click(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot, "/prune execute web-1")

    assert stage.host().queued == 0
    assert [c.action_id for c in stage.roots()[0].controls] == [EXECUTE, EDIT, CANCEL]


def test_execute_takes_up_the_plan_that_is_shown_already(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)

    said = bot.command("execute web-1")
    bot.carry_on(2)

    assert said.startswith("Prune 200 MB on web-1?")
    assert len(stage.roots()) == 1
    assert stage.host().queued == 0


def test_execute_of_other_hosts_does_not_take_up_a_plan(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)

    bot.command("execute web-*")
    bot.carry_on(2)

    assert len(stage.roots()) == 2


def test_execute_is_for_approvers(stage: Stage, bot: HandDriven) -> None:
    said = bot.command("execute web-1", user="cy")
    bot.carry_on(2)

    assert said.startswith("Only <@U")
    assert stage.roots() == ()


def test_a_newer_plan_of_a_host_replaces_the_older_one(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    old = stage.roots()[0]
    ready(stage, bot)

    said = bot.click(EXECUTE, root=old)

    first, second = stage.roots()
    assert said.startswith("A newer plan has replaced this one")
    assert first.first_line == "Replaced by a newer plan, nothing was removed on web-1."
    assert (first.controls, len(second.controls)) == ((), 3)


def test_s14_a_silent_host_ends_visibly(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    bot.wait(61)

    bot.carry_on(2)

    assert "is not answering" in stage.roots()[0].first_line
    assert bot.store.open_requests() == ()


def test_s14_a_host_that_falls_silent_in_a_run_is_said_to_and_its_report_still_comes(
    stage: Stage, bot: HandDriven
) -> None:
    made, order = executing(stage, bot)
    bot.wait(120)
    bot.carry_on(3)
    lost = stage.roots()[0].first_line

    stage.host().tell(finished(report(order, made, digest(made), at=bot.clock()), at=bot.clock()))
    bot.hear()
    bot.carry_on(4)

    assert "stopped answering" in lost
    assert stage.roots()[0].first_line.startswith("Pruned 200 MB on web-1.")


def test_s14_an_order_that_a_silent_host_never_took_turns_out_not_executed(
    stage: Stage, bot: HandDriven
) -> None:
    made = a_plan_confirmed(stage, bot)
    bot.wait(120)
    bot.carry_on(3)
    unknown = stage.roots()[0].first_line
    is_laid_aside = not bot.store.open_requests()
    bot.wait(1200)
    stage.host().beat()
    stage.host().tell(plan_failed(request="of-nobody"))
    bot.hear()
    bot.carry_on(4)

    assert made.applicable
    assert (unknown, is_laid_aside) == (
        "web-1 stopped answering, what was removed is not known yet.",
        True,
    )
    assert stage.roots()[0].first_line == "Not executed on web-1 in time, nothing was removed."
    assert bot.store.open_requests() == ()


def clock_off(stage: Stage, bot: HandDriven, seconds: float) -> None:
    """The host gives signs of life by a clock that is off."""
    stage.host().clock = lambda: bot.clock() + timedelta(seconds=seconds)
    for _ in range(3):
        bot.wait(5)
        stage.host().beat()
        stage.host().tell(plan_failed(request="of-nobody"))
        bot.hear()


def test_a_host_whose_clock_is_off_has_its_plan_shown_and_no_button(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(5)
    ready = stage.ready_root()
    clock_off(stage, bot, -40)
    said = bot.click(EXECUTE, root=ready)
    bot.carry_on(2)
    root = stage.roots()[0]

    assert said.startswith("The plans changed after you saw them.")
    assert root.first_line == "Nothing can be confirmed for web-1: its clock is wrong."
    assert [control.action_id for control in root.controls] == [AGAIN]
    assert "or more behind the bot's, so it is sent no order. Set the clocks" in root.plain
    assert stage.host().queued == 0


def test_no_order_is_sent_to_a_host_whose_clock_turns_out_to_be_off(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(5)
    bot.click(EXECUTE)
    clock_off(stage, bot, 40)
    bot.carry_on(2)
    root = stage.roots()[0]

    assert root.first_line == "web-1 was not sent the order, nothing was removed."
    assert "clock is 40 s or more ahead of the bot's" in root.plain
    assert stage.host().queued == 0


def test_an_order_that_a_freeze_withholds_says_who_froze_the_host_and_since_when(
    stage: Stage, bot: HandDriven
) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(5)
    bot.click(EXECUTE)
    at, bo = bot.clock(), bot.person("bo")
    stage.host().beat(reason(Code.FROZEN, by=bo.spelled, at=at.isoformat(), why="disk swap"))
    stage.host().tell(plan_failed(request="of-nobody"))
    bot.hear()
    bot.carry_on(2)
    root = stage.roots()[0]

    assert root.first_line == "web-1 was not sent the order, nothing was removed."
    assert "Was not sent the order (frozen)." in root.plain
    assert "was frozen by @bo " in root.plain
    assert f"'timestamp': {int(at.timestamp())}" in str(root.blocks)
    assert "/prune unfreeze" in root.plain
    assert_timed(root.blocks)
    assert stage.host().queued == 0


def a_plan_confirmed(stage: Stage, bot: HandDriven) -> Plan:
    bot.command("preview web-1")
    bot.carry_on()
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(5)
    bot.click(EXECUTE)
    bot.carry_on()
    return made


def executing(stage: Stage, bot: HandDriven) -> tuple[Plan, str]:
    made = a_plan_confirmed(stage, bot)
    order = stage.host().take().id
    stage.host().tell(started(order, made, at=bot.clock()), step_finished(order, made, 0, at=bot.clock()))
    bot.hear()
    bot.carry_on()
    return made, order


def test_progress_is_shown(stage: Stage, bot: HandDriven) -> None:
    executing(stage, bot)

    assert stage.roots()[0].first_line == "Pruning web-1…"
    assert "Pruning web-1 · 1 of 2 · 100 MB so far" in stage.roots()[0].plain


def test_edits_of_one_message_are_no_faster_than_slack_takes_them(stage: Stage, bot: HandDriven) -> None:
    made, order = executing(stage, bot)
    before = len(stage.slack.calls("chat.update"))
    for index in (1, 2, 3, 4):
        stage.host().tell(step_finished(order, made, index, at=bot.clock()))
        bot.hear()
        bot.parts.desk.step()

    assert len(stage.slack.calls("chat.update")) - before <= 1


def test_an_unreachable_queue_is_said_and_the_request_goes_on_when_it_is_back(
    stage: Stage, bot: HandDriven
) -> None:
    stage.server.stop()
    bot.command("preview web-1")
    bot.carry_on(2)
    said = stage.roots()[0].plain
    stage.server.start()
    bot.carry_on(2)

    assert "the queue does not answer" in said
    assert stage.host().queued == 1


def test_s14_an_order_that_cannot_be_sent_ends_with_nothing_removed(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    stage.server.stop()
    bot.click(EXECUTE)
    bot.carry_on(2)
    trying = stage.roots()[0].plain
    bot.wait(61)
    bot.carry_on(3)
    stage.server.start()
    bot.carry_on(3)

    assert "It is tried again." in trying
    assert stage.roots()[0].first_line == "web-1 was not sent the order, nothing was removed."
    assert stage.host().queued == 0


def test_s14_an_order_that_waited_for_the_bot_too_long_is_not_sent(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    bot.click(EXECUTE)
    bot.wait(300)
    again = restarted(stage, bot)

    again.carry_on(3)

    assert stage.host().queued == 0
    assert stage.roots()[0].first_line == "web-1 was not sent the order, nothing was removed."
    again.close()


def test_a_request_whose_host_is_sent_away_ends_too(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-2")
    bot.carry_on()
    bot.store.dismiss("web-2", bot.clock())
    bot.wait(61)

    bot.carry_on(2)

    assert stage.roots()[0].first_line.startswith("No plan")


RESTART_POINTS: list[Callable[[Stage, HandDriven], None]] = [
    lambda stage, bot: None,
    lambda stage, bot: stage.slack.fail_next("chat.postMessage", after_effect=True),
    lambda stage, bot: stage.slack.fail_next("chat.postMessage", status=500),
    lambda stage, bot: stage.slack.fail_next("chat.update", after_effect=True),
    lambda stage, bot: stage.slack.fail_next("files.completeUploadExternal", after_effect=True),
    lambda stage, bot: stage.slack.fail_next("chat.postMessage", status=429, retry_after=2),
    lambda stage, bot: stage.slack.fail_next("chat.update", status=429, retry_after=2),
]


@pytest.mark.parametrize("trouble", RESTART_POINTS)
def test_s14_a_restart_after_every_step_shows_each_message_once(
    stage: Stage, bot: HandDriven, trouble: Callable[[Stage, HandDriven], None]
) -> None:
    bot.command("preview web-1")
    made = None
    for step in range(16):
        trouble(stage, bot)
        bot.carry_on(2)
        bot = restarted(stage, bot)
        if step == 3:
            made = stage.host().answer_with_plan()
            bot.hear()
        if step == 9:
            bot.click(EXECUTE)
            bot.carry_on(2)
            assert made is not None
            stage.host().execute(made)
            bot.hear()
    bot.carry_on(12)

    (root,) = stage.roots()
    _, *replies = [m.first_line for m in stage.slack.thread("ops", root.ts)]
    assert root.first_line.startswith("Pruned 200 MB on web-1.")
    assert len(replies) == len(set(replies)) == 5
    assert stage.host().queued == 0
    assert bot.store.open_requests() == ()
    bot.close()


def test_a_request_is_shown_before_the_details_of_those_before_it(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    stage.host().answer_with_plan(steps=400)
    bot.hear()
    bot.carry_on(2)
    begun = len(stage.slack.thread("ops", stage.roots()[0].ts))
    bot.command("preview web-2")

    bot.carry_on()
    shown = len(stage.roots())
    bot.carry_on(6)

    assert shown == 2
    assert begun < len(stage.slack.thread("ops", stage.roots()[0].ts)) == 5


def test_what_came_of_a_run_is_told_before_details_of_plans_that_still_wait(
    stage: Stage, bot: HandDriven
) -> None:
    def told() -> list[list[str]]:
        threads = [stage.slack.thread("ops", root.ts) for root in stage.roots()]
        return [[message.first_line.split("(")[0].strip() for message in thread[1:]] for thread in threads]

    plans = {}
    for name in ("web-1", "web-2"):
        bot.command(f"preview {name}")
        bot.carry_on()
        plans[name] = stage.host(name).answer_with_plan(steps=400)
        bot.hear()
        bot.carry_on()
    bot.click(EXECUTE)
    bot.carry_on()
    order, made = stage.host("web-2").take(), plans["web-2"]
    over = finished(report(order.id, made, digest(made), at=bot.clock()), at=bot.clock())
    stage.host("web-2").tell(started(order.id, made, at=bot.clock()), over)
    bot.hear()
    before = told()
    bot.carry_on(2)
    then = told()
    bot.carry_on(12)

    detail = "{}: 400 objects to remove, 0 kept"
    assert then[0] == before[0]
    assert then[1][len(before[1]) :] == [
        "Pruned 40.0 GB on web-2. The one service still runs.",
        "[file] Run on web-2",
    ]
    assert [one.count(detail.format(name)) for one, name in zip(told(), plans, strict=True)] == [3, 3]
    assert "[file] Plan of web-1" in told()[0]


def test_events_told_again_are_shown_once(stage: Stage, bot: HandDriven) -> None:
    made, order = executing(stage, bot)
    stage.host().tell(finished(report(order, made, digest(made), at=bot.clock()), at=bot.clock()))
    bot.hear()
    bot.carry_on(8)
    before = stage.slack.transcript("ops")
    stage.server.client.flushall()
    stage.host().tell_all_again()

    bot.hear()
    bot.hear()
    bot.carry_on(4)

    assert stage.slack.transcript("ops") == before


def test_one_requests_trouble_is_not_anothers(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.command("preview web-2")
    with bot.parts.database.transaction() as db:
        db.execute("UPDATE requests SET hosts = '[1]' WHERE hosts = '[\"web-1\"]'")

    bot.carry_on(2)

    assert stage.host("web-2").queued == 1


def test_a_thread_in_trouble_holds_up_no_order_and_does_not_fill_the_log(
    stage: Stage, bot: HandDriven, caplog: pytest.LogCaptureFixture
) -> None:
    ready(stage, bot)
    bot.carry_on(4)
    with bot.parts.database.transaction() as db:
        db.execute("UPDATE posts SET begun_at = 'never' WHERE part != 'root'")
    bot.carry_on(40)
    assert 3 < caplog.text.count("could not be carried on") < 10

    bot.click(EXECUTE)
    bot.carry_on()
    assert stage.host().queued == 1


def test_a_plan_of_a_request_that_nobody_knows_is_kept_out(stage: Stage, bot: HandDriven) -> None:
    stage.host().tell(plan_ready(plan(request="unknown", at=bot.clock())))
    bot.hear()
    bot.carry_on(2)

    assert stage.roots() == ()
