"""Runs whose worker died: each object's true state is reported, and nothing is resumed (S11)."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from workers.contract import (
    ExecutionFinished,
    ExecutionOrder,
    HealthLine,
    Kind,
    Outcome,
    Report,
    Status,
    Step,
    StepOutcome,
    Trouble,
)
from workers.engine import Engine
from workers.errors import EngineError, unforeseen_is_an_engine_error
from workers.exclusions import expected, expected_of_removed
from workers.execution import aftermath, races
from workers.execution.aftermath import outcome_of
from workers.execution.baseline import read
from workers.execution.lock import is_held
from workers.execution.logs import log_tails
from workers.execution.restoring import is_being_removed, is_there, put_back
from workers.execution.trouble import Fallen, trouble
from workers.execution.watch import Watch
from workers.memory.journal import OpenRun
from workers.memory.ledger import Ledger
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason
from workers.references import ImageName

# An engine goes on with what a dead run asked of it, be it with a container of many files for long.
GOES_ON, GOES_ON_AT_MOST = timedelta(seconds=2), timedelta(minutes=1)
A_MOMENT = 0.1
STILL_AT_IT = "it is still being removed"
ANOTHER_ENGINE = "another engine answers now"


def report_interrupted(
    ledger: Ledger, engine: Engine, policy: Policy, load: races.Load = races.no_archive
) -> list[Report]:
    """Close every run that began and never reported; hold the engine's lock, for one may still go on.

    `load` has an image of the archive loaded, or says why not.
    """
    return [_Aftermath(run, ledger, engine, policy, load).close() for run in ledger.open_runs()]


def cut_off(ledger: Ledger, engines: Path) -> list[OpenRun]:
    """The runs that began, never reported, and do not go on: nobody holds their engine."""
    return [run for run in ledger.open_runs() if not is_held(engines, run.plan.engine.id)]


class _Aftermath:
    """What is left of one run; an engine that is not the run's is not judged by, whatever it holds."""

    def __init__(
        self, run: OpenRun, ledger: Ledger, engine: Engine, policy: Policy, load: races.Load
    ) -> None:
        self._run, self._ledger, self._engine, self._policy = run, ledger, engine, policy
        self._load = load
        self._health: list[HealthLine] = []
        self._findings: list[Reason] = []
        self._fallen: list[Fallen] = []
        self._trouble: Trouble | None = None

    def close(self) -> Report:
        """Look at each object and at the services, and report."""
        run, stranger = self._run, self._stranger()
        if not stranger:
            self._let_the_engine_end()
        outcomes = tuple(_outcome(step, run, self._engine, stranger) for step in run.plan.steps)
        if stranger:
            self._findings.append(reason(Code.NOT_LOOKED_AT, detail=stranger))
        else:
            for look in (partial(self._look_for_lost_races, outcomes), self._compare, self._look_at_critical):
                self._look(look)
            self._look(partial(self._gather_trouble, outcomes))
        report = self._report(outcomes)
        self._ledger.finish(report, _finished(report, run.order))
        return report

    def _stranger(self) -> str:
        """Why this engine says nothing of the run; empty if it is the run's own."""
        try:
            with unforeseen_is_an_engine_error():
                is_same = self._engine.id() == self._run.plan.engine.id
        except EngineError as error:
            return str(error)
        return "" if is_same else ANOTHER_ENGINE

    def _let_the_engine_end(self) -> None:
        """A run may have died a moment ago, and what it asked for last is not done: the truth comes later."""
        asked = self._run.asked
        in_hand = [s for s in self._run.plan.steps if s.index in asked and asked[s.index] is None]
        while any(map(self._may_still_go, in_hand)):
            time.sleep(A_MOMENT)

    def _may_still_go(self, step: Step) -> bool:
        if (asked := self._run.last_asked) is None:
            return False
        since, engine = datetime.now(UTC) - asked, self._engine
        with suppress(EngineError), unforeseen_is_an_engine_error():
            if timedelta(0) <= since < GOES_ON:
                return is_there(step.object, engine)
            return timedelta(0) <= since < GOES_ON_AT_MOST and is_being_removed(step.object, engine)
        return False

    def _look(self, look: Callable[[], None]) -> None:
        """A look that fails is told in the report: without one, no order would ever be taken here again."""
        try:
            # What another version wrote down may be unforeseen as well.
            with unforeseen_is_an_engine_error():
                look()
        except EngineError as error:
            self._find(reason(Code.NOT_LOOKED_AT, detail=str(error)))

    def _find(self, *found: Reason) -> None:
        self._findings.extend(one for one in found if one not in self._findings)

    # The looks that the run did not live to take

    def _look_for_lost_races(self, outcomes: tuple[StepOutcome, ...]) -> None:
        """Whether a container was made of what went (S7)."""
        plan, asked = self._run.plan, {index: outcomes[index] for index in self._run.asked}
        lost = races.lost_races(
            self._engine,
            races.perhaps_gone(plan.steps, asked),
            known={v.object.id for v in plan.verdicts if v.object.kind is Kind.CONTAINER},
            way_back=lambda step: self._ledger.way_back(self._run.order.id, step.index),
            load=self._load,
        )
        self._find(*lost)

    def _compare(self) -> None:
        """How everything is that ran before the first removal (S6)."""
        since = self._run.last_asked or self._run.consumed_at
        watch, before = self._watch(), read(self._run.baseline)
        baseline = watch.carried_over(before)
        if baseline != before:
            self._find(reason(Code.STARTED_ANEW))
        found = watch.compare(baseline, since)
        self._health, self._fallen = found.lines, found.fallen
        self._find(*aftermath.health_findings(self._health))

    def _look_at_critical(self) -> None:
        self._find(*self._watch().unwell())

    def _gather_trouble(self, outcomes: tuple[StepOutcome, ...]) -> None:
        asked = self._ledger.asked_for(self._run.order.id) if self._fallen else ()
        logs = log_tails(self._engine, self._fallen, self._policy)
        self._trouble = trouble(self._fallen, asked, outcomes, logs=logs)

    def _watch(self) -> Watch:
        return Watch(self._engine, self._policy, wait=lambda _: None)

    def _report(self, outcomes: tuple[StepOutcome, ...]) -> Report:
        run, order = self._run, self._run.order
        return Report(
            request_id=order.request_id,
            order_id=order.id,
            host=order.host,
            engine=run.plan.engine,
            plan_digest=order.plan_digest,
            requester=order.requester,
            approver=order.approver,
            approvers=order.approvers,
            started_at=run.consumed_at,
            finished_at=datetime.now(UTC),
            status=Status.INTERRUPTED,
            stopped_by=(reason(Code.INTERRUPTED),),
            outcomes=outcomes,
            expected=expected(run.plan, order.excluded),
            expected_of_removed=expected_of_removed(run.plan, outcomes),
            usage_before=run.plan.usage,
            health=tuple(self._health),
            findings=tuple(self._findings),
            ping=self._policy.ping,
            trouble=self._trouble,
        )


