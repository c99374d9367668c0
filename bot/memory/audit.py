"""What was asked, decided, refused and done, and by whom: rows that the store only ever adds to.

An act is noted in the transaction of the change it tells of: both are on the disk, or neither. Inside one:

    note(db, What.FROZEN, at=now, by=person, host="web-1", reason="release")

and where nothing else is written, `Audit.note` with the same arguments.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from bot.acts import BOT, Act, What, of_host
from bot.memory.database import Database, moment, written
from workers.contract import Person

__all__ = ["BOT", "Act", "Audit", "What", "note", "of_host"]
# A stranger's text is kept short: a row is never taken back.
LONGEST = 300
Detail = str | int | None | Mapping[str, str] | tuple[str, ...]


def note(
    db: sqlite3.Connection,
    what: What,
    *,
    at: datetime,
    by: Person | str = BOT,
    request_id: str = "",
    host: str = "",
    order_id: str = "",
    plan_digest: str = "",
    **detail: Detail,
) -> None:
    """Add an act to the transaction that is under way; details that are None are left out."""
    who = by.spelled if isinstance(by, Person) else by
    known = {key: _clipped(value) for key, value in detail.items() if value is not None}
    db.execute(
        "INSERT INTO acts (at, who, what, request_id, host, order_id, plan_digest, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(written(at), who, what, request_id, host, order_id, plan_digest),
            json.dumps(known, sort_keys=True, ensure_ascii=False),
        ),
    )


def _clipped(value: Detail) -> Detail:
    if isinstance(value, Mapping):
        return dict(value)
    return value[:LONGEST] if isinstance(value, str) else value


class Audit:
    """The acts, for whoever has no transaction of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def together(self) -> AbstractContextManager[sqlite3.Connection]:
        """A transaction; what the other parts of the memory write inside it belongs to it."""
        return self._database.transaction()

    def note(self, what: What, *, at: datetime, by: Person | str = BOT, **about: Detail) -> None:
        """Add one act."""
        with self._database.transaction() as db:
            note(db, what, at=at, by=by, **about)  # type: ignore[arg-type]

    def note_shown(self, request_id: str, set_digest: str, plans: Mapping[str, str], at: datetime) -> None:
        """Say that a set of plans stands before people; said once of each set."""
        with self._database.transaction() as db:
            known = db.execute(
                "SELECT 1 FROM acts WHERE request_id = ? AND what = ? AND json_extract(detail, '$.set') = ?",
                (request_id, What.SHOWN, set_digest),
            )
            if known.fetchone() is None:
                note(db, What.SHOWN, at=at, request_id=request_id, set=set_digest, plans=plans)

    def shown(self, request_id: str, set_digest: str) -> Mapping[str, str]:
        """The plans of a set that stood before people, by host; empty where none of that name did."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT detail FROM acts WHERE request_id = ? AND what = ?"
                " AND json_extract(detail, '$.set') = ?",
                (request_id, What.SHOWN, set_digest),
            ).fetchone()
            plans: Mapping[str, str] = json.loads(row["detail"])["plans"] if row else {}
            return plans

    def acts(self) -> tuple[Act, ...]:
        """All acts, oldest first."""
        with self._database.reading() as db:
            return tuple(_act(row) for row in db.execute("SELECT * FROM acts ORDER BY number"))


def _act(row: sqlite3.Row) -> Act:
    return Act(
        number=row["number"],
        at=moment(row["at"]),
        who=row["who"],
        what=row["what"],
        request_id=row["request_id"],
        host=row["host"],
        order_id=row["order_id"],
        plan_digest=row["plan_digest"],
        detail=json.loads(row["detail"]),
    )
