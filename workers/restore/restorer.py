"""Restores at one host: which runs there are, the plan of what comes back, and its execution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from workers import registries
from workers.contract import RestoreOrder, RestorePlan, RestorePlanned, RestoreReport
from workers.errors import LedgerError, RefusedError, UsageError
from workers.execution.lock import engine_lock
from workers.host import Host, forget_ways_back
from workers.memory.ledger import Ledger
from workers.planning.restorable import Answers
from workers.restore import looking, past, planning, run
from workers.restore.past import PastRun, Removal
from workers.restore.planning import Head, Present, Wanted
from workers.restore.run import Heard, Tools
from workers.wording import listing

LAST = "last"
LIST_THEM = "List the runs with: python -m workers restore"


@dataclass(frozen=True)
class Restorer:
    """Brings back what runs removed. A freeze does not bar it, for it removes nothing.

    Raises:
        EngineError, LedgerError: one of the two cannot be used.
    """

    host: Host

    def plan(
        self, text: str, objects: Sequence[str], *, request_id: str, reply_to: str | None = None
    ) -> RestorePlan:
        """Plan what comes back of a run, all of it or some objects, and keep the plan in the ledger.

        Whoever asked from elsewhere (`reply_to`) is told.

        Raises:
            UsageError: no run is called so, or more than one; or an object that it did not remove.
        """
        ledger, now = self.host.ledger, datetime.now(UTC)
        forget_ways_back(self.host.policy, ledger, now)
        found = run_of(ledger, text, self.host.place.host)
        removals = _chosen(found, objects)
        host = self.host
        present = looking.look(host.engine, host.identity, host.archive.sources(), local=host.place.local)
        head = Head(request_id, self.host.place.host, self.host.identity, now)
        plan = planning.make_plan(
            head, self._wanted(found, removals), present, self._asked(removals, present)
        )
        ledger.keep_restore_plan(plan, None if reply_to is None else _planned(plan, reply_to))
        return plan

    def _wanted(self, found: PastRun, removals: Sequence[Removal]) -> Wanted:
        plan = self.host.ledger.plan(found.order.plan_digest)
        if plan is None:
            raise LedgerError(f"the plan of order {found.order.id} is not in the ledger")
        return Wanted(found, plan, tuple(removals), self.host.policy.restore_for)

    def _asked(self, removals: Sequence[Removal], present: Present) -> Answers | None:
        if not self.host.policy.probe_registry:
            return None
        return registries.ask(self.host.place.address, planning.digests(removals, present))

    def restore(
        self, order: RestoreOrder, *, told_to_stop: Callable[[], bool], hear: Heard = lambda _: None
    ) -> RestoreReport:
        """Do a confirmed plan, once, with nobody else at this engine; `hear` is told of each step.

        Raises:
            RefusedError: a guard said no; nothing was begun.
        """
        host = self.host
        with engine_lock(host.place.engines, host.identity.id):
            host.ownership.require(None)
            host.report_interrupted()
            if why := host.standing.stops(order.id):
                raise RefusedError(why)
            tools = Tools(
                engine=host.engine,
                identity=host.identity,
                ledger=host.ledger,
                policy=host.policy,
                local=host.place.local,
                load=host.archive.load,
                told_to_stop=told_to_stop,
                barred=partial(host.standing.stops, order.id),
                forget_image=host.sightings.forget_layers,
                hear=hear,
            )
            return run.restore(order, tools)


def run_of(ledger: Ledger, text: str, host: str) -> PastRun:
    """The run that a text means; `last` is the last that removed something.

    Raises:
        UsageError: it means none, or more than one.
    """
    runs = ledger.past_runs()
    if text == LAST:
        runs = [run for run in runs if run.removals]
    found = runs[-1:] if text == LAST else past.meant(runs, text)
    if len(found) == 1:
        return found[0]
    if found:
        names = listing(one.order.id for one in found)
        raise UsageError(f"{text!r} means more than one run on {host}: {names}. {LIST_THEM}")
    nearest = past.nearest_runs(runs, text)
    alike = f"; most alike are {listing(nearest)}" if nearest else ", which has removed nothing yet"
    raise UsageError(f"no run on {host} is called {text!r}{alike}. {LIST_THEM}")


def _planned(plan: RestorePlan, reply_to: str) -> RestorePlanned:
    return RestorePlanned(
        host=plan.host,
        at=datetime.now(UTC),
        request_id=plan.request_id,
        reply_to=reply_to,
        plan=plan,
    )


def _chosen(found: PastRun, objects: Sequence[str]) -> list[Removal]:
    removals, unknown = past.chosen(found.removals, objects)
    if unknown:
        nearest = past.nearest_objects(found.removals, unknown[0])
        alike = f"; most alike are {listing(nearest)}" if nearest else ""
        raise UsageError(
            f"run {found.order.id} removed nothing called {unknown[0]!r}{alike}."
            " Name an id or its beginning, a name or a tag."
        )
    return removals
