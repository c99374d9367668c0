"""Whether containers are well, before, during and after a run: facts in, reasons and lines out (pure)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from workers.contract import HealthChange, HealthLine
from workers.planning.answers import container
from workers.planning.containers import is_critical
from workers.planning.fields import Fields, moment
from workers.planning.inventory import Container
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason

SETTLE_AT_LEAST = timedelta(seconds=10)
SETTLE_AT_MOST = timedelta(minutes=3)
# Between two restarts an engine waits that long at most (moby, restartmanager.go).
JUST_RESTARTED = timedelta(minutes=1)
# How many results of its check an engine keeps of a container (moby, daemon/health.go).
CHECKS_KEPT = 5


@dataclass(frozen=True)
class Failing:
    """Since when a container's own check fails; `earlier`: perhaps longer, for only the last few are kept."""

    since: datetime
    earlier: bool


@dataclass(frozen=True)
class Vital:
    """One container's signs of life. `health` is empty where it has no check of its own.

    `removes_itself`: it is gone once it ends. `ended_well`: it came to its end with no error, and nothing was
    to start it again. `unsteady`: its engine had restarted it just before, so it may fall again by itself.
    """

    container: Container
    state: str
    health: str
    restarts: int
    started_at: datetime | None
    checked_at: datetime | None = None
    check_takes: timedelta = timedelta(0)
    failing: Failing | None = None
    has_terminal: bool = False
    removes_itself: bool = False
    ended_well: bool = False
    unsteady: bool = False

    @property
    def name(self) -> str:
        """The container's name."""
        return self.container.name

    @property
    def words(self) -> str:
        """How it is, in a word or two."""
        return self.health if self.state == "running" and self.health else self.state

    @property
    def well(self) -> bool:
        """Whether it runs and its own check, if any, does not fail."""
        return self.state == "running" and self.health != "unhealthy"


Vitals = Mapping[str, Vital]


def vital(listed: Mapping[str, Any], inspected: Mapping[str, Any]) -> Vital:
    """Read the signs of life from an inspection."""
    state = inspected["State"]
    health = state.get("Health") or {}
    log = health.get("Log") or []
    config, host = inspected.get("Config") or {}, inspected.get("HostConfig") or {}
    status = health.get("Status") or ""
    return Vital(
        container=container(listed, inspected, writable=None),
        # A paused or restarting container also reads as running.
        state="paused"
        if state.get("Paused")
        else "restarting"
        if state.get("Restarting")
        else state["Status"],
        health="" if status == "none" else status,
        restarts=int(inspected.get("RestartCount") or 0),
        started_at=moment(state.get("StartedAt")),
        # A check that began before a removal may have passed before it, whenever it ended.
        checked_at=moment(log[-1].get("Start")) if log else None,
        check_takes=_check_takes(config.get("Healthcheck") or {}),
        failing=_failing(log),
        has_terminal=config.get("Tty") is True,
        removes_itself=host.get("AutoRemove") is True,
        ended_well=state["Status"] == "exited" and state.get("ExitCode") == 0 and _stays_ended(host),
    )


def _stays_ended(host: Mapping[str, Any]) -> bool:
    """What its settings do not tell is unknown."""
    policy = host.get("RestartPolicy")
    return isinstance(policy, dict) and policy.get("Name") in ("", "no")


def _failing(log: Sequence[Mapping[str, Any]]) -> Failing | None:
    """Read it from the checks that are kept, oldest first."""
    failed = list(takewhile(lambda check: check.get("ExitCode") != 0, reversed(log)))
    since = moment(failed[-1].get("Start")) if failed else None
    return Failing(since, earlier=len(failed) == len(log) >= CHECKS_KEPT) if since else None


def _check_takes(check: Mapping[str, Any]) -> timedelta:
    """How long until a container that fails is called unhealthy; Docker's defaults where none are set."""
    if not check.get("Test") or check["Test"] == ["NONE"]:
        return timedelta(0)
    interval, timeout = check.get("Interval") or 30e9, check.get("Timeout") or 30e9
    return timedelta(microseconds=(interval * (check.get("Retries") or 3) + timeout) / 1000)


