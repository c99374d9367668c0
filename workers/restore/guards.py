"""Whether the plan of a restore may be executed, and how one came to its end (pure)."""

from collections.abc import Iterable
from datetime import datetime

from workers.contract import (
    EngineIdentity,
    Restored,
    RestoreOrder,
    RestoreOutcome,
    RestorePlan,
    Status,
)
from workers.execution.guards import accepted
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason

IS_THERE = frozenset({Restored.RESTORED, Restored.ALREADY_THERE})


def order_refusals(
    order: RestoreOrder,
    plan: RestorePlan,
    *,
    used_by: str,
    engine: EngineIdentity,
    policy: Policy,
    now: datetime,
) -> tuple[Reason, ...]:
    """This plan, this engine, unused, unexpired, and something to do."""
    is_other = {order.engine_id, plan.engine.id} != {engine.id}
    checks: Iterable[Reason | None] = (
        reason(Code.RESTORE_PLAN_USED, order=used_by) if used_by else None,
        reason(Code.RESTORE_PLAN_EXPIRED, at=plan.expires_at.isoformat()) if now > plan.expires_at else None,
        reason(Code.OTHER_ENGINE, engine=order.engine_id) if is_other else None,
        engine.read_only or why_not(plan),
        accepted(order.agreed, policy),
    )
    return tuple(found for found in checks if found is not None)


def why_not(plan: RestorePlan) -> Reason | None:
    """Why a plan is not to be executed, whoever confirms it."""
    if plan.engine.read_only is not None:
        return plan.engine.read_only
    if not plan.steps:
        return reason(Code.NOTHING_TO_RESTORE)
    if not plan.fits:
        return reason(Code.NO_ROOM, needed=plan.needs.low, free=plan.free or 0)
    return None


def status_of(outcomes: Iterable[RestoreOutcome], stopped_by: Iterable[Reason]) -> Status:
    """Derive how a restore ended: done where all is there, whoever brought it."""
    ends = [one.outcome for one in outcomes]
    if any(True for _ in stopped_by):
        return Status.STOPPED
    if all(end in IS_THERE for end in ends):
        return Status.DONE
    if any(end in IS_THERE for end in ends):
        return Status.PARTIAL
    return Status.FAILED if Restored.FAILED in ends else Status.REFUSED
