"""What people ask of hosts is recorded before they are answered, and who asked reads what came of it."""

import json

import pytest

from bot.arrivals import Click
from bot.memory.audit import Audit
from bot.memory.inquiries import Inquiries
from bot.render import KEEP_ALWAYS
from tests.service.bot_stage import HandDriven, Stage, StandInHost
from tests.unit.bot_values import plan_failed
from tests.unit.render_values import HELD, IN_USE, POLICY
from tests.workspace import Message
from workers.contract import (
    Answer,
    Answered,
    Kind,
    NotAnswered,
    ObjectAnswer,
    OrderRefused,
    ProtectOrder,
    Question,
    Topic,
)
from workers.reasons import Code, Reason, reason

WHY = ObjectAnswer(text="shop/app:1.5.0", found=(IN_USE,))


def taken(host: StandInHost) -> Question:
    question = host.take()
    assert isinstance(question, Question)
    return question


def tell(bot: HandDriven, host: StandInHost, question: Question, answer: Answer) -> None:
    told = {"request_id": question.request_id, "reply_to": question.reply_to}
    host.tell(Answered(host=host.name, at=host.clock(), answer=answer, **told))
    bot.hear()


def read(bot: HandDriven) -> list[str]:
    """What people are owed as answers of hosts, whole; none is for the channel."""
    notes = [note for note in bot.posts.owed() if note.id.endswith((" waiting", " all"))]
    assert not any(note.is_public for note in notes)
    return [json.dumps([note.message.text, *note.message.blocks]) for note in notes]


def hear_beat(bot: HandDriven, host: StandInHost, *problems: Reason) -> None:
    bot.wait(1)
    host.beat(*problems)
    host.tell(plan_failed(host.name, request="of-nobody"))
    bot.hear()


def step(bot: HandDriven) -> None:
    bot.parts.inquirer.step()


@pytest.mark.parametrize(
    ("text", "topic", "answer", "words"),
    [
        ("why web-1 shop/app:1.5.0", Topic.OBJECT, WHY, "because container `api` uses it"),
        ("policy web-1", Topic.POLICY, POLICY, "registry.example/base/*"),
        ("volumes web-1", Topic.VOLUMES, HELD, "never removes a volume"),
    ],
)
def test_a_question_reaches_its_host_and_the_answer_who_asked(
    bot: HandDriven, stage: Stage, text: str, topic: Topic, answer: Answer, words: str
) -> None:
    assert "Asking web-1." in bot.command(text, user="dee")
    step(bot)
    question = taken(stage.host())
    assert (question.topic, question.requester) == (topic, bot.person("dee"))
    assert question.reply_to == stage.channel

    tell(bot, stage.host(), question, answer)
    step(bot)
    [told] = read(bot)
    assert words in told
    step(bot)
    assert len(read(bot)) == 1
    assert stage.roots() == ()


def test_a_question_makes_no_request_and_leaves_a_plan_that_waits_alone(
    bot: HandDriven, stage: Stage
) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(2)
    bot.command("why web-1 app:1")
    step(bot)
    tell(bot, stage.host(), taken(stage.host()), WHY)
    step(bot)
    bot.carry_on(2)

    assert len(bot.store.open_requests()) == 1
    assert stage.roots()[-1].controls


def test_what_cannot_be_told_is_said_as_a_preview_says_it(bot: HandDriven, stage: Stage) -> None:
    bot.command("policy web-1")
    step(bot)
    question = taken(stage.host())
    why = reason(Code.POLICY_INVALID, file="/etc/policy.toml", detail="keep_previus is not a key")
    told = {"request_id": question.request_id, "reply_to": question.reply_to}
    stage.host().tell(NotAnswered(host="web-1", at=bot.clock(), reason=why, **told))
    bot.hear()
    step(bot)

    assert "keep_previus is not a key" in read(bot)[0]


def test_s12_an_answer_of_another_host_or_to_another_question_is_nobodys(
    bot: HandDriven, stage: Stage
) -> None:
    bot.command("policy web-1")
    step(bot)
    question = taken(stage.host())
    tell(bot, stage.host("web-2"), question, POLICY)
    tell(bot, stage.host(), question, HELD)
    step(bot)
    assert read(bot) == []

    tell(bot, stage.host(), question, POLICY)
    step(bot)
    assert "registry.example/base/*" in read(bot)[0]


