"""What is recorded elsewhere in the bot's memory, told as acts in the same transaction."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.memory.audit import BOT, Detail, What, note, of_host
from bot.orders import PLAN, RESTORE, RESTORE_PLAN
from bot.requests import Asked, Choice, Sent, Settlement
from workers.contract import (
    Answered,
    Event,
    ExecutionFinished,
    ExecutionStarted,
    NotAnswered,
    OrderRefused,
    PlanFailed,
    PlanReady,
    RestoreFinished,
    RestorePlanned,
    StandingTaken,
)
from workers.signing import digest


def note_asked(db: sqlite3.Connection, asked: Asked) -> None:
    """Somebody asks for plans."""
    note(
        db,
        What.ASKED,
        at=asked.made_at,
        by=asked.requester,
        request_id=asked.id,
        verb=asked.verb,
        channel=asked.channel,
        hosts=asked.hosts,
        kinds=asked.kinds,
        run=(asked.wanted.run or "last") if asked.wanted else None,
        objects=asked.wanted.objects if asked.wanted else None,
    )


def note_settled(db: sqlite3.Connection, request_id: str, settlement: Settlement) -> None:
    """A request is decided; where that was nobody's decision, the bot did it."""
    note(
        db,
        What(settlement.how),
        at=settlement.at,
        by=settlement.by or BOT,
        request_id=request_id,
        set=settlement.set_digest or None,
        plans=settlement.plans or None,
        **left_out(settlement.choices),
    )


def left_out(choices: Sequence[Choice]) -> dict[str, Any]:
    """Tell which hosts, and which steps of which plans, people chose to leave alone."""
    steps = {c.host: " ".join(map(str, c.excluded)) for c in choices if c.excluded and not c.is_left_out}
    hosts = tuple(choice.host for choice in choices if choice.is_left_out)
    return {"excluded": steps or None, "left_out": hosts or None}


def note_sent(db: sqlite3.Connection, request_id: str, sent: Sent) -> None:
    """A job is on a host's queue, or is not, or may be: its error and `certain` say which."""
    is_asked = sent.type in (PLAN, RESTORE_PLAN)
    # What orders a run is compared with what its host says of runs.
    ordered = What.RESTORE_ORDERED if sent.type == RESTORE else What.ORDERED
    delivered = What.PLAN_ASKED if is_asked else ordered
    failed: dict[str, Detail] = {
        "type": sent.type,
        "error": sent.error,
        "certain": int(sent.certain),
        "final": int(sent.final),
    }
    note(
        db,
        What.NOT_SENT if sent.error else delivered,
        at=sent.at,
        request_id=request_id,
        host=sent.host,
        order_id=sent.order_id,
        plan_digest="" if is_asked else _confirmed_plan(db, request_id, sent.host),
        **(failed if sent.error else {}),  # type: ignore[arg-type]
    )


def _confirmed_plan(db: sqlite3.Connection, request_id: str, host: str) -> str:
    row = db.execute("SELECT plans FROM settlements WHERE request_id = ?", (request_id,)).fetchone()
    return str(json.loads(row["plans"]).get(host, "")) if row else ""


def note_event(db: sqlite3.Connection, event: Event, now: datetime) -> None:
    """A host tells of something; steps stand in the events, and that planning began is no act."""
    match event:
        case PlanReady(plan=plan):
            freed = plan.expected()
            _note_told(
                *(db, What.PLANNED, event, now),
                plan_digest=digest(plan),
                steps=len(plan.steps),
                low=freed.low,
                high=freed.high,
            )
        case PlanFailed(reason=why) | NotAnswered(reason=why):
            what = What.PLAN_FAILED if isinstance(event, PlanFailed) else What.UNANSWERED
            _note_told(db, what, event, now, reasons=(why.code,))
        case Answered(answer=answer):
            _note_told(db, What.ANSWERED, event, now, topic=answer.topic)
        case OrderRefused(order_id=order_id, reasons=reasons):
            codes = tuple(why.code for why in reasons)
            _note_told(db, What.REFUSED, event, now, order_id=order_id, reasons=codes)
        case ExecutionStarted(order_id=order_id, steps=steps):
            _note_told(db, What.STARTED, event, now, order_id=order_id, steps=steps)
        case ExecutionFinished(report=report):
            _note_told(
                *(db, What.FINISHED, event, now),
                order_id=report.order_id,
                plan_digest=report.plan_digest,
                status=report.status,
                freed=report.freed,
                approver=report.approver.spelled,
                report=digest(report),
            )
        case StandingTaken(order=order, in_force=in_force):
            told = {"type": order.type, "decided_by": order.requester.spelled}
            _note_told(db, What.TAKEN, event, now, in_force=int(in_force), **told)
        case _:
            _note_restore(db, event, now)


def _note_restore(db: sqlite3.Connection, event: Event, now: datetime) -> None:
    match event:
        case RestorePlanned(plan=plan):
            _note_told(
                *(db, What.RESTORE_PLANNED, event, now),
                plan_digest=digest(plan),
                steps=len(plan.steps),
                low=plan.needs.low,
                high=plan.needs.high,
                run=plan.run,
            )
        case RestoreFinished(report=report):
            _note_told(
                *(db, What.RESTORED, event, now),
                order_id=report.order_id,
                plan_digest=report.plan_digest,
                status=report.status,
                run=report.run,
                approver=report.approver.spelled,
                report=digest(report),
            )
        case _:
            pass


def _note_told(
    db: sqlite3.Connection,
    what: What,
    event: Event,
    now: datetime,
    *,
    order_id: str = "",
    plan_digest: str = "",
    **detail: Detail,
) -> None:
    note(
        db,
        what,
        at=now,
        by=of_host(event.host),
        request_id=event.request_id,
        host=event.host,
        order_id=order_id,
        plan_digest=plan_digest,
        told_at=event.at.isoformat(),
        **detail,
    )
