"""The history: every event of every host recorded once, what is acknowledged of them, and the reports."""

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from bot.memory.audit import What, note, of_host
from bot.memory.database import Database, written
from bot.memory.disks import keep_disk
from bot.memory.noted import note_event
from bot.memory.runs import keep_restore, keep_run
from bot.memory.store import touch
from workers.contract import EVENT, Event, ExecutionFinished, Report, RestoreFinished, hosts_of

logger = logging.getLogger(__name__)

UNREADABLE = "unreadable"
FOREIGN = "foreign"


@dataclass(frozen=True)
class Entry:
    """An event as it stood in a host's stream: the numbering it belongs to, its number, its text.

    `first`: the host holds nothing below this number any more; 0 where it did not say.
    """

    ledger: str
    seq: int
    body: str
    first: int = 0


@dataclass(frozen=True)
class Recorded:
    """An event as it stands here; ledgers are numbered in the order in which the bot met them.

    `number` counts all events in the order in which they came.
    """

    number: int
    ledger: int
    seq: int
    body: str


@dataclass(frozen=True)
class Known:
    """What can be said of an entry: its kind, the request it is for, and the event where it can be read."""

    kind: str
    request_id: str = ""
    event: Event | None = None


class History:
    """The append-only half of the bot's memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, host: str, entries: Sequence[Entry], now: datetime) -> int:
        """Record what came in a host's stream; returns how many of the entries were new."""
        with self._database.transaction() as db:
            new = sum(self._record(db, host, entry, now) for entry in entries)
            for ledger in {entry.ledger for entry in entries}:
                _skip(db, host, ledger, max(entry.first for entry in entries if entry.ledger == ledger))
                _advance(db, host, ledger)
        return new

    def acknowledged(self, host: str) -> tuple[str, int] | None:
        """The newest ledger of a host, and up to which number everything of it is recorded."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT ledger, acknowledged FROM ledgers WHERE host = ? ORDER BY number DESC LIMIT 1",
                (host,),
            ).fetchone()
            return (row["ledger"], row["acknowledged"]) if row else None

    def events(self, request_id: str, *, after: int = 0) -> tuple[Recorded, ...]:
        """What was told about a request after the event of that number, each host's in its own order."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT rowid AS number, ledger, seq, body FROM events WHERE request_id = ? AND rowid > ?"
                " ORDER BY ledger, seq",
                (request_id, after),
            )
            return tuple(Recorded(**row) for row in rows)

    def reports(self, *, limit: int = 20) -> tuple[Report, ...]:
        """The last reports, newest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT body FROM reports ORDER BY finished_at DESC LIMIT ?", (limit,))
            return tuple(Report.model_validate_json(row["body"]) for row in rows)

    def report(self, host: str, order_id: str) -> Report | None:
        """The report of one run."""
        with self._database.reading() as db:
            query = "SELECT body FROM reports WHERE host = ? AND order_id = ?"
            row = db.execute(query, (host, order_id)).fetchone()
            return Report.model_validate_json(row["body"]) if row else None

    def _record(self, db: sqlite3.Connection, host: str, entry: Entry, now: datetime) -> bool:
        number, acknowledged = _ledger(db, host, entry.ledger)
        if entry.seq <= acknowledged:
            return False
        known = recognised(host, entry)
        done = db.execute(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)",
            (number, entry.seq, known.request_id, known.kind, written(now), entry.body),
        )
        if not done.rowcount:
            return False
        touch(db, known.request_id)
        _note(db, host, entry, known, now)
        if isinstance(known.event, ExecutionFinished):
            _keep_report(db, known.event.report)
        if isinstance(known.event, RestoreFinished):
            keep_restore(db, known.event.report)
        if known.event is not None:
            keep_disk(db, known.event, now)
        return True


def recognised(host: str, entry: Entry) -> Known:
    """Say what an entry is; one that cannot be read is kept as it came and never blocks the stream."""
    try:
        event = EVENT.validate_json(entry.body)
    except ValidationError as error:
        logger.warning("%s: event %s cannot be read: %s errors", host, entry.seq, error.error_count())
        return Known(UNREADABLE)
    if others := hosts_of(event) - {host}:
        logger.warning("%s: event %s says it is of host %s; it is not shown", host, entry.seq, min(others))
        return Known(FOREIGN)
    return Known(event.event, event.request_id, event)


def _ledger(db: sqlite3.Connection, host: str, ledger: str) -> tuple[int, int]:
    db.execute("INSERT OR IGNORE INTO ledgers (host, ledger) VALUES (?, ?)", (host, ledger))
    row = db.execute(
        "SELECT number, acknowledged FROM ledgers WHERE host = ? AND ledger = ?", (host, ledger)
    ).fetchone()
    return row["number"], row["acknowledged"]


def _skip(db: sqlite3.Connection, host: str, ledger: str, first: int) -> None:
    """Do not wait for what the host no longer has: this memory is younger than the one that recorded it."""
    number, last = _ledger(db, host, ledger)
    if first - 1 > last:
        logger.warning("%s: events %s to %s were told to a memory before this one", host, last + 1, first - 1)
        db.execute("UPDATE ledgers SET acknowledged = ? WHERE number = ?", (first - 1, number))


def _advance(db: sqlite3.Connection, host: str, ledger: str) -> None:
    """Acknowledge without a gap: what is still missing is sent again, and what follows it is not lost."""
    number, last = _ledger(db, host, ledger)
    rows = db.execute("SELECT seq FROM events WHERE ledger = ? AND seq > ? ORDER BY seq", (number, last))
    for row in rows.fetchall():
        if row["seq"] != last + 1:
            break
        last += 1
    db.execute("UPDATE ledgers SET acknowledged = ? WHERE number = ?", (last, number))


def _note(db: sqlite3.Connection, host: str, entry: Entry, known: Known, now: datetime) -> None:
    if known.event is not None:
        note_event(db, known.event, now)
        return
    about = {"kind": known.kind, "ledger": entry.ledger}
    note(db, What.UNREADABLE, at=now, by=of_host(host), host=host, seq=entry.seq, **about)


def _keep_report(db: sqlite3.Connection, report: Report) -> None:
    db.execute(
        "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?)",
        (
            *(report.host, report.order_id, report.request_id),
            *(written(report.finished_at), report.model_dump_json()),
        ),
    )
    keep_run(db, report)
