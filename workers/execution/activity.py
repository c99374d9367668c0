"""The activity gate: nothing is begun on a host that is not quiet, and nothing taken from under a build."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from workers.contract import Doing, Kind
from workers.engine import Engine, Raw
from workers.engine_clock import clock_off
from workers.errors import EngineError
from workers.execution import guards
from workers.execution.progress import Heard, Progress, unheard
from workers.planning import accounting, activity
from workers.planning.activity import Activity
from workers.planning.mentions import OVERLAP
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason

# What builds hold: the layers of images, and the build cache.
HELD_BY_BUILDS = (Kind.IMAGE, Kind.BUILD_CACHE)
PIECE = timedelta(seconds=2)


def refusals(engine: Engine, policy: Policy, hear: Heard = unheard) -> tuple[Reason, ...]:
    """Say why no order may be begun now; asked before it is consumed, so that its plan stays good."""
    try:
        if off := clock_off(engine):
            return (off,)
        building, seen = _building(engine), _seen(engine, policy.quiet_for, hear)
        return activity.unrest(seen, building=building, quiet_for=policy.quiet_for, now=_now())
    except (EngineError, LookupError, TypeError, ValueError, AttributeError) as error:
        return (reason(Code.ACTIVITY_UNKNOWN, detail=str(error)),)


def builds_begun(engine: Engine, stage: Kind) -> list[Reason]:
    """Say whether a build began meanwhile that may need what this stage removes."""
    if stage not in HELD_BY_BUILDS:
        return []
    found = guards.checked(lambda: _begun(_building(engine)))
    return [found] if found else []


def _begun(records: int) -> Reason | None:
    return reason(Code.BUILD_BEGAN, records=records) if records else None


def _building(engine: Engine) -> int:
    """How many records builds hold; between builds it is none."""
    return sum(accounting.cache_record(raw).in_use for raw in engine.cache_records())


def _seen(engine: Engine, quiet_for: timedelta, hear: Heard) -> tuple[Activity, ...]:
    """What was done lately; where the engine has forgotten a part of that time, as much is watched."""
    now = _now()
    if not quiet_for:
        return ()
    remembered = engine.events({}, since=now - quiet_for, until=now)
    seen = activity.activities(remembered)
    since = activity.forgotten_before(remembered)
    if seen or since is None:
        return seen
    since = min(since, now)
    hear(Progress(Doing.WATCHING_FOR_QUIET, seconds=(since + quiet_for - now).total_seconds()))
    return _watched(engine, since, since + quiet_for)


def _watched(engine: Engine, since: datetime, until: datetime) -> tuple[Activity, ...]:
    """Watch to the end, or to the first thing that is done."""
    pieces = (activity.activities(events) for events in _pieces(engine, since, until))
    return next((seen for seen in pieces if seen), ())


def _pieces(engine: Engine, since: datetime, until: datetime) -> Iterator[list[Raw]]:
    """An engine answers when the time asked about is over, or when it stops; the rest is asked for again."""
    while since < until:
        end = min(until, max(since, _now()) + PIECE)
        yield engine.activity_events(since=since - OVERLAP, until=end)
        since = min(end, _now())


def _now() -> datetime:
    return datetime.now(UTC)
