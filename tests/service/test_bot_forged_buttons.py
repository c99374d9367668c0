"""Whoever has the bot's token can post a message with our button; its press counts for nothing (S3, S12)."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import render
from bot.edits import EDITED, KINDS, Edited
from bot.memory.audit import Audit
from bot.memory.choices import Choices
from bot.orders import claims_id
from bot.render import CANCEL, EDIT, EXECUTE
from bot.requests import Asked
from bot.slack.threads import web_client
from tests.service.bot_stage import Clock, HandDriven, Stage, bot_stage, listen
from tests.unit.bot_values import finished, report
from tests.workspace import Message
from workers.contract import EVENT, Plan, PlanReady
from workers.signing import digest

NOT_OURS = "This button does not stand where the bot put it. This click did nothing."


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with bot_stage(tmp_path, "web-1") as made:
        yield made


@pytest.fixture
def bot(stage: Stage) -> Iterator[HandDriven]:
    driven = HandDriven(stage, Clock())
    listen(stage, driven)
    driven.command("preview web-1")
    driven.carry_on()
    stage.host().answer_with_plan()
    driven.hear()
    driven.carry_on(3)
    yield driven
    driven.close()


def forged(stage: Stage, *, to: str = "", ticket: str = "") -> Message:
    """A message of the bot's token with the buttons of the plan that waits."""
    client = web_client(stage.slack.bot_token, stage.slack.api_url)
    actions = json.loads(json.dumps(stage.ready_root().blocks[-1]).replace("prune-", "other-"))
    for button in actions["elements"]:
        if button["action_id"] == EDIT:
            continue
        button["value"] = json.dumps(json.loads(button["value"]) | ({"ticket": ticket} if ticket else {}))
    said: Any = {"channel": stage.channel, "text": "Vote for lunch?", "blocks": [actions]}
    if to:
        client.chat_postEphemeral(user=stage.slack.user_id(to), **said)
        return stage.slack.ephemerals(to)[-1]
    ts = client.chat_postMessage(**said)["ts"]
    return next(message for message in stage.roots() if message.ts == ts)


def refusals(bot: HandDriven) -> list[object]:
    return [act.detail["why"] for act in Audit(bot.parts.database).acts() if act.what == "turned_away"]


@pytest.mark.parametrize("to", ["", "bo"])
@pytest.mark.parametrize("button", [EXECUTE, CANCEL])
def test_s3_a_button_in_a_message_that_the_bot_did_not_post_does_nothing(
    stage: Stage, bot: HandDriven, button: str, to: str
) -> None:
    said = bot.click(button, root=forged(stage, to=to))
    bot.carry_on(2)

    assert said == NOT_OURS
    assert refusals(bot) == ["another_message"]
    assert (stage.host().queued, bot.store.open_requests()[0].asked.id) == (0, request(bot).id)


@pytest.mark.parametrize("to", ["", "bo"])
def test_s3_nothing_is_chosen_in_a_message_that_the_bot_did_not_post(
    stage: Stage, bot: HandDriven, to: str
) -> None:
    click = bot.pressed(EDIT, forged(stage, to=to), user="bo", trigger="t1")
    opened = bot.parts.reception.choosing.open(click)
    bot.parts.reception.tick(dataclasses.replace(click, trigger_id="t2", chosen=()))

    assert opened is None
    assert [bot.told(id_).split(".")[0] for id_ in ("t1", "t2")] == ["This request is not known any more"] * 2
    assert Choices(bot.parts.database).of(request(bot).id) == ()


def request(bot: HandDriven) -> Asked:
    return bot.store.open_requests()[0].asked


def test_the_one_under_the_plan_still_counts_after_that(stage: Stage, bot: HandDriven) -> None:
    ours = stage.ready_root()
    bot.click(EXECUTE, root=forged(stage))

    assert bot.click(EXECUTE, root=ours) == ""
    bot.carry_on()
    assert stage.host().queued == 1


def test_s14_a_press_that_comes_before_slack_has_told_where_the_message_is_counts_all_the_same(
    stage: Stage, bot: HandDriven
) -> None:
    ours = stage.ready_root()
    place_of_root(bot, "")
    pressed = bot.click(EXECUTE, root=ours), bot.click(EXECUTE, root=forged(stage))
    place_of_root(bot, ours.ts)
    bot.parts.doorkeeper.step()
    bot.carry_on()

    assert pressed == ("", "")
    assert stage.host().queued == 1
    assert bot.parts.doorkeeper.step() > 0
    assert [act.what for act in Audit(bot.parts.database).acts()].count("confirmed") == 1


