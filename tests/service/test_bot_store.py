"""The bot's memory: each fact once, whoever writes it first, and nothing acknowledged before it is there."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import StateInUse, StoreError
from bot.memory.ballots import Ballots
from bot.memory.choices import Choices
from bot.memory.database import Database
from bot.memory.decisions import Decisions
from bot.memory.dossiers import Dossiers
from bot.memory.history import Entry, History, Recorded
from bot.memory.posts import Note, Posts
from bot.memory.store import Store
from bot.render import help_text
from bot.requests import Phase, Sent, Settled, Settlement
from bot.state import StateDir
from tests.unit.bot_values import (
    ANA,
    BO,
    NOON,
    after,
    asked,
    finished,
    plan,
    plan_ready,
    plan_started,
    report,
    started,
)
from workers.contract import Beat, Event
from workers.signing import digest


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "bot.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


@pytest.fixture
def history(database: Database) -> History:
    return History(database)


def entry(seq: int, event: Event, ledger: str = "l1") -> Entry:
    return Entry(ledger, seq, event.model_dump_json())


def test_s11_of_many_racing_clicks_one_settles(store: Store) -> None:
    request_id = store.ask(asked(), trigger_id="t1")
    gate = threading.Barrier(16)

    def click(number: int) -> bool:
        how = Settled.CONFIRMED if number % 2 else Settled.CANCELLED
        gate.wait()
        return store.settle(request_id, Settlement(how, after(number), BO), click=f"c{number}").is_ours

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(click, range(16)))

    assert won.count(True) == 1
    settled = store.settlement(request_id)
    assert settled is not None
    assert settled.at == after(won.index(True))


def test_the_same_click_delivered_twice_is_one(store: Store) -> None:
    request_id = store.ask(asked(), trigger_id="t1")
    settlement = Settlement(Settled.CONFIRMED, NOON, BO, "set", {"web-1": "sha256:1"})

    first = store.settle(request_id, settlement, click="c1")
    again = store.settle(request_id, settlement, click="c1")

    assert (first.is_ours, again.is_ours) == (True, True)
    assert again.settlement == settlement


def test_the_same_command_delivered_twice_is_one_request(store: Store) -> None:
    first = store.ask(asked(id_="r1"), trigger_id="t1")
    again = store.ask(asked(id_="r2"), trigger_id="t1")

    assert (first, again) == ("r1", "r1")
    assert len(store.open_requests()) == 1


def test_a_request_is_read_as_it_was_asked(store: Store) -> None:
    wanted = asked("web-1", "web-2", verb="execute")

    store.ask(wanted, trigger_id="t1", response_url="https://slack.example/r")

    (filed,) = store.open_requests()
    assert (filed.asked, filed.response_url) == (wanted, "https://slack.example/r")


def test_a_request_is_not_laid_aside_when_something_came_in_between(store: Store) -> None:
    request_id = store.ask(asked(), trigger_id="t1")
    (seen,) = store.open_requests()
    store.settle(request_id, Settlement(Settled.CANCELLED, NOON, ANA))

    store.close(request_id, seen.revision)

    assert len(store.open_requests()) == 1


def test_s15_a_late_report_opens_its_request_again(store: Store, history: History) -> None:
    request_id = store.ask(asked(), trigger_id="t1")
    (seen,) = store.open_requests()
    store.close(request_id, seen.revision)
    made = plan()

    history.record("web-1", [entry(1, finished(report("o1", made, digest(made))))], NOON)

    assert [filed.asked.id for filed in store.open_requests()] == [request_id]
    assert [run.order_id for run in history.reports()] == ["o1"]


def test_s14_a_host_that_comes_back_opens_what_it_said_nothing_of(store: Store, history: History) -> None:
    def beat(seconds: float) -> Beat:
        return Beat(host="web-1", boot="b", ledger="l1", engine_id="e", version="1", at=after(seconds))

    def opened_by(seconds: float) -> bool:
        for filed in store.open_requests():
            store.close(filed.asked.id, filed.revision)
        store.record_beats([beat(seconds)], after(seconds))
        return bool(store.open_requests())

    store.record_beats([beat(0)], NOON)
    request_id = store.ask(asked(), trigger_id="t1")
    store.record_sent(request_id, [Sent("web-1", "plan", NOON), Sent("web-1", "execute", NOON, "o1")])
    store.ask(asked("web-2", id_="r2"), trigger_id="t2")
    unheard = [opened_by(seconds) for seconds in (30, 30, 300)]
    taken_up = [filed.asked.id for filed in store.open_requests()]
    history.record("web-1", [entry(1, started("o1", plan(), at=NOON))], NOON)

    assert (unheard, taken_up) == ([False, False, True], [request_id])
    assert not opened_by(900)


def test_an_event_is_recorded_once(history: History) -> None:
    events = [entry(1, plan_started()), entry(2, plan_ready())]

    assert history.record("web-1", events, NOON) == 2
    assert history.record("web-1", [*events, *events], NOON) == 0
    assert len(history.events("r1")) == 2


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_s15_a_time_at_the_edge_of_the_years_holds_up_no_stream(history: History, at: str) -> None:
    made, odd = plan(), datetime.fromisoformat(at)

    run = report("o1", made, digest(made), at=odd)
    assert history.record("web-1", [entry(1, finished(run, at=odd)), entry(2, plan_started())], NOON) == 2


def test_s15_what_is_missing_is_not_acknowledged(history: History) -> None:
    history.record(
        "web-1", [entry(1, plan_started()), entry(3, plan_started()), entry(4, plan_started())], NOON
    )
    before = history.acknowledged("web-1")

    history.record("web-1", [entry(2, plan_started())], NOON)

    assert (before, history.acknowledged("web-1")) == (("l1", 1), ("l1", 4))


def test_s15_a_memory_begun_anew_waits_for_nothing_that_the_host_has_forgotten(history: History) -> None:
    told = [replace(entry(seq, plan_started()), first=5) for seq in (7, 6, 5)]

    new = history.record("web-1", told, NOON)

    assert (new, history.acknowledged("web-1")) == (3, ("l1", 7))


def test_s15_what_the_host_still_has_is_waited_for(history: History) -> None:
    history.record("web-1", [replace(entry(7, plan_started()), first=5)], NOON)

    assert history.acknowledged("web-1") == ("l1", 4)


def test_a_host_with_a_new_ledger_begins_to_count_anew(history: History) -> None:
    history.record("web-1", [entry(1, plan_started()), entry(2, plan_started())], NOON)

    assert history.record("web-1", [entry(1, plan_started(), "l2")], NOON) == 1
    assert history.acknowledged("web-1") == ("l2", 1)


@pytest.mark.parametrize(
    "body", ["", "{}", "not json", '{"event":"from_the_future","host":"web-1"}', "\u0000"]
)
def test_what_cannot_be_read_never_blocks_what_follows(history: History, body: str) -> None:
    history.record("web-1", [Entry("l1", 1, body), entry(2, plan_started())], NOON)

    assert history.acknowledged("web-1") == ("l1", 2)
    assert len(history.events("r1")) == 1


def test_s12_an_event_of_another_host_is_not_shown(history: History) -> None:
    history.record("web-2", [entry(1, plan_ready(plan("web-1")))], NOON)

    assert history.events("r1") == ()
    assert history.acknowledged("web-2") == ("l1", 1)


def test_what_is_final_about_a_job_stays(store: Store) -> None:
    request_id = store.ask(asked(), trigger_id="t1")

    for error, final in (("refused", False), ("", True), ("refused", True)):
        store.record_sent(request_id, [Sent("web-1", "plan", NOON, "id", error, final)])

    assert store.sent(request_id) == (Sent("web-1", "plan", NOON, "id"),)


def dossiers_of(database: Database, history: History) -> Dossiers:
    choices, decisions = Choices(database), Decisions(database)
    return Dossiers(Store(database), history, Ballots(database), choices, decisions)


def test_a_request_survives_a_restart(tmp_path: Path) -> None:
    first = Database(tmp_path / "kept.sqlite3")
    made = plan()
    Store(first).ask(asked(), trigger_id="t1")
    History(first).record("web-1", [entry(1, plan_ready(made))], NOON)
    first.close()

    again = Database(tmp_path / "kept.sqlite3")
    (dossier,) = dossiers_of(again, History(again)).open()

    assert (dossier.request.phase, dossier.request.plans) == (Phase.READY, {"web-1": digest(made)})
    again.close()


class CountingHistory(History):
    """Counts what is read of it."""

    read = 0

    def events(self, request_id: str, *, after: int = 0) -> tuple[Recorded, ...]:
        found = super().events(request_id, after=after)
        self.read += len(found)
        return found


def test_each_event_of_an_open_request_is_read_once(database: Database, store: Store) -> None:
    history, made = CountingHistory(database), {host: plan(host) for host in ("web-1", "web-2")}
    dossiers = dossiers_of(database, history)
    store.ask(asked("web-1", "web-2"), trigger_id="t1")

    for number, host in enumerate(("web-2", "web-1"), 1):
        history.record(host, [entry(1, plan_ready(made[host]))], NOON)
        (dossier,) = dossiers.open()
        assert len(dossier.request.plans) == number

    assert history.read == 2
    assert dossiers.open() == (dossier,)


class SlowHistory(History):
    """Says when it is asked, and answers when it is let."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked, self.let = threading.Event(), threading.Event()

    def events(self, request_id: str, *, after: int = 0) -> tuple[Recorded, ...]:
        self.asked.set()
        self.let.wait()
        return super().events(request_id, after=after)


