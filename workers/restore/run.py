"""The run of one restore: consume, then step by step, journal first, and a report (S11, S14, S15)."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from workers.contract import (
    EngineIdentity,
    Kind,
    Restored,
    RestoreOrder,
    RestoreOutcome,
    RestorePlan,
    RestoreReport,
    RestoreStep,
    Status,
)
from workers.engine import Engine
from workers.errors import (
    EngineError,
    EngineUnreachable,
    LedgerError,
    RefusedError,
    trouble_with,
    unforeseen_is_an_engine_error,
)
from workers.execution.recovery import A_MOMENT, GOES_ON
from workers.memory.ledger import Ledger
from workers.memory.restores import OpenRestore
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason
from workers.restore import guards, looking
from workers.restore.returning import Ended, Load, Returning, is_back

LONGEST = timedelta(minutes=50)
ANOTHER_ENGINE = "another engine answers now"
Heard = Callable[[RestoreStep], None]


@dataclass(frozen=True)
class Tools:
    """What a restore works with; `load` has the engine load an image of the archive, or says why
    not; `told_to_stop` and `barred` are asked between steps, `hear` is told of each.

    `forget_image` has what the ledger remembers of an image looked up again: its tags have changed.
    """

    engine: Engine
    identity: EngineIdentity
    ledger: Ledger
    policy: Policy
    local: bool
    load: Load
    told_to_stop: Callable[[], bool]
    barred: Callable[[], Reason | None] = lambda: None
    forget_image: Callable[[str], None] = lambda _: None
    hear: Heard = lambda _: None


def restore(order: RestoreOrder, tools: Tools) -> RestoreReport:
    """Do a confirmed plan, once.

    Raises:
        RefusedError: a guard said no; nothing was begun.
        LedgerError: the journal cannot be written; nothing more is asked of the engine.
    """
    plans = tools.ledger.restore_plans_named(order.plan_digest)
    if not plans:
        raise RefusedError(reason(Code.RESTORE_PLAN_UNKNOWN, digest=order.plan_digest))
    refusals = guards.order_refusals(
        order,
        plans[0],
        used_by=tools.ledger.restore_used_by(order.plan_digest),
        engine=tools.identity,
        policy=tools.policy,
        now=_now(),
    )
    if refusals:
        raise RefusedError(*refusals)
    tools.ledger.consume_restore(order, _now())
    return _Run(order, plans[0], tools).go()


class _Run:
    """One restore under way."""

    def __init__(self, order: RestoreOrder, plan: RestorePlan, tools: Tools) -> None:
        self._order, self._plan, self._tools = order, plan, tools
        self._started_at = _now()
        self._outcomes: dict[int, RestoreOutcome] = {}
        self._stopped_by: list[Reason] = []
        self._findings: list[Reason] = []

    def go(self) -> RestoreReport:
        """Run to the end; what was begun always ends in a report."""
        returning = Returning(
            self._tools.engine,
            ask=lambda step: self._tools.ledger.ask_restore(self._order.id, step.index, _now()),
            free=self._free,
            left=self._left,
            load=self._tools.load,
        )
        for step in self._plan.steps:
            if self._halts():
                break
            self._tools.hear(step)
            self._step(step, returning)
        return self._finish()

    def _free(self) -> int | None:
        return looking.free(self._tools.identity) if self._tools.local else None

    def _left(self) -> timedelta:
        return self._started_at + LONGEST - _now()

    def _halts(self) -> bool:
        if not self._stopped_by:
            self._stopped_by += filter(None, [self._why_to_end()])
        return bool(self._stopped_by)

    def _why_to_end(self) -> Reason | None:
        if why := self._tools.barred():
            return why
        if self._tools.told_to_stop():
            return reason(Code.RESTORE_TERMINATED)
        return reason(Code.RESTORE_DEADLINE) if self._left() <= timedelta(0) else None

    def _step(self, step: RestoreStep, returning: Returning) -> None:
        try:
            ended = returning.bring(step)
        except EngineUnreachable as error:
            self._stopped_by.append(trouble_with(error))
            ended = Ended(Restored.FAILED, reason(Code.STATE_UNKNOWN, detail=str(error)))
        except LedgerError:
            # What cannot be written down is neither asked for nor told (S15).
            raise
        except Exception as error:  # noqa: BLE001 - what came already must be told, whatever comes up (S14)
            ended = Ended(Restored.FAILED, reason(Code.UNREADABLE, what=f"{type(error).__name__}: {error}"))
        outcome = _outcome(step, ended)
        self._findings += [one for one in ended.found if one not in self._findings]
        self._outcomes[step.index] = outcome
        if step.object.kind is Kind.IMAGE:
            self._tools.forget_image(step.object.id)
        self._tools.ledger.end_restore_step(self._order.id, outcome)

    def _finish(self) -> RestoreReport:
        ended = Ended(Restored.NOT_ATTEMPTED, reason(Code.RESTORE_ENDED))
        outcomes = tuple(self._outcomes.get(s.index) or _outcome(s, ended) for s in self._plan.steps)
        report = _report(
            self._order,
            self._plan,
            started_at=self._started_at,
            status=guards.status_of(outcomes, self._stopped_by),
            stopped_by=tuple(self._stopped_by),
            outcomes=outcomes,
            findings=tuple(self._findings),
        )
        self._tools.ledger.finish_restore(report)
        return report


def report_interrupted(ledger: Ledger, engine: Engine) -> list[RestoreReport]:
    """Close every restore that began and never reported; hold the engine's lock, for one may still go on."""
    return [_close(found, ledger, engine) for found in ledger.open_restores()]


