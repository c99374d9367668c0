"""`python -m bot audit` on a real memory and a real ledger: what it prints, and how it ends."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.memory.database import Database
from bot.memory.history import Entry, History
from bot.memory.store import Store
from bot.requests import Sent, Settled, Settlement
from bot.wanted import Wanted
from tests.unit.bot_values import BO, NOON, after, asked, finished, order, plan, plan_ready, report, started
from tests.unit.restores_told import restore_plan, restore_planned, restore_report
from workers import audit
from workers.audit_lines import Head, spelled
from workers.contract import RestoreOrder, RestorePlan
from workers.memory.ledger import Ledger
from workers.signing import digest

MADE = plan()
DIGEST = digest(MADE)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot that had one plan executed on web-1, and the ledger of that host."""
    monkeypatch.setenv("PRUNE_STATE_DIR", str(tmp_path))
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.keep_plan(MADE, plan_ready(MADE))
    ledger.consume(order("o1", DIGEST), after(62))
    ledger.tell(started("o1", MADE))
    run = report("o1", MADE, DIGEST, at=after(70))
    ledger.finish(run, finished(run))
    entries = [Entry(ledger.id, seq, body) for seq, body in ledger.outbox(after=0)]
    ledger.acknowledged(len(entries))
    ledger.close()
    with closing(Database(tmp_path / "bot.sqlite3")) as database:
        store = Store(database)
        store.admit("web-1", NOON)
        store.ask(asked(), trigger_id="t1")
        store.settle("r1", Settlement(Settled.CONFIRMED, after(60), BO, "s1", {"web-1": DIGEST}))
        store.record_sent("r1", [Sent("web-1", "execute", after(61), "o1")])
        History(database).record("web-1", entries, after(71))
    return tmp_path


def exported(state: Path, host: str = "web-1") -> str:
    """The host's copy as a file."""
    file = state / f"{host}.jsonl"
    with closing(Ledger(state / "ledger.db")) as ledger:
        file.write_text("".join(spelled(audit.lines(ledger, host, after(1000)))))
    return str(file)