def _finished(report: Report, order: ExecutionOrder) -> ExecutionFinished:
    return ExecutionFinished(
        host=order.host,
        at=report.finished_at,
        request_id=order.request_id,
        reply_to=order.reply_to,
        report=report,
    )


def _outcome(step: Step, run: OpenRun, engine: Engine, stranger: str) -> StepOutcome:
    if step.index in run.order.excluded:
        return outcome_of(step, Outcome.NOT_ATTEMPTED, reason(Code.EXCLUDED))
    if step.index not in run.asked:
        return outcome_of(step, Outcome.NOT_ATTEMPTED, reason(Code.RUN_STOPPED))
    known = run.asked[step.index]
    if known is None:
        return _unknown(step, stranger) if stranger else _looked_up(step, engine)
    if stranger or not _is_back(known, engine):
        return known
    return outcome_of(step, Outcome.FAILED, reason(Code.INTERRUPTED))


def _is_back(known: StepOutcome, engine: Engine) -> bool:
    """Whether it is there though it went: the ledger is on the disk, and what engines did last may not be."""
    # Each look for a record of the build cache has the engine count all of its disk.
    if known.outcome is not Outcome.REMOVED or known.object.kind is Kind.BUILD_CACHE:
        return False
    with suppress(EngineError), unforeseen_is_an_engine_error():
        return is_there(known.object, engine)
    return False


def _looked_up(step: Step, engine: Engine) -> StepOutcome:
    try:
        with unforeseen_is_an_engine_error():
            return _as_it_is(step, engine)
    except EngineError as error:
        return _unknown(step, str(error))


def _as_it_is(step: Step, engine: Engine) -> StepOutcome:
    if not is_there(step.object, engine):
        return outcome_of(step, Outcome.REMOVED, None)
    if is_being_removed(step.object, engine):
        return _unknown(step, STILL_AT_IT)
    lost = put_back(engine, step.object.id, [ImageName.parse(name) for name in step.untags])
    if lost:
        return _unknown(step, f"names not given again: {', '.join(name.familiar() for name in lost)}")
    return outcome_of(step, Outcome.FAILED, reason(Code.INTERRUPTED))


def _unknown(step: Step, detail: str) -> StepOutcome:
    return outcome_of(step, Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail=detail))
