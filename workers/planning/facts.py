"""What a judgement is made from beside the inventory: memory, policy, and what is ours (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from workers.contract import Kind
from workers.memory.sightings import Sighting
from workers.planning.inventory import EARLIEST, Container, Inventory, Thing
from workers.planning.policy import Policy
from workers.planning.protections import Protection
from workers.planning.restorable import Answers
from workers.planning.stock import Stock
from workers.reasons import Code, Reason, reason

ROLE = "safe-prune.role"
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONE_OFF = "com.docker.compose.oneoff"
# What only its age keeps; the code says of what it counts from.
AGES = frozenset({Code.YOUNG, Code.USED_LATELY, Code.STOPPED_LATELY})
SWARM_PREFIXES = ("com.docker.swarm.", "com.docker.stack.")


@dataclass(frozen=True)
class Memory:
    """What the ledger knows of an engine; empty on a host that is met for the first time.

    `names` are, by image id, the names it was seen with and since when; `uses` and `arrivals` are when events
    told that an image or network was used, by id, or that an image came, by full name or id; `removed_images`
    is when runs removed which. Since `since` nothing that was used can have been missed; events were followed
    since `followed_first`, with gaps perhaps.
    """

    sightings: Mapping[tuple[str, str], Sighting] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    uses: Mapping[str, datetime] = field(default_factory=dict)
    arrivals: Mapping[str, datetime] = field(default_factory=dict)
    removed_images: Mapping[str, datetime] = field(default_factory=dict)
    since: datetime | None = None
    followed_first: datetime | None = None

    def last_used(self, kind: str, id_: str) -> datetime | None:
        """When an inventory last saw it in use, or an event told of it."""
        found = self.sightings.get((kind, id_))
        told = self.uses.get(id_) if kind in (Kind.IMAGE, Kind.NETWORK) else None
        known = (found.last_used if found else None, told)
        return max((at for at in known if at is not None), default=None)

    def first_seen(self, kind: str, id_: str) -> datetime | None:
        """When an inventory first saw it."""
        found = self.sightings.get((kind, id_))
        return found.first_seen if found else None


def as_of(memory: Memory, now: datetime) -> Memory:
    """Take a use that is still to come for one just now: a clock was ahead when it was written down (S9).

    The ledger keeps it as it is, for it may be this clock that is behind.
    """
    ahead = {key: s for key, s in memory.sightings.items() if s.last_used and s.last_used > now}
    return replace(
        memory,
        sightings={**memory.sightings, **{key: replace(s, last_used=now) for key, s in ahead.items()}},
        uses={id_: min(at, now) for id_, at in memory.uses.items()},
    )


@dataclass(frozen=True)
class Own:
    """What belongs to Safe Prune itself on this host, so that it never removes itself (S16)."""

    container_ids: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """Everything a judgement may look at. `answers` are what registries said, where they were asked.

    `protections` are those that people added to the policy's from Slack, and that are in force. `archive` is
    where images are saved that no registry gives back; None where the host has none.
    """

    inventory: Inventory
    policy: Policy
    memory: Memory
    own: Own
    now: datetime
    answers: Answers = field(default_factory=dict)
    protections: tuple[Protection, ...] = ()
    archive: Stock | None = None


def find_own(containers: tuple[Container, ...], *, hostname: str, redis_host: str) -> Own:
    """Find what is ours: labelled so, this very container, or the Redis that we speak with.

    `hostname` is the worker's own; inside a container that is the start of the container's id.
    """
    ours = [c for c in containers if _is_own(c, hostname)]
    ours += _called(containers, redis_host, within=_projects(ours))
    return Own(frozenset(c.id for c in ours), _projects(ours))


def _is_own(container: Container, hostname: str) -> bool:
    by_id = len(hostname) >= 12 and container.id.startswith(hostname)
    return ROLE in container.labels or by_id


def _projects(containers: Iterable[Container]) -> frozenset[str]:
    return frozenset(c.labels[PROJECT] for c in containers if c.labels.get(PROJECT))


def _called(containers: Iterable[Container], host: str, *, within: frozenset[str]) -> list[Container]:
    """Which may be at a name. Many projects have a service `redis`: where one of these has, it is meant."""
    found = [c for c in containers if host and host in (c.name, c.labels.get(SERVICE))]
    return [c for c in found if c.labels.get(PROJECT) in within] or found


def labelled(labels: Mapping[str, str], wanted: tuple[str, ...]) -> Reason | None:
    """Whether one of the protecting labels is there: `name`, or `name=value`."""
    for text in wanted:
        name, equals, value = text.partition("=")
        if name in labels and (not equals or labels[name] == value):
            return reason(Code.PROTECTED_LABEL, label=text)
    return None


def is_swarms(labels: Mapping[str, str]) -> bool:
    """Whether swarm put it there and will look after it."""
    return any(name.startswith(SWARM_PREFIXES) for name in labels)


def unread_reasons(thing: Thing) -> list[Reason]:
    """Keep what could not be read, or not all of it (S4)."""
    return [] if thing.readable else [reason(Code.UNREADABLE, what=thing.unread or "inspect")]


def is_known(moment: datetime | None) -> bool:
    """Whether a time can be one at which something happened to a container host."""
    return moment is not None and moment >= EARLIEST


def age_reasons(
    since: datetime | None, grace_seconds: float, now: datetime, code: Code, **known: str
) -> list[Reason]:
    """Keep what is younger than its grace, and what has no age or an impossible one (S4, S10).

    `code` is one of the ages; `known` is what it says beside the times.
    """
    if since is None or since > now or not is_known(since):
        return [reason(Code.AGE_UNKNOWN)]
    if (now - since).total_seconds() < grace_seconds:
        until = since.timestamp() + grace_seconds
        stop = datetime.fromtimestamp(until, now.tzinfo)
        return [reason(code, since=since.isoformat(), until=stop.isoformat(), **known)]
    return []


def only_young(kept: Sequence[Reason]) -> bool:
    """Whether an object stays for nothing but its age, so that it can go later."""
    return bool(kept) and all(why.code in AGES for why in kept)
