"""The run of one order: consume, look, pre-check, then stage by stage, step by step, and the report."""

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

from workers.contract import (
    Doing,
    ExecutionOrder,
    Kind,
    Outcome,
    Plan,
    Report,
    Restorable,
    Step,
)
from workers.errors import (
    EngineError,
    LedgerError,
    RefusedError,
    trouble_with,
    unforeseen_is_an_engine_error,
)
from workers.execution import activity, aftermath, guards, pace, races
from workers.execution.course import Course
from workers.execution.ended import Ended, refused
from workers.execution.health import Vital, settle_time
from workers.execution.listening import Listening
from workers.execution.logs import log_tails
from workers.execution.measuring import Measuring
from workers.execution.progress import Progress
from workers.execution.records import RecordRemoval, records
from workers.execution.removal import Look, Removal
from workers.execution.start import Start, start_of
from workers.execution.tools import Tools
from workers.execution.trouble import Fallen, trouble
from workers.execution.watch import Watch
from workers.planning.fields import NEVER
from workers.planning.inventory import Inventory
from workers.planning.judgement import judge
from workers.reasons import Code, Reason, reason
from workers.restore import kept

BATCH = 20
LOOKS_BESIDE = 2
# Seconds. A line of the journal takes some milliseconds.
LOOK_HOLDS = 0.5
BETWEEN_LISTENS = 0.5
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
    ) or activity.refusals(tools.engine, tools.policy, tools.hear)
    if refusals or plan is None:
        raise RefusedError(*refusals)
    tools.consume(order, _now())
    return _Run(order, plan, tools).go()