def _close(found: OpenRestore, ledger: Ledger, engine: Engine) -> RestoreReport:
    """Look at each object that was asked for, and report; nothing goes on by itself."""
    stranger = _stranger(found.plan, engine)
    if not stranger:
        _let_the_engine_end(found, engine)
    look = partial(_looked_up, found=found, engine=engine, stranger=stranger)
    report = _report(
        found.order,
        found.plan,
        started_at=found.consumed_at,
        status=Status.INTERRUPTED,
        stopped_by=(reason(Code.RESTORE_INTERRUPTED),),
        outcomes=tuple(map(look, found.plan.steps)),
    )
    ledger.finish_restore(report)
    return report


def _let_the_engine_end(found: OpenRestore, engine: Engine) -> None:
    """One that died a moment ago may have asked for what is not here yet: the truth comes later."""
    in_hand = [s for s in found.plan.steps if s.index in found.asked and found.asked[s.index] is None]
    until = time.monotonic() + GOES_ON.total_seconds()
    while time.monotonic() < until and any(_may_still_come(step, engine) for step in in_hand):
        time.sleep(A_MOMENT)


def _may_still_come(step: RestoreStep, engine: Engine) -> bool:
    with suppress(EngineError), unforeseen_is_an_engine_error():
        return not is_back(step, engine)
    return False


def _stranger(plan: RestorePlan, engine: Engine) -> str:
    """Why this engine says nothing of the restore; empty if it is the restore's own."""
    try:
        with unforeseen_is_an_engine_error():
            return "" if engine.id() == plan.engine.id else ANOTHER_ENGINE
    except EngineError as error:
        return str(error)


def _looked_up(step: RestoreStep, *, found: OpenRestore, engine: Engine, stranger: str) -> RestoreOutcome:
    if step.index not in found.asked:
        return _outcome(step, Ended(Restored.NOT_ATTEMPTED, reason(Code.RESTORE_ENDED)))
    if known := found.asked[step.index]:
        return known
    if stranger:
        return _outcome(step, Ended(Restored.FAILED, reason(Code.STATE_UNKNOWN, detail=stranger)))
    try:
        with unforeseen_is_an_engine_error():
            is_there = is_back(step, engine)
    except EngineError as error:
        return _outcome(step, Ended(Restored.FAILED, reason(Code.STATE_UNKNOWN, detail=str(error))))
    # Of an image that came, nobody knows how far its tags did: the next plan brings what lacks.
    came = Restored.RESTORED if is_there else Restored.FAILED
    return _outcome(step, Ended(came, reason(Code.RESTORE_INTERRUPTED)))


def _outcome(step: RestoreStep, ended: Ended) -> RestoreOutcome:
    return RestoreOutcome(
        index=step.index,
        object=step.object,
        outcome=ended.outcome,
        reason=ended.reason,
        tags=ended.tags,
    )


def _report(
    order: RestoreOrder, plan: RestorePlan, *, started_at: datetime, **ended: object
) -> RestoreReport:
    return RestoreReport.model_validate(
        {
            "request_id": order.request_id,
            "order_id": order.id,
            "host": order.host,
            "engine": plan.engine,
            "plan_digest": order.plan_digest,
            "run": plan.run,
            "requester": order.requester,
            "approver": order.approver,
            "approvers": order.approvers,
            "started_at": started_at,
            "finished_at": _now(),
            **ended,
        }
    )


def _now() -> datetime:
    return datetime.now(UTC)
