"""What is pressed under a call is answered in the thread in which people were called, to the end."""

from dataclasses import replace

import pytest

from bot.arrivals import CALL as CALL_AS_JSON
from bot.past import Wanted
from bot.permalinks import Permalinks
from bot.render import CANCEL, CHECK, EXECUTE, RESTORE_RUN
from bot.render.headlines import BAD
from tests.service.bot_stage import HandDriven, Stage, listen
from tests.service.test_bot_desk import restarted
from tests.service.test_bot_restores import planned
from tests.service.test_bot_trouble import BEFORE, ILL, calls, fell
from tests.unit.bot_values import NOON, plan_failed
from tests.unit.restores_told import restore_finished, restore_report, step_begun
from tests.workspace import Message
from workers.contract import (
    Answered,
    CheckedService,
    Condition,
    HealthChange,
    HealthLine,
    NotAnswered,
    Question,
    RestoreOrder,
    RestorePlan,
    ServicesAnswer,
    Topic,
)
from workers.reasons import Code, reason

QUESTION = "Bring back 1 network and 1 image on web-1?"


@pytest.fixture
def called(stage: Stage, bot: HandDriven) -> Message:
    """The call of a run that is over."""
    bot.command("preview web-1")
    bot.carry_on()
    plan = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(4)
    bot.click(EXECUTE)
    bot.carry_on()
    stage.host().execute(plan, **fell())
    bot.hear()
    bot.carry_on(9)
    (call,) = calls(stage)
    return call


def thread(stage: Stage, called: Message) -> tuple[Message, ...]:
    return stage.slack.thread("ops", called.thread_ts or "")


def last(stage: Stage, called: Message) -> Message:
    return thread(stage, called)[-1]


def question(stage: Stage, bot: HandDriven, called: Message) -> tuple[Message, RestorePlan]:
    """The plan of a restore that somebody asked for by a press, as it waits in the thread."""
    bot.click(RESTORE_RUN, root=called)
    bot.carry_on()
    plan = planned(stage)
    bot.hear()
    bot.carry_on(4)
    found = next(m for m in thread(stage, called) if m.first_line.startswith(QUESTION))
    return found, plan


