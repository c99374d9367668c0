"""What stands in the two memories, the host's ledger and the bot's, read past the program's own code."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

BUSY_SECONDS = 20
ORDERS = "(SELECT id, report FROM orders UNION ALL SELECT id, report FROM restore_orders)"
PLANS = "(SELECT digest, body FROM plans UNION ALL SELECT digest, body FROM restore_plans)"


@dataclass(frozen=True)
class Records:
    """The two files; each look opens them anew, for a fault may put others in their place."""

    ledger: Path
    bot: Path

    # The host

    def is_consumed(self, order_id: str) -> bool:
        return bool(_rows(self.ledger, f"SELECT 1 FROM {ORDERS} WHERE id = ?", order_id))

    def journal(self, order_id: str) -> dict[int, str]:
        """The steps of which the engine was asked, each with its object's id, which a restore's lack."""
        found = _rows(
            self.ledger,
            "SELECT step, json_extract(body, '$.object.id') FROM journal WHERE order_id = ?1"
            " UNION ALL SELECT step, '' FROM restore_journal WHERE order_id = ?1",
            order_id,
        )
        return {int(step): str(id_) for step, id_ in found}

    def ledger_reports(self, order_id: str) -> list[str]:
        query = f"SELECT report FROM {ORDERS} WHERE id = ? AND report IS NOT NULL"
        return [row[0] for row in _rows(self.ledger, query, order_id)]

    def is_refused(self, order_id: str) -> bool:
        return bool(_rows(self.ledger, "SELECT 1 FROM refusals WHERE order_id = ?", order_id))

    def open_runs(self) -> int:
        return len(_rows(self.ledger, f"SELECT 1 FROM {ORDERS} WHERE report IS NULL"))

    def unacknowledged(self) -> int:
        return len(_rows(self.ledger, "SELECT 1 FROM outbox"))

    def plan(self, request_id: str) -> dict[str, Any]:
        """The plan that was made for a request, with its digest."""
        query = f"SELECT digest, body FROM {PLANS} WHERE json_extract(body, '$.request_id') = ?"
        ((digest, body),) = _rows(self.ledger, query, request_id)
        return {"digest": digest, **json.loads(body)}

    # The bot

    def open_requests(self) -> list[str]:
        return [row[0] for row in _rows(self.bot, "SELECT id FROM requests WHERE is_open")]

    def knows(self, request_id: str) -> bool:
        return bool(_rows(self.bot, "SELECT 1 FROM requests WHERE id = ?", request_id))

    def settled(self, request_id: str) -> str:
        found = _rows(self.bot, "SELECT how FROM settlements WHERE request_id = ?", request_id)
        return str(found[0][0]) if found else ""

    def is_sent(self, request_id: str) -> bool:
        """Whether the bot believes that the order is on the queue."""
        query = (
            "SELECT 1 FROM sent"
            " WHERE request_id = ? AND type IN ('execute', 'restore') AND final AND error = ''"
        )
        return bool(_rows(self.bot, query, request_id))

    def events(self, request_id: str) -> list[str]:
        return [row[0] for row in _rows(self.bot, "SELECT kind FROM events WHERE request_id = ?", request_id)]

    def history(self, request_id: str) -> list[str]:
        return [
            row[0] for row in _rows(self.bot, "SELECT body FROM reports WHERE request_id = ?", request_id)
        ]

    def restored(self, request_id: str) -> list[str]:
        """The reports of a restore."""
        query = (
            "SELECT json_extract(body, '$.report') FROM events"
            " WHERE request_id = ? AND kind = 'restore_finished'"
        )
        return [row[0] for row in _rows(self.bot, query, request_id)]


def copied(database: Path, place: Path) -> Path:
    """A whole copy of a database that others go on writing."""
    with _open(database) as source, _open(place, mode="rwc") as copy:
        source.backup(copy)
    return place


def ledger_id(ledger: Path) -> str:
    """What a ledger is called."""
    return str(_rows(ledger, "SELECT value FROM meta WHERE key = 'ledger'")[0][0])


def put_back(copy: Path, database: Path) -> None:
    """Put a copy, or nothing, where a database was; whoever used it is dead."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    if copy.exists():
        copied(copy, database)


def shift(database: Path, request_id: str, time: timedelta) -> None:
    """Have been longer ago what the bot remembers of a request."""
    places = (
        ("requests", "made_at", "id"),
        ("settlements", "at", "request_id"),
        ("sent", "at", "request_id"),
    )
    with _open(database) as connection, connection:
        for table, column, key in places:
            query = f"SELECT rowid, {column} FROM {table} WHERE {key} = ?"
            for row, at in connection.execute(query, (request_id,)).fetchall():
                earlier = (datetime.fromisoformat(at) - time).isoformat(timespec="microseconds")
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (earlier, row))


def _rows(database: Path, query: str, *values: object) -> list[Any]:
    try:
        with _open(database) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.OperationalError as error:
        # One that was lost is made anew by its owner, who may not have come to it, or to its tables, yet.
        if any(words in str(error) for words in ("no such table", "unable to open")):
            return []
        raise


@contextlib.contextmanager
def _open(database: Path, *, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{database}?mode={mode}", uri=True, timeout=BUSY_SECONDS)
    with contextlib.closing(connection):
        yield connection
