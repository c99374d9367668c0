"""The course of a run: what has come of each step, written down as it comes, and the report at its end."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from workers.contract import (
    DiskUsage,
    ExecutionFinished,
    ExecutionOrder,
    ExecutionStarted,
    HealthLine,
    Outcome,
    Plan,
    Report,
    Step,
    StepFinished,
    StepOutcome,
    Trouble,
)
from workers.exclusions import expected, expected_of_removed
from workers.execution import aftermath
from workers.execution.baseline import written
from workers.execution.ended import Ended
from workers.execution.health import Vital
from workers.memory.ledger import Ledger
from workers.reasons import Code, Reason, reason


class Course:
    """Keeps the journal, the events and the report of one run."""

    def __init__(
        self,
        order: ExecutionOrder,
        plan: Plan,
        ledger: Ledger,
        *,
        findings: Iterable[Reason],
        ping: tuple[str, ...],
    ) -> None:
        self.order, self.plan, self._ledger, self._ping = order, plan, ledger, ping
        self.started_at = datetime.now(UTC)
        self.outcomes: dict[int, StepOutcome] = {}
        self.stopped_by: list[Reason] = []
        self.findings = list(findings)
        self.health: list[HealthLine] = []
        self.trouble: Trouble | None = None
        self.before: DiskUsage | None = None
        self.after: DiskUsage | None = None
        self.began = False

    def begin(self, baseline: Iterable[Vital]) -> None:
        """The pre-check is passed; the first removal comes next, and this process may not outlive it."""
        self.began = True
        steps = len(self.plan.steps) - len(self.order.excluded)
        event = ExecutionStarted(order_id=self.order.id, steps=steps, **self._told())
        self._ledger.begin(self.order.id, written(baseline), event)

    @property
    def stopped(self) -> bool:
        """Whether the run is to end."""
        return bool(self.stopped_by)

    def stop(self, *reasons: Reason) -> None:
        """End the run, each reason told once."""
        for why in reasons:
            if why not in self.stopped_by:
                self.stopped_by.append(why)

    def fail(self, trouble: Reason, detail: str) -> None:
        """What cannot be seen ends the run; with nothing left to do, only how the host is stays unknown."""
        told = self.stopped_by
        if self._is_through:
            told, trouble = self.findings, reason(Code.NOT_LOOKED_AT, detail=detail)
        if all(why.code is not trouble.code for why in told):
            told.append(trouble)

    @property
    def _is_through(self) -> bool:
        """Whether each step has ended, and it is known how."""
        ended = [self.outcomes.get(step.index) for step in self.plan.steps]
        return all(one is not None and not aftermath.is_unknown(one) for one in ended)

    def find(self, *reasons: Reason) -> None:
        """Tell of something in the report, once."""
        for why in reasons:
            if why not in self.findings:
                self.findings.append(why)

    # Steps

    @property
    def failures(self) -> int:
        """How many steps have failed."""
        return sum(one.outcome is Outcome.FAILED for one in self.outcomes.values())

    def lacks(self, step: Step, under_way: Iterable[int] = ()) -> Reason | None:
        """Whether a step that this one needs was not done, nor is asked for together with it."""
        for need in step.needs:
            done = need in self.outcomes and self.outcomes[need].outcome in aftermath.DONE_OUTCOMES
            if not done and need not in under_way:
                return reason(Code.DEPENDS_ON, object=self.plan.steps[need].object.name)
        return None

    def ask(self, steps: Sequence[tuple[Step, str]]) -> None:
        """Write down, each with its way back, what the engine is about to be asked for (S15)."""
        self._ledger.ask(self.order.id, steps, datetime.now(UTC))

    def way_back(self, step: Step) -> str:
        """The way back that was written down of a step."""
        return self._ledger.way_back(self.order.id, step.index)

    def end(self, step: Step, ended: Ended) -> None:
        """Write down how a step ended; it ends once."""
        if step.index in self.outcomes:
            return
        outcome = self.outcomes[step.index] = aftermath.outcome_of(step, ended.outcome, ended.reason)
        event = StepFinished(order_id=self.order.id, step=outcome, **self._told())
        self._ledger.end_step(self.order.id, outcome, event)

    # The end

    def finish(self) -> Report:
        """Close the run with its report."""
        report = self._report()
        self._ledger.finish(report, ExecutionFinished(report=report, **self._told()))
        return report

    def _report(self) -> Report:
        order, plan = self.order, self.plan
        outcomes = tuple(self.outcomes.get(s.index) or self._untouched(s) for s in plan.steps)
        return Report(
            request_id=order.request_id,
            order_id=order.id,
            host=order.host,
            engine=plan.engine,
            plan_digest=order.plan_digest,
            requester=order.requester,
            approver=order.approver,
            approvers=order.approvers,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            status=aftermath.status_of(outcomes, self.stopped_by, self.findings, began=self.began),
            stopped_by=tuple(self.stopped_by),
            outcomes=outcomes,
            expected=expected(plan, order.excluded),
            expected_of_removed=expected_of_removed(plan, outcomes),
            usage_before=self.before,
            usage_after=self.after,
            health=tuple(self.health),
            findings=tuple(self.findings),
            ping=self._ping,
            trouble=self.trouble,
        )

    def _untouched(self, step: Step) -> StepOutcome:
        why = Code.EXCLUDED if step.index in self.order.excluded else Code.RUN_STOPPED
        return aftermath.outcome_of(step, Outcome.NOT_ATTEMPTED, reason(why))

    def _told(self) -> dict[str, object]:
        order, now = self.order, datetime.now(UTC)
        return {"host": order.host, "at": now, "request_id": order.request_id, "reply_to": order.reply_to}
