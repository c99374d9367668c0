"""The host's own memory: plans, orders, the journal of removals, and events not yet acknowledged.

One SQLite file, written through to the disk before the engine is asked for anything (S15). Whatever Redis
forgets or repeats, an order is consumed here once (S11).
"""

import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from workers.contract import Event, ExecutionOrder, Outcome, Plan, Report, Step, StepOutcome
from workers.errors import LedgerError, RefusedError
from workers.memory import sightings
from workers.reasons import Code, Reason, reason
from workers.signing import digest

MOST_REFUSALS = 10_000
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL) STRICT;
CREATE TABLE plans (
  digest TEXT PRIMARY KEY, made_at TEXT NOT NULL, expires_at TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE orders (
  id TEXT PRIMARY KEY, plan_digest TEXT NOT NULL UNIQUE REFERENCES plans (digest),
  consumed_at TEXT NOT NULL, body TEXT NOT NULL, report TEXT
) STRICT;
CREATE TABLE journal (
  order_id TEXT NOT NULL REFERENCES orders (id), step INTEGER NOT NULL, asked_at TEXT NOT NULL,
  body TEXT NOT NULL, way_back TEXT NOT NULL, outcome TEXT, PRIMARY KEY (order_id, step)
) STRICT;
CREATE TABLE refusals (at TEXT NOT NULL, order_id TEXT NOT NULL, reasons TEXT NOT NULL) STRICT;
"""
# Each entry brings a ledger from the version of its place to the next; what stands here never changes.
SCHEMAS = (SCHEMA + sightings.SCHEMA, sightings.SCHEMA_2)
REASONS: TypeAdapter[list[Reason]] = TypeAdapter(list[Reason])


@dataclass(frozen=True)
class OpenRun:
    """An order that was consumed and has no report: its worker died on the way."""

    order: ExecutionOrder
    plan: Plan
    consumed_at: datetime
    asked: Mapping[int, StepOutcome | None]


class Ledger:
    """One connection to the host's ledger. Never carry it across a fork: open another one.

    Raises:
        LedgerError: whenever the file cannot be read or written; nothing is begun then (S4).
    """

    def __init__(self, path: Path) -> None:
        self._ended: list[tuple[str, StepOutcome, Event]] = []
        with _refusing(f"ledger {path}"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            )
            self._create()
        self.id = self._one("SELECT value FROM meta WHERE key = 'ledger'")

    def close(self) -> None:
        """Let the file go."""
        with suppress(LedgerError):
            self.flush()
        self._db.close()

    def _create(self) -> None:
        # Looked at first without the lock: a ledger is opened every few seconds, and made once.
        if self._version() == len(SCHEMAS):
            return
        with self.transaction():
            version = self._version()
            if version == len(SCHEMAS):
                return
            if version > len(SCHEMAS):
                raise LedgerError(f"ledger has schema {version}, this worker knows {len(SCHEMAS)}")
            for statement in "".join(SCHEMAS[version:]).split(";"):
                self._db.execute(statement)
            if not version:
                self._db.execute("INSERT INTO meta VALUES ('ledger', ?)", (uuid.uuid4().hex,))
            self._db.execute(f"PRAGMA user_version = {len(SCHEMAS)}")

    def _version(self) -> int:
        with _refusing("ledger"):
            return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, on the disk when it returns; what is inside another one belongs to that."""
        if self._is_writing():
            yield
            return
        with _refusing("ledger"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._write_ended()
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        self._ended.clear()

    def _is_writing(self) -> bool:
        with _refusing("ledger"):
            return self._db.in_transaction

    # Plans and orders

    def keep_plan(self, plan: Plan, event: Event | None) -> str:
        """Keep a plan, together with the event that tells of it if anyone waits; returns its digest."""
        name = digest(plan)
        row = (name, plan.made_at.isoformat(), plan.expires_at.isoformat(), plan.model_dump_json())
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO plans VALUES (?, ?, ?, ?)", row)
            if event is not None:
                self._put(event)
        return name

    def plan(self, plan_digest: str) -> Plan | None:
        """Return the plan of that digest, if it was made here."""
        rows = self.rows("SELECT body FROM plans WHERE digest = ?", plan_digest)
        return Plan.model_validate_json(rows[0][0]) if rows else None

    def plans_named(self, start: str) -> list[Plan]:
        """Return the plans whose digest begins so."""
        rows = self.rows("SELECT body FROM plans WHERE substr(digest, 1, ?) = ?", len(start), start)
        return [Plan.model_validate_json(row[0]) for row in rows]

    def used_by(self, plan_digest: str) -> str:
        """Return the id of the order that used the plan, or an empty string."""
        rows = self.rows("SELECT id FROM orders WHERE plan_digest = ?", plan_digest)
        return str(rows[0][0]) if rows else ""

    def consume(self, order: ExecutionOrder, now: datetime) -> None:
        """Use up an order and its plan, durably. This succeeds once, whoever tries and how often (S11).

        Raises:
            RefusedError: the order or its plan was used before.
        """
        row = (order.id, order.plan_digest, now.isoformat(), order.model_dump_json())
        with self.transaction():
            try:
                self._db.execute("INSERT INTO orders VALUES (?, ?, ?, ?, NULL)", row)
            except sqlite3.IntegrityError:
                raise RefusedError(self._why_not(order)) from None

    def _why_not(self, order: ExecutionOrder) -> Reason:
        if self.rows("SELECT 1 FROM orders WHERE id = ?", order.id):
            return reason(Code.ORDER_USED, order=order.id)
        if used := self.used_by(order.plan_digest):
            return reason(Code.PLAN_USED, order=used)
        return reason(Code.UNKNOWN_PLAN, digest=order.plan_digest)

    def refuse(
        self, reasons: tuple[Reason, ...], *, order_id: str, event: Event | None, now: datetime
    ) -> None:
        """Record what was turned away, and tell of it where there is somebody to tell."""
        row = (now.isoformat(), order_id, REASONS.dump_json(list(reasons)).decode())
        with self.transaction():
            added = self._db.execute("INSERT INTO refusals VALUES (?, ?, ?)", row).lastrowid or 0
            # Whoever can write to Redis can be refused without end; that must not fill the disk.
            self._db.execute("DELETE FROM refusals WHERE rowid <= ?", (added - MOST_REFUSALS,))
            if event is not None:
                self._put(event)

    def refusals(self) -> list[tuple[str, list[Reason]]]:
        """Return (order id, reasons) of all that was turned away, oldest first."""
        rows = self.rows("SELECT order_id, reasons FROM refusals ORDER BY rowid")
        return [(row[0], REASONS.validate_json(row[1])) for row in rows]

    # The journal

    def ask(self, order_id: str, step: Step, way_back: str, now: datetime) -> None:
        """Write down that a step is about to be asked of the engine, with the way back (JSON)."""
        self.ask_together(order_id, [(step, way_back)], now)

    def ask_together(self, order_id: str, steps: Sequence[tuple[Step, str]], now: datetime) -> None:
        """The same of steps that are asked of the engine in one call: an entry each, all or none."""
        rows = [(order_id, s.index, now.isoformat(), s.model_dump_json(), way) for s, way in steps]
        self.write("INSERT INTO journal VALUES (?, ?, ?, ?, ?, NULL)", rows)

    def end_step(self, order_id: str, outcome: StepOutcome, event: Event) -> None:
        """Take note how a step ended; it is written with what is written next, the event with it.

        Bringing every step to the disk twice takes longer than the removals. If the host dies in between,
        the step stands there as asked for, and whoever recovers looks at the engine.
        """
        self._ended.append((order_id, outcome, event))

    def flush(self) -> None:
        """Write down the ends of steps that still wait for it."""
        if self._ended:
            with self.transaction():
                pass

    def _write_ended(self) -> None:
        for order_id, outcome, event in self._ended:
            row = (outcome.model_dump_json(), order_id, outcome.index)
            self._db.execute("UPDATE journal SET outcome = ? WHERE order_id = ? AND step = ?", row)
            self._put(event)

    def finish(self, report: Report, event: Event) -> None:
        """Close a run with its report, together with the event that tells of it."""
        with self.transaction():
            self._db.execute(
                "UPDATE orders SET report = ? WHERE id = ?", (report.model_dump_json(), report.order_id)
            )
            self._put(event)

    def open_runs(self) -> list[OpenRun]:
        """Return the runs that began and never reported."""
        rows = self.rows(
            "SELECT o.body, p.body, o.consumed_at FROM orders o JOIN plans p ON p.digest = o.plan_digest"
            " WHERE o.report IS NULL ORDER BY o.rowid"
        )
        return [self._open_run(*row) for row in rows]

    def _open_run(self, order_json: str, plan_json: str, consumed_at: str) -> OpenRun:
        order = ExecutionOrder.model_validate_json(order_json)
        rows = self.rows("SELECT step, outcome FROM journal WHERE order_id = ?", order.id)
        asked = {row[0]: StepOutcome.model_validate_json(row[1]) if row[1] else None for row in rows}
        return OpenRun(order, Plan.model_validate_json(plan_json), datetime.fromisoformat(consumed_at), asked)

    def reports(self) -> list[Report]:
        """Return every run's report, oldest first."""
        rows = self.rows("SELECT report FROM orders WHERE report IS NOT NULL ORDER BY rowid")
        return [Report.model_validate_json(row[0]) for row in rows]

    def removed_images(self) -> dict[str, datetime]:
        """Return when runs removed images, by id: unless they came again, nobody else is to blame."""
        rows = self.rows(
            "SELECT json_extract(body, '$.object.id'), max(asked_at) FROM journal"
            " WHERE json_extract(body, '$.object.kind') = 'image'"
            " AND json_extract(outcome, '$.outcome') = 'removed' GROUP BY 1"
        )
        return {str(id_): datetime.fromisoformat(at) for id_, at in rows}

    def ways_back(self, order_id: str) -> list[tuple[Step, str, Outcome | None]]:
        """Return (step, way back as JSON, outcome) of each removal that an order asked for."""
        rows = self.rows(
            "SELECT body, way_back, outcome FROM journal WHERE order_id = ? ORDER BY step", order_id
        )
        return [(Step.model_validate_json(row[0]), row[1], _outcome(row[2])) for row in rows]

    def way_back(self, order_id: str, step: int) -> str:
        """Return the way back (JSON) of one removal that an order asked for."""
        rows = self.rows("SELECT way_back FROM journal WHERE order_id = ? AND step = ?", order_id, step)
        return str(rows[0][0]) if rows else "{}"

    # The outbox

    def tell(self, event: Event) -> None:
        """Put an event into the outbox; it stays until the bot has acknowledged it."""
        with self.transaction():
            self._put(event)

    def _put(self, event: Event) -> None:
        self._db.execute("INSERT INTO outbox (event) VALUES (?)", (event.model_dump_json(),))

    def outbox(self, *, after: int, limit: int = 200) -> list[tuple[int, str]]:
        """Return (seq, event as JSON) of the events numbered above `after`, in order."""
        return self.rows("SELECT seq, event FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)

    def acknowledged(self, up_to: int) -> None:
        """Forget the events that the bot has recorded, up to and with this number."""
        with self.transaction():
            self._db.execute("DELETE FROM outbox WHERE seq <= ?", (up_to,))

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return what a query finds."""
        if not self._is_writing():
            self.flush()
        with _refusing("ledger"), closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()

    def write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Write many rows at once."""
        with self.transaction():
            self._db.executemany(statement, rows)

    def _one(self, query: str) -> str:
        return str(self.rows(query)[0][0])


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"{what}: {error}") from error


def _outcome(text: str | None) -> Outcome | None:
    return StepOutcome.model_validate_json(text).outcome if text else None
