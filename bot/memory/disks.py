"""How full each host's disk was, as long as anybody looks back; what is older or too much is forgotten."""

import sqlite3
from datetime import datetime, timedelta

from bot.measured import Measured, Moment, measured
from bot.memory.database import Database, written
from workers.contract import DiskUsage, Event

KEPT_FOR = timedelta(days=90)
# A plan an hour and some runs a day stay far below it, so only what floods the bot meets it.
MOST_OF_A_HOST = 5_000
HOUR = len("2026-11-24T09")


class Disks:
    """Reads what the history has kept of disks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, host: str, first: datetime, last: datetime) -> tuple[Measured, ...]:
        """How the disk of a host was measured in a stretch of time, oldest first."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM disks WHERE host = ? AND taken_at BETWEEN ? AND ? ORDER BY taken_at, number",
                (host, written(first), written(last)),
            )
            return tuple(_measured(row) for row in rows)

    def last(self, host: str) -> DiskUsage | None:
        """How full the filesystems of a host were, when they could be asked last."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT * FROM disks WHERE host = ? AND json_array_length(body, '$.filesystems') > 0"
                " ORDER BY taken_at DESC LIMIT 1",
                (host,),
            ).fetchone()
            return _measured(row).usage if row else None


def keep_disk(db: sqlite3.Connection, event: Event, now: datetime) -> None:
    """Keep what an event tells of its host's disk."""
    for one in measured(event):
        _keep(db, event.host, one, written(one.usage.taken_at), written(now))
        _forget(db, event.host, now)


def _keep(db: sqlite3.Connection, host: str, one: Measured, taken_at: str, received_at: str) -> None:
    if one.moment is Moment.PLAN:
        # Of an hour's plans the last one is enough; runs stay, each with both its ends.
        db.execute(
            "DELETE FROM disks WHERE host = ? AND moment = ? AND substr(taken_at, 1, ?) = ?",
            (host, Moment.PLAN, HOUR, taken_at[:HOUR]),
        )
    db.execute(
        "INSERT OR REPLACE INTO disks (host, order_id, moment, taken_at, received_at, body)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (host, one.order_id, one.moment, taken_at, received_at, one.usage.model_dump_json()),
    )


def _forget(db: sqlite3.Connection, host: str, now: datetime) -> None:
    db.execute("DELETE FROM disks WHERE received_at < ?", (written(now - KEPT_FOR),))
    db.execute(
        "DELETE FROM disks WHERE number IN"
        " (SELECT number FROM disks WHERE host = ? ORDER BY number DESC LIMIT -1 OFFSET ?)",
        (host, MOST_OF_A_HOST),
    )


def _measured(row: sqlite3.Row) -> Measured:
    usage = DiskUsage.model_validate_json(row["body"])
    return Measured(usage, Moment(row["moment"]), row["order_id"])
