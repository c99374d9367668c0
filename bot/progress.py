"""How a request stands, made of what is recorded about it and of the time.

Facts outrank one another and are never counted, so an event that comes twice, late or out of turn
does no harm.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.bringing import bringing, is_restore_of
from bot.holders import Holders, waiting
from bot.obstacles import deaf, obstacle, silencing
from bot.orders import EXECUTE, PLAN, RESTORE, RESTORE_PLAN, claims_id, order_type, plan_type
from bot.requests import (
    ANSWER_WITHIN,
    NOTHING,
    PLAN_WITHIN,
    SETTLED_STAGES,
    SILENT_AFTER,
    START_WITHIN,
    WAITING_STAGES,
    Asked,
    Ballot,
    Choice,
    Contact,
    Halt,
    HostPart,
    Line,
    Phase,
    Request,
    Sent,
    Settled,
    Settlement,
    Stage,
    Told,
)
from workers.contract import (
    Event,
    ExecutionFinished,
    ExecutionStarted,
    OrderRefused,
    Outcome,
    PlanFailed,
    PlanReady,
    PlanStarted,
    RestoreFinished,
    RestorePlanned,
    StepFinished,
    StepOutcome,
    WorkBegun,
)
from workers.signing import CLOCK_SKEW

# A host whose clock is late still takes an order that has expired here.
ORDER_DEAD_AFTER = START_WITHIN + CLOCK_SKEW
# What a host that is heard of has to tell is here within seconds.
TOLD_WITHIN = timedelta(seconds=60)
# What a host says that it is busy with while it does what it was ordered to.
AT_WORK = (EXECUTE, RESTORE)
NONE: Mapping[str, Halt] = MappingProxyType({})
NOBODY: Holders = {}


def standing(
    asked: Asked,
    *,
    settlement: Settlement | None,
    sent: Sequence[Sent],
    events: Sequence[Told],
    overdue: frozenset[str] = frozenset(),
    ballots: tuple[Ballot, ...] = (),
    choices: Sequence[Choice] = (),
    halts: Mapping[str, Halt] = NONE,
) -> Request:
    """Make the request of what is recorded alone; `halts`: who stopped its run, by host."""
    settlement = _as_told(asked, settlement, events)
    told = defaultdict[str, list[Told]](list)
    for one in events:
        told[one.event.host].append(one)
    parts = tuple(
        _part(
            replace(
                _blank(host, settlement, choices, is_overdue=host in overdue),
                halt=halts.get(host),
                is_restore=asked.is_restore,
            ),
            asked,
            settlement=settlement,
            sent=[s for s in sent if s.host == host],
            events=told[host],
        )
        for host in asked.hosts
    )
    return Request(asked, parts, settlement, _phase(parts, settlement), ballots)


def at(
    request: Request, *, contacts: Sequence[Contact], line: Line, now: datetime, held: Holders = NOBODY
) -> Request:
    """Say what silence means by now: nothing waits for ever (S14); `held`: the runs that hosts are at."""
    known = {contact.host: contact for contact in contacts}
    found = [(part, known.get(part.host, Contact(part.host))) for part in request.parts]
    parts = tuple(_held(heard(part, contact, line, now), contact, held) for part, contact in found)
    if request.settlement is None:
        parts = tuple(_withheld(part, known.get(part.host)) for part in parts)
    return replace(request, parts=parts, phase=_phase(parts, request.settlement))


def _held(part: HostPart, contact: Contact, held: Holders) -> HostPart:
    holder = waiting(part, contact, held)
    return replace(part, holder=holder) if holder else part


def _blank(
    host: str, settlement: Settlement | None, choices: Sequence[Choice], *, is_overdue: bool
) -> HostPart:
    """A host of which nothing is told yet; what was confirmed leaves out what the click saw left out."""
    is_confirmed = settlement is not None and settlement.how is Settled.CONFIRMED
    found = settlement.choices if settlement is not None and is_confirmed else choices
    chosen = next((choice for choice in found if choice.host == host), Choice(host))
    return HostPart(host, is_overdue=is_overdue, excluded=chosen.excluded, is_left_out=chosen.is_left_out)


def _as_told(asked: Asked, settlement: Settlement | None, events: Sequence[Told]) -> Settlement | None:
    """A run of our order was confirmed, whatever else stands here: a memory put back lacks the click."""
    if settlement is not None and settlement.how is Settled.CONFIRMED:
        return settlement
    runs = [t.event for t in events if _is_run_of(asked, t.event)]
    if not runs:
        return settlement
    ran = {run.host for run in runs}
    plans = {t.event.host: t.plan_digest for t in events if t.plan_digest and t.event.host in ran}
    reports = [run.report for run in runs if isinstance(run, ExecutionFinished | RestoreFinished)]
    plans |= {report.host: report.plan_digest for report in reports}
    by = reports[0].approver if reports else None
    return Settlement(Settled.CONFIRMED, min(run.at for run in runs), by, plans=plans)


def _is_run_of(asked: Asked, event: Event) -> bool:
    if asked.is_restore:
        return is_restore_of(claims_id(asked.id, event.host, RESTORE), event)
    if isinstance(event, ExecutionFinished):
        return event.report.order_id == claims_id(asked.id, event.host, EXECUTE)
    return isinstance(event, ExecutionStarted) and event.order_id == claims_id(asked.id, event.host, EXECUTE)


def _part(
    part: HostPart,
    asked: Asked,
    *,
    settlement: Settlement | None,
    sent: Sequence[Sent],
    events: Sequence[Told],
) -> HostPart:
    asking = _job(plan_type(asked), part.host, asked, sent, asked.made_at)
    if settlement is None or settlement.how is not Settled.CONFIRMED:
        return _planning(part, asking, events)
    confirmed = settlement.plans.get(part.host)
    if confirmed is None:
        return _not_confirmed(part, asking, settlement, events)
    part = _planning(part, asking, [t for t in events if t.plan_digest in ("", confirmed)])
    order = _job(order_type(asked), part.host, asked, sent, settlement.at)
    go_on = _restoring if asked.is_restore else _executing
    return go_on(replace(part, ordered=True), order, [t.event for t in events])


def _not_confirmed(part: HostPart, asking: Sent, settlement: Settlement, events: Sequence[Told]) -> HostPart:
    """A host that the click left alone; what it plans after that is nobody's decision, and is not shown."""
    before = [told for told in events if not told.plan_digest or told.event.at <= settlement.at]
    part = replace(_planning(part, asking, before), is_left_out=True)
    return replace(part, stage=Stage.SILENT) if part.stage in WAITING_STAGES else part