def test_a_second_copy_that_was_refused_does_not_hide_the_answer(bot: HandDriven, stage: Stage) -> None:
    bot.command("policy web-1")
    step(bot)
    question = taken(stage.host())
    told = {"request_id": question.request_id, "reply_to": question.reply_to}
    again = reason(Code.ORDER_USED, order=question.id)
    stage.host().tell(
        OrderRefused(host="web-1", at=bot.clock(), order_id=question.id, reasons=(again,), **told)
    )
    tell(bot, stage.host(), question, POLICY)
    step(bot)

    assert "registry.example/base/*" in read(bot)[0]


# Who may


def test_s12_who_may_have_no_preview_asks_nothing(bot: HandDriven, stage: Stage) -> None:
    stage.rules = f"""
[group.web]
hosts = ["web-1"]
[[group.web.allow]]
channels = ["{stage.channel}"]
preview = ["{stage.slack.user_id("ana")}"]
execute = ["{stage.slack.user_id("ana")}"]
"""
    strict = HandDriven(stage, bot.clock)
    for text in ("why web-1 app:1", "policy web-1", "volumes web-1"):
        assert "may do this" in strict.command(text, user="dee")
        assert "No rule says anything about web-2" in strict.command(text.replace("web-1", "web-2"))
        assert "may do this" in strict.command(text.replace("web-1", "nowhere"), user="dee")
    step(strict)
    assert [host.queued for host in stage.hosts.values()] == [0, 0]
    acts = [act for act in Audit(strict.parts.database).acts() if act.what == "turned_away"]
    assert {act.detail["wanted"] for act in acts} == {"ask"}
    strict.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("why web-9 app:1", 'No host is called "web-9". There are: web-1'),
        ("policy web-*", "takes one host"),
        ("volumes web-1 web-2", "takes one host"),
    ],
)
def test_what_names_no_host_or_many_is_refused_with_how_to_ask(
    bot: HandDriven, stage: Stage, text: str, words: str
) -> None:
    assert words in bot.command(text)
    step(bot)
    assert [host.queued for host in stage.hosts.values()] == [0, 0]


# Deliveries, restarts, silence


def test_the_same_delivery_asks_once(bot: HandDriven, stage: Stage) -> None:
    for _ in range(3):
        bot.command("policy web-1", trigger="t1")
    step(bot)
    step(bot)
    assert stage.host().queued == 1


def test_s14_a_restart_forgets_no_question(bot: HandDriven, stage: Stage) -> None:
    bot.command("policy web-1")
    again = HandDriven(stage, bot.clock)
    step(again)
    question = taken(stage.host())
    third = HandDriven(stage, bot.clock)
    tell(third, stage.host(), question, POLICY)
    step(third)

    assert len(read(third)) == 1
    again.close()
    third.close()


def test_s14_a_silent_host_is_said_to_be_so_once_and_its_late_answer_still_comes(
    bot: HandDriven, stage: Stage
) -> None:
    bot.command("volumes web-1")
    step(bot)
    question = taken(stage.host())
    bot.wait(61)
    hear_beat(bot, stage.host("web-2"))
    step(bot)
    step(bot)
    [silent] = read(bot)
    assert "web-1` is not answering since" in silent
    assert "Start its worker" in silent

    hear_beat(bot, stage.host())
    tell(bot, stage.host(), question, HELD)
    step(bot)
    assert "never removes a volume" in "".join(read(bot))


def test_s14_a_host_that_is_heard_has_as_long_as_for_a_plan(bot: HandDriven, stage: Stage) -> None:
    bot.command("volumes web-1")
    step(bot)
    bot.wait(14 * 60)
    hear_beat(bot, stage.host())
    step(bot)
    assert read(bot) == []

    bot.wait(2 * 60)
    hear_beat(bot, stage.host())
    step(bot)
    assert "gave no answer within 15 min" in read(bot)[0]
    step(bot)
    assert Inquiries(bot.parts.database).open() == ()


def test_s14_a_host_that_says_why_it_cannot_tell_is_quoted_at_once(bot: HandDriven, stage: Stage) -> None:
    bot.command("policy web-1")
    step(bot)
    hear_beat(bot, stage.host(), reason(Code.LEDGER_UNUSABLE, file="ledger.db", detail="disk I/O error"))
    step(bot)

    assert "disk I/O error" in read(bot)[0]


