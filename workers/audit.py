"""The host's own copy of what was asked of it and done, out of its ledger alone."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from workers.audit_lines import (
    EventsLine,
    Head,
    Line,
    OrderLine,
    RefusalLine,
    ReportLine,
    RestoreLine,
    RestoreReportLine,
    RestoreStepLine,
    StandingLine,
    StepLine,
    agreed,
    report_line,
    restore_report_line,
)
from workers.contract import (
    STANDING,
    ExecutionOrder,
    Person,
    RestoreOrder,
    RestoreOutcome,
    Step,
    StepOutcome,
)
from workers.memory.ledger import Ledger
from workers.memory.orders import REASONS


def lines(ledger: Ledger, host: str, now: datetime) -> Iterator[Line]:
    """Everything that is on record, as it stood at one moment.

    Raises:
        LedgerError: it cannot be read.
    """
    with ledger.reading():
        yield Head(host=host, ledger=ledger.id, exported_at=now)
        yield from _orders(ledger)
        yield from _steps(ledger)
        yield from _reports(ledger)
        yield from _restores(ledger)
        yield from _restore_steps(ledger)
        yield from _restore_reports(ledger)
        yield from _refusals(ledger)
        yield from _standing(ledger)
        yield _events(ledger)


def _orders(ledger: Ledger) -> Iterator[OrderLine]:
    for consumed_at, body in ledger.rows("SELECT consumed_at, body FROM orders ORDER BY rowid"):
        order = ExecutionOrder.model_validate_json(body)
        yield OrderLine(**_consumed(order, consumed_at), excluded=order.excluded)


def _consumed(order: ExecutionOrder | RestoreOrder, consumed_at: str) -> dict[str, Any]:
    return {
        "id": order.id,
        "consumed_at": datetime.fromisoformat(consumed_at),
        "request_id": order.request_id,
        "requester": order.requester.spelled,
        "approvers": agreed(order),
        "plan_digest": order.plan_digest,
        "engine_id": order.engine_id,
    }


def _steps(ledger: Ledger) -> Iterator[StepLine]:
    rows = ledger.rows("SELECT order_id, step, asked_at, body, outcome FROM journal ORDER BY rowid")
    for order_id, index, asked_at, body, outcome in rows:
        ended = StepOutcome.model_validate_json(outcome) if outcome else None
        yield StepLine(
            order_id=order_id,
            index=index,
            asked_at=datetime.fromisoformat(asked_at),
            object=Step.model_validate_json(body).object,
            outcome=ended.outcome if ended else "",
            reason=ended.reason if ended else None,
        )


def _reports(ledger: Ledger) -> Iterator[ReportLine]:
    yield from map(report_line, ledger.reports())


def _restores(ledger: Ledger) -> Iterator[RestoreLine]:
    for consumed_at, body in ledger.rows("SELECT consumed_at, body FROM restore_orders ORDER BY rowid"):
        yield RestoreLine(**_consumed(RestoreOrder.model_validate_json(body), consumed_at))


def _restore_steps(ledger: Ledger) -> Iterator[RestoreStepLine]:
    rows = ledger.rows("SELECT order_id, step, asked_at, outcome FROM restore_journal ORDER BY rowid")
    for order_id, index, asked_at, outcome in rows:
        ended = RestoreOutcome.model_validate_json(outcome) if outcome else None
        yield RestoreStepLine(
            order_id=order_id,
            index=index,
            asked_at=datetime.fromisoformat(asked_at),
            outcome=ended.outcome if ended else "",
            reason=ended.reason if ended else None,
        )


def _restore_reports(ledger: Ledger) -> Iterator[RestoreReportLine]:
    yield from map(restore_report_line, ledger.restore_reports())


def _refusals(ledger: Ledger) -> Iterator[RefusalLine]:
    rows = ledger.rows("SELECT rowid, at, order_id, reasons, claims FROM refusals ORDER BY rowid")
    for number, at, order_id, reasons, claims in rows:
        yield RefusalLine(
            number=number,
            at=datetime.fromisoformat(at),
            order_id=order_id,
            reasons=tuple(REASONS.validate_json(reasons)),
            **_people(claims),
        )


def _people(claims: str) -> dict[str, object]:
    """Whose it was that was turned away, whatever it asked for; kept where its seal held."""
    if not claims:
        return {}
    said = json.loads(claims)
    named = (*said.get("approvers", ()), *filter(None, [said.get("approver")]))
    approvers = dict.fromkeys(Person.model_validate(one).spelled for one in named)
    requester = Person.model_validate(said["requester"]).spelled
    return {"request_id": said["request_id"], "requester": requester, "approvers": tuple(approvers)}


def _standing(ledger: Ledger) -> Iterator[StandingLine]:
    for about, taken_at, body in ledger.rows("SELECT about, taken_at, body FROM standing ORDER BY rowid"):
        order = STANDING.validate_json(body)
        yield StandingLine(
            request_id=order.request_id,
            type=order.type,
            about=about,
            decided_by=order.requester.spelled,
            decided_at=order.decided_at,
            taken_at=datetime.fromisoformat(taken_at),
        )


def _events(ledger: Ledger) -> EventsLine:
    waiting = ledger.rows("SELECT seq FROM outbox ORDER BY seq")
    return EventsLine(last=ledger.last_told(), waiting=tuple(row[0] for row in waiting))