def _job(type_: str, host: str, asked: Asked, sent: Sequence[Sent], due_at: datetime) -> Sent:
    """What was sent; a host may even answer before it is recorded that it was."""
    waiting = Sent(host, type_, due_at, claims_id(asked.id, host, type_), final=False)
    return next((s for s in sent if s.type == type_), waiting)


def _planning(part: HostPart, asking: Sent, events: Sequence[Told]) -> HostPart:
    """Where the host stands until somebody decides; of several plans the first stays: none is swapped."""
    ready = [t for t in events if isinstance(t.event, RestorePlanned if part.is_restore else PlanReady)]
    ends = [t.event for t in events if isinstance(t.event, PlanFailed | OrderRefused)]
    ended = [end for end in ends if _is_about(end, asking)]
    started = [t.event for t in events if isinstance(t.event, PlanStarted)]
    if ready:
        return _planned(part, min(ready, key=lambda t: (t.event.at, t.plan_digest)))
    if ended:
        return _turned_away(part, max(ended, key=lambda e: (e.at, e.event)))
    if started:
        return replace(part, stage=Stage.PLANNING, since=min(e.at for e in started))
    stage = Stage.UNREACHABLE if asking.error and asking.final else Stage.ASKED
    return replace(part, stage=stage, since=asking.at, error=asking.error)


def _planned(part: HostPart, first: Told) -> HostPart:
    part = replace(part, stage=Stage.PLANNED, since=first.event.at, plan_digest=first.plan_digest)
    match first.event:
        case PlanReady(plan=plan):
            return replace(part, plan=plan)
        case RestorePlanned(plan=back):
            return replace(part, back=back)
    return part


