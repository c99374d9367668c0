"""Past runs are found by host, person and time, page by page, however many there are and what comes in."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.memory.database import Database, written
from bot.memory.history import Entry, History
from bot.memory.runs import Runs
from bot.memory.schema import SCHEMAS
from bot.memory.whole import Memory
from bot.past import Page, Run, Spot, Totals, Turn, Wanted, restore_of, run_of
from tests.unit.bot_values import ANA, BO, NOON, finished, image, plan, plan_ready, report
from tests.unit.restores_told import restore_finished, restore_plan, restore_planned, restore_report
from workers.contract import HOST_TEAM, Event, Person, Report, Restored, RestoreOutcome, RestoreReport, Status
from workers.signing import digest

WEB, ALL = Wanted(("web-1",)), Wanted(("web-1", "db-1"))
ROOT = Person(team=HOST_TEAM, user="root")
PAGE = 3


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = Memory.open(tmp_path / "bot.sqlite3")
    yield opened
    opened.database.close()


def told(number: int, *, host: str = "web-1", days: float = 0, **more: object) -> Report:
    made = plan(host)
    at = NOON - timedelta(days=days)
    return report(f"o{number}", made, digest(made), at=at).model_copy(update={"host": host, **more})


def tell(memory: Memory, *reports: Report | RestoreReport) -> None:
    """As hosts do, one event each."""
    for one in reports:
        last = memory.history.acknowledged(one.host)
        event: Event = (
            restore_finished(one) if isinstance(one, RestoreReport) else finished(one, at=one.finished_at)
        )
        entry = Entry("l1", last[1] + 1 if last else 1, event.model_dump_json())
        memory.history.record(one.host, [entry], NOON)


def restored(number: int, *ends: Restored, days: float = 0, **more: object) -> RestoreReport:
    """A restore of so many objects, told by the host."""
    made, at = restore_plan(request=f"back{number}"), NOON - timedelta(days=days)
    outcomes = tuple(RestoreOutcome(index=n, object=image(n), outcome=end) for n, end in enumerate(ends))
    told_ = restore_report(f"back{number}", made, digest(made), at=at)
    return told_.model_copy(update={"outcomes": outcomes, **more})


def days_of(page: Page) -> list[int]:
    return [(NOON - run.finished_at).days for run in page.runs]


def leafed(runs: Runs, wanted: Wanted) -> list[Run]:
    """All of them, by turning page after page."""
    page = runs.page(wanted, most=PAGE)
    seen = list(page.runs)
    while page.older:
        page = runs.page(wanted, most=PAGE, spot=page.runs[-1].spot)
        seen += page.runs
    return seen


def test_a_run_is_kept_as_its_report_tells_it(memory: Memory) -> None:
    run = told(1, status=Status.STOPPED, requester=ROOT, approvers=(ANA, BO), days=0.5)
    tell(memory, run)
    [found] = memory.runs.page(WEB, most=PAGE).runs
    assert replace(found, number=0) == run_of(run)
    assert (found.people, found.freed) == ((ROOT, ANA, BO), 200_000_000)


def test_a_run_that_is_told_again_is_one_and_keeps_its_place(memory: Memory) -> None:
    tell(memory, told(1), told(2))
    before = memory.runs.page(WEB, most=PAGE)
    tell(memory, told(1, requester=BO))
    page = memory.runs.page(WEB, most=PAGE)
    assert [run.number for run in page.runs] == [run.number for run in before.runs]
    assert (page.runs[-1].people, page.totals.runs) == ((BO,), 2)


def test_runs_are_found_by_host_person_and_time(memory: Memory) -> None:
    tell(memory, told(1, days=9), told(2, host="db-1", days=5, requester=BO), told(3, days=1, approver=ROOT))
    page = memory.runs.page
    assert days_of(page(ALL, most=PAGE)) == [1, 5, 9]
    assert days_of(page(WEB, most=PAGE)) == [1, 9]
    assert days_of(page(Wanted(ALL.hosts, people=(ANA,)), most=PAGE)) == [1, 9]
    assert days_of(page(Wanted(ALL.hosts, people=(BO,)), most=PAGE)) == [5, 9]
    assert days_of(page(Wanted(ALL.hosts, people=(BO, ROOT)), most=PAGE)) == [1, 5, 9]
    assert days_of(page(Wanted(ALL.hosts, people=()), most=PAGE)) == []
    day5, day1 = NOON - timedelta(days=5), NOON - timedelta(days=1)
    assert days_of(page(Wanted(ALL.hosts, since=day5), most=PAGE)) == [1, 5]
    assert days_of(page(Wanted(ALL.hosts, since=day5, until=day1), most=PAGE)) == [5]
    assert page(Wanted(()), most=PAGE) == Page()
    assert memory.runs.hosts() == ("db-1", "web-1")
    assert memory.runs.people() == (ANA, BO, ROOT)
    last = memory.runs.last("web-1")
    assert last is not None
    assert (last.finished_at, memory.runs.last("web-9")) == (day1, None)


def test_totals_are_of_all_that_is_wanted_and_count_what_was_not_measured(memory: Memory) -> None:
    grown = told(9, days=2)
    grown = grown.model_copy(update={"usage_before": grown.usage_after, "usage_after": grown.usage_before})
    idle = told(7, days=4, outcomes=(), usage_after=None)
    tell(memory, *(told(n, days=9) for n in range(5)), grown, told(8, days=3, usage_after=None), idle)
    assert memory.runs.page(WEB, most=PAGE).totals == Totals(runs=8, freed=1_000_000_000, unmeasured=2)
    assert memory.runs.totals(Wanted(("web-1",), since=NOON - timedelta(days=7))) == Totals(3, 0, 2)
    assert memory.runs.totals(Wanted(("web-9",))) == Totals()


def test_a_page_stays_where_it_is_while_new_runs_come_in(memory: Memory) -> None:
    tell(memory, *(told(n, days=10 - n) for n in range(8)))
    first = memory.runs.page(WEB, most=PAGE)
    tell(memory, told(20, days=0.5), told(21, days=0.25), told(22, days=7.5))

    second = memory.runs.page(WEB, most=PAGE, spot=first.runs[-1].spot)
    back = memory.runs.page(WEB, most=PAGE, spot=second.runs[0].spot, turn=Turn.NEWER)
    top = memory.runs.page(WEB, most=PAGE, spot=back.runs[0].spot, turn=Turn.NEWER)

    assert [days_of(page) for page in (first, second, back, top)] == [
        [3, 4, 5],
        [6, 7, 7],
        [3, 4, 5],
        [0, 0, 3],
    ]
    assert [(page.newer, page.older) for page in (first, second, back, top)] == [
        (0, 5),
        (5, 3),
        (2, 6),
        (0, 8),
    ]


ENDS = (Restored.RESTORED, Restored.ALREADY_THERE, Restored.REFUSED, Restored.FAILED, Restored.NOT_ATTEMPTED)


def test_a_restore_stands_among_the_runs_and_counts_as_none(memory: Memory) -> None:
    report = restored(3, *ENDS, days=1, status=Status.PARTIAL, approver=ROOT)
    tell(memory, told(1, days=2))
    tell(memory, report)
    tell(memory, report)
    page = memory.runs.page(WEB, most=1)

    assert replace(page.runs[0], number=0) == restore_of(report)
    assert (page.runs[0].back, page.runs[0].wanted, page.runs[0].people) == (2, 5, (ANA, ROOT))
    assert page.totals == Totals(runs=1, freed=200_000_000, restores=1)
    assert (page.newer, page.older) == (0, 1)
    assert days_of(memory.runs.page(Wanted(("web-1",), people=(ROOT,)), most=9)) == [1]
    last = memory.runs.last("web-1")
    assert last is not None
    assert last.order_id == "o1"


def test_runs_of_which_something_can_come_back_are_found_behind_any_number_of_others(memory: Memory) -> None:
    tell(memory, told(1, days=9), told(2, days=8, outcomes=()), told(3, host="db-1", days=7))
    for number in range(60):
        tell(memory, restored(number, Restored.RESTORED, days=1))

    assert [run.order_id for run in memory.runs.that_removed(("web-1",), most=5)] == ["o1"]
    assert [run.order_id for run in memory.runs.that_removed(("web-1", "db-1"), most=5)] == ["o3", "o1"]
    assert [run.order_id for run in memory.runs.that_removed(("web-1", "db-1"), most=1)] == ["o3"]


def test_s12_no_host_tells_of_what_another_did(memory: Memory) -> None:
    tell(memory, told(1, host="db-1"))
    ran = memory.runs.last("db-1")
    lie = restored(1, Restored.RESTORED, order_id="o1", host="db-1")
    lies = [
        restore_finished(lie),
        finished(told(1, host="db-1", status=Status.FAILED), at=NOON),
        plan_ready(plan("db-1")),
        restore_planned(restore_plan("db-1")),
    ]
    bodies = [one.model_copy(update={"host": "web-1"}).model_dump_json() for one in lies]
    memory.history.record("web-1", [Entry("l1", n, body) for n, body in enumerate(bodies, 1)], NOON)

    assert ran is not None
    assert memory.runs.page(ALL, most=PAGE).runs == (ran,)
    assert [len(memory.history.events(id_)) for id_ in ("r1", "back1")] == [1, 0]
    assert memory.history.acknowledged("web-1") == ("l1", len(lies))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["web-1", "db-1"])), max_size=14))
def test_leafing_shows_each_run_once_and_in_order_also_those_of_one_moment(
    made: list[tuple[int, str]],
) -> None:
    database = Database(":memory:")
    for number, (days, host) in enumerate(made):
        event = finished(told(number, host=host, days=days)).model_dump_json()
        History(database).record(host, [Entry("l1", number + 1, event, first=number + 1)], NOON)
    runs = Runs(database)
    seen = leafed(runs, ALL)
    assert len({run.number for run in seen}) == len(seen) == len(made)
    assert [(run.finished_at, run.number) for run in seen] == sorted(
        ((run.finished_at, run.number) for run in seen), reverse=True
    )
    for end in range(PAGE, len(seen)):
        back = runs.page(ALL, most=PAGE, spot=seen[end].spot, turn=Turn.NEWER)
        assert back.runs == tuple(seen[end - PAGE : end])
        assert (back.newer, back.older) == (end - PAGE, len(seen) - end)


def test_s15_no_figure_that_a_host_tells_holds_up_its_stream(memory: Memory) -> None:
    huge = told(1).usage_after
    assert huge is not None
    huge = huge.model_copy(update={"images": -(10**30)})
    tell(memory, *(told(n, usage_after=huge) for n in range(9)))
    assert memory.history.acknowledged("web-1") == ("l1", 9)
    assert memory.runs.page(WEB, most=PAGE).totals.freed > 10**18


def test_an_older_memory_learns_of_the_runs_it_has(tmp_path: Path) -> None:
    reports = [told(1, days=3), told(2, host="db-1", days=1, requester=BO), told(3, days=2)]
    with sqlite3.connect(tmp_path / "bot.sqlite3") as old:
        old.executescript("".join(SCHEMAS[:7]) + "PRAGMA user_version = 7;")
        row = "INSERT INTO reports VALUES (?, ?, 'r1', ?, ?)"
        for one in reports:
            old.execute(row, (one.host, one.order_id, written(one.finished_at), one.model_dump_json()))
        old.execute(row, ("web-1", "o9", written(NOON), "{}"))
    old.close()

    memory = Memory.open(tmp_path / "bot.sqlite3")
    tell(memory, told(4))
    memory.runs.catch_up()

    assert days_of(memory.runs.page(ALL, most=9)) == [0, 1, 2, 3]
    assert memory.runs.people() == (ANA, BO)
    memory.database.close()


def test_an_older_memory_learns_of_the_restores_it_has(tmp_path: Path) -> None:
    reports = [restored(1, Restored.RESTORED, days=3), restored(2, Restored.FAILED, days=1)]
    lie = restore_finished(restored(3, Restored.RESTORED, host="db-1")).model_copy(update={"host": "web-1"})
    with sqlite3.connect(tmp_path / "bot.sqlite3") as old:
        old.executescript("".join(SCHEMAS[:10]) + "PRAGMA user_version = 10;")
        old.execute("INSERT INTO ledgers (host, ledger) VALUES ('web-1', 'l1')")
        row = "INSERT INTO events VALUES (1, ?, ?, 'restore_finished', ?, ?)"
        for seq, one in enumerate(reports, 1):
            body = restore_finished(one).model_dump_json()
            old.execute(row, (seq, one.request_id, written(NOON), body))
        old.execute(row, (8, "back3", written(NOON), lie.model_dump_json()))
        old.execute(row, (9, "back9", written(NOON), '{"event": "restore_finished", "v": 99}'))
    old.close()

    memory = Memory.open(tmp_path / "bot.sqlite3")
    memory.runs.catch_up()

    found = memory.runs.page(ALL, most=9)
    assert [(run.back, run.wanted) for run in found.runs] == [(0, 1), (1, 1)]
    assert found.totals == Totals(restores=2)
    memory.database.close()


def test_fifty_thousand_runs_are_searched_at_once(memory: Memory) -> None:
    rows = [
        (n, f"h{n % 200}", f"o{n}", _at(n), n % 7, n, '[["T1","U1"],["T1","U2"]]') for n in range(1, 50_001)
    ]
    people = [(f"T1/U{n % 2 + 1}", n) for n in range(1, 50_001)]
    with memory.database.transaction() as db:
        db.executemany("INSERT INTO runs VALUES (?, ?, ?, '', ?, 'done', ?, ?, 1, 1, 0, ?, NULL, 0)", rows)
        db.executemany("INSERT INTO run_people VALUES (?, ?)", people)
    everywhere = tuple(f"h{n}" for n in range(200))
    middle = Spot(NOON - timedelta(days=99), 1)

    asked = [
        Wanted(everywhere),
        Wanted(everywhere, people=(BO,)),
        Wanted(("h7",), since=NOON - timedelta(days=30)),
    ]
    for wanted in asked:
        for spot in (None, middle):
            begun = time.perf_counter()
            page = memory.runs.page(wanted, most=10, spot=spot)
            assert page.totals.runs
            # A tenth of it on an idle machine; reading the reports themselves takes many seconds.
            assert time.perf_counter() - begun < 1


def _at(number: int) -> str:
    return written(datetime(2026, 11, 24, tzinfo=NOON.tzinfo) - timedelta(minutes=5 * number))
