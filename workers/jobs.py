"""The two things a bot can ask of a host: a plan, and the execution of a plan it has seen."""

import logging
import resource
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from workers.contract import Claims, Event, ExecutionOrder, OrderRefused, PlanFailed, PlanRequest, PlanStarted
from workers.errors import EngineError, PolicyError, RefusedError
from workers.execution.guards import HOST_TEAM
from workers.host import Host, Place, opened
from workers.memory.ledger import Ledger
from workers.memory.reserve import room
from workers.planning.planner import requested_kinds
from workers.reasons import Code, Reason, reason

logger = logging.getLogger(__name__)


def plan(request: PlanRequest, place: Place) -> None:
    """Make the plan that was asked for, or tell why there is none."""
    begun = time.monotonic()
    with room(place.state_dir, for_a_run=False), closing(Ledger(place.ledger_file)) as ledger:
        ledger.tell(PlanStarted(**_told(request, place)))
        try:
            with opened(place, ledger) as host:
                kinds = requested_kinds(request)
                made = host.plan(kinds=kinds, request_id=request.request_id, reply_to=request.reply_to)
                effort = _effort(begun, host)
                logger.info("request %s: %d steps planned %s", request.request_id, len(made.steps), effort)
        except (PolicyError, EngineError) as error:
            logger.warning("request %s: no plan: %s", request.request_id, error)
            ledger.tell(PlanFailed(**_told(request, place), reason=_why(error)))


def _effort(begun: float, host: Host) -> str:
    seconds = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"in {seconds:.3f} s, {host.engine.calls} calls to the engine, at most {peak:.0f} MB"


def execute(order: ExecutionOrder, place: Place, told_to_stop: Callable[[], bool]) -> None:
    """Execute the plan that was confirmed, or tell why not; the run itself tells the rest."""
    with room(place.state_dir, for_a_run=True), closing(Ledger(place.ledger_file)) as ledger:
        try:
            _not_from_outside(order)
            with opened(place, ledger) as host:
                report = host.execute(order, told_to_stop=told_to_stop)
                logger.info("order %s: %s, %s bytes freed", order.id, report.status, report.freed)
        except RefusedError as refusal:
            _refuse(order, place, ledger, refusal.reasons)
        except (PolicyError, EngineError) as error:
            _refuse(order, place, ledger, (_why(error),))


def _not_from_outside(order: ExecutionOrder) -> None:
    """Whoever is at the host itself needs no approver's name; nobody else may pass for them."""
    if order.approver.team == HOST_TEAM:
        raise RefusedError(reason(Code.APPROVER_NOT_ACCEPTED, approver=order.approver.user))


def _refuse(order: ExecutionOrder, place: Place, ledger: Ledger, reasons: tuple[Reason, ...]) -> None:
    logger.warning("order %s is refused: %s", order.id, ", ".join(r.code for r in reasons))
    event: Event = OrderRefused(**_told(order, place), order_id=order.id, reasons=reasons)
    ledger.refuse(reasons, order_id=order.id, event=event, now=datetime.now(UTC))


def _told(claims: Claims, place: Place) -> dict[str, object]:
    now = datetime.now(UTC)
    return {"host": place.host, "at": now, "request_id": claims.request_id, "reply_to": claims.reply_to}


def _why(error: PolicyError | EngineError) -> Reason:
    if isinstance(error, PolicyError):
        return reason(Code.POLICY_INVALID, file=error.path, detail=error.detail)
    return reason(Code.ENGINE_UNREACHABLE, detail=str(error))
