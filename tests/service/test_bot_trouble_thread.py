"""What is pressed under a call is answered in the thread in which people were called, to the end."""

from collections.abc import Iterator

import pytest

from bot.arrivals import CALL as CALL_AS_JSON
from bot.permalinks import Permalinks
from bot.render import CANCEL, EXECUTE, RESTORE_RUN
from tests.service.bot_stage import Clock, HandDriven, Stage, listen
from tests.service.test_bot_desk import restarted
from tests.service.test_bot_restores import planned
from tests.service.test_bot_trouble import calls, fell
from tests.unit.restores_told import restore_finished, restore_report, step_begun
from tests.workspace import Message
from workers.contract import RestoreOrder, RestorePlan

QUESTION = "Bring back 1 network and 1 image on web-1?"


@pytest.fixture
def bot(stage: Stage) -> Iterator[HandDriven]:
    made = HandDriven(stage, Clock())
    listen(stage, made)
    yield made
    made.close()


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
