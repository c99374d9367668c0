"""The run of one order: consume, look, pre-check, then stage by stage, step by step, and the report."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from workers import survey
from workers.contract import (
    Bytes,
    DiskUsage,
    ExecutionFinished,
    ExecutionOrder,
    ExecutionStarted,
    HealthLine,
    Kind,
    Outcome,
    Plan,
    Report,
    Step,
    StepFinished,
    StepOutcome,
)
from workers.errors import EngineError, EngineUnreachable, RefusedError
from workers.execution import aftermath, guards, pace, races
from workers.execution.ended import Ended, refused
from workers.execution.health import Vital
from workers.execution.measuring import settled
from workers.execution.removal import Look, Removal
from workers.execution.start import Start, start_of
from workers.execution.tools import Tools
from workers.execution.watch import Watch
from workers.planning import inventory
from workers.planning.inventory import NEVER, Inventory
from workers.planning.judgement import judge
from workers.reasons import Code, Reason, reason

BATCH = 20
LONGEST_RUN = timedelta(minutes=50)


def execute(order: ExecutionOrder, tools: Tools) -> Report:
    """Do a confirmed plan, once.

    Raises:
        RefusedError: a guard said no; nothing was begun.
        LedgerError: the journal cannot be written; nothing more is removed.
    """
    plan = tools.ledger.plan(order.plan_digest)
    refusals = guards.order_refusals(
        order,
        plan,
        used_by=tools.ledger.used_by(order.plan_digest),
        engine=tools.identity,
        policy=tools.policy,
        now=_now(),
    )
    if refusals or plan is None:
        raise RefusedError(*refusals)
    tools.ledger.consume(order, _now())
    return _Run(order, plan, tools).go()


class _Run:
    """One run under way. Only this class changes state; what it decides by is pure."""

    def __init__(self, order: ExecutionOrder, plan: Plan, tools: Tools) -> None:
        self.order, self.plan, self.tools = order, plan, tools
        self.started_at = _now()
        self.watch = Watch(tools.engine, tools.policy, tools.wait, tools.told_to_stop)
        self.outcomes: dict[int, StepOutcome] = {}
        self.stopped_by: list[Reason] = []
        self.findings = list(tools.findings)
        self.baseline: list[Vital] = []
        self.health: list[HealthLine] = []
        self.before: Inventory | None = None
        self.start = Start()
        self.usual: pace.Taken = {}
        self.after: DiskUsage | None = None
        self.last_removal = NEVER
        self.image_removals: list[tuple[datetime, datetime]] = []
        self.began = False

    def go(self) -> Report:
        """Run to the end, whatever the engine does; what was begun always ends in a report (S14)."""
        self._try(self._begin)
        if self.began:
            self._try(self._stages)
            for look in (self._settle, self._look_once_more, self._measure):
                self._try(look)
        report = self._report()
        self.tools.ledger.finish(report, ExecutionFinished(report=report, **self._told()))
        return report

    def _try(self, part: Callable[[], None]) -> None:
        try:
            part()
        except EngineError as error:
            if not any(why.code is Code.ENGINE_UNREACHABLE for why in self.stopped_by):
                self.stopped_by.append(reason(Code.ENGINE_UNREACHABLE, detail=str(error)))

    # Before the first removal

    def _begin(self) -> None:
        self.before, case = self.tools.look()
        self.start = start_of(case)
        # Judged anew: what the policy would keep by now is no longer eligible, whoever confirmed it (S3).
        self.verdicts = {v.object.id: v for v in judge(case, self.plan.kinds)}
        self.baseline, reasons = self.watch.pre_check()
        self.stopped_by += reasons
        if self.tools.told_to_stop():
            self.stopped_by.append(reason(Code.TERMINATED))
        self.usual = self.tools.engine.latencies()
        self.tools.engine.forget_latencies()
        self.began = not self.stopped_by
        if self.began:
            steps = len(self.plan.steps) - len(self.order.excluded)
            started = ExecutionStarted(order_id=self.order.id, steps=steps, **self._told())
            self.tools.ledger.tell(started)

    # The stages

    def _stages(self) -> None:
        for stage in dict.fromkeys(step.object.kind for step in self.plan.steps):
            steps = [s for s in self.plan.steps if s.object.kind is stage]
            if not self.stopped_by:
                self._stage(stage, steps)

    def _stage(self, stage: Kind, steps: list[Step]) -> None:
        removal = self._removal(stage)
        for batch in _batches(steps):
            for step in batch:
                self._step(step, removal)
            if self.stopped_by:
                break
            if stage is Kind.BUILD_CACHE:
                # Records have no looks of their own: one list tells how the engine answers.
                removal.containers()
            self.stopped_by += self.watch.trouble(self.baseline, with_probes=False)
        if stage is Kind.IMAGE:
            self._look_for_lost_races()
        if not self.stopped_by:
            self.stopped_by += self.watch.trouble(self.baseline, with_probes=True)

    def _removal(self, stage: Kind) -> Removal:
        assert self.before is not None  # noqa: S101 - for the type checker: _begin has set it
        records = self.tools.engine.usage().get("BuildCache") or [] if stage is Kind.BUILD_CACHE else []
        return Removal(
            engine=self.tools.engine,
            identity=self.tools.identity,
            policy=self.tools.policy,
            judged_at=self.before.taken_at,
            start=self.start,
            records={raw["ID"]: inventory.cache_record(raw) for raw in records},
        )

    def _step(self, step: Step, removal: Removal) -> None:
        if halt := self._halted():
            self.stopped_by += [halt] if halt not in self.stopped_by else []
            return
        if step.index in self.order.excluded:
            self._end(step, Ended(Outcome.NOT_ATTEMPTED, reason(Code.EXCLUDED)))
            return
        why = self._lacks(step) or guards.no_longer_eligible(step, self.verdicts)
        look = Look(refused(why)) if why else removal.look(step)
        self._end(step, look.ended or self._remove(step, look, removal))

    def _halted(self) -> Reason | None:
        if self.stopped_by:
            return self.stopped_by[0]
        failures = sum(o.outcome is Outcome.FAILED for o in self.outcomes.values())
        deadline = self.started_at + LONGEST_RUN
        stop = self.tools.told_to_stop()
        return guards.halted(
            told_to_stop=stop, failures=failures, now=_now(), deadline=deadline
        ) or pace.slowed(self.usual, self.tools.engine.latencies())

    def _lacks(self, step: Step) -> Reason | None:
        for need in step.needs:
            if self.outcomes[need].outcome not in aftermath.DONE_OUTCOMES:
                return reason(Code.DEPENDS_ON, step=need)
        return None

    def _remove(self, step: Step, look: Look, removal: Removal) -> Ended:
        """The journal comes first: a removal that is not written down is not asked for (S15)."""
        self.tools.ledger.ask(self.order.id, step, look.way_back, _now())
        asked = _now()
        try:
            ended = removal.remove(step, look)
        except EngineUnreachable as error:
            self._end(step, Ended(Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail=str(error))))
            raise
        if step.object.kind is Kind.IMAGE:
            self.image_removals.append((asked, _now()))
        if ended.outcome is Outcome.REMOVED:
            self.last_removal = _now()
        if ended.alarm and ended.reason:
            self.stopped_by.append(ended.reason)
        return ended

    def _end(self, step: Step, ended: Ended) -> None:
        if step.index in self.outcomes:
            return
        outcome = self.outcomes[step.index] = aftermath.outcome_of(step, ended.outcome, ended.reason)
        if ended.reason and ended.reason.code is Code.CHANGED:
            self.tools.forget_image(step.object.id)
        event = StepFinished(order_id=self.order.id, step=outcome, **self._told())
        self.tools.ledger.end_step(self.order.id, outcome, event)

    # After the last removal

    def _look_for_lost_races(self) -> None:
        found = races.lost_races(
            self.tools.engine,
            races.perhaps_gone(self.plan.steps, self.outcomes),
            known=self.start.containers,
            way_back=lambda step: self.tools.ledger.way_back(self.order.id, step.index),
            told=self.findings,
        )
        self.findings += found
        self.stopped_by += [one for one in found if one.code is Code.LOST_RACE]

    def _settle(self) -> None:
        if self.last_removal is NEVER:
            self.last_removal = self.started_at
        else:
            self.health = self.watch.settle(self.baseline, self.last_removal)
            self.findings += aftermath.health_findings(self.health)

    def _look_once_more(self) -> None:
        """Whatever the settling time: what was made while the last image went shows some moments later."""
        if self.image_removals:
            left = (aftermath.shown_by(self.image_removals) - _now()).total_seconds()
            self.tools.wait(max(0.0, left))
            self._look_for_lost_races()

    def _measure(self) -> None:
        self.after = settled(self._usage, self.tools.wait)

    def _usage(self) -> DiskUsage:
        df = self.tools.engine.usage()
        if self.before is not None:
            missing = aftermath.missing_volumes(self.before, (v["Name"] for v in df.get("Volumes") or []))
            self.findings += [m for m in missing if m not in self.findings]
        return survey.disk_usage(df, self.tools.identity, local=self.tools.local, now=_now())

    # What is told

    def _report(self) -> Report:
        outcomes = tuple(self.outcomes.get(s.index) or self._untouched(s) for s in self.plan.steps)
        ordered = (s.expected for s in self.plan.steps if s.index not in self.order.excluded)
        return Report(
            request_id=self.order.request_id,
            order_id=self.order.id,
            host=self.order.host,
            engine=self.plan.engine,
            plan_digest=self.order.plan_digest,
            requester=self.order.requester,
            approver=self.order.approver,
            started_at=self.started_at,
            finished_at=_now(),
            status=aftermath.status_of(outcomes, self.stopped_by, self.findings, began=self.began),
            stopped_by=tuple(self.stopped_by),
            outcomes=outcomes,
            expected=sum(ordered, Bytes()),
            usage_before=self.before.usage if self.before else None,
            usage_after=self.after,
            health=tuple(self.health),
            findings=tuple(self.findings),
        )

    def _untouched(self, step: Step) -> StepOutcome:
        why = Code.EXCLUDED if step.index in self.order.excluded else Code.RUN_STOPPED
        return aftermath.outcome_of(step, Outcome.NOT_ATTEMPTED, reason(why))

    def _told(self) -> dict[str, object]:
        order = self.order
        return {"host": order.host, "at": _now(), "request_id": order.request_id, "reply_to": order.reply_to}


def _batches(steps: list[Step]) -> Iterator[list[Step]]:
    for start in range(0, len(steps), BATCH):
        yield steps[start : start + BATCH]


def _now() -> datetime:
    return datetime.now(UTC)
