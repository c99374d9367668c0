"""The host's own copy: all that its ledger holds, in lines that cannot be cut or changed unseen."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.bot_values import (
    NOON,
    after,
    finished,
    freeze,
    order,
    plan,
    plan_ready,
    refused,
    removed,
    report,
)
from tests.unit.golden import assert_text
from workers import audit
from workers.audit_lines import BrokenCopy, Head, HostCopy, read, spelled
from workers.cli.record import record_lines
from workers.contract import HOST_TEAM, STANDING, Person, StandingOrder, StepFinished
from workers.memory.ledger import SCHEMAS, Ledger
from workers.memory.standing import StandingOrders
from workers.reasons import Code, reason
from workers.signing import digest

MADE, MINE = plan(), plan(request="host-1", steps=1)
LOCAL = Person(team=HOST_TEAM, user="ops")


def filled(ledger: Ledger) -> None:
    """A run by Slack, one at the host, one cut off, and three refusals."""
    for made in (MADE, MINE, plan(request="r9", steps=3)):
        ledger.keep_plan(made, plan_ready(made))
    ledger.consume(order("o1", digest(MADE)), after(1))
    ledger.ask("o1", [(MADE.steps[0], "{}")], after(2))
    ended = removed(0)
    told = StepFinished(host="web-1", at=after(3), order_id="o1", step=ended)
    ledger.end_step("o1", ended, told)
    ledger.finish(report("o1", MADE, digest(MADE)), finished(report("o1", MADE, digest(MADE))))
    ledger.consume(order("o2", digest(MINE), requester=LOCAL, approver=LOCAL), after(10))
    local = report("o2", MINE, digest(MINE)).model_copy(update={"requester": LOCAL, "approver": LOCAL})
    ledger.finish(local, finished(local))
    ledger.consume(order("o3", digest(plan(request="r9", steps=3))), after(20))
    used, forged = reason(Code.ORDER_USED, order="o1"), reason(Code.BAD_SIGNATURE, key="k9")
    again, mine = order("o1", digest(MADE)), order("o4", digest(MINE), requester=LOCAL, approver=LOCAL)
    ledger.refuse((used,), order_id="o1", event=refused("o1"), now=after(30), claims=again)
    ledger.refuse((forged,), order_id="", event=None, now=after(40))
    ledger.refuse((used,), order_id="o4", event=None, now=after(50), claims=mine)
    ledger.acknowledged(2)


def standing(type_: str, second: int) -> StandingOrder:
    about = {} if "freeze" in type_ else {"kind": "image", "pattern": "postgres:16"}
    usual = freeze(f"s{second}").model_dump(mode="json", exclude={"why"})
    at = dict.fromkeys(("decided_at", "issued_at"), after(second).isoformat())
    return STANDING.validate_json(json.dumps({**usual, "type": type_, **at, **about}))


def copy(ledger: Ledger) -> HostCopy:
    return read("".join(spelled(audit.lines(ledger, "web-1", after(60)))))


def record(ledger: Ledger, *, has_bot: bool = True) -> list[str]:
    return list(record_lines(list(audit.lines(ledger, "web-1", NOON)), has_bot=has_bot))


def test_the_copy_holds_every_run_with_who_asked_and_who_confirmed(ledger: Ledger) -> None:
    filled(ledger)

    found = copy(ledger)
    assert [(o.id, o.requester, o.approvers, o.is_local) for o in found.orders] == [
        ("o1", "T1/U1", ("T1/U2",), False),
        ("o2", "cli:ops", ("cli:ops",), True),
        ("o3", "T1/U1", ("T1/U2",), False),
    ]
    assert [(r.order_id, r.status, r.freed, len(r.outcomes)) for r in found.reports] == [
        ("o1", "done", 200_000_000, 2),
        ("o2", "done", 100_000_000, 1),
    ]
    assert [(s.order_id, s.index, s.outcome) for s in found.steps] == [("o1", 0, "removed")]


def test_the_copy_holds_every_refusal_and_whose_it_was_where_that_is_sure(ledger: Ledger) -> None:
    filled(ledger)

    assert [(r.order_id, r.requester, r.reasons[0].code, r.is_local) for r in copy(ledger).refusals] == [
        ("o1", "T1/U1", Code.ORDER_USED, False),
        ("", "", Code.BAD_SIGNATURE, False),
        ("o4", "cli:ops", Code.ORDER_USED, True),
    ]


def test_the_copy_holds_what_the_host_was_told_to_keep_to(ledger: Ledger) -> None:
    StandingOrders(ledger).take(freeze("f1"), after(5))

    (kept,) = copy(ledger).standing
    assert (kept.request_id, kept.type, kept.about, kept.decided_by) == ("f1", "freeze", "host", "T1/U1")
    assert (kept.decided_at, kept.taken_at) == (NOON, after(5))


def test_the_copy_says_how_far_events_were_numbered_though_they_are_gone_from_the_outbox(
    ledger: Ledger,
) -> None:
    filled(ledger)
    events = copy(ledger).events
    assert (events.last, events.waiting) == (7, (3, 4, 5, 6, 7))

    ledger.acknowledged(7)
    events = copy(ledger).events
    assert (events.last, events.waiting) == (7, ())


def test_a_copy_of_the_first_schema_is_read_and_tells_of_no_restores(ledger: Ledger) -> None:
    head, *rest = audit.lines(ledger, "web-1", NOON)
    assert isinstance(head, Head)
    older = read("".join(spelled([head.model_copy(update={"v": 1}), *rest])))

    assert (older.tells_of_restores, copy(ledger).tells_of_restores) == (False, True)


def test_the_record_reads_as_one_line_for_each_thing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.cli.record.local_time", lambda moment: moment[:16].replace("T", " "))
    filled(ledger)

    assert_text("host-audit.txt", "\n".join(record(ledger)) + "\n")


def test_an_empty_ledger_says_that_there_was_nothing(ledger: Ledger) -> None:
    assert record(ledger) == ["Nothing was ordered and nothing was refused here."]


def test_the_record_tells_of_who_froze_and_protected_and_who_ended_it(ledger: Ledger) -> None:
    for second, type_ in enumerate(("freeze", "unfreeze", "protect", "unprotect")):
        StandingOrders(ledger).take(standing(type_, second), after(second))
    told = [line.split("  ", 1)[1] for line in record(ledger)[:4]]

    assert told == [
        "T1/U1 froze this host (request s0)",
        "T1/U1 unfroze this host (request s1)",
        "T1/U1 protected image postgres:16 (request s2)",
        "T1/U1 ended the protection of image postgres:16 (request s3)",
    ]


def test_events_wait_for_a_bot_only_where_there_is_one(ledger: Ledger) -> None:
    ledger.keep_plan(MADE, plan_ready(MADE))
    waiting = "1 event of 1 not yet acknowledged by the bot."

    assert (record(ledger)[-1], waiting in record(ledger, has_bot=False)) == (waiting, False)

    ledger.keep_plan(MINE, plan_ready(MINE))
    ledger.acknowledged(1)
    assert record(ledger, has_bot=False)[-1] == "1 event of 2 not yet acknowledged by the bot."


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_copy_that_was_cut_or_changed_anywhere_is_not_believed(data: st.DataObject) -> None:
    with closing(Ledger(Path(":memory:"))) as ledger:
        filled(ledger)
        text = "".join(spelled(audit.lines(ledger, "web-1", after(60))))
    at = data.draw(st.integers(0, len(text) - 2))
    letter = data.draw(st.sampled_from(["", text[at] + "0", "\n", "7", text[: at + 1]]))
    broken = data.draw(st.sampled_from([text[: at + 1], text[:at] + letter + text[at + 1 :]]))
    if broken == text:
        return

    with pytest.raises(BrokenCopy):
        read(broken)


def test_a_line_left_out_is_missed_though_the_end_is_there(ledger: Ledger) -> None:
    filled(ledger)
    lines = list(spelled(audit.lines(ledger, "web-1", after(60))))

    with pytest.raises(BrokenCopy, match="altered"):
        read("".join(lines[:1] + lines[2:]))
    with pytest.raises(BrokenCopy, match="cut off after 3 whole lines"):
        read("".join(lines[:4])[:-5])


@pytest.mark.parametrize("version", range(1, len(SCHEMAS) + 1))
def test_a_ledger_of_every_version_can_be_told(tmp_path: Path, version: int) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript("".join(SCHEMAS[:version]))
        database.executescript(f"INSERT INTO meta VALUES ('ledger', 'old'); PRAGMA user_version = {version};")
        refusal = (NOON.isoformat(), "o1", "[]")
        database.execute("INSERT INTO refusals (at, order_id, reasons) VALUES (?, ?, ?)", refusal)
        database.commit()

    with closing(Ledger(path)) as ledger:
        found = copy(ledger)

    assert (found.head.ledger, found.refusals[0].order_id, found.refusals[0].requester) == ("old", "o1", "")
