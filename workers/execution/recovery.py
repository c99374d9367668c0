"""Runs whose worker died: each object's true state is reported, and nothing is resumed (S11)."""

from collections.abc import Callable
from datetime import UTC, datetime

from workers.contract import (
    Bytes,
    ExecutionFinished,
    Kind,
    Outcome,
    Report,
    Status,
    Step,
    StepOutcome,
)
from workers.engine import Engine
from workers.errors import EngineError
from workers.execution import races
from workers.execution.aftermath import outcome_of
from workers.execution.restoring import is_there, put_back
from workers.execution.watch import Watch
from workers.memory.ledger import Ledger, OpenRun
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason
from workers.references import ImageName


def report_interrupted(ledger: Ledger, engine: Engine, policy: Policy) -> list[Report]:
    """Close every run that began and never reported; hold the engine's lock, for one may still go on."""
    return [_closed(run, ledger, engine, policy) for run in ledger.open_runs()]


def _closed(run: OpenRun, ledger: Ledger, engine: Engine, policy: Policy) -> Report:
    order, outcomes = run.order, tuple(_outcome(step, run, engine) for step in run.plan.steps)
    races_lost = _looked(lambda: _lost_races(run, outcomes, ledger, engine))
    findings = [*races_lost, *_looked(lambda: _unwell(engine, policy))]
    report = _report(run, outcomes, findings)
    event = ExecutionFinished(
        host=order.host,
        at=report.finished_at,
        request_id=order.request_id,
        reply_to=order.reply_to,
        report=report,
    )
    ledger.finish(report, event)
    return report


def _looked(look: Callable[[], list[Reason]]) -> list[Reason]:
    """A look that fails is told in the report: without one, no order would ever be taken here again."""
    try:
        return look()
    except EngineError as error:
        return [reason(Code.NOT_LOOKED_AT, detail=str(error))]


def _unwell(engine: Engine, policy: Policy) -> list[Reason]:
    """The post-check that the run did not live to make."""
    return Watch(engine, policy, wait=lambda _: None).unwell()


def _lost_races(
    run: OpenRun, outcomes: tuple[StepOutcome, ...], ledger: Ledger, engine: Engine
) -> list[Reason]:
    """The look for lost races that the run did not live to take (S7)."""
    if engine.identity().id != run.plan.engine.id:
        return []
    asked = {index: outcomes[index] for index in run.asked}
    return races.lost_races(
        engine,
        races.perhaps_gone(run.plan.steps, asked),
        known={v.object.id for v in run.plan.verdicts if v.object.kind is Kind.CONTAINER},
        way_back=lambda step: ledger.way_back(run.order.id, step.index),
    )


def _report(run: OpenRun, outcomes: tuple[StepOutcome, ...], findings: list[Reason]) -> Report:
    order = run.order
    steps = [s for s in run.plan.steps if s.index not in order.excluded]
    return Report(
        request_id=order.request_id,
        order_id=order.id,
        host=order.host,
        engine=run.plan.engine,
        plan_digest=order.plan_digest,
        requester=order.requester,
        approver=order.approver,
        started_at=run.consumed_at,
        finished_at=datetime.now(UTC),
        status=Status.INTERRUPTED,
        stopped_by=(reason(Code.INTERRUPTED),),
        outcomes=outcomes,
        expected=sum((s.expected for s in steps), Bytes()),
        usage_before=run.plan.usage,
        findings=tuple(findings),
    )


def _outcome(step: Step, run: OpenRun, engine: Engine) -> StepOutcome:
    if step.index in run.order.excluded:
        return outcome_of(step, Outcome.NOT_ATTEMPTED, reason(Code.EXCLUDED))
    if step.index not in run.asked:
        return outcome_of(step, Outcome.NOT_ATTEMPTED, reason(Code.RUN_STOPPED))
    return run.asked[step.index] or _looked_up(step, run, engine)


def _looked_up(step: Step, run: OpenRun, engine: Engine) -> StepOutcome:
    try:
        if engine.identity().id != run.plan.engine.id:
            return _unknown(step, "another engine answers now")
        if not is_there(step.object, engine):
            return outcome_of(step, Outcome.REMOVED, None)
        lost = put_back(engine, step.object.id, [ImageName.parse(name) for name in step.untags])
    except EngineError as error:
        return _unknown(step, str(error))
    if lost:
        return _unknown(step, f"names not given again: {', '.join(name.familiar() for name in lost)}")
    return outcome_of(step, Outcome.FAILED, reason(Code.INTERRUPTED))


def _unknown(step: Step, detail: str) -> StepOutcome:
    return outcome_of(step, Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail=detail))
