"""What a bot can ask of a host: a plan, an answer, to execute or restore as was seen, to keep an order."""

import gc
import logging
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial

from workers.contract import (
    HOST_TEAM,
    Answer,
    Answered,
    Claims,
    Event,
    ExecutionOrder,
    NotAnswered,
    OrderRefused,
    Person,
    PlanFailed,
    PlanRequest,
    PlanStarted,
    Question,
    RestoreOrder,
    RestorePlan,
    RestoreRequest,
    RestoreStep,
    RestoreStepBegun,
    StandingOrder,
    Topic,
    UnfreezeOrder,
    UnprotectOrder,
    WorkBegun,
)
from workers.errors import EngineError, LedgerError, PolicyError, RefusedError, StandingError, trouble_with
from workers.execution.guards import accepted
from workers.execution.progress import Progress
from workers.host import Host, Place, ledger_of, opened, policy_of, read_policy
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders
from workers.planning.planner import requested_kinds
from workers.reasons import Code, Reason, reason
from workers.restore.asked import run_meant
from workers.restore.restorer import Restorer

logger = logging.getLogger(__name__)


def plan(request: PlanRequest, place: Place) -> None:
    """Make the plan that was asked for, or tell why there is none."""
    begun = time.monotonic()
    with _uncollected(), ledger_of(place) as ledger:
        ledger.tell(PlanStarted(**_told(request, place)))
        try:
            with opened(place, ledger) as host:
                kinds = requested_kinds(request)
                made = host.plan(kinds=kinds, request_id=request.request_id, reply_to=request.reply_to)
                effort = _effort(begun, host)
                logger.info("request %s: %d steps planned %s", request.request_id, len(made.steps), effort)
        except (PolicyError, EngineError, LedgerError) as error:
            logger.warning("request %s: no plan: %s", request.request_id, error)
            ledger.tell(PlanFailed(**_told(request, place), reason=_why(error, place)))


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles: a plan makes few, and what it makes is needed to its end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _effort(begun: float, host: Host) -> str:
    seconds = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"in {seconds:.3f} s, {host.engine.calls} calls to the engine, at most {peak:.0f} MB"


def answer(question: Question, place: Place) -> None:
    """Answer what was asked about this host, or tell why not; it is only looked at."""
    with ledger_of(place) as ledger:
        try:
            found = _answer(question, place, ledger)
            ledger.tell(Answered(**_told(question, place), answer=found))
            logger.info("request %s: answered about its %s", question.request_id, question.topic)
        except RefusedError as refusal:
            ledger.tell(NotAnswered(**_told(question, place), reason=refusal.reasons[0]))
        except (PolicyError, EngineError, LedgerError) as error:
            logger.warning("request %s: no answer: %s", question.request_id, error)
            ledger.tell(NotAnswered(**_told(question, place), reason=_why(error, place)))


def _answer(question: Question, place: Place, ledger: Ledger) -> Answer:
    if question.topic is Topic.POLICY:
        return policy_of(place, ledger)
    with opened(place, ledger) as host:
        match question.topic:
            case Topic.VOLUMES:
                return host.volumes()
            case Topic.SERVICES:
                return host.services(question.object)
        return host.why(question.object)


def execute(order: ExecutionOrder, place: Place, told_to_stop: Callable[[], bool]) -> None:
    """Execute the plan that was confirmed, or tell why not; the run itself tells the rest."""
    with (
        ledger_of(place, for_a_run=True) as ledger,
        _telling_why_not(order, place, ledger, used_by=ledger.used_by),
    ):
        _not_from_outside(order.requester, *order.agreed)
        with opened(place, ledger) as host:
            hear = partial(_tell_work, order, place, ledger)
            report = host.execute(order, told_to_stop=told_to_stop, hear=hear)
            logger.info("order %s: %s, %s bytes freed", order.id, report.status, report.freed)


@contextmanager
def _telling_why_not(
    order: ExecutionOrder | RestoreOrder, place: Place, ledger: Ledger, *, used_by: Callable[[str], str]
) -> Iterator[None]:
    """Tell why an order is turned away; `used_by`: which order has consumed a plan."""
    try:
        yield
    except RefusedError as refusal:
        _refuse(order, place, ledger, refusal.reasons)
    except (PolicyError, EngineError) as error:
        _refuse(order, place, ledger, (_why(error, place),))
    except LedgerError as error:
        # It may tell of this all the same; of an order that it has consumed, the recovery tells.
        if used_by(order.plan_digest) == order.id:
            raise
        _refuse(order, place, ledger, (_why(error, place),))


