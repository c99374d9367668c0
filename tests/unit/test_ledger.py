"""The host's memory: an order is used up once, and what was asked of the engine is known whoever dies."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from tests.unit.bot_values import (
    ANA,
    BO,
    NOON,
    finished,
    plan,
    plan_ready,
    plan_started,
    report,
    step_finished,
)
from workers.contract import EVENT, Event, ExecutionOrder, Kind, Outcome, Reference, StepFinished
from workers.errors import LedgerError, RefusedError
from workers.memory.ledger import SCHEMAS, Ledger
from workers.memory.orders import MOST_REFUSALS
from workers.memory.sightings import Sightings
from workers.planning.stock import Archived
from workers.reasons import Code, reason
from workers.signing import digest

SECONDS = 20
MANY = 8


def order(id_: str = "o1", *, plan_digest: str = "") -> ExecutionOrder:
    return ExecutionOrder(
        key_id="k1",
        id=id_,
        host="web-1",
        issued_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        request_id="r1",
        reply_to="C1",
        requester=ANA,
        engine_id="engine-1",
        plan_digest=plan_digest or digest(plan()),
        approver=BO,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as made:
        made.keep_plan(plan(), plan_ready(plan()))
        yield made


def refusal(do: Callable[[], object]) -> Code:
    with pytest.raises(RefusedError) as refused:
        do()
    return refused.value.reasons[0].code


def lose_an_event(ledger: Ledger) -> None:
    with ledger.transaction():
        ledger.rows("INSERT INTO outbox (event) VALUES ('lost')")
        raise ZeroDivisionError


def writer(what: str, path: Path, of: ExecutionOrder) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.ledger_writer", what, str(path), of.model_dump_json()],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_is_written_through_to_the_disk_before_anything_is_asked(ledger: Ledger) -> None:
    full = 2
    assert ledger.rows("PRAGMA synchronous") == [(full,)]
    assert ledger.rows("PRAGMA journal_mode") == [("wal",)]


def test_nobody_else_on_the_host_can_read_it(path: Path, ledger: Ledger) -> None:
    assert path.parent.stat().st_mode & 0o077 == 0


def test_its_id_stays_the_same_when_it_is_opened_again(path: Path, ledger: Ledger) -> None:
    with closing(Ledger(path)) as again:
        assert ledger.id == again.id


def test_a_plan_comes_out_as_it_went_in_under_its_digest(ledger: Ledger) -> None:
    assert plan() == ledger.plan(digest(plan()))
    assert ledger.plan(digest(plan("web-2"))) is None


def test_s3_the_bot_is_told_of_the_very_plan_that_is_kept(ledger: Ledger) -> None:
    [(_, told)] = ledger.outbox(after=0)

    assert EVENT.validate_json(told) == plan_ready(plan())
    assert json.loads(told)["plan"] == json.loads(ledger.rows("SELECT body FROM plans")[0][0])


def test_s11_an_order_is_consumed_once(ledger: Ledger) -> None:
    ledger.consume(order(), NOON)

    assert refusal(lambda: ledger.consume(order(), NOON)) is Code.ORDER_USED


def test_s11_a_plan_is_used_once_by_whatever_order(ledger: Ledger) -> None:
    ledger.consume(order("o1"), NOON)

    assert refusal(lambda: ledger.consume(order("o2"), NOON)) is Code.PLAN_USED
    assert ledger.used_by(digest(plan())) == "o1"


def test_s11_an_order_for_a_plan_made_elsewhere_is_refused(ledger: Ledger) -> None:
    strange = order(plan_digest=digest(plan("web-2")))

    assert refusal(lambda: ledger.consume(strange, NOON)) is Code.UNKNOWN_PLAN


def test_s11_of_many_threads_one_consumes(path: Path, ledger: Ledger) -> None:
    together = Barrier(MANY)

    def consumed(number: int) -> str:
        with closing(Ledger(path)) as own:
            together.wait(SECONDS)
            try:
                own.consume(order(), NOON)
            except RefusedError as error:
                return error.reasons[0].code
        return "consumed"

    with ThreadPoolExecutor(MANY) as threads:
        ends = Counter(threads.map(consumed, range(MANY)))

    assert ends == {"consumed": 1, Code.ORDER_USED: MANY - 1}


def test_s11_of_many_processes_one_consumes(path: Path, ledger: Ledger) -> None:
    processes = [writer("consume", path, order(f"o{n}")) for n in range(4)]
    assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 4
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    ends = Counter(process.communicate(timeout=SECONDS)[0].strip() for process in processes)

    assert ends == {"consumed": 1, Code.PLAN_USED: 3}


def test_s15_a_killed_run_is_known_with_what_was_done_and_what_was_in_hand(
    path: Path, ledger: Ledger
) -> None:
    process = writer("run", path, order())
    assert process.stdout
    assert process.stdout.readline() == "in hand\n"
    process.kill()
    process.wait()
    process.communicate()

    with closing(Ledger(path)) as again:
        (left,) = again.open_runs()
        ways_back = again.ways_back("o1")
        told = [EVENT.validate_json(event) for _, event in again.outbox(after=0)]

    assert (order(), plan()) == (left.order, left.plan)
    assert {n: end and end.outcome for n, end in left.asked.items()} == {0: Outcome.REMOVED, 1: None}
    assert [(step.index, end) for step, _, end in ways_back] == [(0, Outcome.REMOVED), (1, None)]
    assert ways_back[1][1] == '{"tags": ["app:1"]}'
    assert isinstance(told[-1], StepFinished)


@pytest.mark.parametrize("write_on", ["ask", "flush", "finish", "close"])
def test_s15_the_end_of_a_step_is_written_with_what_comes_next(path: Path, write_on: str) -> None:
    first, second, *_ = plan().steps
    run = report("o1", plan(), digest(plan()))
    acts: dict[str, Callable[[Ledger], None]] = {
        "ask": lambda ledger: ledger.ask("o1", [(second, "{}")], NOON),
        "flush": lambda ledger: ledger.flush(),
        "finish": lambda ledger: ledger.finish(run, finished(run)),
        "close": lambda ledger: ledger.close(),
    }
    with closing(Ledger(path)) as writer, closing(Ledger(path)) as reader:
        writer.keep_plan(plan(), None)
        writer.consume(order(), NOON)
        writer.ask("o1", [(first, "{}")], NOON)
        event = step_finished("o1", plan(), first.index)
        writer.end_step("o1", event.step, event)
        before = seen(reader)
        acts[write_on](writer)

        assert (before, seen(reader)) == ((None, []), (Outcome.REMOVED, [event]))


def seen(ledger: Ledger) -> tuple[Outcome | None, list[Event]]:
    """What another connection sees of the first step."""
    told = [EVENT.validate_json(event) for _, event in ledger.outbox(after=0)]
    return ledger.ways_back("o1")[0][2], [one for one in told if isinstance(one, StepFinished)]


def test_s15_the_end_of_a_step_survives_what_could_not_be_written(ledger: Ledger) -> None:
    first, *_ = plan().steps
    ledger.consume(order(), NOON)
    ledger.ask("o1", [(first, "{}")], NOON)
    event = step_finished("o1", plan(), first.index)
    ledger.end_step("o1", event.step, event)
    with pytest.raises(LedgerError):
        ledger.ask("o1", [(first, "{}")], NOON)

    assert seen(ledger) == (Outcome.REMOVED, [event])


def test_what_is_written_inside_a_transaction_belongs_to_it(ledger: Ledger) -> None:
    before = ledger.outbox(after=0)

    with pytest.raises(ZeroDivisionError):
        tell_and_fail(ledger)

    assert ledger.outbox(after=0) == before


def tell_and_fail(ledger: Ledger) -> None:
    with ledger.transaction():
        ledger.tell(plan_started())
        raise ZeroDivisionError


def test_s15_a_step_cannot_end_that_was_never_asked_for(ledger: Ledger) -> None:
    ledger.consume(order(), NOON)
    before = ledger.outbox(after=0)

    with pytest.raises(LedgerError):
        ledger.ask("another order", [(plan().steps[0], "{}")], NOON)

    assert before == ledger.outbox(after=0)
    assert ledger.ways_back("o1") == []


def test_s11_a_step_is_asked_for_once(ledger: Ledger) -> None:
    ledger.consume(order(), NOON)
    ledger.ask("o1", [(plan().steps[0], "{}")], NOON)

    with pytest.raises(LedgerError):
        ledger.ask("o1", [(plan().steps[0], "{}")], NOON)


def test_a_run_with_a_report_is_not_open_any_more(ledger: Ledger) -> None:
    run = report("o1", plan(), digest(plan()))
    ledger.consume(order(), NOON)
    assert [left.order.id for left in ledger.open_runs()] == ["o1"]

    ledger.finish(run, finished(run))

    assert ledger.open_runs() == []
    assert ledger.reports() == [run]


def test_s15_an_event_goes_with_what_it_tells_of_or_not_at_all(ledger: Ledger) -> None:
    before = ledger.outbox(after=0)

    with pytest.raises(ZeroDivisionError):
        lose_an_event(ledger)

    assert before == ledger.outbox(after=0)


def test_s15_events_are_numbered_without_a_gap_even_after_a_failure(ledger: Ledger) -> None:
    last = ledger.outbox(after=0)[-1][0]
    with pytest.raises(ZeroDivisionError):
        lose_an_event(ledger)

    ledger.tell(plan_started())

    assert [seq for seq, _ in ledger.outbox(after=last)] == [last + 1]


def test_s15_numbers_are_not_used_again_when_all_is_acknowledged(path: Path, ledger: Ledger) -> None:
    last = ledger.outbox(after=0)[-1][0]
    ledger.acknowledged(last)
    assert ledger.outbox(after=0) == []

    with closing(Ledger(path)) as again:
        again.tell(plan_started())
        assert [seq for seq, _ in again.outbox(after=0)] == [last + 1]


def test_s15_only_what_is_acknowledged_is_forgotten(ledger: Ledger) -> None:
    for number in range(3):
        ledger.tell(plan_started(request=str(number)))
    _first, second, *rest = [seq for seq, _ in ledger.outbox(after=0)]

    ledger.acknowledged(second)

    assert rest == [seq for seq, _ in ledger.outbox(after=0)]


def test_s12_what_was_turned_away_is_on_record_and_told_where_there_is_somebody(ledger: Ledger) -> None:
    before, why = len(ledger.outbox(after=0)), reason(Code.BAD_SIGNATURE, key="k9")

    ledger.refuse((why,), order_id="", event=None, now=NOON)
    ledger.refuse((why,), order_id="o1", event=plan_started(), now=NOON)

    assert ledger.refusals() == [("", [why]), ("o1", [why])]
    assert len(ledger.outbox(after=0)) == before + 1


def test_s12_being_refused_without_end_does_not_fill_the_disk(ledger: Ledger) -> None:
    row = (NOON.isoformat(), "old", "[]", "")
    ledger.write("INSERT INTO refusals VALUES (?, ?, ?, ?)", [row] * MOST_REFUSALS)

    ledger.refuse((reason(Code.UNKNOWN_FUNCTION, function="eval"),), order_id="new", event=None, now=NOON)

    assert len(ledger.refusals()) == MOST_REFUSALS
    assert ledger.refusals()[-1][0] == "new"


@pytest.mark.parametrize(
    "event", [plan_started(), plan_ready(), step_finished("o1", plan(), 0)], ids=lambda event: event.event
)
def test_an_event_comes_out_as_it_went_in(ledger: Ledger, event: Event) -> None:
    ledger.tell(event)

    assert event == EVENT.validate_json(ledger.outbox(after=0)[-1][1])


def test_s4_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"something else " * 1000)

    with pytest.raises(LedgerError, match=r"ledger\.db"):
        Ledger(tmp_path / "ledger.db")


def test_s4_a_ledger_of_a_later_version_is_refused(path: Path) -> None:
    Ledger(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")

    with pytest.raises(LedgerError, match="99"):
        Ledger(path)


def test_a_ledger_of_the_version_before_is_brought_up_to_date_with_all_it_holds(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            SCHEMAS[0] + "INSERT INTO meta VALUES ('ledger', 'old'); PRAGMA user_version = 1"
        )
        database.execute(
            "INSERT INTO sightings VALUES ('E', 'image', 'app', '2026-01-01', '2026-01-02', NULL)"
        )
        database.commit()

    with closing(Ledger(path)) as ledger:
        sightings = Sightings(ledger, "E")
        assert (ledger.id, list(sightings.all())) == ("old", [("image", "app")])
        # What was seen before is not taken for new: the last look of the earlier version is known.
        assert sightings.taken_in("inventory") == datetime.fromisoformat("2026-01-02")
        assert (sightings.uses(), sightings.arrivals()) == ({}, {})


def test_s4_a_ledger_that_was_closed_is_refused(path: Path) -> None:
    ledger = Ledger(path)
    ledger.close()

    with pytest.raises(LedgerError):
        ledger.tell(plan_started())


# The archive's catalogue


def archived(image: str, days: int, **facts: object) -> Archived:
    at = NOON - timedelta(days=days)
    return replace(Archived(image, f"{image}.tar.zst", 9, "ab", "o1", 0, at), **facts)  # type: ignore[arg-type]


def test_the_catalogue_comes_out_as_it_went_in_oldest_first(path: Path, ledger: Ledger) -> None:
    young, old = archived("young", 1), archived("old", 2)
    for one in (young, old):
        ledger.keep_archived(one)
    with closing(Ledger(path)) as again:
        assert again.archived() == [old, young]

    again_saved = archived("old", 0, size=10)
    ledger.keep_archived(again_saved)
    ledger.forget_archived("young")
    assert ledger.archived() == [again_saved]


def test_an_image_is_needed_by_the_runs_that_asked_for_its_removal_since(ledger: Ledger) -> None:
    ledger.keep_plan(plan(), None)
    ledger.consume(order(), NOON)
    first, second = plan().steps
    network = second.model_copy(
        update={"index": 2, "object": Reference(kind=Kind.NETWORK, id="n1", name="front")}
    )
    ledger.ask("o1", [(first, "{}")], NOON)
    ledger.ask("o1", [(second, "{}"), (network, "{}")], NOON + timedelta(days=1))

    both = {first.object.id, second.object.id}
    assert ledger.images_removed_since(NOON) == both
    assert ledger.images_removed_since(NOON + timedelta(seconds=1)) == {second.object.id}
    assert ledger.images_removed_since(NOON + timedelta(days=2)) == frozenset()
