"""Looks after the services of a host during a run: pre-check, checks between batches, settling."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from workers.contract import HealthLine
from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.execution import health, probes
from workers.execution.health import Vital, Vitals
from workers.execution.trouble import Fallen
from workers.planning.activity import LONG_AGO
from workers.planning.answers import container
from workers.planning.containers import is_critical
from workers.planning.inventory import STOPPED_STATES, Container
from workers.planning.policy import Policy
from workers.reasons import Reason

A_MOMENT = 1.0
MOMENTS_TO_START = 60
DEATHS = {"container": frozenset({"die"})}


@dataclass(frozen=True)
class Comparison:
    """Everything that ran before with how it is after, and what of it is worse, critical ones first."""

    lines: list[HealthLine]
    fallen: list[Fallen]


class Watch:
    """Takes vitals of an engine's containers; `wait` lets time pass."""

    def __init__(
        self,
        engine: Engine,
        policy: Policy,
        wait: Callable[[float], None],
        told_to_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engine, self._policy, self._wait = engine, policy, wait
        self._told_to_stop = told_to_stop
        self._seen_worse: dict[str, datetime] = {}

    def look(self) -> dict[str, Vital]:
        """Take the vitals of all that runs, and of critical containers in any state."""
        # By their lines first: what is stopped and not critical is not asked about.
        listed = self._engine.containers()
        found = (self._vital(raw) for raw in listed if self._counts(container(raw, None, writable=None)))
        return {v.container.id: v for v in found if v is not None and self._counts(v.container)}

    def _counts(self, found: Container) -> bool:
        entries = self._policy.critical_containers
        return not found.stopped or any(is_critical(found, entry) for entry in entries)

    def _again(self, known: Iterable[Vital]) -> dict[str, Vital]:
        """Look at them once more; one that stands still is there, one that is not there is left out."""
        return {v.container.id: fresh for v in known if (fresh := self._vital(_line(v))) is not None}

    def _vital(self, listed: dict[str, object]) -> Vital | None:
        try:
            inspected = self._engine.inspect_container(str(listed["Id"]))
        except NotFound:
            return None
        try:
            return health.vital(listed, inspected)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # Whether a service is well is not known then, and nothing goes on without knowing (S4).
            raise EngineError(
                f"inspect container {listed['Id']}: no signs of life in it ({error!r})"
            ) from error

    def pre_check(self) -> tuple[list[Vital], list[Reason]]:
        """Look twice with `steady_for` between; what is still starting is waited for (S5)."""
        first = self._started()
        if health.critical(first.values(), self._policy):
            self._wait(self._policy.steady_for.total_seconds())
        second = self.look()
        reasons = health.pre_check(list(first.values()), second, self._policy)
        marked = health.just_restarted_marked(
            health.unsteady_marked(first, second), self._policy, datetime.now(UTC)
        )
        return self._running(marked), reasons + self.failing_probes()

    def unwell(self) -> list[Reason]:
        """Say at one look, without waiting for anything, which critical services are not well."""
        now = self.look()
        return health.pre_check(list(now.values()), now, self._policy) + self.failing_probes()

    def failing_probes(self) -> list[Reason]:
        """Say which of the policy's probes do not answer well."""
        return probes.failing(self._policy.probes)

    def _started(self) -> dict[str, Vital]:
        vitals = self.look()
        for _ in range(MOMENTS_TO_START):
            if not health.is_waiting(vitals.values(), self._policy) or self._told_to_stop():
                break
            self._wait(A_MOMENT)
            vitals = self.look()
        return vitals

    def _running(self, vitals: Vitals) -> list[Vital]:
        return [v for v in vitals.values() if v.state not in STOPPED_STATES]

    def trouble(self, baseline: Iterable[Vital]) -> list[Reason]:
        """Say what is worse with critical services than at the baseline (S6)."""
        watched = health.critical(baseline, self._policy)
        now = self._again(watched)
        return [why for _, why in self._regressions(watched, now)] + self.failing_probes()

    def _regressions(self, baseline: Iterable[Vital], now: Vitals) -> list[tuple[Vital, Reason]]:
        """What is worse; when it was first seen so is remembered."""
        found, at = health.regressions(baseline, now), datetime.now(UTC)
        for before, _ in found:
            self._seen_worse.setdefault(before.container.id, at)
        return found

    def compare(self, baseline: list[Vital], last_removal: datetime) -> Comparison:
        """Compare everything that ran before, and was to go on, with how it is at one look."""
        now = self._again(baseline)
        baseline = health.lasting(baseline, now, self._policy, self._ended_well(baseline, now))
        first = {vital.container.id for vital in health.critical(baseline, self._policy)}
        fallen = [
            Fallen(before, now.get(before.container.id), self._seen_worse[before.container.id])
            for before, _ in self._regressions(baseline, now)
        ]
        fallen.sort(key=lambda one: (one.id not in first, one.before.name))
        return Comparison(health.lines(baseline, now, self._policy, last_removal=last_removal), fallen)

    def _ended_well(self, baseline: list[Vital], now: Vitals) -> frozenset[str]:
        """Of those that have removed themselves: who ended well, as far as the engine remembers."""
        if not any(v.removes_itself and health.leaves(now.get(v.container.id)) for v in baseline):
            return frozenset()
        at = datetime.now(UTC)
        return health.ended_well(self._engine.events(DEATHS, since=at - LONG_AGO, until=at))

    def look_again(self, named: list[Vital]) -> tuple[list[Vital], Vitals]:
        """Look twice with `steady_for` between, long after the run; returns also whose names they are now.

        What restarts in between is restarting, however well it looks.
        """
        present = [container(raw, None, writable=None) for raw in self._engine.containers()]
        known = health.under_their_names(named, present)
        first = self._again(known)
        self._wait(self._policy.steady_for.total_seconds())
        return known, health.unsteady_marked(first, self._again(known))

    def carried_over(self, baseline: list[Vital]) -> list[Vital]:
        """The baseline, without what is due to a restart of the engine or of its host since."""
        return health.carried_over(baseline, self._again(baseline))

    def settle(self, baseline: list[Vital], last_removal: datetime) -> Comparison:
        """Watch until the checks had time to notice, then compare everything with the baseline."""
        takes = health.settle_time(self._policy, baseline)
        # The clock may go back by hours meanwhile; it is asked once, and never for more than all of it.
        over = time.monotonic() + min(takes, last_removal + takes - datetime.now(UTC)).total_seconds()
        while (left := over - time.monotonic()) > 0 and not self._told_to_stop():
            self._wait(min(left, A_MOMENT))
        return self.compare(baseline, last_removal)


def _line(vital: Vital) -> dict[str, object]:
    """The line of a list that is needed to inspect a known container again."""
    known = vital.container
    return {
        "Id": known.id,
        "Names": [f"/{known.name}"],
        "State": vital.state,
        "ImageID": known.image_id,
        "Labels": known.labels,
    }