def test_who_is_writing_may_read_a_request_that_another_thread_reads(tmp_path: Path) -> None:
    # Closed only at the end: closing would wait for threads that hang.
    database = Database(tmp_path / "shared.sqlite3")
    store, history = Store(database), SlowHistory(database)
    dossiers = dossiers_of(database, history)
    request_id = store.ask(asked(), trigger_id="t1")

    def write() -> None:
        with database.transaction():
            history.let.set()
            dossiers.find(request_id)

    read = threading.Thread(target=dossiers.find, args=(request_id,), daemon=True)
    read.start()
    assert history.asked.wait(20)
    written = threading.Thread(target=write, daemon=True)
    written.start()
    for thread in (read, written):
        thread.join(20)

    assert not read.is_alive()
    assert not written.is_alive()
    database.close()


def test_a_memory_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / "bot.sqlite3")
    newer.execute("PRAGMA user_version = 99")
    newer.close()

    with pytest.raises(StoreError, match="version 99"):
        Database(tmp_path / "bot.sqlite3")


def test_a_transaction_that_fails_leaves_nothing(database: Database, store: Store) -> None:
    def half_of_it() -> None:
        with database.transaction() as db:
            db.execute("INSERT INTO hosts VALUES ('web-1', 'now')")
            db.execute("INSERT INTO no_such_table VALUES (1)")

    with pytest.raises(StoreError):
        half_of_it()

    assert store.hosts() == ()


def test_one_bot_at_a_time_works_with_a_state_folder(tmp_path: Path) -> None:
    state = StateDir(tmp_path)

    with state.held(), pytest.raises(StateInUse), state.held():
        pass
    with state.held():
        pass


def test_an_answer_is_owed_until_it_is_given(database: Database) -> None:
    posts = Posts(database)
    note = Note("n1", NOON, "C1", "https://slack.example/r", help_text())
    posts.owe(note)
    posts.owe(note)

    owed = posts.owed()
    posts.settle("n1")
    posts.owe(note)

    assert [found.message.text for found in owed] == [help_text().text]
    assert posts.owed() == ()
