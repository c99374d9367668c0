"""Whose memory an engine's executions are in, and whether that memory is whole (S4, S11)."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.bot_values import NOON, plan
from tests.unit.test_ledger import order, refusal
from workers.contract import Plan
from workers.errors import LedgerError
from workers.execution.ownership import FIRST, Ownership
from workers.memory.ledger import Ledger
from workers.reasons import Code
from workers.signing import digest

ENGINE = "engine-1"
Opened = Callable[[str], Ownership]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Open a ledger by its file's name, beside the one folder that says whose the engine is."""
    (tmp_path / "engines").mkdir()
    made: list[Ledger] = []

    def open_(name: str) -> Ownership:
        made.append(Ledger(tmp_path / name))
        return Ownership(tmp_path / "engines", ENGINE, made[-1], tmp_path / name)

    yield open_
    for ledger in made:
        ledger.close()


def kept(ours: Ownership, request: str, at: datetime = NOON) -> Plan:
    made = plan(request=request, at=at)
    ours.ledger.keep_plan(made, None)
    return made


def consume(ours: Ownership, id_: str) -> None:
    """What a run does before its first removal."""
    made = kept(ours, id_)
    ours.require(made)
    ours.consume(order(id_, plan_digest=digest(made)), NOON)


def copy(ours: Ownership, name: str) -> None:
    with closing(sqlite3.connect(ours.ledger_file)) as database:
        database.execute("VACUUM INTO ?", (str(ours.ledger_file.parent / name),))


def owners_file(ours: Ownership) -> Path:
    [found] = ours.folder.glob("*.ledgers")
    return found


def test_s11_a_ledger_put_back_from_an_older_copy_executes_nothing(opened: Opened) -> None:
    ours = opened("ledger.db")
    consume(ours, "o1")
    copy(ours, "copy.db")
    same = opened("copy.db")
    same.require(None)
    consume(ours, "o2")

    assert same.ledger.id == ours.ledger.id
    assert refusal(lambda: same.require(None)) is Code.LEDGER_PUT_BACK
    assert same.refusal(same.owner()).params["order"] == "o2"  # type: ignore[union-attr]
    ours.require(None)


def test_s11_a_person_has_an_older_copy_go_on_but_not_with_its_plans(opened: Opened) -> None:
    ours = opened("ledger.db")
    consume(ours, "o1")
    before = kept(ours, "before", datetime.now(UTC))
    copy(ours, "copy.db")
    consume(ours, "o2")
    same = opened("copy.db")

    same.take_over(same.owner(), by="cli:root")

    same.require(plan(at=datetime.now(UTC)))
    assert refusal(lambda: same.require(before)) is Code.PLAN_BEFORE_ADOPTION
    same.ledger.keep_plan(later := plan(request="o3", at=datetime.now(UTC)), None)
    same.consume(order("o3", plan_digest=digest(later)), NOON)
    assert refusal(lambda: ours.require(None)) is Code.LEDGER_PUT_BACK


def test_s11_an_order_stands_beside_the_lock_only_once_the_ledger_has_consumed_it(opened: Opened) -> None:
    ours = opened("ledger.db")
    consume(ours, "o1")

    assert refusal(lambda: ours.consume(order("o2", plan_digest=digest(plan(request="o1"))), NOON)) is (
        Code.PLAN_USED
    )
    assert ours.owner().last_order == "o1"  # type: ignore[union-attr]
    assert [one.suffix for one in ours.folder.iterdir()] == [".ledgers"]


def test_s4_an_order_that_cannot_be_noted_is_not_consumed(opened: Opened) -> None:
    ours = opened("ledger.db")
    made = kept(ours, "o1")
    ours.require(made)
    owners_file(ours).with_suffix(".new").mkdir()

    assert refusal(lambda: ours.consume(order("o1", plan_digest=digest(made)), NOON)) is Code.NO_LOCK
    assert not ours.ledger.has_consumed("o1")


def test_s15_a_consumed_order_that_does_not_stand_beside_the_lock_is_an_error(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = opened("ledger.db")
    made = kept(ours, "o1")
    ours.require(made)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(LedgerError, match="o1 cannot be noted"):
        ours.consume(order("o1", plan_digest=digest(made)), NOON)
    assert ours.ledger.has_consumed("o1")


def test_s4_where_it_says_nothing_any_more_whose_an_engine_is_nobody_executes(opened: Opened) -> None:
    ours = opened("ledger.db")
    consume(ours, "o1")
    owners_file(ours).write_text("")

    assert refusal(lambda: opened("another.db").require(None)) is Code.NO_LOCK


def test_s11_what_became_another_ones_meanwhile_is_not_taken_over(opened: Opened) -> None:
    first, second, third = opened("1.db"), opened("2.db"), opened("3.db")
    first.require(None)
    seen = third.owner()
    second.take_over(seen, by="cli:ana")

    assert refusal(lambda: third.take_over(seen, by="cli:bo")) is Code.OTHER_LEDGER
    assert second.owner().ledger == second.ledger.id  # type: ignore[union-attr]


def test_what_an_earlier_version_wrote_is_read(opened: Opened) -> None:
    ours = opened("ledger.db")
    ours.require(None)
    text = owners_file(ours).read_text()
    owners_file(ours).write_text(text.replace(', "last_order": ""', ""))

    ours.require(kept(ours, "r1", NOON - timedelta(days=400)))
    assert ours.owner().by == FIRST  # type: ignore[union-attr]


def test_a_link_in_the_place_of_what_is_written_leads_nowhere(opened: Opened, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    (tmp_path / "engines" / f"engine-{ENGINE}.new").symlink_to(elsewhere)
    ours = opened("ledger.db")
    ours.require(None)

    assert elsewhere.read_text() == "precious"
    assert not owners_file(ours).is_symlink()