def _turned_away(part: HostPart, end: PlanFailed | OrderRefused) -> HostPart:
    if isinstance(end, PlanFailed):
        return replace(part, stage=Stage.PLAN_FAILED, since=end.at, reasons=(end.reason,))
    return replace(part, stage=Stage.REFUSED, since=end.at, reasons=end.reasons)


def _is_about(end: PlanFailed | OrderRefused, job: Sent) -> bool:
    """Whether this ends the job; a host that could not read the job's id leaves it out."""
    if isinstance(end, PlanFailed):
        return job.type in (PLAN, RESTORE_PLAN)
    return end.order_id == job.order_id if end.order_id else end.at >= job.at - CLOCK_SKEW


def _executing(part: HostPart, order: Sent, events: Sequence[Event]) -> HostPart:
    started = [e for e in events if isinstance(e, ExecutionStarted)]
    finished = [e for e in events if isinstance(e, ExecutionFinished)]
    refused = [e for e in events if isinstance(e, OrderRefused) and _is_about(e, order)]
    part = replace(
        _so_far(part, [e.step for e in events if isinstance(e, StepFinished)], _work(order, events)),
        steps=max((e.steps for e in started), default=len(part.chosen_steps)),
    )
    if finished:
        last = max(finished, key=lambda e: e.at)
        return replace(part, stage=Stage.FINISHED, since=last.at, report=last.report)
    if started:
        since, told_at = min(e.at for e in started), max(e.at for e in events)
        return replace(part, stage=Stage.EXECUTING, since=since, told_at=told_at)
    if refused:
        # A second copy of an order that has begun is refused too; that is no news, so it comes last.
        return _turned_away(part, max(refused, key=lambda e: e.at))
    return _ordered(part, order)


def _restoring(part: HostPart, order: Sent, events: Sequence[Event]) -> HostPart:
    """Where the host stands with a restore that was confirmed."""
    mine = [event for event in events if is_restore_of(order.order_id, event)]
    if mine:
        return bringing(part, mine)
    refused = [e for e in events if isinstance(e, OrderRefused) and _is_about(e, order)]
    return _turned_away(part, max(refused, key=lambda e: e.at)) if refused else _ordered(part, order)


def _work(order: Sent, events: Sequence[Event]) -> WorkBegun | None:
    """What the run of this order said last that it does."""
    begun = [e for e in events if isinstance(e, WorkBegun) and e.order_id == order.order_id]
    return max(begun, key=lambda e: e.at, default=None)


def _so_far(part: HostPart, ended: Sequence[StepOutcome], work: WorkBegun | None) -> HostPart:
    """What a run has done; a step that people left out ends in it too, and is nothing it does."""
    steps = {step.index: step for step in ended if step.index not in part.excluded}.values()
    return replace(
        part,
        work=work,
        steps_done=len(steps),
        done_of_kind=sum(work is not None and step.object.kind is work.kind for step in steps),
        freed_so_far=sum((s.expected for s in steps if s.outcome is Outcome.REMOVED), NOTHING),
    )


def _ordered(part: HostPart, order: Sent) -> HostPart:
    if not order.order_id:
        return replace(part, stage=Stage.WITHDRAWN, since=order.at, error=order.error)
    stage = Stage.ORDERED
    if order.error and order.final:
        stage = Stage.UNREACHABLE if order.certain else Stage.LOST
    return replace(part, stage=stage, since=order.at, error=order.error)