def critical(vitals: Iterable[Vital], policy: Policy) -> list[Vital]:
    """Those that the policy calls critical."""
    return [v for v in vitals if any(is_critical(v.container, e) for e in policy.critical_containers)]


def is_waiting(vitals: Iterable[Vital], policy: Policy) -> bool:
    """Whether a critical container is still starting, so that it is worth waiting."""
    return any(v.health == "starting" and v.state == "running" for v in critical(vitals, policy))


def pre_check(first: Sequence[Vital], second: Vitals, policy: Policy) -> list[Reason]:
    """Every critical entry matches; each of those runs, is well, and held still between two looks (S5)."""
    reasons = [
        reason(Code.CRITICAL_MATCHES_NOTHING, entry=entry)
        for entry in policy.critical_containers
        if not any(is_critical(v.container, entry) for v in first)
    ]
    for before in critical(first, policy):
        reasons += _unfit(before, second.get(before.container.id))
    return reasons


def _unfit(before: Vital, now: Vital | None) -> list[Reason]:
    if now is None:
        return [reason(Code.CRITICAL_NOT_RUNNING, container=before.name, state="gone")]
    if now.state != "running":
        return [reason(Code.CRITICAL_NOT_RUNNING, container=now.name, state=now.state)]
    if _restarted(before, now):
        return [reason(Code.CRITICAL_UNSTEADY, container=now.name, restarts=now.restarts)]
    if now.health == "unhealthy":
        return [reason(Code.CRITICAL_UNHEALTHY, container=now.name)]
    if now.health == "starting":
        return [reason(Code.CRITICAL_STARTING, container=now.name)]
    return []


def regressions(baseline: Iterable[Vital], now: Vitals) -> list[tuple[Vital, Reason]]:
    """What is worse than at the baseline, as it was: gone, not running, restarted, or unhealthy (S6)."""
    found = ((before, _regression(before, now.get(before.container.id))) for before in baseline)
    return [(before, why) for before, why in found if why]


def _regression(before: Vital, now: Vital | None) -> Reason | None:
    if now is None:
        return reason(Code.CONTAINER_LOST, container=before.name)
    # What restarts in a loop is up or down by chance.
    if before.unsteady and _restarted(before, now) and (now.well or now.state == "restarting"):
        return None
    # What was ill and ran may be as ill after it, but not down.
    is_down = before.state == "running" and now.state != "running"
    if is_down or (before.well and not now.well):
        return reason(Code.HEALTH_REGRESSED, container=before.name, before=before.words, after=now.words)
    if before.well and _restarted(before, now):
        return reason(Code.HEALTH_REGRESSED, container=before.name, before=before.words, after="restarted")
    return None


def _restarted(before: Vital, now: Vital) -> bool:
    return (now.restarts, now.started_at) != (before.restarts, before.started_at)


def lasting(
    baseline: Sequence[Vital], now: Vitals, policy: Policy, ended: Collection[str] = ()
) -> list[Vital]:
    """The baseline without jobs that are over meanwhile: who is done is not worse, unless called critical.

    `ended`: those that are gone, and that events tell to have ended well.
    """
    kept = {v.container.id for v in critical(baseline, policy)}
    return [v for v in baseline if v.container.id in kept or not _is_over(v, now.get(v.container.id), ended)]


def _is_over(before: Vital, now: Vital | None, ended: Collection[str]) -> bool:
    if leaves(now):
        return before.removes_itself and before.container.id in ended
    return now is not None and now.ended_well


def leaves(now: Vital | None) -> bool:
    """Whether a container is gone, or going: how it ended is in events alone then."""
    return now is None or now.state == "removing"


