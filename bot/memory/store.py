"""What the bot must not forget: the hosts it admits, the requests, how each was settled, what was sent."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from bot.memory.audit import BOT, What, note
from bot.memory.ballots import Poll, decides
from bot.memory.database import Database, moment, written
from bot.memory.noted import note_asked, note_sent, note_settled
from bot.memory.rows import Filed, contact_of, filed_of, row_of, sent_of, settlement_of, wanted_of
from bot.requests import SILENT_AFTER, Asked, Contact, Sent, Settlement
from workers.contract import Beat, Person


@dataclass(frozen=True)
class Decision:
    """How a request is settled, and whether it was this attempt that settled it."""

    settlement: Settlement
    is_ours: bool


class Store:
    """The requests and the hosts, each fact written once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, host: str, at: datetime, *, by: Person | str = BOT) -> bool:
        """Take a host in; False if it was in already."""
        with self._database.transaction() as db:
            done = db.execute("INSERT OR IGNORE INTO hosts VALUES (?, ?)", (host, written(at)))
            if done.rowcount:
                note(db, What.ADMITTED, at=at, by=by, host=host)
            return done.rowcount == 1

    def dismiss(self, host: str, at: datetime, *, by: Person | str = BOT) -> bool:
        """Send a host away; False if it was not in."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM contacts WHERE host = ?", (host,))
            db.execute("DELETE FROM disks WHERE host = ?", (host,))
            done = db.execute("DELETE FROM hosts WHERE name = ?", (host,))
            if done.rowcount:
                note(db, What.DISMISSED, at=at, by=by, host=host)
            return done.rowcount == 1

    def hosts(self) -> tuple[str, ...]:
        """The admitted hosts by name."""
        with self._database.reading() as db:
            return tuple(row["name"] for row in db.execute("SELECT name FROM hosts ORDER BY name"))

    def record_beats(self, beats: list[Beat], now: datetime) -> None:
        """Remember the hosts that have given a new sign of life, by our own clock."""
        with self._database.transaction() as db:
            for beat in beats:
                if _was_silent(db, beat, now):
                    _open_again(db, beat.host)
            db.executemany(
                "INSERT INTO contacts VALUES (?, ?, ?, ?, ?) ON CONFLICT (host) DO UPDATE SET"
                " boot = excluded.boot, beat_at = excluded.beat_at,"
                " last_seen = excluded.last_seen, body = excluded.body"
                " WHERE (boot, beat_at) != (excluded.boot, excluded.beat_at)",
                [(b.host, b.boot, written(b.at), written(now), b.model_dump_json()) for b in beats],
            )

    def contacts(self) -> tuple[Contact, ...]:
        """What is known of each admitted host, silent ones included."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT hosts.name, contacts.* FROM hosts LEFT JOIN contacts ON host = name ORDER BY name"
            )
            return tuple(contact_of(row) for row in rows)

    def ask(self, asked: Asked, *, trigger_id: str, response_url: str = "") -> str:
        """Record a request; returns its id, or that of the one this trigger has made before."""
        with self._database.transaction() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO requests (id, trigger_id, verb, channel, team, user, hosts, kinds,"
                " made_at, response_url, wanted, thread) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(asked.id, trigger_id, asked.verb, asked.channel),
                    *(asked.requester.team, asked.requester.user),
                    *(json.dumps(asked.hosts), json.dumps(asked.kinds)),
                    *(written(asked.made_at), response_url, wanted_of(asked), asked.thread),
                ),
            )
            if done.rowcount:
                note_asked(db, asked)
            found = db.execute("SELECT id FROM requests WHERE trigger_id = ?", (trigger_id,)).fetchone()
            return str(found["id"])

    def open_requests(self) -> tuple[Filed, ...]:
        """The requests that are not over, or whose end is not shown yet, oldest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM requests WHERE is_open ORDER BY made_at, id")
            return tuple(filed_of(row) for row in rows)

    def request(self, request_id: str) -> Filed | None:
        """One request, open or not."""
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM requests WHERE id = ?", (request_id,)).fetchone()
            return filed_of(row) if row else None

    def leave_thread(self, request_id: str) -> None:
        """Have a request stand by itself: the thread that it was to stand in is gone."""
        with self._database.transaction() as db:
            db.execute("UPDATE requests SET thread = '' WHERE id = ?", (request_id,))
            touch(db, request_id)

    def close(self, request_id: str, revision: int) -> None:
        """Lay a request aside, unless something was recorded about it in the meantime."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE requests SET is_open = 0 WHERE id = ? AND revision = ?", (request_id, revision)
            )

    def settle(self, request_id: str, settlement: Settlement, *, click: str = "") -> Decision:
        """Settle a request once: whoever comes first decides, and everybody learns who that was."""
        with self._database.transaction() as db:
            return _settled(db, request_id, settlement, click)

    def vote(
        self, request_id: str, settlement: Settlement, poll: Poll, *, click: str = ""
    ) -> Decision | None:
        """Settle a request if this ballot is the last one needed; None where more are."""
        with self._database.transaction() as db:
            if not is_settled(db, request_id) and not decides(db, request_id, poll):
                touch(db, request_id)
                return None
            return _settled(db, request_id, settlement, click)

    def settlement(self, request_id: str) -> Settlement | None:
        """How the request was decided, if it was."""
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM settlements WHERE request_id = ?", (request_id,)).fetchone()
            return settlement_of(row) if row else None

    def record_sent(self, request_id: str, sent: list[Sent]) -> None:
        """Record attempts to send jobs; what is final stays as it is."""
        with self._database.transaction() as db:
            for attempt in sent:
                _record_attempt(db, request_id, attempt)
            touch(db, request_id)

    def sent(self, request_id: str) -> tuple[Sent, ...]:
        """What was sent, or tried, for the request."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM sent WHERE request_id = ? ORDER BY host, type", (request_id,))
            return tuple(sent_of(row) for row in rows)

    def record_overdue(self, request_id: str, hosts: tuple[str, ...], at: datetime) -> None:
        """Record that hosts have not answered in time."""
        with self._database.transaction() as db:
            for host in hosts:
                done = db.execute("INSERT OR IGNORE INTO overdue VALUES (?, ?)", (request_id, host))
                if done.rowcount:
                    note(db, What.NOT_ANSWERED, at=at, request_id=request_id, host=host)
            touch(db, request_id)

    def overdue(self, request_id: str) -> frozenset[str]:
        """The hosts that have not answered in time."""
        with self._database.reading() as db:
            rows = db.execute("SELECT host FROM overdue WHERE request_id = ?", (request_id,))
            return frozenset(row["host"] for row in rows)


def _was_silent(db: sqlite3.Connection, beat: Beat, now: datetime) -> bool:
    row = db.execute("SELECT * FROM contacts WHERE host = ?", (beat.host,)).fetchone()
    if row is None or (row["boot"], row["beat_at"]) == (beat.boot, written(beat.at)):
        return False
    return now - moment(row["last_seen"]) > SILENT_AFTER


def _open_again(db: sqlite3.Connection, host: str) -> None:
    """Take up the orders that a host was given and said nothing of: what became of them is known soon."""
    db.execute(
        "UPDATE requests SET revision = revision + 1, is_open = 1 WHERE NOT is_open AND id IN ("
        " SELECT request_id FROM sent WHERE host = ? AND type = 'execute' AND NOT (error != '' AND certain)"
        " AND NOT EXISTS (SELECT 1 FROM events JOIN ledgers ON ledgers.number = events.ledger"
        "  WHERE events.request_id = sent.request_id AND ledgers.host = sent.host"
        "  AND kind IN ('execution_started', 'execution_finished', 'order_refused')))",
        (host,),
    )


def _settled(db: sqlite3.Connection, request_id: str, settlement: Settlement, click: str) -> Decision:
    done = db.execute(
        "INSERT OR IGNORE INTO settlements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row_of(request_id, settlement, click),
    )
    if done.rowcount:
        touch(db, request_id)
        note_settled(db, request_id, settlement)
    row = db.execute("SELECT * FROM settlements WHERE request_id = ?", (request_id,)).fetchone()
    again = bool(click) and row["click"] == click
    return Decision(settlement_of(row), is_ours=bool(done.rowcount) or again)


def is_settled(db: sqlite3.Connection, request_id: str) -> bool:
    """Whether a request is decided, as the caller's transaction sees it."""
    row = db.execute("SELECT 1 FROM settlements WHERE request_id = ?", (request_id,)).fetchone()
    return row is not None


def touch(db: sqlite3.Connection, request_id: str) -> None:
    """Say in the same transaction that something new is recorded about a request; that opens it again."""
    db.execute("UPDATE requests SET revision = revision + 1, is_open = 1 WHERE id = ?", (request_id,))


def _record_attempt(db: sqlite3.Connection, request_id: str, sent: Sent) -> None:
    done = db.execute(
        "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (request_id, host, type) DO UPDATE"
        " SET error = excluded.error, final = excluded.final, certain = excluded.certain"
        " WHERE NOT final",
        (
            *(request_id, sent.host, sent.type, written(sent.at)),
            *(sent.order_id, sent.error, sent.final, sent.certain),
        ),
    )
    if done.rowcount:
        note_sent(db, request_id, sent)
