"""What the bot must not forget: the hosts it admits, the requests, how each was settled, what was sent."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from bot.memory.database import Database, moment, written
from bot.requests import Asked, Contact, Sent, Settled, Settlement
from workers.contract import Beat, Kind, Person


@dataclass(frozen=True)
class Filed:
    """A request as it was asked; `revision` counts what has been recorded about it since."""

    asked: Asked
    revision: int
    response_url: str


@dataclass(frozen=True)
class Decision:
    """How a request is settled, and whether it was this attempt that settled it."""

    settlement: Settlement
    is_ours: bool


class Store:
    """The requests and the hosts, each fact written once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, host: str, at: datetime) -> bool:
        """Take a host in; False if it was in already."""
        with self._database.transaction() as db:
            done = db.execute("INSERT OR IGNORE INTO hosts VALUES (?, ?)", (host, written(at)))
            return done.rowcount == 1

    def dismiss(self, host: str) -> bool:
        """Send a host away; False if it was not in."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM contacts WHERE host = ?", (host,))
            return db.execute("DELETE FROM hosts WHERE name = ?", (host,)).rowcount == 1

    def hosts(self) -> tuple[str, ...]:
        """The admitted hosts by name."""
        with self._database.reading() as db:
            return tuple(row["name"] for row in db.execute("SELECT name FROM hosts ORDER BY name"))

    def record_beats(self, beats: list[Beat], now: datetime) -> None:
        """Remember the hosts that have given a new sign of life, by our own clock."""
        with self._database.transaction() as db:
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
            return tuple(_contact(row) for row in rows)

    def ask(self, asked: Asked, *, trigger_id: str, response_url: str = "") -> str:
        """Record a request; returns its id, or that of the one this trigger has made before."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO requests (id, trigger_id, verb, channel, team, user, hosts, kinds,"
                " made_at, response_url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(asked.id, trigger_id, asked.verb, asked.channel),
                    *(asked.requester.team, asked.requester.user),
                    *(json.dumps(asked.hosts), json.dumps(asked.kinds)),
                    *(written(asked.made_at), response_url),
                ),
            )
            found = db.execute("SELECT id FROM requests WHERE trigger_id = ?", (trigger_id,)).fetchone()
            return str(found["id"])

    def open_requests(self) -> tuple[Filed, ...]:
        """The requests that are not over, or whose end is not shown yet, oldest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM requests WHERE is_open ORDER BY made_at, id")
            return tuple(_filed(row) for row in rows)

    def request(self, request_id: str) -> Filed | None:
        """One request, open or not."""
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM requests WHERE id = ?", (request_id,)).fetchone()
            return _filed(row) if row else None

    def close(self, request_id: str, revision: int) -> None:
        """Lay a request aside, unless something was recorded about it in the meantime."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE requests SET is_open = 0 WHERE id = ? AND revision = ?", (request_id, revision)
            )

    def settle(self, request_id: str, settlement: Settlement, *, click: str = "") -> Decision:
        """Settle a request once: whoever comes first decides, and everybody learns who that was."""
        with self._database.transaction() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO settlements VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                _settlement_row(request_id, settlement, click),
            )
            if done.rowcount:
                touch(db, request_id)
            row = db.execute("SELECT * FROM settlements WHERE request_id = ?", (request_id,)).fetchone()
            again = bool(click) and row["click"] == click
            return Decision(_settlement(row), is_ours=bool(done.rowcount) or again)

    def settlement(self, request_id: str) -> Settlement | None:
        """How the request was decided, if it was."""
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM settlements WHERE request_id = ?", (request_id,)).fetchone()
            return _settlement(row) if row else None

    def record_sent(self, request_id: str, sent: list[Sent]) -> None:
        """Record attempts to send jobs; what is final stays as it is."""
        with self._database.transaction() as db:
            db.executemany(
                "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (request_id, host, type) DO UPDATE"
                " SET error = excluded.error, final = excluded.final, certain = excluded.certain"
                " WHERE NOT final",
                [
                    (request_id, s.host, s.type, written(s.at), s.order_id, s.error, s.final, s.certain)
                    for s in sent
                ],
            )
            touch(db, request_id)

    def sent(self, request_id: str) -> tuple[Sent, ...]:
        """What was sent, or tried, for the request."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM sent WHERE request_id = ? ORDER BY host, type", (request_id,))
            return tuple(_sent(row) for row in rows)

    def record_overdue(self, request_id: str, hosts: tuple[str, ...]) -> None:
        """Record that hosts have not answered in time."""
        with self._database.transaction() as db:
            db.executemany("INSERT OR IGNORE INTO overdue VALUES (?, ?)", [(request_id, h) for h in hosts])
            touch(db, request_id)

    def overdue(self, request_id: str) -> frozenset[str]:
        """The hosts that have not answered in time."""
        with self._database.reading() as db:
            rows = db.execute("SELECT host FROM overdue WHERE request_id = ?", (request_id,))
            return frozenset(row["host"] for row in rows)


def touch(db: sqlite3.Connection, request_id: str) -> None:
    """Say in the same transaction that something new is recorded about a request; that opens it again."""
    db.execute("UPDATE requests SET revision = revision + 1, is_open = 1 WHERE id = ?", (request_id,))


def _filed(row: sqlite3.Row) -> Filed:
    kinds = json.loads(row["kinds"])
    asked = Asked(
        id=row["id"],
        verb=row["verb"],
        channel=row["channel"],
        requester=Person(team=row["team"], user=row["user"]),
        hosts=tuple(json.loads(row["hosts"])),
        made_at=moment(row["made_at"]),
        kinds=None if kinds is None else tuple(Kind(kind) for kind in kinds),
    )
    return Filed(asked, row["revision"], row["response_url"])


def _settlement_row(request_id: str, settlement: Settlement, click: str) -> tuple[str, ...]:
    by = settlement.by or Person(team="", user="")
    return (
        *(request_id, settlement.how, written(settlement.at), by.team, by.user),
        *(settlement.set_digest, json.dumps(dict(settlement.plans)), click),
    )


def _settlement(row: sqlite3.Row) -> Settlement:
    return Settlement(
        how=Settled(row["how"]),
        at=moment(row["at"]),
        by=Person(team=row["team"], user=row["user"]) if row["user"] else None,
        set_digest=row["set_digest"],
        plans=json.loads(row["plans"]),
    )


def _sent(row: sqlite3.Row) -> Sent:
    return Sent(
        host=row["host"],
        type=row["type"],
        at=moment(row["at"]),
        order_id=row["order_id"],
        error=row["error"],
        final=bool(row["final"]),
        certain=bool(row["certain"]),
    )


def _contact(row: sqlite3.Row) -> Contact:
    if row["last_seen"] is None:
        return Contact(row["name"])
    beat = Beat.model_validate_json(row["body"])
    return Contact(
        host=row["name"],
        last_seen=moment(row["last_seen"]),
        busy=beat.busy,
        busy_since=beat.busy_since,
        version=beat.version,
        problems=beat.problems,
    )
