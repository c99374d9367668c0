"""Whether a host is quiet enough to remove something: what came, was created, or is being built (pure).

A pull under way is in no API: it shows when it ends, as an event. So do builds of the classic builder, which
create containers; those of BuildKit hold records of the build cache.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workers.contract import Kind
from workers.planning.fields import Fields
from workers.planning.mentions import ARRIVALS, OVERLAP, SOME_TIME, event_time
from workers.reasons import Code, Reason, reason

Raw = Mapping[str, Any]
# What tells of activity, by the type of its object; an untag is what a run itself leaves behind.
SIGNS = {
    "image": ARRIVALS,
    "container": {"create": "created"},
}
# What is asked for beside: what an engine does to a container, after which it is not as it was.
CHANGES = frozenset({"start", "die", "update", "rename"})
ASKED = {"image": frozenset(SIGNS["image"]), "container": CHANGES | SIGNS["container"].keys()}
KINDS = {"image": Kind.IMAGE, "container": Kind.CONTAINER}
# An engine remembers its last events only, of whatever type (eventsLimit of moby's daemon/events): asking
# further back costs nothing.
MEMORY, LONG_AGO = 256, timedelta(days=7)
# What happens while the question is on its way is not in the answer, and has pushed out as much of it.
ALL_BUT = 16
MINUTE = timedelta(minutes=1)
# Seconds; of less a whole number says too little.
SMALLEST_SPAN = 10
ZERO = timedelta(0)


@dataclass(frozen=True)
class Activity:
    """Something that somebody did on the host; `at` is None where the engine's time cannot be read."""

    kind: Kind
    name: str
    what: str
    at: datetime | None


@dataclass(frozen=True)
class ClockReading:
    """What an engine's clock said, at some time between two of this worker's."""

    told: datetime
    after: datetime
    before: datetime


def activities(events: Iterable[Raw]) -> tuple[Activity, ...]:
    """Pick what tells of activity out of an engine's events, in their order; nameless where it is garbled."""
    return tuple(_activity(Fields(told), event_time(told)) for told in events if _sign(Fields(told)))


def _sign(event: Fields) -> str:
    return SIGNS.get(event.text("Type"), {}).get(event.text("Action"), "")


def _activity(event: Fields, at: datetime | None) -> Activity:
    return Activity(KINDS[event.text("Type")], _name(event), _sign(event), at)


def _name(event: Fields) -> str:
    """A pull's reference is its actor, a tag's is an attribute, and a load names nothing but the id."""
    actor = event.inside("Actor")
    id_, name = actor.text("ID"), actor.inside("Attributes").text("name")
    if event.text("Action") == "pull":
        return id_ or name
    return name.removeprefix("/") if name and name != id_ else id_[:19]


def forgotten_before(events: Sequence[Raw]) -> datetime | None:
    """Since when these are all the events there were; None for all the time that was asked about.

    On a busy host health checks alone fill an engine's memory; its silence about what was before is no quiet.
    """
    if len(events) < MEMORY - ALL_BUT:
        return None
    return event_time(events[0]) or SOME_TIME


def images_stood_still(events: Sequence[Raw], *, since: datetime) -> bool:
    """Whether no image came, went or changed its names since then, by all the events that an engine tells.

    Not where it has forgotten a part of that time, or tells what cannot be read.
    """
    forgotten = forgotten_before(events)
    if forgotten is not None and forgotten > since:
        return False
    return all(Fields(told).text("Type") not in ("image", "") for told in events)


def clock_off(read: ClockReading) -> Reason | None:
    """Whether an engine's clock is too far off.

    Its events are asked for by this worker's clock: what the engine dates later it does not tell yet, and
    what it dates before the last question, but for the overlap, never.
    """
    off = max(ZERO, read.told - read.before) + min(ZERO, read.told - read.after)
    if abs(off) <= OVERLAP:
        return None
    way, seconds = "ahead of" if off > ZERO else "behind", abs(off).total_seconds()
    shown = int(seconds) if seconds >= SMALLEST_SPAN else f"{seconds:.2g} s"
    return reason(Code.ENGINE_CLOCK_OFF, off=shown, way=way)


def unrest(
    seen: Iterable[Activity], *, building: int, quiet_for: timedelta, now: datetime
) -> tuple[Reason, ...]:
    """Say why nothing may be removed now. `building` is the number of cache records that builds hold."""
    recent = [a for a in seen if a.at is None or now - a.at < quiet_for]
    newest = {activity.kind: activity for activity in sorted(recent, key=lambda a: a.at or now)}
    held = (build_under_way(building),) if building else ()
    return (*held, *(_too_recent(activity, quiet_for, now) for activity in newest.values()))


def build_under_way(records: int) -> Reason:
    """A build that goes on before anything is begun."""
    return reason(Code.BUILD_UNDER_WAY, records=records)


def _too_recent(activity: Activity, quiet_for: timedelta, now: datetime) -> Reason:
    if activity.at is None:
        return reason(Code.ACTIVITY_UNKNOWN, detail=f"no time for {activity.name}, which was {activity.what}")
    params: dict[str, str | int] = {
        "ago": max(0, int((now - activity.at).total_seconds())),
        "quiet": int(quiet_for.total_seconds()),
        "until": _next_minute(activity.at + quiet_for).isoformat(),
    }
    if activity.kind is Kind.CONTAINER:
        return reason(Code.CONTAINER_CREATED, container=activity.name, **params)
    return reason(Code.IMAGE_ARRIVED, image=activity.name, what=activity.what, **params)


def _next_minute(moment: datetime) -> datetime:
    """Rounded up: people read minutes, and a minute too early would be refused again."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE
