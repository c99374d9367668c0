"""The part of a ledger that holds what may come back of past runs, and the restores that were done."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workers.contract import (
    ExecutionOrder,
    RestoreFinished,
    RestoreOrder,
    RestoreOutcome,
    RestorePlan,
    RestorePlanned,
    RestoreReport,
    Step,
)
from workers.errors import RefusedError
from workers.memory.events import Events
from workers.memory.journal import outcome_in
from workers.reasons import Code, Reason, reason
from workers.restore.past import PERHAPS_GONE, PastRun, Removal
from workers.signing import canonical, digest_of

# Since schema 7.
SCHEMA = """
CREATE TABLE restore_plans (digest TEXT PRIMARY KEY, made_at TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE restore_orders (
  id TEXT PRIMARY KEY, plan_digest TEXT NOT NULL UNIQUE REFERENCES restore_plans (digest),
  consumed_at TEXT NOT NULL, body TEXT NOT NULL, report TEXT
) STRICT;
CREATE TABLE restore_journal (
  order_id TEXT NOT NULL REFERENCES restore_orders (id), step INTEGER NOT NULL, asked_at TEXT NOT NULL,
  outcome TEXT, PRIMARY KEY (order_id, step)
) STRICT;
"""
PAST = (
    "SELECT o.body, o.consumed_at, j.body, j.way_back, j.outcome"
    " FROM orders o JOIN journal j ON j.order_id = o.id ORDER BY o.rowid, j.step"
)


@dataclass(frozen=True)
class OpenRestore:
    """A restore that was begun and has no report: its worker died on the way."""

    order: RestoreOrder
    plan: RestorePlan
    consumed_at: datetime
    asked: Mapping[int, RestoreOutcome | None]


class Restores(Events):
    """Plans of restores, the orders that used them up, and a journal that is written first."""

    def past_runs(self) -> list[PastRun]:
        """Return the runs that asked for a removal, oldest first, each with what it perhaps removed."""
        orders: dict[str, tuple[str, list[Removal]]] = {}
        for order, consumed_at, step, way_back, outcome in self.rows(PAST):
            _, removals = orders.setdefault(order, (consumed_at, []))
            removal = Removal(Step.model_validate_json(step), way_back, outcome_in(outcome))
            if removal.outcome in PERHAPS_GONE:
                removals.append(removal)
        return [
            PastRun(ExecutionOrder.model_validate_json(body), datetime.fromisoformat(at), tuple(removals))
            for body, (at, removals) in orders.items()
        ]

    # Plans and orders

    def keep_restore_plan(self, plan: RestorePlan, event: RestorePlanned | None = None) -> str:
        """Keep a plan, together with the event that tells of it if anyone waits; returns its digest."""
        spelled = canonical(plan)
        name, body = digest_of(spelled), spelled.decode()
        row = (name, plan.made_at.isoformat(), body)
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO restore_plans VALUES (?, ?, ?)", row)
            if event is not None:
                self._put(event)
        return name

    def restore_plans_named(self, start: str) -> list[RestorePlan]:
        """Return the plans whose digest begins so."""
        query = "SELECT body FROM restore_plans WHERE substr(digest, 1, ?) = ? AND body != ''"
        return [RestorePlan.model_validate_json(row[0]) for row in self.rows(query, len(start), start)]

    def restore_used_by(self, plan_digest: str) -> str:
        """Return the id of the order that used the plan, or an empty string."""
        rows = self.rows("SELECT id FROM restore_orders WHERE plan_digest = ?", plan_digest)
        return str(rows[0][0]) if rows else ""

    def consume_restore(self, order: RestoreOrder, now: datetime) -> None:
        """Use up an order and its plan, durably. This succeeds once, whoever tries and how often (S11).

        Raises:
            RefusedError: the order or its plan was used before.
        """
        row = (order.id, order.plan_digest, now.isoformat(), order.model_dump_json())
        with self.transaction():
            try:
                self._db.execute("INSERT INTO restore_orders VALUES (?, ?, ?, ?, NULL)", row)
            except sqlite3.IntegrityError:
                raise RefusedError(self._why_not_restored(order)) from None

    def _why_not_restored(self, order: RestoreOrder) -> Reason:
        if used := self.restore_used_by(order.plan_digest):
            return reason(Code.RESTORE_PLAN_USED, order=used)
        if self.rows("SELECT 1 FROM restore_orders WHERE id = ?", order.id):
            return reason(Code.ORDER_USED, order=order.id)
        return reason(Code.RESTORE_PLAN_UNKNOWN, digest=order.plan_digest)

    def forget_restore_plans(self, before: datetime) -> None:
        """Forget what plans made before then hold of ways back; that of a restore without report stays."""
        old = (
            "made_at < ? AND body != '' AND digest NOT IN"
            " (SELECT plan_digest FROM restore_orders WHERE report IS NULL)"
        )
        if self.rows(f"SELECT 1 FROM restore_plans WHERE {old} LIMIT 1", before.isoformat()):  # noqa: S608
            self.write(f"UPDATE restore_plans SET body = '' WHERE {old}", [(before.isoformat(),)])  # noqa: S608

    # The journal

    def ask_restore(self, order_id: str, step: int, now: datetime) -> None:
        """Write down what the engine is about to be asked for."""
        row = (order_id, step, now.isoformat())
        self.write("INSERT INTO restore_journal VALUES (?, ?, ?, NULL)", [row])

    def end_restore_step(self, order_id: str, outcome: RestoreOutcome) -> None:
        """Write down how a step ended that was asked for."""
        row = (outcome.model_dump_json(), order_id, outcome.index)
        self.write("UPDATE restore_journal SET outcome = ? WHERE order_id = ? AND step = ?", [row])

    def finish_restore(self, report: RestoreReport) -> None:
        """Close a restore with its report, together with the event that tells of it."""
        row = (report.model_dump_json(), report.order_id)
        with self.transaction():
            self._db.execute("UPDATE restore_orders SET report = ? WHERE id = ?", row)
            self._put(_finished(report, self._reply_to(report.order_id)))

    def _reply_to(self, order_id: str) -> str:
        rows = self.rows("SELECT body FROM restore_orders WHERE id = ?", order_id)
        return RestoreOrder.model_validate_json(rows[0][0]).reply_to if rows else ""

    def restore_reports(self) -> list[RestoreReport]:
        """Return every restore's report, oldest first."""
        rows = self.rows("SELECT report FROM restore_orders WHERE report IS NOT NULL ORDER BY rowid")
        return [RestoreReport.model_validate_json(row[0]) for row in rows]

    def open_restores(self) -> list[OpenRestore]:
        """Return the restores that began and never reported."""
        rows = self.rows(
            "SELECT o.body, p.body, o.consumed_at FROM restore_orders o"
            " JOIN restore_plans p ON p.digest = o.plan_digest WHERE o.report IS NULL ORDER BY o.rowid"
        )
        return [self._open_restore(*row) for row in rows]

    def _open_restore(self, order_json: str, plan_json: str, consumed_at: str) -> OpenRestore:
        order = RestoreOrder.model_validate_json(order_json)
        rows = self.rows("SELECT step, outcome FROM restore_journal WHERE order_id = ?", order.id)
        return OpenRestore(
            order,
            RestorePlan.model_validate_json(plan_json),
            datetime.fromisoformat(consumed_at),
            asked={row[0]: RestoreOutcome.model_validate_json(row[1]) if row[1] else None for row in rows},
        )


def _finished(report: RestoreReport, reply_to: str) -> RestoreFinished:
    return RestoreFinished(
        host=report.host,
        at=report.finished_at,
        request_id=report.request_id,
        reply_to=reply_to,
        report=report,
    )