def ended_well(deaths: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The containers that ended with no error, by the last event of each end."""
    codes = dict[str, str]()
    for event in deaths:
        actor = Fields(event).inside("Actor")
        codes[actor.text("ID")] = actor.inside("Attributes").text("exitCode")
    return frozenset(id_ for id_, code in codes.items() if code == "0")


def carried_over(baseline: Sequence[Vital], now: Vitals) -> list[Vital]:
    """The baseline, as of the engine's own restart where there was one since: that is no service's doing.

    A start with the engine counts no restart. One service that runs on tells that the engine did, too.
    """
    running = {id_: v for id_, v in now.items() if v.state == "running"}
    if any(v.started_at == running[id_].started_at for v in baseline if (id_ := v.container.id) in running):
        return list(baseline)
    return [_started_as(v, running.get(v.container.id)) for v in baseline]


def _started_as(before: Vital, now: Vital | None) -> Vital:
    return before if now is None or now.restarts else _started_as_is(before, now)


def under_their_names(baseline: Iterable[Vital], present: Iterable[Container]) -> list[Vital]:
    """The baseline, where a container is gone with the one in its place that has its name now."""
    found = list(present)
    ids, named = {one.id for one in found}, {one.name: one for one in found}
    return [
        replace(v, container=named[v.name]) if v.container.id not in ids and v.name in named else v
        for v in baseline
    ]


def started_anew(baseline: Iterable[Vital], now: Vitals) -> list[Vital]:
    """The baseline for a look after the run: a service that somebody started again may be well."""
    return [_started_as_is(before, now.get(before.container.id)) for before in baseline]


def _started_as_is(before: Vital, now: Vital | None) -> Vital:
    return replace(before, restarts=now.restarts, started_at=now.started_at) if now else before


def unsteady_marked(first: Vitals, second: Vitals) -> dict[str, Vital]:
    """The second look, where what restarted since the first is called restarting.

    A container that crashes in a loop reads `running` a third of the time: the run has not done that to it.
    """
    return {
        id_: replace(now, state="restarting") if id_ in first and _restarted(first[id_], now) else now
        for id_, now in second.items()
    }


def just_restarted_marked(vitals: Vitals, policy: Policy, now: datetime) -> dict[str, Vital]:
    """The same, where what an engine had to restart a moment ago is called unsteady: a loop may be slow.

    What is critical has held still, and is held to that.
    """
    kept = {v.container.id for v in critical(vitals.values(), policy)}
    return {
        id_: replace(v, unsteady=id_ not in kept and _has_just_restarted(v, now)) for id_, v in vitals.items()
    }


def _has_just_restarted(vital: Vital, now: datetime) -> bool:
    """A start by somebody's hand counts no restart."""
    return vital.restarts > 0 and vital.started_at is not None and now - vital.started_at < JUST_RESTARTED


def settle_time(policy: Policy, watched: Iterable[Vital]) -> timedelta:
    """How long to watch after the last removal: as long as the slowest check needs, within bounds."""
    if policy.settle is not None:
        return policy.settle
    longest = max((v.check_takes for v in watched), default=timedelta(0))
    return min(max(longest, SETTLE_AT_LEAST), SETTLE_AT_MOST)


def lines(
    baseline: Iterable[Vital], now: Vitals, policy: Policy, *, last_removal: datetime
) -> list[HealthLine]:
    """Compare everything that ran before with how it is after."""
    return [
        HealthLine(
            name=before.name,
            critical=any(is_critical(before.container, e) for e in policy.critical_containers),
            before=before.words,
            after=_after(before, now.get(before.container.id)),
            change=_change(before, now.get(before.container.id), last_removal),
        )
        for before in sorted(baseline, key=lambda v: v.name)
    ]


def _after(before: Vital, now: Vital | None) -> str:
    found = _regression(before, now)
    return str(found.params.get("after", "gone")) if found else now.words if now else "gone"


def _change(before: Vital, now: Vital | None, last_removal: datetime) -> HealthChange:
    if now is None:
        return HealthChange.GONE
    if _regression(before, now):
        return HealthChange.REGRESSED
    if now.health and (now.checked_at is None or now.checked_at < last_removal):
        return HealthChange.NOT_RECHECKED
    return HealthChange.RECOVERED if now.well and not before.well else HealthChange.SAME