@pytest.mark.parametrize("button", [EXECUTE, CANCEL])
def test_s14_a_press_is_answered_where_the_message_never_gets_a_place(
    stage: Stage, bot: HandDriven, button: str
) -> None:
    ours = stage.ready_root()
    place_of_root(bot, "")
    bot.click(button, root=ours, trigger="t9")
    bot.wait(61)
    bot.parts.doorkeeper.step()

    assert bot.told("t9") != ""
    assert bot.store.settlement(request(bot).id) is None


def place_of_root(bot: HandDriven, ts: str) -> None:
    with bot.parts.database.transaction() as db:
        db.execute("UPDATE posts SET ts = ? WHERE part = 'root'", (ts,))


def test_s11_a_press_on_what_ran_by_a_memory_that_was_lost_decides_nothing(
    stage: Stage, bot: HandDriven
) -> None:
    """The memory was put back from before the click; the host's report tells that the plan was executed."""
    root, asked_ = stage.ready_root(), request(bot)
    made = planned(stage)
    order = claims_id(asked_.id, "web-1", "execute")
    stage.host().tell(finished(report(order, made, digest(made), at=bot.clock()), at=bot.clock()))
    bot.hear()

    said = bot.click(EXECUTE, root=root)

    assert said.startswith("Already confirmed")
    assert bot.store.settlement(asked_.id) is None
    assert [act.what for act in Audit(bot.parts.database).acts()].count("confirmed") == 0


def planned(stage: Stage) -> Plan:
    """What the host told last."""
    event = EVENT.validate_json(str(stage.host().entries[-1]["event"]))
    assert isinstance(event, PlanReady)
    return event.plan


def private(stage: Stage, bot: HandDriven, user: str) -> Message:
    """The confirmation that `/prune execute` shows to one person."""
    answer = bot.parts.reception.command(bot.call("execute web-1", user=user, trigger="t9"))
    root = stage.ready_root()
    return dataclasses.replace(
        root, text=answer.text, blocks=answer.blocks, ephemeral_to=stage.slack.user_id(user), ts="7.7"
    )


def test_the_private_confirmation_counts_for_whom_it_was_shown_to(stage: Stage, bot: HandDriven) -> None:
    shown = private(stage, bot, "ana")

    others = bot.click(EXECUTE, user="bo", root=shown)
    own = bot.click(EXECUTE, user="ana", root=shown)
    bot.carry_on()

    assert (others, own) == (NOT_OURS, "Taken. What comes of it is told in this channel.")
    assert stage.host().queued == 1


def test_a_ticket_counts_in_a_private_message_only(stage: Stage, bot: HandDriven) -> None:
    shown = private(stage, bot, "ana")
    control = next(c for c in shown.controls if c.action_id == EXECUTE)
    ticket = json.loads(control.value or "")["ticket"]

    assert bot.click(EXECUTE, user="ana", root=forged(stage, ticket=ticket)) == NOT_OURS


@pytest.mark.parametrize("of", ["nobody", "somebody else"])
def test_s12_a_form_that_the_bot_did_not_make_for_this_person_does_nothing(
    stage: Stage, bot: HandDriven, of: str
) -> None:
    """Whoever has the bot's token can open forms; ours say where their answer goes, and whose they are."""
    about = EDITED.dump_json(Edited(request(bot).id, "web-1", "d", stage.channel, "http://127.0.0.1:9/x"))
    view = bot.parts.reception.choosing.open(bot.pressed(EDIT, stage.ready_root(), user="ana", trigger="t1"))
    assert view is not None
    forged = {"nobody": view | {"private_metadata": about.decode()}, "somebody else": view}[of]
    filled = bot.filled(forged, {KINDS: ()}, user="bo", trigger="t2")

    said = bot.parts.reception.fill(filled)
    redrawn = bot.parts.reception.choosing.draw(filled)

    assert isinstance(said, render.Message)
    assert said.text.startswith("This request is not known any more.")
    assert "not known any more" in str(redrawn)
    assert (bot.told("t2"), Choices(bot.parts.database).of(request(bot).id)) == ("", ())