def test_s14_a_host_that_was_sent_away_is_not_waited_for(bot: HandDriven, stage: Stage) -> None:
    bot.command("policy web-1")
    bot.store.dismiss("web-1", bot.clock())
    step(bot)

    assert "was sent away meanwhile" in read(bot)[0]
    assert Inquiries(bot.parts.database).open() == ()


def test_s14_without_redis_it_is_tried_again_and_then_given_up(bot: HandDriven, stage: Stage) -> None:
    bot.command("policy web-1")
    stage.server.stop()
    step(bot)
    assert read(bot) == []
    stage.server.start()
    step(bot)
    assert taken(stage.host()).topic is Topic.POLICY

    bot.command("volumes web-1")
    stage.server.stop()
    step(bot)
    bot.wait(61)
    step(bot)
    step(bot)
    assert "was not asked: the queue does not answer" in "".join(read(bot))
    stage.server.start()
    step(bot)
    assert stage.host().queued == 0


def test_trouble_with_one_question_is_its_own(bot: HandDriven, stage: Stage) -> None:
    bot.command("policy web-1")
    bot.command("policy web-2")
    with bot.parts.database.transaction() as db:
        db.execute(
            "UPDATE inquiries SET body = json_set(body, '$.topic', 'object')"
            " WHERE json_extract(body, '$.host') = 'web-1'"
        )
    step(bot)

    assert taken(stage.host("web-2")).topic is Topic.POLICY
    assert stage.host().queued == 0


# The record


def test_who_asked_what_and_that_it_was_answered_is_on_record(bot: HandDriven, stage: Stage) -> None:
    bot.command("why web-1 app:1", user="dee")
    step(bot)
    tell(bot, stage.host(), taken(stage.host()), WHY)
    acts = [a for a in Audit(bot.parts.database).acts() if a.what in ("questioned", "answered")]

    asked, answered = acts
    assert (asked.who, asked.host) == (bot.person("dee").spelled, "web-1")
    assert (asked.detail["topic"], asked.detail["object"]) == ("object", "app:1")
    assert (answered.who, answered.request_id) == ("host:web-1", asked.request_id)


def test_the_answer_is_read_by_who_asked_alone(stage: Stage) -> None:
    """The whole bot, on its own clock: the answer comes through Slack's response URL."""
    with stage.bot():
        stage.host().beat()
        stage.slack.command("dee", "ops", "/prune volumes web-1")
        question = taken(stage.host())
        told = {"request_id": question.request_id, "reply_to": question.reply_to}
        stage.host().tell(Answered(host="web-1", at=stage.host().clock(), answer=HELD, **told))
        message = stage.told("dee", "never removes a volume")

    assert "shop-db" in message.plain
    assert not message.controls
    assert stage.roots() == ()
    assert stage.slack.violations == ()


def explained_to(stage: Stage, user: str) -> Message:
    """What somebody reads who has asked why an image stays."""
    stage.host().beat()
    stage.slack.command(user, "ops", "/prune why web-1 shop/app:1.5.0")
    question = taken(stage.host())
    told = {"request_id": question.request_id, "reply_to": question.reply_to}
    stage.host().tell(Answered(host="web-1", at=stage.host().clock(), answer=WHY, **told))
    return stage.told(user, "because")


def test_what_is_explained_can_be_kept_for_good_with_a_press(stage: Stage) -> None:
    with stage.bot():
        stage.slack.click("ana", explained_to(stage, "ana"), KEEP_ALWAYS)
        order = stage.host().take()
        stage.told("ana", "Protecting")

    assert isinstance(order, ProtectOrder)
    assert (order.kind, order.pattern, order.until) == (Kind.IMAGE, "shop/app:1.5.0", None)
    assert stage.slack.violations == ()


def test_s12_who_may_not_execute_keeps_nothing_for_good(stage: Stage) -> None:
    with stage.bot():
        stage.slack.click("dee", explained_to(stage, "dee"), KEEP_ALWAYS)
        stage.told("dee", "may do this")

    assert stage.host().queued == 0


WRONG = ("unprotect web-1 image:a:1", "execute web-1", "freeze web-1", "", "protect")


@pytest.mark.parametrize("value", WRONG)
def test_s3_the_button_that_keeps_does_nothing_else(bot: HandDriven, stage: Stage, value: str) -> None:
    bot.parts.reception.keep(Click(value, bot.person("ana"), stage.channel, "t1", ""))

    assert bot.told("t1").startswith("This request is not known any more.")
    assert (stage.host().queued, bot.store.open_requests()) == (0, ())
