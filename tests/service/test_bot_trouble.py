"""A service that is worse after a run calls people: once, by name, in the thread and beside it."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.logs import SILENT
from bot.memory.posts import AGAIN, ROOT, Posts
from bot.past import Wanted
from bot.render import EXECUTE, RESTORE_RUN, RESTORE_USED
from tests.service.bot_stage import HandDriven, Stage
from tests.service.test_bot_desk import restarted
from tests.unit.bot_values import NOON
from tests.workspace import Message
from workers.contract import (
    Condition,
    HealthChange,
    HealthLine,
    Kind,
    LogLine,
    LogTail,
    Plan,
    Reference,
    Removed,
    Restorable,
    RestoreRequest,
    Tie,
    Trouble,
    Worse,
)

BROKEN = "shop on web-1 was healthy before this run and is unhealthy now."
SECRET = "password is hunter2"  # what a log holds
BEFORE = Condition(state="running", health="healthy", since=NOON - timedelta(days=3))
ILL = Condition(state="running", health="unhealthy", since=NOON, restarts=2)
OLD = Reference(kind=Kind.IMAGE, id=f"sha256:{0:064x}", name="app:0")
PULL = f"registry.example/app@sha256:{'ab' * 32}"


def fell(**facts: Any) -> dict[str, Any]:
    """What a report says of a service that fell."""
    gone = Removed(index=0, object=OLD, at=NOON, names=("app:0",), pull=PULL, restorable=Restorable.YES)
    log = LogTail(lines=(LogLine(text=f"<!channel> ``` {SECRET}", at=NOON),))
    worse = Worse(name="shop", before=BEFORE, now=ILL, seen_at=NOON, ties={0: (Tie.REPOSITORY,)}, log=log)
    line = HealthLine(
        name="shop", critical=True, before="healthy", after="unhealthy", change=HealthChange.REGRESSED
    )
    return {"health": (line,), "trouble": Trouble(worse=(worse,), removed=(gone,)), **facts}


@pytest.fixture
def made(stage: Stage, bot: HandDriven) -> Plan:
    """A plan that is confirmed."""
    bot.command("preview web-1")
    bot.carry_on()
    plan = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(4)
    bot.click(EXECUTE)
    bot.carry_on()
    return plan


def calls(stage: Stage) -> list[Message]:
    """What calls people, as the channel shows it."""
    return [message for message in stage.slack.messages("ops") if message.broadcast]


def shown(stage: Stage) -> list[str]:
    """The first lines of the only thread."""
    (root,) = stage.roots()
    return [message.first_line for message in stage.slack.thread("ops", root.ts)]


def test_whom_the_policy_names_is_called_in_the_thread_and_in_the_channel(
    stage: Stage, bot: HandDriven, made: Plan
) -> None:
    cy, admins = stage.slack.user_id("cy"), stage.slack.group_id("docker-admins")
    stage.host().execute(made, **fell(ping=(admins, cy)))
    bot.hear()
    bot.carry_on(9)

    (call,) = calls(stage)
    (root,) = stage.roots()
    assert call.first_line == BROKEN
    assert call.thread_ts == root.ts
    assert f"For <!subteam^{admins}> and <@{cy}>, whom the policy of web-1 names." in call.text
    assert "@docker-admins and @cy" in call.plain
    assert bot.store.open_requests() == ()
    assert stage.slack.violations == ()


def test_the_call_says_what_is_worse_what_went_before_how_it_comes_back_and_what_the_log_ends_with(
    stage: Stage, bot: HandDriven, made: Plan
) -> None:
    stage.host().execute(made, **fell())
    bot.hear()
    bot.carry_on(9)

    (call,) = calls(stage)
    assert "shop (critical): healthy before" in call.plain
    assert "unhealthy now, its check fails since" in call.plain
    assert "2 restarts" in call.plain
    assert "image app:0, of the image repository of shop" in call.plain
    assert f"docker pull {PULL} and docker tag {PULL} app:0." in call.plain
    assert f"12:00:00 <!channel> ``` {SECRET}" in call.plain


def test_the_call_comes_before_the_report_of_the_same_run(stage: Stage, bot: HandDriven, made: Plan) -> None:
    stage.host().execute(made, **fell())
    bot.hear()
    bot.carry_on(9)

    lines = shown(stage)
    assert lines[3] == BROKEN
    assert lines[4].startswith("Pruned 200 MB on web-1.")


def test_where_the_policy_names_nobody_who_confirmed_and_who_asked_are_called(
    stage: Stage, bot: HandDriven, made: Plan
) -> None:
    people = {"requester": bot.person("ana"), "approver": bot.person("bo")}
    stage.host().execute(made, **fell(**people))
    bot.hear()
    bot.carry_on(9)

    (call,) = calls(stage)
    assert "For @bo and @ana, who confirmed and asked: the policy of web-1 names nobody." in call.plain


def test_a_run_after_which_all_is_well_calls_nobody(stage: Stage, bot: HandDriven, made: Plan) -> None:
    stage.host().execute(made, ping=(stage.slack.user_id("cy"),))
    bot.hear()
    bot.carry_on(9)

    assert calls(stage) == []
    assert bot.store.open_requests() == ()


def test_a_restart_at_any_moment_calls_nobody_again(stage: Stage, bot: HandDriven, made: Plan) -> None:
    stage.host().execute(made, **fell())
    bot.hear()
    for _ in range(9):
        bot = restarted(stage, bot)
        stage.host().tell_all_again()
        bot.hear()
        bot.carry_on()
    bot.close()

    assert [call.first_line for call in calls(stage)] == [BROKEN]
    assert shown(stage).count(BROKEN) == 1


@pytest.mark.parametrize("after_effect", [True, False])
def test_a_call_that_was_in_doubt_when_the_bot_ended_is_there_once(
    stage: Stage, bot: HandDriven, made: Plan, after_effect: bool
) -> None:
    stage.host().execute(made, **fell())
    bot.hear()
    stage.slack.fail_next("chat.postMessage", after_effect=after_effect)
    bot.carry_on(2)
    again = restarted(stage, bot)
    again.carry_on(12)
    again.close()

    assert [call.first_line for call in calls(stage)] == [BROKEN]


def test_a_memory_that_has_forgotten_the_call_calls_nobody_again(
    stage: Stage, bot: HandDriven, made: Plan
) -> None:
    stage.host().execute(made, **fell())
    bot.hear()
    bot.carry_on(2)
    (open_,) = bot.store.open_requests()
    Posts(bot.parts.database).forget(open_.asked.id, "trouble web-1")
    bot.carry_on(9)

    assert [call.first_line for call in calls(stage)] == [BROKEN]


def test_each_host_on_which_something_fell_has_a_call_of_its_own(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-*")
    bot.carry_on()
    plans = {name: host.answer_with_plan() for name, host in stage.hosts.items()}
    bot.hear()
    bot.carry_on(4)
    bot.click(EXECUTE)
    bot.carry_on()
    stage.host("web-1").execute(plans["web-1"])
    stage.host("web-2").execute(plans["web-2"], **fell())
    bot.hear()
    bot.carry_on(14)

    assert [call.first_line for call in calls(stage)] == [BROKEN.replace("web-1", "web-2")]


def test_no_line_of_a_log_comes_into_the_bots_own(
    stage: Stage, bot: HandDriven, made: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    for name in SILENT:
        # As the bot's process has it.
        caplog.set_level(logging.CRITICAL, logger=name)
    caplog.set_level(logging.DEBUG)
    stage.host().execute(made, **fell())
    # An event that a later version of the worker tells, with the same lines in it.
    later = str(stage.host().entries[-1]["event"]).replace('"status"', '"sttaus"')
    stage.host().put(later, stage.host().seq + 1)
    bot.hear()
    stage.slack.fail_next("chat.postMessage", status=500)
    bot.carry_on(12)

    assert SECRET in later
    assert [call.first_line for call in calls(stage)] == [BROKEN]
    assert "cannot be read" in caplog.text
    assert SECRET not in caplog.text


def test_a_thread_that_is_begun_again_has_called_its_people_already(bot: HandDriven) -> None:
    for part in (ROOT, "report web-1", "trouble web-1"):
        bot.posts.begin("r1", part, "C1", bot.clock())
        bot.posts.show("r1", part, ts="1.1", shown="x")
    bot.posts.begin_again("r1", "C1", bot.clock())
    assert set(bot.posts.of("r1")) == {AGAIN, "trouble web-1"}


OTHER = Removed(
    index=1,
    object=Reference(kind=Kind.IMAGE, id=f"sha256:{1:064x}", name="other:1"),
    at=NOON,
    names=("other:1",),
    pull=PULL,
    restorable=Restorable.YES,
)


@pytest.fixture
def called(stage: Stage, bot: HandDriven, made: Plan) -> Message:
    """The call of a run that removed one image of the service's and another one."""
    facts = fell()
    first = facts["trouble"]
    facts["trouble"] = first.model_copy(update={"removed": (*first.removed, OTHER)})
    stage.host().execute(made, **facts)
    bot.hear()
    bot.carry_on(9)
    (call,) = calls(stage)
    return call


