"""A freeze that is typed while something older waits for a look-up wins: no order goes out behind it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.decisions import Verb
from bot.dispatch import Dispatch
from bot.errors import QueueAnswerLost
from bot.facts import About, Fact, Lookup
from bot.memory.decisions import Decisions
from bot.memory.lookups import Lookups
from bot.render import EXECUTE
from tests.service.bot_stage import HandDriven, Stage
from tests.service.test_bot_roles import FIVE_MINUTES, GROUP, ready, ruled

STALE = timedelta(seconds=FIVE_MINUTES)


@pytest.fixture
def bot(stage: Stage) -> Iterator[HandDriven]:
    driven = ruled(stage, GROUP)
    ready(stage, driven)
    yield driven
    driven.close()


def orders(stage: Stage) -> list[str]:
    """What lies on the queue of the host, without the freeze itself."""
    host = stage.host()
    return [
        name for name in (type(host.take()).__name__ for _ in range(host.queued)) if name != "FreezeOrder"
    ]


def forgets(bot: HandDriven, about: About, id_: str) -> None:
    """What is known of something is too old to act on."""
    Lookups(bot.parts.database).record(Lookup(about, id_), Fact(bot.clock() - STALE))


def known(bot: HandDriven, user: str) -> None:
    """Everything about somebody was just looked up."""
    lookups, members = Lookups(bot.parts.database), frozenset({user, bot.person("ana").user})
    lookups.record(Lookup(About.PERSON, user), Fact(bot.clock(), team=bot.stage.slack.team_id))
    lookups.record(Lookup(About.USER_GROUP, "S01DOCKERADMINS"), Fact(bot.clock(), members=members))


def press(bot: HandDriven) -> None:
    """Press, without anything being looked up yet."""
    root = bot.stage.ready_root()
    bot.parts.reception.execute(bot.pressed(EXECUTE, root, user="bo", trigger="press"))


def type_freeze(bot: HandDriven, text: str = "freeze web-1 now") -> None:
    """Type it, without anything being looked up yet."""
    bot.parts.reception.command(bot.call(text, user="ana", trigger="freeze"))


def test_s12_a_freeze_that_waits_behind_an_older_press_holds_its_order(stage: Stage, bot: HandDriven) -> None:
    forgets(bot, About.PERSON, bot.person("bo").user)
    press(bot)
    forgets(bot, About.PERSON, bot.person("ana").user)
    bot.wait(1)
    type_freeze(bot)
    known(bot, bot.person("bo").user)
    act, freeze = bot.parts.reception.waiting.open()
    assert (act.id, freeze.id) == ("press", "freeze")

    assert bot.parts.reception.again(act, {}) == frozenset()
    bot.parts.desk.step()
    before = orders(stage)
    bot.parts.doorkeeper.step()
    bot.carry_on(2)

    assert (before, orders(stage)) == ([], [])
    assert "was not sent the order yet" in stage.roots()[0].plain
    assert "froze it" in stage.roots()[0].plain


def test_s12_a_freeze_typed_while_the_order_is_about_to_be_sealed_holds_it(
    stage: Stage, bot: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    press(bot)
    bot.parts.doorkeeper.step()
    forgets(bot, About.PERSON, bot.person("bo").user)
    look_up: Callable[..., object] = bot.parts.doorkeeper._directory.look_up

    def while_it_is_typed(wanted: object) -> object:
        type_freeze(bot)
        return look_up(wanted)

    monkeypatch.setattr("bot.slack.directory.Directory.look_up", lambda _, wanted: while_it_is_typed(wanted))
    bot.parts.desk.step()

    assert orders(stage) == []
    assert Decisions(bot.parts.database).newest("host")


def test_who_may_not_freeze_holds_an_order_no_longer_than_their_look_up(
    stage: Stage, bot: HandDriven
) -> None:
    press(bot)
    bot.parts.doorkeeper.step()
    forgets(bot, About.USER_GROUP, "S01DOCKERADMINS")
    bot.parts.reception.command(bot.call("freeze web-1", user="dee", trigger="freeze"))
    bot.parts.desk.step()
    held = orders(stage)
    bot.parts.doorkeeper.step()
    bot.carry_on()

    assert (held, orders(stage)) == ([], ["ExecutionOrder"])


def test_s14_an_order_that_waits_for_slack_says_so_and_does_not_hurry_it(
    stage: Stage, bot: HandDriven
) -> None:
    press(bot)
    bot.parts.doorkeeper.step()
    forgets(bot, About.PERSON, bot.person("bo").user)
    stage.slack.fail_next("users.info", status=429, retry_after=20, times=50)
    before = len([call for call in stage.slack.calls() if call.method == "users.info"])

    bot.carry_on(5)
    asked = len([call for call in stage.slack.calls() if call.method == "users.info"]) - before
    waiting = stage.roots()[0].plain
    bot.carry_on(20)

    assert asked == 1
    assert "was not sent the order yet" in waiting
    assert "Slack did not say whether those who approved still may" in waiting
    assert "web-1 was not sent the order, nothing was removed." in stage.roots()[0].first_line
    assert "Slack did not say whether those who approved still may" in stage.roots()[0].plain
    assert orders(stage) == []


def test_an_unfreeze_that_waited_does_not_undo_a_freeze_typed_after_it(stage: Stage, bot: HandDriven) -> None:
    known(bot, bot.person("bo").user)
    forgets(bot, About.PERSON, bot.person("ana").user)
    bot.parts.reception.command(bot.call("unfreeze web-1", user="ana", trigger="t1"))
    bot.wait(1)
    bot.parts.reception.command(bot.call("freeze web-1", user="bo", trigger="t2"))
    bot.wait(1)
    bot.parts.doorkeeper.step()

    (newest,) = Decisions(bot.parts.database).newest("host")
    assert (newest.verb, len(bot.parts.reception.waiting.open())) == (Verb.FREEZE, 0)


def test_s13_a_press_that_waited_too_long_counts_for_nothing_and_says_so(
    stage: Stage, bot: HandDriven
) -> None:
    """After a restart, say: an order is never older than the click it comes of."""
    forgets(bot, About.PERSON, bot.person("bo").user)
    press(bot)
    bot.wait(20 * 60)
    bot.parts.doorkeeper.step()
    said = bot.told("press")
    bot.carry_on(2)

    assert said.startswith("This waited too long for Slack, so it did nothing.")
    assert orders(stage) == []
    assert bot.parts.reception.waiting.open() == ()


def test_s14_an_act_that_can_never_be_decided_is_answered(
    stage: Stage, bot: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgets(bot, About.PERSON, bot.person("bo").user)
    press(bot)
    monkeypatch.setattr("bot.slack.directory.Directory.look_up", lambda _, wanted: 1 / 0)
    bot.parts.doorkeeper.step()
    assert bot.told("press") == ""
    bot.wait(70)
    bot.parts.doorkeeper.step()

    assert bot.told("press").startswith("This waited too long for Slack, so it did nothing.")
    assert bot.parts.reception.waiting.open() == ()


def test_s14_an_order_that_may_be_there_is_not_called_withdrawn(
    stage: Stage, bot: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue took it and its answer was lost; that an approver left since takes nothing back."""
    put = Dispatch.put

    def lost(self: Dispatch, messages: Any, now: Any) -> None:
        put(self, messages, now)
        raise QueueAnswerLost("timed out")

    press(bot)
    bot.parts.doorkeeper.step()
    monkeypatch.setattr(Dispatch, "put", lost)
    bot.parts.desk.step()
    stage.slack.set_user_group("docker-admins", "ana")
    bot.wait(FIVE_MINUTES)
    stage.host().beat()
    bot.hear()
    bot.carry_on(2)

    assert orders(stage)[0] == "ExecutionOrder"
    assert "nothing was removed" not in stage.roots()[0].plain


def test_one_look_up_that_has_to_wait_lets_the_others_of_its_step_wait_too(
    stage: Stage, bot: HandDriven
) -> None:
    for user in ("ana", "bo", "dee"):
        forgets(bot, About.PERSON, bot.person(user).user)
        bot.parts.reception.command(bot.call("hosts", user=user, trigger=f"hosts {user}"))
    stage.slack.fail_next("users.info", status=429, retry_after=5, times=9)
    before = len([call for call in stage.slack.calls() if call.method == "users.info"])

    bot.parts.doorkeeper.step()

    assert len([call for call in stage.slack.calls() if call.method == "users.info"]) - before == 1


def test_a_stop_also_ends_a_press_that_still_waits(stage: Stage, bot: HandDriven) -> None:
    known(bot, bot.person("bo").user)
    forgets(bot, About.PERSON, bot.person("bo").user)
    press(bot)
    bot.wait(1)
    bot.parts.reception.command(bot.call("stop web-1", user="ana", trigger="stop"))
    bot.parts.doorkeeper.step()
    said = bot.told("press")
    bot.carry_on(2)

    assert said.startswith("A stop came while your press still waited for Slack. This click did nothing.")
    assert orders(stage) == []
    assert stage.ready_root()
