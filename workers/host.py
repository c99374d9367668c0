"""One host as its worker and its command line use it: policy, engine and ledger brought together."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from workers import registries, survey
from workers.archive.archivist import Archive
from workers.contract import (
    ExecutionOrder,
    Explanation,
    Kind,
    ObjectAnswer,
    Plan,
    PlanReady,
    PolicyAnswer,
    Report,
    ServicesAnswer,
    VolumesAnswer,
)
from workers.engine import Engine
from workers.errors import PolicyError, RefusedError, UnknownObject
from workers.execution import checking, run
from workers.execution.baseline import read
from workers.execution.lock import Holder, engine_lock
from workers.execution.ownership import Owner, Ownership
from workers.execution.progress import Heard, unheard
from workers.execution.recovery import ANOTHER_ENGINE, cut_off, report_interrupted
from workers.execution.tools import Tools
from workers.execution.watch import Watch
from workers.memory.follower import catch_up
from workers.memory.ledger import Ledger
from workers.memory.reserve import Reserve, room
from workers.memory.sightings import Sightings
from workers.memory.standing import StandingOrders
from workers.planning import policy as policies
from workers.planning.explain import explain, nearest
from workers.planning.facts import Case, find_own
from workers.planning.freed_bytes import freed_bytes
from workers.planning.inventory import Inventory
from workers.planning.judgement import worth_asking
from workers.planning.planner import make_plan
from workers.planning.policy import Policy
from workers.planning.questions import object_answer, policy_answer, volumes_answer
from workers.reasons import Code, Reason, reason
from workers.restore.run import report_interrupted as report_interrupted_restores

# However short the ways back are kept: somebody may still be about to confirm one.
PLANS_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Place:
    """Where a host's things are: plain values, so that they can be handed to another process."""

    host: str
    address: str
    policy_file: Path
    state_dir: Path
    redis_host: str = ""
    engines_dir: Path | None = None

    @property
    def ledger_file(self) -> Path:
        """The host's memory."""
        return self.state_dir / "ledger.db"

    @property
    def engines(self) -> Path:
        """The folder of the engines' locks, common to all workers of a machine; by default the host's own."""
        return self.engines_dir or self.state_dir / "engines"

    @property
    def local(self) -> bool:
        """Whether the engine's files can be looked at from here."""
        return self.address.startswith("unix://")