def test_copies_that_agree_end_with_0(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", exported(state)]) == 0
    assert capsys.readouterr().out == "same        web-1\n"


def test_without_a_file_nothing_is_called_the_same(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 2
    assert capsys.readouterr().out.startswith("NO COPY     web-1: not compared")


@pytest.mark.parametrize("keep", ["head", "half", "nothing"])
def test_a_file_that_is_cut_off_ends_with_1(
    state: Path, capsys: pytest.CaptureFixture[str], keep: str
) -> None:
    file = Path(exported(state))
    text = file.read_text()
    file.write_text(
        {"head": text.partition("\n")[0] + "\n", "half": text[: len(text) // 2], "nothing": ""}[keep]
    )

    assert main(["audit", "verify", str(file)]) == 1
    assert "cut off" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_a_wrong_command(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", str(state / "none.jsonl")]) == 2
    assert "none.jsonl cannot be read" in capsys.readouterr().err


def test_a_file_of_another_host_is_named(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", exported(state, "db-1")]) == 1
    assert "db-1: the file is of a host that was never admitted here" in capsys.readouterr().out


def without_triggers(database: sqlite3.Connection, *statements: str) -> None:
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        database.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        database.execute(statement)
    database.commit()


@pytest.mark.parametrize(
    ("file", "statement", "said"),
    [
        ("bot.sqlite3", "UPDATE acts SET who = 'T1/U9' WHERE what = 'confirmed'", "by T1/U9 here, by T1/U2"),
        ("bot.sqlite3", "DELETE FROM acts WHERE what = 'ordered'", "the bot never sent it"),
        ("bot.sqlite3", "DELETE FROM acts WHERE what = 'confirmed'", "are gone from the bot's own memory"),
        ("bot.sqlite3", "DELETE FROM events WHERE kind = 'execution_finished'", "numbered 3 were told there"),
        (
            "ledger.db",
            "UPDATE orders SET body = replace(body, '\"U2\"', '\"U1\"')",
            "by T1/U2 here, by T1/U1",
        ),
        (
            "ledger.db",
            """UPDATE orders SET report = replace(report, '"removed"', '"gone"')""",
            "ended as removed",
        ),
        ("ledger.db", "UPDATE orders SET report = NULL", "there is none there"),
        ("ledger.db", "DELETE FROM orders", "neither consumed nor refused"),
        ("ledger.db", "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'outbox'", "its ledger is older"),
    ],
)
def test_what_somebody_changed_in_one_of_the_two_is_found(
    state: Path, capsys: pytest.CaptureFixture[str], file: str, statement: str, said: str
) -> None:
    with closing(sqlite3.connect(state / file)) as database:
        without_triggers(database, statement)

    assert main(["audit", "verify", exported(state)]) == 1
    assert said in capsys.readouterr().out


@pytest.fixture
def restored(state: Path) -> Path:
    """The same, after what that run had removed was brought back."""
    made = restore_plan(request="r2", at=after(80))
    plan_digest = digest(made)
    with closing(Ledger(state / "ledger.db")) as ledger:
        ledger.keep_restore_plan(made, restore_planned(made))
        ledger.consume_restore(restore_order("b1", made), after(92))
        ledger.ask_restore("b1", 0, after(93))
        done = restore_report("b1", made, plan_digest, at=after(95))
        ledger.end_restore_step("b1", done.outcomes[0])
        ledger.finish_restore(done)
        entries = [Entry(ledger.id, seq, body) for seq, body in ledger.outbox(after=0)]
        ledger.acknowledged(entries[-1].seq)
    with closing(Database(state / "bot.sqlite3")) as database:
        store = Store(database)
        store.ask(replace(asked(id_="r2"), wanted=Wanted("last")), trigger_id="t2")
        store.settle("r2", Settlement(Settled.CONFIRMED, after(90), BO, "s2", {"web-1": plan_digest}))
        store.record_sent("r2", [Sent("web-1", "restore", after(91), "b1")])
        History(database).record("web-1", entries, after(96))
    return state


def restore_order(id_: str, made: RestorePlan) -> RestoreOrder:
    about = order(id_, digest(made)).model_dump(exclude={"type", "excluded"})
    return RestoreOrder.model_validate(about | {"request_id": made.request_id})


def test_restores_of_which_an_older_worker_tells_nothing_are_not_called_the_same(
    restored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Ledger(restored / "ledger.db")) as ledger:
        head, *rest = audit.lines(ledger, "web-1", after(1000))
    assert isinstance(head, Head)
    told = (line for line in rest if not line.record.startswith("restore"))
    file = restored / "older.jsonl"
    file.write_text("".join(spelled([head.model_copy(update={"v": 1}), *told])))

    assert main(["audit", "verify", str(file)]) == 2
    assert "its restores are not compared" in capsys.readouterr().out


def test_copies_that_agree_on_a_restore_as_well_end_with_0(
    restored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "verify", exported(restored)]) == 0
    assert capsys.readouterr().out == "same        web-1\n"


@pytest.mark.parametrize(
    ("file", "statement", "said"),
    [
        ("bot.sqlite3", "UPDATE acts SET what = 'ordered' WHERE what = 'restore_ordered'", "never sent it"),
        ("bot.sqlite3", "UPDATE acts SET who = 'T1/U9' WHERE request_id = 'r2'", "by T1/U9 here, by T1/U2"),
        ("bot.sqlite3", "DELETE FROM events WHERE kind = 'restore_finished'", "the report of order b1"),
        ("ledger.db", "UPDATE restore_orders SET body = replace(body, '\"U2\"', '\"U1\"')", "by T1/U1 there"),
        (
            "ledger.db",
            """UPDATE restore_orders SET report = replace(report, '"restored"', '"failed"')""",
            "step 0 of order b1 ended as restored",
        ),
        (
            "ledger.db",
            "UPDATE restore_orders SET report = NULL",
            "restore done, 2 of 2 there again) came here",
        ),
        ("ledger.db", "DELETE FROM restore_orders", "neither consumed nor refused"),
    ],
)
def test_what_somebody_changed_about_a_restore_is_found(
    restored: Path, capsys: pytest.CaptureFixture[str], file: str, statement: str, said: str
) -> None:
    with closing(sqlite3.connect(restored / file)) as database:
        without_triggers(database, statement)

    assert main(["audit", "verify", exported(restored)]) == 1
    assert said in capsys.readouterr().out


def test_export_writes_every_act(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def read(*options: str) -> list[str]:
        assert main(["audit", "export", *options]) == 0
        return capsys.readouterr().out.splitlines()

    assert read("--format=csv")[0] == "number,at,who,what,request,host,order,plan,detail"
    whats = [json.loads(line)["what"] for line in read("--format=jsonl")]
    assert whats == ["admitted", "asked", "confirmed", "ordered", "planned", "started", "finished"]
    assert [
        json.loads(line)["what"] for line in read("--format=jsonl", "--since", "2026-11-24T12:01:01")
    ] == [*("ordered", "planned", "started", "finished")]
    assert read("--format=jsonl", "--host", "db-1") == []


def test_a_date_that_is_none_is_a_wrong_command(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "export", "--since", "yesterday"])

    assert ended.value.code == 2
    assert "'yesterday' is not a date like 2026-01-31" in capsys.readouterr().err


def test_no_memory_is_made_of_a_wrong_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRUNE_STATE_DIR", str(tmp_path / "wrong"))

    assert main(["audit", "verify"]) == 2
    assert "there is no memory at" in capsys.readouterr().err
    assert not (tmp_path / "wrong").exists()