def heard(part: HostPart, contact: Contact, line: Line, now: datetime) -> HostPart:
    """Say what silence of its host means for one part by now."""
    part = _troubled(part, contact, now)
    if _never_began(part, contact):
        return replace(part, stage=Stage.NOT_EXECUTED, last_seen=contact.last_seen)
    if part.stage in SETTLED_STAGES or part.since is None:
        return part
    waited, waiting_for_us = now - part.since, bool(part.error)
    part = replace(part, last_seen=contact.last_seen)
    if not line.up and now - line.since > SILENT_AFTER and waited > SILENT_AFTER and not waiting_for_us:
        return replace(part, stage=_unheard(part.stage), error=line.error)
    silent = line.up and now - max(contact.last_seen or line.since, line.since) > SILENT_AFTER
    if (silent and waited > ANSWER_WITHIN and not waiting_for_us) or waited > _longest(part.stage):
        return replace(part, stage=_silent(part.stage))
    if part.stage is Stage.EXECUTING and line.up and _is_idle(part, contact, line, now):
        return replace(part, stage=Stage.LOST)
    return part


def _is_idle(part: HostPart, contact: Contact, line: Line, now: datetime) -> bool:
    """Whether a host has not been at the run it began for long: its ledger lost it, or cannot tell it yet."""
    heard_until = max(part.told_at or line.since, line.since)
    return contact.busy not in AT_WORK and now - heard_until > SILENT_AFTER


def _troubled(part: HostPart, contact: Contact, now: datetime) -> HostPart:
    """A host that cannot write anything down makes no plan, and tells of no run until it can."""
    if part.ordered and part.stage is Stage.UNREACHABLE:
        # Why it was sent no order, as it says itself; what is recorded of that is a word.
        return replace(part, trouble=obstacle(contact.problems))
    found = silencing(contact.problems) or (deaf(contact.problems) if part.stage is Stage.ASKED else None)
    is_heard = contact.last_seen is not None and now - contact.last_seen <= SILENT_AFTER
    if found is None or not is_heard or part.stage in SETTLED_STAGES - {Stage.LOST}:
        return part
    if part.stage in (Stage.ASKED, Stage.PLANNING) and not part.error:
        return replace(part, stage=Stage.PLAN_FAILED, reasons=(found,))
    return replace(part, trouble=found)


def _withheld(part: HostPart, contact: Contact | None) -> HostPart:
    """A host that an order would be wasted on has its plan shown, and no button."""
    if contact is None or part.stage is not Stage.PLANNED:
        return part
    return replace(part, withheld=obstacle(contact.problems, removes=not part.is_restore))


def _never_began(part: HostPart, contact: Contact) -> bool:
    """Whether an order was not begun and cannot be any more; known of a host heard since, at no run."""
    if part.stage not in (Stage.ORDERED, Stage.LOST) or part.since is None or contact.last_seen is None:
        return False
    return contact.busy not in AT_WORK and contact.last_seen > part.since + ORDER_DEAD_AFTER + TOLD_WITHIN


def _unheard(stage: Stage) -> Stage:
    return Stage.UNREACHABLE if stage in (Stage.ASKED, Stage.PLANNING) else Stage.LOST


def _silent(stage: Stage) -> Stage:
    return Stage.SILENT if stage in (Stage.ASKED, Stage.PLANNING) else Stage.LOST


def _longest(stage: Stage) -> timedelta:
    """How long a host that is heard of may stay in a stage; a run, also the one before, takes its time."""
    return timedelta.max if stage in (Stage.ORDERED, Stage.EXECUTING) else PLAN_WITHIN


def _phase(parts: Sequence[HostPart], settlement: Settlement | None) -> Phase:
    if settlement is None:
        return _undecided(parts)
    if settlement.how is not Settled.CONFIRMED:
        return Phase.CLOSED
    running = any(part.ordered and part.stage not in SETTLED_STAGES for part in parts)
    return Phase.EXECUTING if running else Phase.FINISHED


def _undecided(parts: Sequence[HostPart]) -> Phase:
    waiting = [part for part in parts if part.stage not in SETTLED_STAGES]
    if any(part.confirmable for part in parts) and all(part.is_overdue for part in waiting):
        return Phase.READY
    return Phase.PLANNING if waiting else Phase.CLOSED


def newly_overdue(request: Request) -> tuple[str, ...]:
    """The hosts whose deadline has passed without an answer, where that is not recorded yet."""
    over = (Stage.SILENT, Stage.UNREACHABLE)
    return tuple(p.host for p in request.parts if p.stage in over and p.drawn is None and not p.is_overdue)