def _tell_work(order: ExecutionOrder, place: Place, ledger: Ledger, now: Progress) -> None:
    """For who watches alone: a ledger that takes no more ends the run where something has to be kept."""
    with suppress(LedgerError):
        ledger.tell(WorkBegun(**_told(order, place), order_id=order.id, **now.told()))


def restore_plan(request: RestoreRequest, place: Place) -> None:
    """Plan the restore that was asked for, or tell why there is none."""
    with ledger_of(place) as ledger:
        ledger.tell(PlanStarted(**_told(request, place)))
        try:
            made = _restore_plan(request, place, ledger)
            logger.info("request %s: %d steps of a restore planned", request.request_id, len(made.steps))
        except RefusedError as refusal:
            ledger.tell(PlanFailed(**_told(request, place), reason=refusal.reasons[0]))
        except (PolicyError, EngineError, LedgerError) as error:
            logger.warning("request %s: no plan of a restore: %s", request.request_id, error)
            ledger.tell(PlanFailed(**_told(request, place), reason=_why(error, place)))


def _restore_plan(request: RestoreRequest, place: Place, ledger: Ledger) -> RestorePlan:
    run = run_meant(ledger.past_runs(), request)
    with opened(place, ledger) as host:
        about = {"request_id": request.request_id, "reply_to": request.reply_to}
        return Restorer(host).plan(run.order.id, request.objects, **about)


def restore(order: RestoreOrder, place: Place, told_to_stop: Callable[[], bool]) -> None:
    """Bring back what was confirmed, or tell why not; the restore itself tells of its end."""
    with (
        ledger_of(place, for_a_run=True) as ledger,
        _telling_why_not(order, place, ledger, used_by=ledger.restore_used_by),
    ):
        _not_from_outside(order.requester, *order.agreed)
        with opened(place, ledger) as host:
            hear = partial(_tell_step, order, place, ledger)
            report = Restorer(host).restore(order, told_to_stop=told_to_stop, hear=hear)
            logger.info("order %s: restore %s", order.id, report.status)


def _tell_step(order: RestoreOrder, place: Place, ledger: Ledger, step: RestoreStep) -> None:
    """For who watches alone, as of a run."""
    about = {"index": step.index, "object": step.object}
    with suppress(LedgerError):
        ledger.tell(RestoreStepBegun(**_told(order, place), order_id=order.id, **about))


def keep(order: StandingOrder, place: Place) -> None:
    """Keep an order that stands until a later one, or tell why not."""
    with ledger_of(place) as ledger:
        try:
            _not_from_outside(order.requester)
            _not_weakened_by_anybody(order, place)
            in_force = StandingOrders(ledger).take(order, datetime.now(UTC))
            logger.info("%s by %s: %s", order.type, order.requester.user, "kept" if in_force else "overruled")
        except RefusedError as refusal:
            _refuse(order, place, ledger, refusal.reasons)
        except PolicyError as error:
            _refuse(order, place, ledger, (_why(error, place),))


def _not_weakened_by_anybody(order: StandingOrder, place: Place) -> None:
    """Where the host names its approvers, nobody else takes away what keeps it safe."""
    if isinstance(order, UnfreezeOrder | UnprotectOrder):
        why = accepted([order.requester], read_policy(place.policy_file))
        if why is not None:
            raise RefusedError(why)


def _not_from_outside(*people: Person) -> None:
    """Whoever is at the host itself needs no approver's name; nobody else may pass for them."""
    for person in people:
        if person.team == HOST_TEAM:
            raise RefusedError(reason(Code.APPROVER_NOT_ACCEPTED, approver=person.user))


def _refuse(
    order: ExecutionOrder | RestoreOrder | StandingOrder,
    place: Place,
    ledger: Ledger,
    reasons: tuple[Reason, ...],
) -> None:
    logger.warning("order %s is refused: %s", order.id, ", ".join(r.code for r in reasons))
    event: Event = OrderRefused(**_told(order, place), order_id=order.id, reasons=reasons)
    ledger.refuse(reasons, order_id=order.id, event=event, now=datetime.now(UTC), claims=order)


def _told(claims: Claims, place: Place) -> dict[str, object]:
    now = datetime.now(UTC)
    return {"host": place.host, "at": now, "request_id": claims.request_id, "reply_to": claims.reply_to}


def _why(error: PolicyError | EngineError | LedgerError, place: Place) -> Reason:
    if isinstance(error, StandingError):
        return reason(Code.STANDING_UNREADABLE, detail=str(error))
    if isinstance(error, LedgerError):
        return reason(Code.LEDGER_UNUSABLE, file=str(place.ledger_file), detail=str(error))
    if isinstance(error, PolicyError):
        return reason(Code.POLICY_INVALID, file=error.path, detail=error.detail)
    return trouble_with(error)