@pytest.mark.parametrize(("button", "objects"), [(RESTORE_USED, ("app:0",)), (RESTORE_RUN, ())])
def test_a_press_has_the_host_plan_the_way_back_and_brings_back_nothing(
    stage: Stage, bot: HandDriven, called: Message, button: str, objects: tuple[str, ...]
) -> None:
    (run,) = bot.parts.reception.typed.chronicle.runs.page(Wanted(("web-1",)), most=9).runs
    assert bot.click(button, root=called).startswith("Asking web-1 for a plan.")
    bot.carry_on()

    request = stage.host().take()
    assert isinstance(request, RestoreRequest)
    assert (request.run, request.objects) == (run.order_id, objects)
    assert request.requester == bot.person("bo")
    assert stage.host().queued == 0


def test_s12_who_may_not_execute_asks_for_no_way_back(stage: Stage, bot: HandDriven, called: Message) -> None:
    assert "may do this" in bot.click(RESTORE_RUN, root=called, user="dee")
    bot.carry_on()

    assert stage.host().queued == 0


@pytest.mark.parametrize(
    "value", ["", "restore", "execute web-1", "protect web-1 app:1", "stop web-1", "x" * 9000]
)
def test_a_press_types_nothing_but_a_restore(
    stage: Stage, bot: HandDriven, called: Message, value: str
) -> None:
    click = replace(bot.pressed(RESTORE_RUN, called, trigger="t9"), value=value)
    bot.parts.reception.bring_back(click)
    bot.carry_on()

    assert bot.told("t9") == "" or "of another" in bot.told("t9")
    assert stage.host().queued == 0