class _Run:
    """One run under way. Only this class acts; what it decides by is pure."""

    def __init__(self, order: ExecutionOrder, plan: Plan, tools: Tools) -> None:
        self.order, self.plan, self.tools = order, plan, tools
        self.course = Course(order, plan, tools.ledger, findings=tools.findings, ping=tools.policy.ping)
        self.watch = Watch(tools.engine, tools.policy, tools.wait, tools.told_to_stop)
        self.baseline: list[Vital] = []
        self.fallen: list[Fallen] = []
        self.before: Inventory | None = None
        self.start = Start()
        self.usual: pace.Taken = {}
        self.last_removal = NEVER
        self.image_removals: list[tuple[datetime, datetime]] = []
        self.pool = ThreadPoolExecutor(LOOKS_BESIDE)

    def go(self) -> Report:
        """Run to the end, whatever the engine does; what was begun always ends in a report (S14)."""
        with self.pool:
            self._try(self._begin)
            if self.course.began:
                self._try(self._stages)
                for look in (self._settle, self._end_looks, self._gather_trouble):
                    self._try(look)
            return self.course.finish()

    def _try(self, part: Callable[[], None]) -> None:
        try:
            part()
        except EngineError as error:
            self.course.fail(trouble_with(error), str(error))
        except LedgerError:
            # What cannot be written down is neither removed nor told (S15).
            raise
        except Exception as error:  # noqa: BLE001 - what went already must be told, whatever comes up (S14)
            detail = f"{type(error).__name__}: {error}"
            self.course.fail(reason(Code.UNREADABLE, what=detail), detail)

    # Before the first removal

    def _begin(self) -> None:
        self.listening = Listening(self.tools.engine, _now())
        with self._listening_meanwhile():
            self._look_at_all()
            self._pre_check()
        if self.tools.told_to_stop():
            self.course.stop(reason(Code.TERMINATED))
        self.course.stop(*filter(None, (self.tools.barred(),)))
        self.usual = pace.usual(self.tools.engine.latencies())
        self.tools.engine.forget_latencies()
        self._listen()
        if not self.course.stopped:
            self.course.begin(self.baseline)

    def _look_at_all(self) -> None:
        self.tools.hear(Progress(Doing.LOOKING))
        self.before, case = self.tools.look()
        self.course.before = self.before.usage
        self.start = start_of(case)
        # Judged anew: what the policy would keep by now is no longer eligible, whoever confirmed it (S3).
        self.verdicts = {v.object.id: v for v in judge(case, self.plan.kinds)}

    def _pre_check(self) -> None:
        if self.tools.policy.critical_containers:
            steady_for = self.tools.policy.steady_for.total_seconds()
            self.tools.hear(Progress(Doing.HOLDING_STILL, seconds=steady_for))
        self.baseline, reasons = self.watch.pre_check()
        self.course.stop(*reasons)

    # The stages

    def _stages(self) -> None:
        for stage in dict.fromkeys(step.object.kind for step in self.plan.steps):
            if not self.course.stopped:
                self.course.stop(*activity.builds_begun(self.tools.engine, stage))
            if not self.course.stopped:
                self._stage(stage, [s for s in self.plan.steps if s.object.kind is stage])

    def _stage(self, stage: Kind, steps: list[Step]) -> None:
        self.tools.hear(Progress(Doing.REMOVING, kind=stage, count=len(steps)))
        removal = self._removal(stage)
        for batch in _batches(steps):
            self._batch(stage, batch, removal)
            self.tools.ledger.flush()
            if self.course.stopped:
                break
            if stage is Kind.BUILD_CACHE:
                # Records have no looks of their own: one list tells how the engine answers.
                self.tools.engine.containers()
            self.course.stop(*self.watch.trouble(self.baseline))
            if stage is not Kind.IMAGE:
                # Last, for its answer is not among those that tell how fast the engine is.
                self._listen()
        if stage is Kind.IMAGE:
            self._look_for_lost_races()

    def _listen(self) -> None:
        """Before the engine forgets; what cannot be heard stops those steps that need to know."""
        with suppress(EngineError):
            self.listening.listen()

    @contextmanager
    def _listening_meanwhile(self) -> Iterator[None]:
        """Listen beside what takes its time: health checks alone make a busy engine forget within seconds."""
        is_over = Event()
        heard = self.pool.submit(self._listen_until, is_over)
        try:
            yield
        finally:
            is_over.set()
            wait([heard])

    def _listen_until(self, is_over: Event) -> None:
        while not is_over.wait(BETWEEN_LISTENS):
            self._listen()

    def _removal(self, stage: Kind) -> Removal:
        engine = self.tools.engine
        known = records(engine) if stage is Kind.BUILD_CACHE else {}
        return Removal(
            engine=engine,
            identity=self.tools.identity,
            policy=self.tools.policy,
            listening=self.listening,
            start=self.start,
            records=RecordRemoval(engine, self.tools.policy.cache_grace, known),
            pool=self.pool,
            in_swarm=stage is Kind.IMAGE and engine.is_swarm_manager(),
        )

    def _batch(self, stage: Kind, batch: list[Step], removal: Removal) -> None:
        if stage is Kind.BUILD_CACHE:
            self._records(batch, removal)
            return
        for step in batch:
            self._step(step, removal)

    def _step(self, step: Step, removal: Removal) -> None:
        if not self._halts():
            look = self._look(step, removal)
            if step.restorable is Restorable.ARCHIVED and not look.ended:
                look = self._saved(step, removal)
            if not look.ended:
                look = self._written_down(step, look, removal)
            self._end(step, look.ended or self._remove(step, look, removal))

    def _written_down(self, step: Step, look: Look, removal: Removal) -> Look:
        """The journal comes first: a removal that is not written down is not asked for (S15).

        A disk that is slow to take it would make the look one of another moment: then look again (S7).
        """
        begun = time.monotonic()
        self.course.ask([(step, look.way_back)])
        return look if time.monotonic() - begun <= LOOK_HOLDS else self._look(step, removal)

    def _saved(self, step: Step, removal: Removal) -> Look:
        """Save what no registry gives back, and look again: that took its time (S7)."""
        left = self.course.started_at + LONGEST_RUN - _now()
        with self._listening_meanwhile():
            saved = self.tools.save(step, left)
        if isinstance(saved, Reason):
            failed = saved.code is Code.ARCHIVE_FAILED
            return Look(Ended(Outcome.FAILED, saved) if failed else refused(saved))
        look = self._look(step, removal)
        return look if look.ended else replace(look, way_back=kept.with_archive(look.way_back, saved))

    def _records(self, batch: list[Step], removal: Removal) -> None:
        """Records are asked for together; a record may go with those that need it (leaf first)."""
        if self._halts():
            return
        asked: dict[int, Step] = {}
        for step in batch:
            look = self._look(step, removal, together=asked)
            if look.ended:
                self._end(step, look.ended)
            else:
                asked[step.index] = step
        if asked:
            self._remove_records(list(asked.values()), removal.records)

    def _remove_records(self, steps: list[Step], removal: RecordRemoval) -> None:
        self.course.ask([(step, "{}") for step in steps])
        with self._broken_off_means_unknown(steps):
            for step, ended in removal.remove(steps):
                self._end(step, ended)

    def _look(self, step: Step, removal: Removal, together: Collection[int] = ()) -> Look:
        if step.index in self.order.excluded:
            return Look(Ended(Outcome.NOT_ATTEMPTED, reason(Code.EXCLUDED)))
        why = self.course.lacks(step, together) or guards.no_longer_eligible(step, self.verdicts)
        return Look(refused(why)) if why else removal.look(step)

    def _halts(self) -> bool:
        if halt := self._halted():
            self.course.stop(halt)
        return halt is not None

    def _halted(self) -> Reason | None:
        if self.course.stopped:
            return self.course.stopped_by[0]
        return (
            self.tools.barred()
            or guards.halted(
                told_to_stop=self.tools.told_to_stop(),
                failures=self.course.failures,
                now=_now(),
                deadline=self.course.started_at + LONGEST_RUN,
            )
            or pace.slowed(self.usual, self.tools.engine.latencies())
        )

    def _remove(self, step: Step, look: Look, removal: Removal) -> Ended:
        asked = _now()
        try:
            with self._broken_off_means_unknown([step]):
                return removal.remove(step, look)
        finally:
            if step.object.kind is Kind.IMAGE:
                self.image_removals.append((asked, _now()))

    @contextmanager
    def _broken_off_means_unknown(self, steps: list[Step]) -> Iterator[None]:
        """What was asked for may be done, however little can be made of the answer (S4)."""
        try:
            yield
        except LedgerError:
            raise
        except Exception as error:
            detail = str(error) or type(error).__name__
            for step in steps:
                self._end(step, Ended(Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail=detail)))
            raise

    def _end(self, step: Step, ended: Ended) -> None:
        if ended.outcome in (Outcome.REMOVED, Outcome.FAILED):
            # Without an answer it may have gone as well.
            self.last_removal = _now()
        if ended.alarm and ended.reason:
            self.course.stop(ended.reason)
        if ended.reason and ended.reason.code is Code.CHANGED:
            self.tools.forget_image(step.object.id)
        self.course.end(step, ended)

    # After the last removal

    def _look_for_lost_races(self) -> None:
        found = races.lost_races(
            self.tools.engine,
            races.perhaps_gone(self.plan.steps, self.course.outcomes),
            known=self.start.containers,
            way_back=self.course.way_back,
            told=self.course.findings,
            load=self.tools.load,
        )
        self.course.find(*found)
        self.course.stop(*(one for one in found if one.code is Code.LOST_RACE))

    def _settle(self) -> None:
        if self.last_removal is not NEVER:
            seconds = settle_time(self.tools.policy, self.baseline).total_seconds()
            self.tools.hear(Progress(Doing.SETTLING, seconds=seconds))
            found = self.watch.settle(self.baseline, self.last_removal)
            self.course.health, self.fallen = found.lines, found.fallen
            self.course.find(*aftermath.health_findings(self.course.health), *self.watch.failing_probes())

    def _end_looks(self) -> None:
        """Measure while a container may still show; what was brought back for one is measured as well."""
        self.tools.hear(Progress(Doing.MEASURING))
        measuring = Measuring(self.tools, self.before, self.course.find)
        measured, found = self.pool.submit(measuring.usage), len(self.course.findings)
        self._try(self._look_once_more)
        try:
            with unforeseen_is_an_engine_error():
                after = measured.result()
                self.course.after = after if len(self.course.findings) == found else measuring.usage()
        except EngineError as error:
            measuring.go_without(str(error))

    def _look_once_more(self) -> None:
        """Whatever the settling time: what was made while the last image went shows some moments later."""
        if self.image_removals:
            left = aftermath.shown_by(self.image_removals) - _now()
            # Where the clock has gone back there seems to be more of it.
            self.tools.wait(max(0.0, min(left, aftermath.SHOWS_LATEST).total_seconds()))
            self._look_for_lost_races()

    def _gather_trouble(self) -> None:
        """Last, for nobody's data is at stake any more: what those who are called will ask for."""
        asked = self.tools.ledger.asked_for(self.order.id) if self.fallen else ()
        logs = log_tails(self.tools.engine, self.fallen, self.tools.policy)
        self.course.trouble = trouble(self.fallen, asked, self.course.outcomes.values(), logs=logs)


def _batches(steps: list[Step]) -> Iterator[list[Step]]:
    for start in range(0, len(steps), BATCH):
        yield steps[start : start + BATCH]


def _now() -> datetime:
    return datetime.now(UTC)
