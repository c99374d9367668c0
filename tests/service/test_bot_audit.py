"""The acts in the bot's memory: written with what they tell of, by whom, and never changed again."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.memory.audit import Act, Audit, What, note
from bot.memory.database import Database
from bot.memory.history import Entry, History
from bot.memory.schema import SCHEMAS
from bot.memory.store import Store
from bot.requests import Sent, Settled, Settlement
from tests.unit.bot_values import (
    ANA,
    BO,
    NOON,
    after,
    asked,
    finished,
    freeze,
    plan,
    plan_ready,
    refused,
    report,
)
from tests.unit.restores_told import RUN, restore_finished, restore_plan, restore_planned, restore_report
from workers.contract import HOST_TEAM, Event, Person, StandingTaken
from workers.signing import digest

MADE = plan()
DIGEST = digest(MADE)
CONFIRMED = Settlement(Settled.CONFIRMED, after(60), BO, "set-1", {"web-1": DIGEST})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "bot.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database)


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


def told(audit: Audit) -> list[tuple[str, str]]:
    return [(act.who, str(act.what)) for act in audit.acts()]


def record(database: Database, seq: int, event: Event) -> None:
    History(database).record("web-1", [Entry("l1", seq, event.model_dump_json())], after(100 + seq))


def test_the_whole_way_of_a_request_is_told_with_who_did_what(
    database: Database, store: Store, audit: Audit
) -> None:
    store.ask(asked(verb="execute"), trigger_id="t1")
    store.record_sent("r1", [Sent("web-1", "plan", after(1), "p1")])
    record(database, 1, plan_ready(MADE))
    audit.note_shown("r1", "set-1", {"web-1": DIGEST}, after(50))
    store.settle("r1", CONFIRMED, click="c1")
    store.record_sent("r1", [Sent("web-1", "execute", after(61), "o1")])
    record(database, 2, finished(report("o1", MADE, DIGEST)))

    assert told(audit) == [
        ("T1/U1", "asked"),
        ("bot", "plan_asked"),
        ("host:web-1", "planned"),
        ("bot", "shown"),
        ("T1/U2", "confirmed"),
        ("bot", "ordered"),
        ("host:web-1", "finished"),
    ]


def test_an_order_says_which_plan_it_is_for_and_an_end_who_had_confirmed(
    database: Database, store: Store, audit: Audit
) -> None:
    store.ask(asked(), trigger_id="t1")
    store.settle("r1", CONFIRMED)
    store.record_sent("r1", [Sent("web-1", "execute", after(61), "o1")])
    record(database, 1, finished(report("o1", MADE, DIGEST)))

    _, _, ordered, end = audit.acts()
    assert ordered == Act(3, after(61), "bot", What.ORDERED, "r1", "web-1", "o1", DIGEST)
    assert (end.order_id, end.plan_digest, end.detail["approver"]) == ("o1", DIGEST, "T1/U2")
    assert end.detail["report"] == digest(report("o1", MADE, DIGEST))


def test_what_a_host_keeps_to_from_now_on_is_told_with_who_decided_it(
    database: Database, audit: Audit
) -> None:
    record(database, 1, StandingTaken(host="web-1", at=after(5), order=freeze("f1"), in_force=True))

    (taken,) = audit.acts()
    assert (taken.who, taken.what, taken.host) == ("host:web-1", "taken", "web-1")
    assert [taken.detail[name] for name in ("type", "decided_by", "in_force")] == ["freeze", "T1/U1", 1]


def test_what_happens_twice_is_told_once(database: Database, store: Store, audit: Audit) -> None:
    for _ in range(2):
        store.admit("web-1", NOON)
        store.ask(asked(), trigger_id="t1")
        store.settle("r1", CONFIRMED, click="c1")
        store.record_sent("r1", [Sent("web-1", "execute", after(61), "o1")])
        store.record_overdue("r1", ("web-2",), after(62))
        record(database, 1, refused("o1"))
        audit.note_shown("r1", "set-1", {}, after(63))

    assert [what for _, what in told(audit)] == [
        *("admitted", "asked", "confirmed", "ordered", "not_answered", "refused", "shown")
    ]


def test_a_restore_is_told_of_as_its_host_tells_it(database: Database, audit: Audit) -> None:
    made = restore_plan()
    done = restore_report("o9", made, digest(made))
    record(database, 1, restore_planned(made))
    record(database, 2, restore_finished(done))

    assert told(audit) == [("host:web-1", "restore_planned"), ("host:web-1", "restored")]
    first, last = audit.acts()
    assert {first.plan_digest, last.plan_digest} == {digest(made)}
    needs = {"steps": 2, "low": made.needs.low, "high": made.needs.high, "run": RUN}
    assert first.detail == needs | {"told_at": NOON.isoformat()}
    end = {"status": "done", "run": RUN, "approver": BO.spelled, "report": digest(done)}
    assert (last.order_id, last.detail) == ("o9", end | {"told_at": NOON.isoformat()})


def test_only_the_decision_that_settles_is_told(store: Store, audit: Audit) -> None:
    store.ask(asked(), trigger_id="t1")
    store.settle("r1", Settlement(Settled.EXPIRED, NOON))
    store.settle("r1", CONFIRMED, click="c1")

    assert told(audit) == [("T1/U1", "asked"), ("bot", "expired")]


def test_what_may_have_been_sent_is_told_with_its_doubt(store: Store, audit: Audit) -> None:
    store.ask(asked(), trigger_id="t1")
    store.record_sent("r1", [Sent("web-1", "execute", NOON, "o1", "timeout", final=False, certain=False)])

    lost = audit.acts()[-1]
    assert lost.what == What.NOT_SENT
    assert lost.detail == {"certain": 0, "error": "timeout", "final": 0, "type": "execute"}


def test_who_is_at_the_command_line_is_told_as_such(store: Store, audit: Audit) -> None:
    store.admit("web-1", NOON, by=Person(team=HOST_TEAM, user="ops"))
    store.dismiss("web-1", NOON, by=Person(team=HOST_TEAM, user="ops"))

    assert told(audit) == [("cli:ops", "admitted"), ("cli:ops", "dismissed")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE acts SET who = 'bot'",
        "DELETE FROM acts",
        "INSERT OR REPLACE INTO acts SELECT number, at, 'bot', what, '', '', '', '', '' FROM acts",
        "UPDATE events SET body = ''",
        "DELETE FROM events",
    ],
)
def test_the_store_itself_refuses_to_change_or_lose_a_row(
    database: Database, store: Store, audit: Audit, statement: str
) -> None:
    store.ask(asked(), trigger_id="t1")
    record(database, 1, refused("o1"))
    before = audit.acts()

    with pytest.raises(StoreError, match="are never"), database.transaction() as db:
        db.execute(statement)

    assert audit.acts() == before
    assert len(History(database).events("r1")) == 1


def test_an_event_is_not_replaced_either(database: Database, store: Store) -> None:
    store.ask(asked(), trigger_id="t1")
    record(database, 1, refused("o1"))
    before = History(database).events("r1")

    with database.transaction() as db:
        db.execute("INSERT OR REPLACE INTO events VALUES (1, 1, 'r1', 'x', 'x', 'x')")

    assert History(database).events("r1") == before


def test_a_change_and_its_act_are_there_together_or_not_at_all(
    database: Database, store: Store, audit: Audit
) -> None:
    def half_done() -> None:
        with database.transaction() as db:
            store.ask(asked(), trigger_id="t1")
            store.settle("r1", CONFIRMED)
            note(db, What.FROZEN, at=NOON, by=ANA, host="web-1", why="release")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()

    assert (audit.acts(), store.open_requests(), store.settlement("r1")) == ((), (), None)


def test_where_an_act_cannot_be_written_nothing_is_settled(
    tmp_path: Path, database: Database, store: Store
) -> None:
    store.ask(asked(), trigger_id="t1")
    with sqlite3.connect(tmp_path / "bot.sqlite3") as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON acts BEGIN SELECT RAISE(ABORT, 'disk full'); END")

    with pytest.raises(StoreError, match="disk full"):
        store.settle("r1", CONFIRMED)

    assert store.settlement("r1") is None


def test_a_long_text_of_a_strangers_is_cut(audit: Audit) -> None:
    audit.note(What.TURNED_AWAY, at=NOON, by=ANA, why="x" * 5000)

    assert audit.acts()[0].detail == {"why": "x" * 300}


def test_an_older_memory_is_taken_up_and_keeps_what_it_has(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "old.sqlite3")
    old.executescript(f"{SCHEMAS[0]} PRAGMA user_version = 1;")
    old.execute("INSERT INTO hosts VALUES ('web-1', ?)", (NOON.isoformat(),))
    old.commit()
    old.close()

    database = Database(tmp_path / "old.sqlite3")
    Audit(database).note(What.FROZEN, at=NOON, host="web-1")

    assert Store(database).hosts() == ("web-1",)
    assert told(Audit(database)) == [("bot", "frozen")]
    database.close()
