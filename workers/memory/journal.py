"""The part of a ledger that holds what runs asked of the engine, what came of it, and their reports (S15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workers.contract import Event, ExecutionOrder, Outcome, Plan, Report, Step, StepOutcome
from workers.memory.events import PUT, Events


@dataclass(frozen=True)
class OpenRun:
    """An order that was consumed and has no report: its worker died on the way."""

    order: ExecutionOrder
    plan: Plan
    consumed_at: datetime
    asked: Mapping[int, StepOutcome | None]
    last_asked: datetime | None
    baseline: str


class Journal(Events):
    """An entry for each step, written before the engine is asked."""

    def begin(self, order_id: str, baseline: str, event: Event) -> None:
        """Write down the signs of life before the first removal (JSON), with the event that tells of it."""
        with self.transaction():
            self._db.execute("INSERT INTO baselines VALUES (?, ?)", (order_id, baseline))
            self._put(event)

    def ask(self, order_id: str, steps: Sequence[tuple[Step, str]], now: datetime) -> None:
        """Write down what the engine is about to be asked for in one call, each step with its way back: JSON.

        An entry each, all or none.
        """
        rows = [(order_id, s.index, now.isoformat(), s.model_dump_json(), way) for s, way in steps]
        self.write("INSERT INTO journal VALUES (?, ?, ?, ?, ?, NULL)", rows)

    def end_step(self, order_id: str, outcome: StepOutcome, event: Event) -> None:
        """Take note how a step ended; it is written with what is written next, the event with it.

        Bringing every step to the disk twice takes longer than the removals. If the host dies in between,
        the step stands there as asked for, and whoever recovers looks at the engine.
        """
        row = (outcome.model_dump_json(), order_id, outcome.index)
        self.later("UPDATE journal SET outcome = ? WHERE order_id = ? AND step = ?", row)
        self.later(PUT, (event.model_dump_json(),))

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
        rows = self.rows("SELECT step, outcome, asked_at FROM journal WHERE order_id = ?", order.id)
        return OpenRun(
            order,
            Plan.model_validate_json(plan_json),
            datetime.fromisoformat(consumed_at),
            asked={row[0]: StepOutcome.model_validate_json(row[1]) if row[1] else None for row in rows},
            last_asked=max((datetime.fromisoformat(row[2]) for row in rows), default=None),
            baseline=self.baseline(order.id),
        )

    def baseline(self, order_id: str) -> str:
        """Return the signs of life before a run's first removal (JSON); empty where there was none."""
        rows = self.rows("SELECT body FROM baselines WHERE order_id = ?", order_id)
        return str(rows[0][0]) if rows else ""

    def report(self, order_id: str) -> Report | None:
        """Return the report of one run, if it is known here and over."""
        rows = self.rows("SELECT report FROM orders WHERE id = ? AND report IS NOT NULL", order_id)
        return Report.model_validate_json(rows[0][0]) if rows else None

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
        return [(Step.model_validate_json(row[0]), row[1], outcome_in(row[2])) for row in rows]

    def asked_for(self, order_id: str) -> list[tuple[Step, datetime, str]]:
        """Return (step, when, way back as JSON) of each removal that an order asked for, as they came."""
        rows = self.rows(
            "SELECT body, asked_at, way_back FROM journal WHERE order_id = ? ORDER BY rowid", order_id
        )
        return [(Step.model_validate_json(row[0]), datetime.fromisoformat(row[1]), row[2]) for row in rows]

    def forget_ways_back(self, before: datetime) -> None:
        """Forget the ways back of what was removed before then; what was removed, and why, stays (S15).

        Not of a run that has no report yet: whoever recovers it may need them.
        """
        old = "asked_at < ? AND way_back != ''"
        if self.rows(f"SELECT 1 FROM journal WHERE {old} LIMIT 1", before.isoformat()):  # noqa: S608
            self.write(
                f"UPDATE journal SET way_back = '' WHERE {old}"  # noqa: S608
                " AND order_id IN (SELECT id FROM orders WHERE report IS NOT NULL)",
                [(before.isoformat(),)],
            )

    def way_back(self, order_id: str, step: int) -> str:
        """Return the way back (JSON) of one removal that an order asked for."""
        rows = self.rows("SELECT way_back FROM journal WHERE order_id = ? AND step = ?", order_id, step)
        return str(rows[0][0]) if rows else "{}"


def outcome_in(text: str | None) -> Outcome | None:
    """How a step ended, of what the journal has of that; None where it did not yet."""
    return StepOutcome.model_validate_json(text).outcome if text else None
