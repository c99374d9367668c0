"""The button under a run ends it after the object in hand: once, for whoever may, where it stands."""

import threading
from dataclasses import replace

from bot import render
from bot.decisions import State
from bot.render import EXECUTE, STOP
from tests.service.bot_stage import HandDriven, Stage
from tests.unit.bot_values import finished, report, started
from tests.workspace import Message
from workers.contract import ExecutionOrder, Plan, stop_key


def running(bot: HandDriven, *names: str) -> dict[str, tuple[ExecutionOrder, Plan]]:
    """Runs that have begun, of one request."""
    bot.command(f"preview {' '.join(names)}")
    bot.carry_on()
    plans = {name: bot.stage.host(name).answer_with_plan() for name in names}
    bot.hear()
    bot.carry_on(2)
    bot.click(EXECUTE)
    bot.carry_on()
    return {name: (begun(bot, name, made), made) for name, made in plans.items()}


def begun(bot: HandDriven, name: str, made: Plan) -> ExecutionOrder:
    host = bot.stage.host(name)
    order = host.take()
    assert isinstance(order, ExecutionOrder)
    host.tell(started(order.id, made, at=bot.clock()))
    bot.hear()
    bot.carry_on(2)
    return order


def root(bot: HandDriven) -> Message:
    return next(message for message in bot.stage.roots()[::-1] if "Pruning" in message.first_line)


def stops(bot: HandDriven, name: str, order: ExecutionOrder) -> bool:
    return bot.stage.host(name).server.client.get(stop_key(name, order.id)) is not None


def test_a_press_stops_each_host_at_it_and_shows_at_once_who_did(bot: HandDriven) -> None:
    runs = running(bot, "web-1", "web-2")
    assert [control.label for control in root(bot).controls] == ["Stop 2 Hosts"]

    assert "Stopping what runs on" in bot.click(STOP)
    bot.parts.desk.step()  # in the same moment, however lately it was edited
    assert root(bot).controls == ()
    assert root(bot).plain.count("Stopped by @bo") == 2
    bot.carry_on()
    assert [stops(bot, name, order) for name, (order, _) in runs.items()] == [True, True]
    assert bot.stage.slack.violations == ()


def test_a_host_that_is_over_is_left_as_it_is(bot: HandDriven) -> None:
    runs = running(bot, "web-1", "web-2")
    (first, made), (second, _) = runs.values()
    over = report(first.id, made, first.plan_digest, at=bot.clock())
    bot.stage.host("web-1").tell(finished(over, at=bot.clock()))
    bot.hear()
    bot.carry_on(2)

    assert [control.label for control in root(bot).controls] == ["Stop web-2"]
    bot.click(STOP)
    bot.carry_on()
    assert (stops(bot, "web-1", first), stops(bot, "web-2", second)) == (False, True)


def test_s12_who_may_not_execute_stops_nothing_and_is_told_who_may(bot: HandDriven) -> None:
    ((order, _),) = running(bot, "web-1").values()
    assert "may do this" in bot.click(STOP, user="dee")
    bot.carry_on()
    assert not stops(bot, "web-1", order)
    assert root(bot).controls


def test_the_second_press_is_told_of_the_first_one(bot: HandDriven) -> None:
    running(bot, "web-1")
    pressed = bot.pressed(STOP, root(bot), user="ana", trigger="t9")
    bot.click(STOP)
    bot.parts.reception.stop(pressed)
    bot.parts.doorkeeper.step()
    assert "stopped it" in bot.told("t9")


def test_a_press_that_is_delivered_twice_stops_once(bot: HandDriven) -> None:
    running(bot, "web-1")
    pressed = bot.pressed(STOP, root(bot), trigger="t1")
    for _ in range(2):
        bot.parts.reception.stop(pressed)
        bot.parts.doorkeeper.step()
    assert len(bot.parts.reception.typed.council.decisions.unsettled()) == 1


def test_s12_a_button_of_ours_in_another_message_stops_nothing(bot: HandDriven) -> None:
    ((order, _),) = running(bot, "web-1").values()
    pressed = bot.pressed(STOP, root(bot), trigger="t2")
    bot.parts.reception.stop(replace(pressed, message_ts="1.000001"))
    bot.parts.doorkeeper.step()
    assert bot.told("t2") == render.outdated().text
    bot.carry_on()
    assert not stops(bot, "web-1", order)


def test_s14_a_press_before_a_long_outage_is_still_sent_afterwards(bot: HandDriven, stage: Stage) -> None:
    ((order, _),) = running(bot, "web-1").values()
    bot.click(STOP)
    bot.wait(16 * 60)
    bot.stage.host("web-1").beat()
    again = HandDriven(stage, bot.clock)
    again.hear()
    again.carry_on(2)
    again.close()
    assert stops(bot, "web-1", order)


def test_s14_a_stop_that_nobody_heard_of_can_be_pressed_again(bot: HandDriven) -> None:
    running(bot, "web-1")
    bot.click(STOP)
    bot.carry_on()
    decisions = bot.parts.reception.typed.council.decisions
    (stop,) = decisions.unsettled()
    decisions.settle(stop, State.LAPSED)
    bot.carry_on(2)
    assert "Stopped by" not in root(bot).plain
    assert [control.label for control in root(bot).controls] == ["Stop web-1"]


def test_two_presses_in_one_moment_stop_once(bot: HandDriven) -> None:
    running(bot, "web-1")
    presses = [bot.pressed(STOP, root(bot), user=user, trigger=user) for user in ("ana", "bo")]
    ready = threading.Barrier(2)

    def press(number: int) -> None:
        ready.wait()
        bot.parts.reception.stop(presses[number])

    threads = [threading.Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bot.parts.doorkeeper.step()
    told = sorted([bot.told("ana"), bot.told("bo")])
    assert ["stopped it" in told[0], told[1].startswith("Stopping what runs")] == [True, True]
    assert len(bot.parts.reception.typed.council.decisions.unsettled()) == 1


def test_what_is_over_cannot_be_stopped(bot: HandDriven) -> None:
    ((order, made),) = running(bot, "web-1").values()
    pressed = bot.pressed(STOP, root(bot), trigger="t3")
    over = report(order.id, made, order.plan_digest, at=bot.clock())
    bot.stage.host("web-1").tell(finished(over, at=bot.clock()))
    bot.hear()
    bot.parts.reception.stop(pressed)
    bot.parts.doorkeeper.step()
    assert "Nothing is under way" in bot.told("t3")
    assert not stops(bot, "web-1", order)


def test_a_stop_that_is_typed_shows_under_the_run_as_well(bot: HandDriven) -> None:
    running(bot, "web-1")
    bot.command("stop web-1", user="bo")
    bot.parts.desk.step()
    assert "Stopped by @bo" in root(bot).plain
    assert root(bot).controls == ()


def test_s14_a_stop_that_is_typed_ends_all_that_is_ordered_at_a_host(bot: HandDriven) -> None:
    orders = [running(bot, "web-1")["web-1"][0] for _ in range(2)]
    assert "Stopping what runs on `web-1`." in bot.command("stop web-1", user="bo")
    bot.carry_on()

    assert [stops(bot, "web-1", order) for order in orders] == [True, True]
