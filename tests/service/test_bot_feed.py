"""The hosts' streams on a real Redis: told twice, emptied, trimmed, broken, gone; each event counts once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bot.memory.history import History
from tests.service.bot_stage import Clock, HandDriven, Stage
from tests.unit.bot_values import asked, plan, plan_ready, plan_started
from workers.contract import beat_key, events_key
from workers.reasons import Code, reason


@pytest.fixture
def bot(stage: Stage) -> Iterator[HandDriven]:
    made = HandDriven(stage, Clock())
    made.store.ask(asked(), trigger_id="t1")
    yield made
    made.close()


def recorded(bot: HandDriven) -> int:
    return len(History(bot.parts.database).events("r1"))


def test_an_event_is_recorded_and_then_acknowledged(stage: Stage, bot: HandDriven) -> None:
    stage.host().tell(plan_started(), plan_ready())

    bot.hear()

    assert (recorded(bot), stage.host().acknowledged) == (2, "ledger-1:2")


def test_s15_events_told_again_after_redis_was_emptied_count_once(stage: Stage, bot: HandDriven) -> None:
    stage.host().tell(plan_started())
    bot.hear()
    stage.host().tell(plan_ready())
    stage.server.client.flushall()
    stage.host().tell_all_again()

    bot.hear()  # finds its reader group gone
    bot.hear()

    assert (recorded(bot), stage.host().acknowledged) == (2, "ledger-1:2")


def test_s15_the_acknowledgement_is_written_again_into_an_emptied_redis(
    stage: Stage, bot: HandDriven
) -> None:
    stage.host().tell(plan_started())
    bot.hear()
    stage.server.client.flushall()

    bot.hear()
    bot.hear()

    assert stage.host().acknowledged == "ledger-1:1"


def test_s15_what_was_read_before_a_crash_is_read_first(stage: Stage, bot: HandDriven) -> None:
    client = stage.server.client
    client.xgroup_create(events_key("web-1"), "bot", id="0", mkstream=True)
    stage.host().tell(plan_started(), plan_ready())
    client.xreadgroup("bot", "bot", {events_key("web-1"): ">"})

    bot.hear()

    assert (recorded(bot), stage.host().acknowledged) == (2, "ledger-1:2")


def test_s15_a_memory_put_back_from_a_copy_hears_again_what_it_had_recorded(
    stage: Stage, bot: HandDriven
) -> None:
    file, copy = stage.wiring().database, stage.wiring().database.with_suffix(".copy")
    stage.host().tell(plan_started())
    bot.hear()
    with closing(sqlite3.connect(file)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    stage.host().tell(*[plan_started()] * 150, plan_ready())
    bot.hear()
    bot.hear()
    assert recorded(bot) == 152
    bot.close()
    with closing(sqlite3.connect(copy)) as old, closing(sqlite3.connect(file)) as new:
        old.backup(new)

    again = HandDriven(stage, Clock())
    stage.host().tell(plan_started())
    again.hear()

    assert (recorded(again), stage.host().acknowledged) == (153, "ledger-1:153")
    again.close()


def test_pending_entries_that_were_trimmed_away_are_laid_aside(stage: Stage, bot: HandDriven) -> None:
    client = stage.server.client
    client.xgroup_create(events_key("web-1"), "bot", id="0", mkstream=True)
    stage.host().tell(plan_started())
    client.xreadgroup("bot", "bot", {events_key("web-1"): ">"})
    client.xtrim(events_key("web-1"), maxlen=0)
    stage.host().tell_all_again()

    bot.hear()

    assert recorded(bot) == 1
    assert client.xpending(events_key("web-1"), "bot")["pending"] == 0


@pytest.mark.parametrize("seq", ["", "x", "-1", "0", str(2**63), "1.5"])
def test_an_entry_that_is_no_event_is_laid_aside(stage: Stage, bot: HandDriven, seq: str) -> None:
    stage.host().put(plan_started().model_dump_json(), seq)
    stage.server.client.xadd(events_key("web-1"), {b"\xff": b"\xff"})
    stage.host().tell(plan_started())

    bot.hear()

    assert (recorded(bot), stage.host().acknowledged) == (1, "ledger-1:1")


@pytest.mark.parametrize("first", ["x", "-1", "3", str(2**63)])
def test_an_entry_that_skips_what_it_cannot_is_laid_aside(stage: Stage, bot: HandDriven, first: str) -> None:
    event = {"ledger": "ledger-1", "seq": 2, "event": plan_started().model_dump_json()}
    fields: dict[Any, Any] = {**event, "first": first}
    stage.server.client.xadd(events_key("web-1"), fields)

    bot.hear()

    assert (recorded(bot), stage.host().acknowledged) == (0, "")


def test_s12_a_host_cannot_speak_for_another(stage: Stage, bot: HandDriven) -> None:
    stage.host("web-2").tell(plan_ready(plan("web-1")))

    bot.hear()

    assert recorded(bot) == 0


def test_a_host_admitted_while_the_bot_runs_is_heard(stage: Stage, bot: HandDriven) -> None:
    stage.host("web-1").tell(plan_started())
    bot.hear()
    bot.store.dismiss("web-2", bot.clock())
    stage.host("web-2").tell(plan_started("web-2"))
    stage.host("web-1").tell(plan_ready())
    bot.hear()
    bot.store.admit("web-2", bot.clock())

    bot.hear()

    assert stage.host("web-2").acknowledged == "ledger-1:1"


def test_signs_of_life_are_remembered_by_the_bots_clock(stage: Stage, bot: HandDriven) -> None:
    stage.host("web-1").beat()
    stage.server.client.set(beat_key("web-2"), "nonsense")
    stage.host("web-1").tell(plan_started())

    bot.hear()

    assert [(c.host, c.last_seen) for c in bot.store.contacts()] == [
        ("web-1", bot.clock()),
        ("web-2", None),
    ]


def test_s14_a_host_without_the_key_that_signs_is_said_not_to_hold_it(stage: Stage, bot: HandDriven) -> None:
    signing = stage.wiring().key().id
    found = []
    for number, holding in enumerate([("another",), (signing, "another"), None]):
        bot.wait(number)
        stage.host().beat(holding=holding)
        stage.host().tell(plan_started())
        bot.hear()
        found.append(bot.store.contacts()[0].problems)

    assert found == [(reason(Code.KEY_NOT_HELD, key=signing),), (), ()]


def test_a_sign_of_life_read_twice_is_not_a_new_one(stage: Stage, bot: HandDriven) -> None:
    stage.host().beat()
    stage.host().tell(plan_started())
    bot.hear()
    first_heard = bot.clock()
    bot.wait(30)
    stage.host().tell(plan_ready())

    bot.hear()

    assert bot.store.contacts()[0].last_seen == first_heard


def test_the_line_is_down_while_redis_is_and_up_again_by_itself(stage: Stage, bot: HandDriven) -> None:
    stage.host().tell(plan_started())
    bot.hear()
    was_up = bot.parts.feed.line.up
    stage.server.stop()
    bot.hear()
    down = bot.parts.feed.line
    stage.server.start()
    stage.host().tell(plan_ready())
    bot.hear()

    assert (was_up, down.up, bot.parts.feed.line.up) == (True, False, True)
    assert down.error
    assert recorded(bot) == 2
