"""How full a host's disk was: kept from what it tells, thinned, and forgotten in time."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.measured import Moment
from bot.memory import disks as disks_module
from bot.memory.database import Database
from bot.memory.disks import KEPT_FOR, Disks
from bot.memory.history import Entry, History
from bot.memory.schema import SCHEMAS
from bot.memory.store import Store
from tests.unit.bot_values import NOON, finished, plan, plan_ready, report, usage
from workers.contract import Event, Filesystem
from workers.signing import digest

YEARS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "bot.sqlite3")
    yield opened
    opened.close()


class Host:
    """What one host tells, event after event."""

    def __init__(self, database: Database, name: str = "web-1") -> None:
        self.history, self.disks, self.name, self.seq = History(database), Disks(database), name, 0

    def tell(self, event: Event, *, heard_at: datetime = NOON) -> None:
        self.seq += 1
        self.history.record(self.name, [Entry("l1", self.seq, event.model_dump_json())], heard_at)

    def plan(self, at: datetime, *, heard_at: datetime | None = None) -> None:
        self.tell(plan_ready(plan(self.name, at=at)), heard_at=heard_at or at)

    def run(self, order: str, at: datetime) -> None:
        made = plan(self.name, at=at)
        self.tell(finished(report(order, made, digest(made), at=at)), heard_at=at)

    def kept(self) -> list[tuple[datetime, Moment, str]]:
        found = self.disks.between(self.name, *YEARS)
        return [(one.usage.taken_at, one.moment, one.order_id) for one in found]


@pytest.fixture
def host(database: Database) -> Host:
    return Host(database)


def test_plans_and_both_ends_of_runs_are_kept(host: Host) -> None:
    host.plan(NOON)
    host.run("o1", NOON + timedelta(hours=2))

    later = NOON + timedelta(hours=2)
    assert host.kept() == [
        (NOON, Moment.PLAN, ""),
        (later, Moment.BEFORE, "o1"),
        (later, Moment.AFTER, "o1"),
    ]


def test_what_is_kept_is_all_that_was_measured(host: Host) -> None:
    disk = Filesystem(path="/d", total=2**70, free=1, inodes=9, inodes_free=4, reserved=3)
    told = usage(7).model_copy(update={"filesystems": (disk,)})
    host.tell(plan_ready(plan().model_copy(update={"usage": told})))

    assert [one.usage for one in host.disks.between("web-1", *YEARS)] == [told]


def test_of_an_hour_s_plans_the_last_one_stays_and_runs_all_do(host: Host) -> None:
    for minute in (0, 10, 59):
        host.plan(NOON + timedelta(minutes=minute))
        host.run(f"o{minute}", NOON + timedelta(minutes=minute))
    host.plan(NOON + timedelta(minutes=60))

    kept = host.kept()
    assert [at.minute + 60 * (at.hour - 12) for at, moment, _ in kept if moment is Moment.PLAN] == [59, 60]
    assert len({order for _, _, order in kept if order}) == 3


def test_an_event_told_again_changes_nothing(host: Host) -> None:
    host.run("o1", NOON)
    before = host.kept()
    host.run("o1", NOON)

    assert host.kept() == before


def test_what_is_old_is_forgotten_of_every_host(host: Host, database: Database) -> None:
    other = Host(database, "web-2")
    host.plan(NOON)
    other.plan(NOON)

    host.plan(NOON + KEPT_FOR)
    assert (len(host.kept()), len(other.kept())) == (2, 1)
    host.plan(NOON + KEPT_FOR + timedelta(hours=1))

    assert (len(host.kept()), len(other.kept())) == (2, 0)


def test_a_flood_pushes_out_the_oldest_of_its_own_host(
    host: Host, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks_module, "MOST_OF_A_HOST", 10)
    other = Host(database, "web-2")
    other.plan(NOON)
    for hour in range(30):
        host.plan(NOON + timedelta(hours=hour))

    assert [at for at, _, _ in host.kept()] == [NOON + timedelta(hours=hour) for hour in range(20, 30)]
    assert len(other.kept()) == 1


def test_a_host_that_is_sent_away_leaves_nothing(host: Host, database: Database) -> None:
    Store(database).admit("web-1", NOON)
    host.plan(NOON)
    Store(database).dismiss("web-1", NOON)

    assert host.kept() == []


def test_a_time_at_the_edge_of_the_calendar_holds_up_no_event(host: Host) -> None:
    edge = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    host.tell(plan_ready(plan().model_copy(update={"usage": usage(1, edge)})))
    host.plan(NOON)

    assert [at for at, _, _ in host.kept()] == [NOON]
    assert host.history.acknowledged("web-1") == ("l1", 2)


def test_a_stretch_of_time_is_told_by_the_host_s_clock(host: Host) -> None:
    for day in range(5):
        host.plan(NOON + timedelta(days=day), heard_at=NOON)

    found = host.disks.between("web-1", NOON + timedelta(days=1), NOON + timedelta(days=3))
    assert [one.usage.taken_at.day - NOON.day for one in found] == [1, 2, 3]


def test_the_last_of_a_disk_is_when_its_filesystems_could_be_asked_last(
    host: Host,
) -> None:
    disk = Filesystem(path="/", total=100, free=40, inodes=0, inodes_free=0)
    for hours, found in ((3, (disk,)), (1, (disk.model_copy(update={"free": 30}),)), (5, ())):
        measured = usage(1, NOON + timedelta(hours=hours)).model_copy(update={"filesystems": found})
        host.tell(plan_ready(plan().model_copy(update={"usage": measured})))

    last = host.disks.last("web-1")
    assert last is not None
    assert (last.taken_at, last.filesystems[0].free) == (NOON + timedelta(hours=3), 40)
    assert host.disks.last("web-2") is None


def test_an_older_memory_learns_to_keep_it(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bot.sqlite3") as old:
        old.executescript("".join(SCHEMAS[:4]) + "PRAGMA user_version = 4;")
    host = Host(Database(tmp_path / "bot.sqlite3"))
    host.plan(NOON)

    assert len(host.kept()) == 1
