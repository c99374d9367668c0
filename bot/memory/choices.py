"""What people left out of the plans of a request, until it is settled; the settlement keeps its own copy."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from bot.memory.audit import What, note
from bot.memory.database import Database
from bot.memory.noted import left_out
from bot.memory.store import is_settled, touch
from bot.requests import Choice
from workers.contract import Person


class Choices:
    """The newest choice for each host of a request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, request_id: str) -> tuple[Choice, ...]:
        """What is left out of the request, by host."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM choices WHERE request_id = ? ORDER BY host", (request_id,))
            return tuple(map(_choice, rows))

    def choose(self, request_id: str, choices: Sequence[Choice], *, at: datetime, by: Person) -> bool:
        """Put these in place of what was chosen for their hosts; False where the request is settled."""
        with self._database.transaction() as db:
            if is_settled(db, request_id):
                return False
            changed = [choice for choice in choices if _put(db, request_id, choice)]
            if changed:
                touch(db, request_id)
                note(db, What.CHOSEN, at=at, by=by, request_id=request_id, **left_out(changed))
            return True


def _put(db: sqlite3.Connection, request_id: str, choice: Choice) -> bool:
    done = db.execute(
        "INSERT INTO choices VALUES (?, ?, ?, ?) ON CONFLICT (request_id, host) DO UPDATE"
        " SET excluded = excluded.excluded, is_left_out = excluded.is_left_out"
        " WHERE (excluded, is_left_out) != (excluded.excluded, excluded.is_left_out)",
        (request_id, choice.host, json.dumps(choice.excluded), choice.is_left_out),
    )
    return done.rowcount == 1


def _choice(row: sqlite3.Row) -> Choice:
    return Choice(row["host"], tuple(json.loads(row["excluded"])), bool(row["is_left_out"]))
