"""What people decide about hosts is recorded before they are answered, and carried until each host has it."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot import keys
from bot.render import EXECUTE
from tests.service.bot_stage import HandDriven, Stage, StandInHost
from tests.unit.bot_values import finished, report, started
from workers.contract import (
    ExecutionOrder,
    FreezeOrder,
    OrderRefused,
    Plan,
    ProtectOrder,
    StandingTaken,
    Status,
    StopOrder,
    UnfreezeOrder,
    UnprotectOrder,
    freeze_key,
    stop_key,
)
from workers.reasons import Code, Reason, reason
from workers.signing import digest, unseal


def take(host: StandInHost, type_: Any) -> Any:
    taken = host.take()
    assert isinstance(taken, type_)
    return taken


def keep(host: StandInHost, order: Any, *, in_force: bool = True, was_frozen: bool | None = None) -> None:
    told = {"request_id": order.request_id, "reply_to": order.reply_to, "was_frozen": was_frozen}
    host.tell(StandingTaken(host=host.name, at=host.clock(), order=order, in_force=in_force, **told))


def refuse(bot: HandDriven, host: StandInHost, order: Any, why: Reason) -> None:
    told = {"request_id": order.request_id, "reply_to": order.reply_to, "order_id": order.id}
    host.tell(OrderRefused(host=host.name, at=host.clock(), reasons=(why,), **told))
    bot.hear()


def left(host: StandInHost, key: str, type_: Any) -> Any:
    """What lies sealed under a key; None where nothing does."""
    text: Any = host.server.client.get(key)
    public = {host.key.id: host.key.private.public_key()}
    return unseal(json.loads(text), type_, keys=public, host=host.name, now=host.clock()) if text else None


def channel_says(bot: HandDriven, words: str) -> bool:
    return any(words in root.plain for root in bot.stage.roots())


def confirmed(bot: HandDriven, host: StandInHost) -> Plan:
    bot.command(f"preview {host.name}")
    bot.carry_on()
    made = host.answer_with_plan()
    bot.hear()
    bot.carry_on(2)
    bot.click(EXECUTE)
    return made


def test_a_freeze_reaches_each_host_and_the_channel_is_told_when_they_have_it(
    bot: HandDriven, stage: Stage
) -> None:
    assert "Freezing" in bot.command("freeze web-* Disk is swapped")
    bot.carry_on()
    first, second = (take(stage.host(name), FreezeOrder) for name in ("web-1", "web-2"))
    assert (first.why, first.requester) == ("Disk is swapped", bot.person("ana"))
    assert left(stage.host("web-1"), freeze_key("web-1"), FreezeOrder) == first

    keep(stage.host("web-1"), first)
    bot.hear()
    bot.carry_on()
    assert not channel_says(bot, "froze")
    bot.wait(60)
    bot.carry_on()
    assert channel_says(bot, "nothing is heard of it from web-2")

    keep(stage.host("web-2"), second)
    bot.hear()
    bot.carry_on(2)
    assert channel_says(bot, "web-1 and web-2: done")
    assert channel_says(bot, "Disk is swapped")


def test_s12_who_may_not_execute_decides_nothing(bot: HandDriven, stage: Stage) -> None:
    for text in ("freeze web-1", "unfreeze web-1", "stop", "protect web-1 app:1", "unprotect web-1 app:1"):
        assert "may do this" in bot.command(text, user="dee")
    bot.carry_on()
    assert [host.queued for host in stage.hosts.values()] == [0, 0]
    assert "Nothing is protected" in bot.command("protections", user="dee")


def test_until_a_host_has_said_that_it_keeps_a_freeze_it_gets_no_order(bot: HandDriven, stage: Stage) -> None:
    host = stage.host("web-1")
    made = confirmed(bot, host)
    bot.command("freeze web-1")
    bot.carry_on(3)
    freeze = take(host, FreezeOrder)
    assert host.queued == 0

    keep(host, freeze)
    bot.hear()
    bot.carry_on(2)
    assert take(host, ExecutionOrder).plan_digest == digest(made)


def test_s14_an_order_that_was_held_back_too_long_is_given_up_and_the_thread_says_why(
    bot: HandDriven, stage: Stage
) -> None:
    confirmed(bot, stage.host("web-1"))
    bot.command("freeze web-1")
    bot.carry_on(25)

    assert channel_says(bot, "froze it, and it has not said yet")
    unfrozen = [take(stage.host("web-1"), FreezeOrder) for _ in range(stage.host("web-1").queued)]
    assert unfrozen


def test_what_is_not_acknowledged_is_sent_again_by_whoever_carries_on(bot: HandDriven, stage: Stage) -> None:
    host = stage.host("web-1")
    bot.command("freeze web-1")
    bot.carry_on()
    first = take(host, FreezeOrder)
    bot.carry_on()
    assert host.queued == 0
    host.server.client.flushall()

    again = HandDriven(stage, bot.clock)
    again.wait(61)
    again.carry_on()
    second = take(host, FreezeOrder)
    again.close()

    assert first.decided_at == second.decided_at
    assert first.request_id == second.request_id
    assert first.issued_at < second.issued_at
    assert first.id != second.id


def test_a_later_decision_overtakes_one_that_is_still_on_its_way(bot: HandDriven, stage: Stage) -> None:
    host = stage.host("web-1")
    bot.command("freeze web-1")
    bot.carry_on()
    take(host, FreezeOrder)
    bot.command("unfreeze web-1")
    bot.carry_on(30)

    assert {type(host.take()) for _ in range(host.queued)} == {UnfreezeOrder}
    assert channel_says(bot, "something else was decided since")


def test_a_delivery_that_comes_twice_decides_once(bot: HandDriven, stage: Stage) -> None:
    for _ in range(2):
        bot.command("freeze web-1", trigger="t1")
    bot.carry_on()

    assert stage.host("web-1").queued == 1


def test_an_order_is_sealed_by_the_key_that_signs_when_it_is_sent(bot: HandDriven, stage: Stage) -> None:
    bot.command("freeze web-1")
    stage.key = stage.host("web-1").key = keys.SigningKey(Ed25519PrivateKey.generate())
    bot.carry_on()

    assert take(stage.host("web-1"), FreezeOrder).key_id == stage.key.id


def test_redis_away_keeps_a_decision_for_later(bot: HandDriven, stage: Stage) -> None:
    stage.server.stop()
    bot.command("protect web-1 app:1")
    bot.carry_on()
    stage.server.start()
    bot.carry_on()

    assert take(stage.host("web-1"), ProtectOrder).pattern == "app:1"


def test_a_stop_is_left_for_the_run_and_the_channel_is_told_when_that_is_over(
    bot: HandDriven, stage: Stage
) -> None:
    host = stage.host("web-1")
    made = confirmed(bot, host)
    bot.carry_on()
    order = take(host, ExecutionOrder)
    host.tell(started(order.id, made, at=bot.clock()))
    bot.hear()
    assert "Nothing is under way" in bot.command("stop web-2")
    bot.command("stop")
    bot.carry_on()

    stop = left(host, stop_key("web-1", order.id), StopOrder)
    assert (stop.order_id, stop.request_id, stop.requester) == (
        order.id,
        order.request_id,
        bot.person("ana"),
    )
    assert host.queued == 0
    run = report(order.id, made, order.plan_digest, at=bot.clock())
    why = reason(Code.STOP_ORDERED, by=stop.requester.spelled)
    stopped = run.model_copy(update={"status": Status.STOPPED, "stopped_by": (why,)})
    host.tell(finished(stopped, at=bot.clock()))
    bot.hear()
    bot.carry_on(3)
    assert channel_says(bot, "web-1: it is over")
    assert "Nothing is under way" in bot.command("stop")


def test_a_protection_is_added_shown_and_lifted(bot: HandDriven, stage: Stage) -> None:
    host = stage.host("web-1")
    assert "Protecting" in bot.command("protect web-1 registry.example/app:* --for 30d")
    bot.carry_on()
    order = take(host, ProtectOrder)
    assert order.until is not None
    assert (order.until - order.decided_at).days == 30
    keep(host, order)
    bot.hear()
    bot.carry_on(2)
    assert channel_says(bot, "web-1: done")
    shown = bot.parts.reception.typed.council.decisions.newest()
    assert [one.pattern for one in shown] == ["registry.example/app:*"]

    assert "No protection from Slack" in bot.command("unprotect web-1 postgres:16")
    bot.command("unprotect web-* registry.example/app:*")
    bot.carry_on()
    assert take(host, UnprotectOrder).pattern == "registry.example/app:*"
    assert stage.host("web-2").queued == 0
    assert "Nothing is protected" in bot.command("protections")


def test_a_host_that_refuses_for_good_is_not_asked_again_and_the_channel_says_why(
    bot: HandDriven, stage: Stage
) -> None:
    host = stage.host("web-1")
    bot.command("unfreeze web-1")
    bot.carry_on()
    order = take(host, UnfreezeOrder)
    late, never = reason(Code.BUSY), reason(Code.APPROVER_NOT_ACCEPTED, approver="UANA")
    refuse(bot, host, order, late)
    bot.wait(61)
    bot.carry_on()
    again = take(host, UnfreezeOrder)
    refuse(bot, host, again, never)
    bot.carry_on(30)

    assert host.queued == 0
    assert channel_says(bot, "does not accept orders confirmed by")


def test_where_nothing_was_frozen_an_unfreeze_is_not_told_as_done(bot: HandDriven, stage: Stage) -> None:
    def unfreeze(words: str, **was_frozen: bool | None) -> None:
        bot.command(words)
        bot.carry_on()
        for name, was in was_frozen.items():
            host = stage.host(name.replace("_", "-"))
            keep(host, take(host, UnfreezeOrder), was_frozen=was)
        bot.hear()
        bot.carry_on(3)

    unfreeze("unfreeze web-1", web_1=False)
    assert channel_says(bot, "@ana asked to unfreeze web-1; nothing was changed.")
    unfreeze("unfreeze web-*", web_1=False, web_2=True)
    assert channel_says(bot, "@ana unfroze web-2.")
    assert channel_says(bot, "web-1: not frozen before, so nothing changed")
    unfreeze("unfreeze web-1", web_1=None)  # by a worker that does not tell it
    assert channel_says(bot, "@ana unfroze web-1.")
