"""The part of a ledger that holds plans, the orders that used them up, and what was turned away (S11)."""

import sqlite3
from datetime import datetime

from pydantic import TypeAdapter

from workers.contract import Claims, Event, ExecutionOrder, Plan, PlanReady
from workers.errors import RefusedError
from workers.memory.events import PUT, Events
from workers.reasons import Code, Reason, reason
from workers.signing import canonical, digest_of

MOST_REFUSALS = 10_000
REASONS: TypeAdapter[list[Reason]] = TypeAdapter(list[Reason])


class Orders(Events):
    """What may be done here, and what may not."""

    def keep_plan(self, plan: Plan, event: PlanReady | None) -> str:
        """Keep a plan, together with the event that tells of it if anyone waits; returns its digest."""
        spelled = canonical(plan)
        name, body = digest_of(spelled), spelled.decode()
        row = (name, plan.made_at.isoformat(), plan.expires_at.isoformat(), body)
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO plans VALUES (?, ?, ?, ?)", row)
            if event is not None:
                self._db.execute(PUT, (_with_plan(event, body),))
        return name

    def forget_plans(self, before: datetime) -> None:
        """Forget plans made before then that no order has used up: previews of every night fill a disk."""
        old = "made_at < ? AND digest NOT IN (SELECT plan_digest FROM orders)"
        if self.rows(f"SELECT 1 FROM plans WHERE {old} LIMIT 1", before.isoformat()):  # noqa: S608
            self.write(f"DELETE FROM plans WHERE {old}", [(before.isoformat(),)])  # noqa: S608

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

    def has_consumed(self, order_id: str) -> bool:
        """Whether an order was used up here."""
        return bool(self.rows("SELECT 1 FROM orders WHERE id = ?", order_id))

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
        if self.has_consumed(order.id):
            return reason(Code.ORDER_USED, order=order.id)
        if used := self.used_by(order.plan_digest):
            return reason(Code.PLAN_USED, order=used)
        return reason(Code.UNKNOWN_PLAN, digest=order.plan_digest)

    def refuse(
        self,
        reasons: tuple[Reason, ...],
        *,
        order_id: str,
        event: Event | None,
        now: datetime,
        claims: Claims | None = None,
    ) -> None:
        """Record what was turned away, and whose it was; tell of it where there is somebody to tell."""
        whose = claims.model_dump_json() if claims else ""
        row = (now.isoformat(), order_id, REASONS.dump_json(list(reasons)).decode(), whose)
        with self.transaction():
            added = self._db.execute("INSERT INTO refusals VALUES (?, ?, ?, ?)", row).lastrowid or 0
            # Whoever can write to Redis can be refused without end; that must not fill the disk.
            self._db.execute("DELETE FROM refusals WHERE rowid <= ?", (added - MOST_REFUSALS,))
            if event is not None:
                self._put(event)

    def refusals(self) -> list[tuple[str, list[Reason]]]:
        """Return (order id, reasons) of all that was turned away, oldest first."""
        rows = self.rows("SELECT order_id, reasons FROM refusals ORDER BY rowid")
        return [(row[0], REASONS.validate_json(row[1])) for row in rows]


def _with_plan(event: PlanReady, plan: str) -> str:
    """The event as JSON. Its plan is most of it, and is spelled already."""
    rest = event.model_dump_json(exclude={"plan"})
    return f'{rest[:-1]},"plan":{plan}}}'