def test_the_way_back_is_planned_confirmed_and_told_of_in_the_thread(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    before = len(thread(stage, called))
    assert "in the thread of the message that you pressed" in bot.click(RESTORE_RUN, root=called)
    bot.carry_on()
    assert last(stage, called).first_line.startswith("Planning")
    plan = planned(stage)
    bot.hear()
    bot.carry_on(4)
    asked = thread(stage, called)[before]
    assert asked.first_line.startswith(QUESTION)

    assert bot.click(EXECUTE, root=asked) == ""
    bot.carry_on()
    order = stage.host().take()
    assert isinstance(order, RestoreOrder)
    report = restore_report(order.id, plan, order.plan_digest, at=bot.clock())
    stage.host().tell(*(step_begun(order.id, plan, n, at=bot.clock()) for n in (0, 1)))
    stage.host().tell(restore_finished(report))
    bot.hear()
    bot.carry_on(6)

    told = thread(stage, called)[before:]
    assert told[0].ts == asked.ts
    assert told[0].first_line.startswith("Brought back")
    assert len([name for message in told for name in message.files]) == 2
    assert len(stage.roots()) == 1
    assert bot.store.open_requests() == ()
    assert stage.slack.violations == ()


def test_a_link_to_it_leads_into_the_thread(stage: Stage, bot: HandDriven, called: Message) -> None:
    asked, _ = question(stage, bot, called)
    (open_,) = bot.store.open_requests()
    links = Permalinks(bot.posts, "https://example.slack.com/").of([open_.asked.id])

    place = f"p{asked.ts.replace('.', '')}?thread_ts={called.thread_ts}&cid={stage.channel}"
    assert links[open_.asked.id] == f"https://example.slack.com/archives/{stage.channel}/{place}"


def test_a_press_that_waits_for_slack_still_knows_its_thread(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    # By then who somebody is has to be looked up anew.
    bot.wait(600)
    listen(stage, bot)
    asked, _ = question(stage, bot, called)

    assert asked.thread_ts == called.thread_ts


def test_a_press_that_an_earlier_version_has_noted_is_read(bot: HandDriven) -> None:
    body = CALL_AS_JSON.dump_json(bot.call("restore web-1", trigger="t1"))

    assert CALL_AS_JSON.validate_json(body.replace(b',"thread":""', b"")).thread == ""


@pytest.mark.parametrize("after_effect", [True, False])
def test_s14_a_restart_in_between_goes_on_in_the_thread_and_shows_it_once(
    stage: Stage, bot: HandDriven, called: Message, after_effect: bool
) -> None:
    bot.click(RESTORE_RUN, root=called)
    stage.slack.fail_next("chat.postMessage", after_effect=after_effect)
    bot.carry_on()
    again = restarted(stage, bot)
    planned(stage)
    again.hear()
    again.carry_on(14)
    again.close()

    shown = [m.first_line for m in thread(stage, called)]
    assert sum(line.startswith(QUESTION) for line in shown) == 1
    assert len(stage.roots()) == 1


def test_what_somebody_removed_of_it_is_shown_in_the_thread_again(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    asked, _ = question(stage, bot, called)
    stage.slack.state.drop(asked)
    bot.click(CANCEL, root=asked)
    bot.carry_on(12)

    (again,) = (m for m in thread(stage, called) if m.first_line.startswith("Cancelled"))
    assert again.ts != asked.ts
    assert len(stage.roots()) == 1


def test_s14_where_the_thread_is_gone_it_stands_by_itself(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    for message in thread(stage, called):
        stage.slack.state.drop(message)
    bot.click(RESTORE_RUN, root=called)
    bot.carry_on(4)
    planned(stage)
    bot.hear()
    bot.carry_on(12)

    (root,) = stage.roots()
    assert root.first_line.startswith(QUESTION)
    assert [name for m in stage.slack.thread("ops", root.ts) for name in m.files]
    (open_,) = bot.store.open_requests()
    assert open_.asked.thread == ""


# How the services are now


def checked(change: HealthChange, after: str) -> ServicesAnswer:
    line = HealthLine(name="shop", critical=True, before="healthy", after=after, change=change)
    now = Condition(state="running", health=after)
    one = CheckedService(line=line, was="unhealthy", before=BEFORE, then=ILL, now=now)
    times = {"checked_at": NOON, "taken_at": NOON}
    return ServicesAnswer(run="ab" * 16, services=(one,), worse=int(change in BAD), **times)


STILL, WELL = checked(HealthChange.REGRESSED, "unhealthy"), checked(HealthChange.SAME, "healthy")


def asked(stage: Stage, bot: HandDriven) -> Question:
    bot.parts.inquirer.step()
    question = stage.host().take()
    assert isinstance(question, Question)
    return question


def answer(stage: Stage, bot: HandDriven, question: Question, found: ServicesAnswer) -> None:
    about = {"request_id": question.request_id, "reply_to": question.reply_to}
    stage.host().tell(Answered(host="web-1", at=bot.clock(), answer=found, **about))
    bot.hear()
    bot.parts.inquirer.step()
    bot.carry_on(2)


def test_who_may_look_has_the_host_look_again_and_all_read_it_in_the_thread(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    (run,) = bot.parts.reception.typed.chronicle.runs.page(Wanted(("web-1",)), most=9).runs
    assert "in the thread of the message" in bot.click(CHECK, root=called, user="dee")
    question = asked(stage, bot)
    assert (question.topic, question.object) == (Topic.SERVICES, run.order_id)
    assert question.requester == bot.person("dee")
    answer(stage, bot, question, STILL)

    told = last(stage, called)
    assert told.first_line == "Not well yet on web-1: shop."
    assert "healthy before the run" in told.plain
    assert "unhealthy at the post-check, its check fails since" in told.plain
    assert "unhealthy now" in told.plain
    assert "Asked for by @dee" in told.plain
    assert [c.action_id for c in told.controls] == [c.action_id for c in called.controls]
    assert not told.broadcast

    bot.click(CHECK, root=told, user="dee")
    answer(stage, bot, asked(stage, bot), WELL)
    told = last(stage, called)
    assert told.first_line == "All is well again on web-1: shop runs as before that run."
    assert "The ways back still stand" in told.plain
    assert told.controls == ()
    assert len(stage.roots()) == 1
    assert stage.slack.violations == ()


def test_what_is_pressed_under_an_answer_is_in_the_same_thread(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    bot.click(CHECK, root=called)
    answer(stage, bot, asked(stage, bot), STILL)
    found, _ = question(stage, bot, last(stage, called))

    assert found.thread_ts == called.thread_ts


def test_pressed_by_several_it_is_asked_once(stage: Stage, bot: HandDriven, called: Message) -> None:
    bot.click(CHECK, root=called)
    bot.click(CHECK, root=called, user="dee")
    question = asked(stage, bot)
    assert stage.host().queued == 0
    answer(stage, bot, question, WELL)
    assert bot.parts.reception.typed.inquiries.open() == ()

    bot.click(CHECK, root=called)
    asked(stage, bot)


def test_s14_what_never_went_out_does_not_keep_it_from_being_asked_again(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    bot.click(CHECK, root=called)
    stage.server.stop()
    bot.parts.inquirer.step()
    bot.wait(61)
    bot.parts.inquirer.step()
    bot.parts.inquirer.step()
    stage.server.start()
    bot.carry_on(2)
    assert "was not asked: the queue does not answer" in last(stage, called).first_line

    listen(stage, bot)
    bot.click(CHECK, root=called)
    answer(stage, bot, asked(stage, bot), WELL)

    assert last(stage, called).first_line.startswith("All is well again")


def test_s12_who_may_not_look_asks_nothing(stage: Stage, bot: HandDriven, called: Message) -> None:
    bot.parts.reception.check_again(replace(bot.pressed(CHECK, called, trigger="t9"), channel="C0ELSE"))
    bot.parts.inquirer.step()

    assert "not used" in bot.told("t9")
    assert stage.host().queued == 0


@pytest.mark.parametrize(
    "value", ["", "web-1", "web-1 last", "execute web-1", "web-* abcd", "web-1 " + "a" * 900]
)
def test_a_press_asks_nothing_else(stage: Stage, bot: HandDriven, called: Message, value: str) -> None:
    click = replace(bot.pressed(CHECK, called, trigger="t9"), value=value)
    bot.parts.reception.check_again(click)
    bot.parts.inquirer.step()

    assert "not known any more" in bot.told("t9")
    assert stage.host().queued == 0


def test_a_press_that_waits_for_slack_is_asked_once_it_is_known_who_it_is(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    bot.wait(600)
    listen(stage, bot)
    bot.click(CHECK, root=called)
    answer(stage, bot, asked(stage, bot), WELL)

    assert last(stage, called).first_line.startswith("All is well again")


def test_s14_why_there_is_no_answer_is_in_the_thread_too(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    bot.click(CHECK, root=called)
    question = asked(stage, bot)
    told = {"request_id": question.request_id, "reply_to": question.reply_to}
    why = reason(Code.RUN_FORGOTTEN, run=question.object)
    stage.host().tell(NotAnswered(host="web-1", at=bot.clock(), reason=why, **told))
    bot.hear()
    bot.parts.inquirer.step()
    bot.carry_on(2)

    assert "This host has no report of a run" in last(stage, called).plain


def test_s14_a_host_that_falls_silent_is_said_to_in_the_thread(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    bot.click(CHECK, root=called)
    asked(stage, bot)
    bot.wait(90)
    stage.host("web-2").tell(plan_failed("web-2", request="of-nobody"))
    bot.hear()
    bot.parts.inquirer.step()
    bot.carry_on(2)

    assert last(stage, called).first_line.startswith("web-1 is not answering since")


def test_s14_where_the_thread_is_gone_the_answer_is_in_the_channel(
    stage: Stage, bot: HandDriven, called: Message
) -> None:
    bot.click(CHECK, root=called)
    question = asked(stage, bot)
    for message in thread(stage, called):
        stage.slack.state.drop(message)
    answer(stage, bot, question, WELL)
    bot.carry_on(6)

    (root,) = stage.roots()
    assert root.first_line.startswith("All is well again")
