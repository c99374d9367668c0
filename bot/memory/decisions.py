"""What people decided about hosts, until each host has it: written down before anybody is answered."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from bot.acts import What
from bot.decisions import Decided, State, Told, Verb
from bot.memory.audit import note
from bot.memory.database import Database, moment, written
from bot.memory.store import touch
from workers.contract import Kind, Person
from workers.reasons import Reason

REASONS: TypeAdapter[list[Reason]] = TypeAdapter(list[Reason])
WHAT = {
    Verb.STOP: What.STOPPED,
    Verb.FREEZE: What.FROZEN,
    Verb.UNFREEZE: What.THAWED,
    Verb.PROTECT: What.PROTECTED,
    Verb.UNPROTECT: What.UNPROTECTED,
}


NEWEST = """
SELECT * FROM decisions WHERE number = (
  SELECT number FROM decisions d WHERE d.host = decisions.host AND d.about = decisions.about
  ORDER BY decided_at DESC, verb IN ('freeze', 'protect') DESC, number DESC LIMIT 1
) AND (? = '[]' OR about IN (SELECT value FROM json_each(?))) ORDER BY host, about
"""
UNSETTLED = """
SELECT * FROM decisions WHERE id IN (
  SELECT id FROM decisions WHERE state = 'open' OR told != 'all'
) ORDER BY decided_at, id, number
"""


class Decisions:
    """The decisions in the bot's memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, decided: Sequence[Decided], *, trigger_id: str) -> None:
        """Write down a decision at all its hosts; the same delivery decides once."""
        with self._database.transaction() as db:
            for one in decided:
                done = db.execute(
                    "INSERT OR IGNORE INTO decisions (id, host, trigger_id, verb, about, decided_at, body)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (one.id, one.host, trigger_id, one.verb, one.about, written(one.at), _body(one)),
                )
                if done.rowcount:
                    touch(db, one.run)
                    _note(db, one)

    def unsettled(self) -> tuple[Decided, ...]:
        """What is not at its host yet, or was not told of, oldest first; each with all of its decision."""
        return self._found(UNSETTLED)

    def newest(self, *abouts: str) -> tuple[Decided, ...]:
        """The newest decision about each thing at each host; without a name, about all of them."""
        wanted = json.dumps(abouts)
        return self._found(NEWEST, wanted, wanted)

    def is_overtaken(self, one: Decided) -> bool:
        """Whether something later was decided about the same."""
        newest = [found for found in self.newest(one.about) if found.host == one.host]
        return bool(newest) and newest[0].id != one.id

    def sent(self, one: Decided, at: datetime) -> None:
        """Say that it was put where the host looks."""
        with self._database.transaction() as db:
            where = (written(at), one.id, one.host)
            db.execute("UPDATE decisions SET sent_at = ? WHERE id = ? AND host = ?", where)

    def settle(self, one: Decided, state: State, reasons: Sequence[Reason] = ()) -> Decided:
        """Say how it ended at its host."""
        told = REASONS.dump_json(list(reasons)).decode()
        with self._database.transaction() as db:
            db.execute(
                "UPDATE decisions SET state = ?, reasons = ? WHERE id = ? AND host = ?",
                (state, told, one.id, one.host),
            )
            touch(db, one.run)
        return replace(one, state=state, reasons=tuple(reasons))

    def tell(self, id_: str, told: Told) -> None:
        """Say what the channel was told."""
        with self._database.transaction() as db:
            db.execute("UPDATE decisions SET told = ? WHERE id = ?", (told, id_))

    def _found(self, query: str, *values: object) -> tuple[Decided, ...]:
        with self._database.reading() as db:
            return tuple(map(_decided, db.execute(query, values)))


def _note(db: sqlite3.Connection, one: Decided) -> None:
    until = one.until.isoformat() if one.until else None
    note(
        db,
        WHAT[one.verb],
        at=one.at,
        by=one.by,
        request_id=one.run or one.id,
        host=one.host,
        order_id=one.order_id,
        reason=one.why or None,
        pattern=f"{one.kind}:{one.pattern}" if one.pattern else None,
        until=until,
    )


def _body(one: Decided) -> str:
    return json.dumps(
        {
            "by": one.by.model_dump(),
            "channel": one.channel,
            "response_url": one.response_url,
            "why": one.why,
            "kind": one.kind,
            "pattern": one.pattern,
            "until": written(one.until) if one.until else None,
            "run": one.run,
            "order_id": one.order_id,
        }
    )


def _decided(row: sqlite3.Row) -> Decided:
    body = json.loads(row["body"])
    until = body.pop("until")
    return Decided(
        id=row["id"],
        host=row["host"],
        verb=Verb(row["verb"]),
        at=moment(row["decided_at"]),
        by=Person.model_validate(body.pop("by")),
        until=moment(until) if until else None,
        kind=Kind(body.pop("kind")),  # type: ignore[arg-type]
        state=State(row["state"]),
        reasons=tuple(REASONS.validate_json(row["reasons"])),
        sent_at=moment(row["sent_at"]) if row["sent_at"] else None,
        told=Told(row["told"]),
        **body,
    )