def read_policy(path: Path) -> Policy:
    """Read the policy file.

    Raises:
        PolicyError: it is missing, unreadable, or not understood.
    """
    try:
        return policies.parse(path.read_text(), str(path))
    except FileNotFoundError:
        raise PolicyError(str(path), "there is no such file; python -m workers init writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(str(path), f"cannot be read: {error}") from None


def forget_ways_back(policy: Policy, ledger: Ledger, now: datetime) -> None:
    """Keep no way back for longer than the policy says, nor a plan of which nothing came."""
    ledger.forget_plans(now - max(policy.restore_for, PLANS_KEPT))
    ledger.forget_ways_back(now - policy.restore_for)
    ledger.forget_restore_plans(now - policy.restore_for)


def policy_of(place: Place, ledger: Ledger) -> PolicyAnswer:
    """What the policy says now, and what stands beside it; whether the engine answers does not matter.

    Raises:
        PolicyError, LedgerError: one of the two cannot be used.
    """
    standing = StandingOrders(ledger)
    return policy_answer(
        read_policy(place.policy_file),
        str(place.policy_file),
        frozen=standing.frozen(),
        protections=standing.protections(datetime.now(UTC)),
    )


class Host:
    """An engine with its policy and ledger, open for one piece of work.

    Raises:
        PolicyError, EngineError, LedgerError: when opened, if one of the three cannot be used.
    """

    def __init__(self, place: Place, ledger: Ledger, engine: Engine) -> None:
        self.place, self.ledger, self.engine = place, ledger, engine
        self.identity = engine.identity()
        self.sightings = Sightings(ledger, self.identity.id)
        self.standing = StandingOrders(ledger)
        self.policy = read_policy(place.policy_file)
        self.ownership = Ownership(place.engines, self.identity.id, ledger, place.ledger_file)

    @property
    def archive(self) -> Archive:
        """Where images are saved that no registry gives back, if the policy has such a place."""
        return Archive(self.policy, self.ledger, self.engine, self.identity, self.place.local)

    def look(self, *, asking: bool = False, anew: bool = False) -> tuple[Inventory, Case]:
        """Take the inventory, with all that it is to be judged by; `asking` registries as well.

        `anew`: nothing that was remembered of a container is believed.
        """
        now = datetime.now(UTC)
        catch_up(self.engine, self.sightings, now)
        # Before the inventory is taken: that may take longer than a gap.
        since = self.sightings.followed_since(now)
        inventory = survey.take(
            self.engine, self.sightings, self.identity, local=self.place.local, now=now, anew=anew
        )
        own = find_own(inventory.containers, hostname=os.uname().nodename, redis_host=self.place.redis_host)
        memory = survey.remember(self.sightings, now, self.ledger.removed_images(), since=since)
        case = Case(
            inventory=inventory,
            policy=self.policy,
            memory=memory,
            own=own,
            now=now,
            protections=self.standing.protections(now),
            archive=self.archive.stock(now),
        )
        if asking and self.policy.probe_registry:
            digests = worth_asking(case, self.policy.kinds)
            case = replace(case, answers=registries.ask(self.place.address, digests))
        return inventory, case

    def plan(self, *, kinds: tuple[Kind, ...], request_id: str, reply_to: str | None = None) -> Plan:
        """Make a plan and keep it in the ledger; whoever asked from elsewhere (`reply_to`) is told."""
        forget_ways_back(self.policy, self.ledger, datetime.now(UTC))
        _, case = self.look(asking=True)
        plan = self._plan(case, kinds, request_id)
        self.ledger.keep_plan(plan, None if reply_to is None else self._ready(plan, reply_to))
        return plan

    def _plan(self, case: Case, kinds: tuple[Kind, ...], request_id: str = "") -> Plan:
        return make_plan(
            case,
            host=self.place.host,
            request_id=request_id,
            kinds=kinds,
            freed=freed_bytes,
            said=(*filter(None, (self.standing.frozen(),)), *self._cut_off(), *self._reserve_used()),
        )

    def _cut_off(self) -> Iterator[Reason]:
        for run_ in cut_off(self.ledger, self.place.engines):
            yield reason(Code.RUN_CUT_OFF, run=run_.order.id, at=run_.consumed_at.isoformat())

    def _reserve_used(self) -> tuple[Reason, ...]:
        used = Reserve(self.place.state_dir).in_use
        return (reason(Code.RESERVE_USED, size=used),) if used else ()

    def explain(self, text: str) -> tuple[Explanation, ...]:
        """Explain why an object stays or goes.

        Raises:
            UnknownObject: nothing on the host is called so.
        """
        found, case = self._explained(text)
        if not found:
            raise UnknownObject(self.place.host, text, nearest(case, text))
        return found

    def _explained(self, text: str) -> tuple[tuple[Explanation, ...], Case]:
        """What a plan of this moment would say; none is kept."""
        _, case = self.look(asking=True)
        return explain(case, self._plan(case, tuple(Kind)), text), case

    def why(self, text: str) -> ObjectAnswer:
        """The same as an answer to somebody elsewhere."""
        found, case = self._explained(text)
        return object_answer(text, found, () if found else nearest(case, text))

    def volumes(self) -> VolumesAnswer:
        """The volumes, with what is known of each by now."""
        return volumes_answer(self.look()[1])

    def services(self, order_id: str) -> ServicesAnswer:
        """How the services are now that were worse after a run.

        Raises:
            RefusedError: the run is not known here, or was of another engine.
        """
        report = self._report(order_id)
        before = checking.named(report, read(self.ledger.baseline(order_id)))
        watch = Watch(self.engine, self.policy, time.sleep)
        known, now = watch.look_again(before)
        asked = [at for _, at, _ in self.ledger.asked_for(order_id)]
        return checking.answer(
            *(report, before, known, now),
            failing=watch.failing_probes(),
            policy=self.policy,
            since=max(asked, default=report.started_at),
            at=datetime.now(UTC),
        )

    def _report(self, order_id: str) -> Report:
        report = self.ledger.report(order_id)
        if report is None:
            raise RefusedError(reason(Code.RUN_FORGOTTEN, run=order_id))
        if report.engine.id != self.identity.id:
            raise RefusedError(reason(Code.NOT_LOOKED_AT, detail=ANOTHER_ENGINE))
        return report

    def _ready(self, plan: Plan, reply_to: str) -> PlanReady:
        now = datetime.now(UTC)
        return PlanReady(host=plan.host, at=now, request_id=plan.request_id, reply_to=reply_to, plan=plan)

    def execute(
        self, order: ExecutionOrder, *, told_to_stop: Callable[[], bool], hear: Heard = unheard
    ) -> Report:
        """Do a confirmed plan, once, with nobody else at this engine; `hear` is told what is done now.

        Raises:
            RefusedError: a guard said no; nothing was begun.
        """
        holder = Holder(order.approver.spelled, datetime.now(UTC).isoformat(), order.plan_digest)
        with engine_lock(self.place.engines, self.identity.id, holder):
            self.ownership.require(self.ledger.plan(order.plan_digest))
            self.report_interrupted()
            begun = self.standing.taken_so_far()
            if why := self.standing.refusal(order.id, datetime.now(UTC)):
                raise RefusedError(why)
            tools = Tools(
                save=partial(self.archive.save, order.id),
                load=self.archive.load,
                engine=self.engine,
                identity=self.identity,
                ledger=self.ledger,
                policy=self.policy,
                # What is only marked was confirmed as it was shown; what may decide is asked anew.
                look=partial(self.look, asking=self.policy.unrestorable_images == "keep", anew=True),
                local=self.place.local,
                forget_image=self.sightings.forget_layers,
                told_to_stop=told_to_stop,
                wait=time.sleep,
                consume=self.ownership.consume,
                findings=self._reserve_used(),
                barred=partial(self.standing.bars, order.id, begun),
                hear=hear,
            )
            return run.execute(order, tools)

    def recover(self) -> list[Report]:
        """Report the runs that a dead worker left open, unless one still goes on.

        Raises:
            RefusedError: the engine's lock is taken.
        """
        with engine_lock(self.place.engines, self.identity.id):
            return self.report_interrupted()

    def report_interrupted(self) -> list[Report]:
        """Close the runs and restores that a dead worker left open; hold the engine's lock."""
        self.archive.sweep()
        report_interrupted_restores(self.ledger, self.engine)
        return report_interrupted(self.ledger, self.engine, self.policy, self.archive.load)

    def adopt(self, former: Owner, *, by: str) -> None:
        """Have the engine belong to this host's ledger from now on; a person has said so of this owner.

        Raises:
            RefusedError: a run holds the engine, it is another's by now, or it cannot be written.
        """
        with engine_lock(self.place.engines, self.identity.id):
            self.ownership.take_over(former, by=by)


@contextmanager
def opened(place: Place, ledger: Ledger) -> Iterator[Host]:
    """Open the engine of a host for one piece of work."""
    with closing(Engine(place.address)) as engine:
        yield Host(place, ledger, engine)


@contextmanager
def ledger_of(place: Place, *, for_a_run: bool = False) -> Iterator[Ledger]:
    """The host's ledger, with room on its disk for what a plan or a run writes."""
    with room(place.state_dir, for_a_run=for_a_run), closing(Ledger(place.ledger_file)) as ledger:
        yield ledger


@contextmanager
def at_hand(place: Place) -> Iterator[Host]:
    """The host, with room for a plan; nothing is given up for a run before somebody has confirmed it."""
    with ledger_of(place) as ledger, opened(place, ledger) as host:
        yield host
