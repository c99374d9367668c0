"""What a plan says above its list: rules that match nothing, what is unusual, what will go later (pure)."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from workers.contract import Filesystem, Kind, Restorable, Step, Verdict
from workers.planning import archiving, critical
from workers.planning.activity import unrest
from workers.planning.containers import is_critical
from workers.planning.dropped import orphaned
from workers.planning.facts import Case, labelled, only_young
from workers.planning.full_disk import stays_full
from workers.planning.inventory import CacheRecord, Container, Image, Network, Thing, Volume
from workers.planning.order import short_of_bytes, short_of_room
from workers.planning.policy import Policy
from workers.planning.protections import for_images, for_named
from workers.planning.restorable import silent_registries
from workers.reasons import Code, Reason, reason
from workers.references import NamePattern

MOST_NAMED = 5
DEFAULT_LABELS = Policy.model_fields["protected_labels"].default
KINDS: dict[type, str] = {
    Container: "container",
    Image: "image",
    Network: "network",
    CacheRecord: "build cache record",
    Volume: "volume",
}


def notices(
    case: Case, kinds: tuple[Kind, ...], steps: tuple[Step, ...], verdicts: tuple[Verdict, ...]
) -> tuple[Reason, ...]:
    """Collect them, the gravest first; `kinds` are those that the plan does not leave out."""
    return (
        *_unreadable(case),
        *_unrest(case),
        *filter(None, (case.inventory.engine.read_only,)),
        *_critical(case),
        *critical.unfit(case),
        *stays_full(case, steps),
        *_short_of_room(case, steps),
        *_idle_patterns(case),
        *_no_way_back(case, steps, verdicts),
        *_unusual(case, steps),
        *archiving.notices(case, steps, verdicts),
        *_unrestorable(steps),
        *silent_registries(case.answers),
        *_waiting(case, kinds, verdicts),
        *_unknown_use(case),
    )


def _unreadable(case: Case) -> Iterator[Reason]:
    """What keeps the whole plan from being confirmed, by name: somebody has to look at it (S4)."""
    found = case.inventory.unreadable
    for thing in found[:MOST_NAMED]:
        what = thing.unread or "inspect"
        yield reason(Code.NOT_ALL_READ, kind=KINDS[type(thing)], object=_called(thing), what=what)
    if len(found) > MOST_NAMED:
        yield reason(Code.MORE_NOT_READ, count=len(found) - MOST_NAMED)


def _called(thing: Thing) -> str:
    match thing:
        case Image():
            return thing.shown
        case CacheRecord():
            return thing.id
    return thing.name or thing.id


def _unrest(case: Case) -> Iterator[Reason]:
    """Why an order would be refused at this moment; by a clock that is off nothing more can be said."""
    if off := case.inventory.clock:
        yield off
        return
    building = sum(record.in_use for record in case.inventory.cache)
    yield from unrest(
        case.inventory.activity, building=building, quiet_for=case.policy.quiet_for, now=case.now
    )


def _critical(case: Case) -> Iterator[Reason]:
    if not case.policy.critical_containers and not case.policy.probes:
        yield reason(Code.NOTHING_CRITICAL)
    for entry in case.policy.critical_containers:
        if not any(is_critical(c, entry) for c in case.inventory.containers):
            yield reason(Code.CRITICAL_MATCHES_NOTHING, entry=entry)


def _short_of_room(case: Case, steps: tuple[Step, ...]) -> Iterator[Reason]:
    disk = short_of_room(case.inventory.usage)
    if disk and steps:
        yield _shortage(disk)


def _shortage(disk: Filesystem) -> Reason:
    """What there is little of; where that is room and inodes, room is what most know of."""
    if short_of_bytes(disk):
        return reason(Code.SHORT_OF_ROOM, path=disk.path, free=disk.free)
    return reason(Code.SHORT_OF_INODES, path=disk.path, free=disk.inodes_free, total=disk.inodes)


def _idle_patterns(case: Case) -> Iterator[Reason]:
    """A protection that protects nothing is most often a spelling mistake."""
    policy, inventory = case.policy, case.inventory
    names = [name for image in inventory.images for name in (*image.names, *image.digests)]
    for pattern in policy.image_protections():
        if not any(pattern.matches(name) for name in names):
            yield _idle("protected_images", pattern.text)
    for text in policy.protected_containers:
        if not any(NamePattern.parse(text).matches(c.name) for c in inventory.containers):
            yield _idle("protected_containers", text)
    for text in policy.protected_networks:
        if not any(NamePattern.parse(text).matches(n.name) for n in inventory.networks):
            yield _idle("protected_networks", text)
    yield from _idle_labels(case)
    yield from _idle_from_slack(case)


def _idle_labels(case: Case) -> Iterator[Reason]:
    """Those that the owners chose; the one that is there unasked protects nothing most of the time."""
    found = case.inventory
    labels = [
        *(c.labels for c in found.containers),
        *(i.labels for i in found.images),
        *(n.labels for n in found.networks),
    ]
    for text in case.policy.protected_labels:
        if text not in DEFAULT_LABELS and not any(labelled(one, (text,)) for one in labels):
            yield _idle("protected_labels", text)


def _idle_from_slack(case: Case) -> Iterator[Reason]:
    inventory = case.inventory
    for one in case.protections:
        images = (any(for_images([one], (*i.names, *i.digests))) for i in inventory.images)
        containers = (any(for_named([one], Kind.CONTAINER, c.name)) for c in inventory.containers)
        networks = (any(for_named([one], Kind.NETWORK, n.name)) for n in inventory.networks)
        if not any((*images, *containers, *networks)):
            yield one.idle


def _idle(key: str, pattern: str) -> Reason:
    return reason(Code.PATTERN_MATCHES_NOTHING, key=key, pattern=pattern)


def _no_way_back(case: Case, steps: tuple[Step, ...], verdicts: tuple[Verdict, ...]) -> Iterator[Reason]:
    """Say it also of a repository of which nothing is left but a container."""
    reasons = (why for v in verdicts for why in v.reasons if why.code is Code.WAY_BACK_DROPPED)
    lost = orphaned(case, {step.object.id for step in steps})
    for repository in sorted({*lost, *(str(why.params["repository"]) for why in reasons)}):
        yield reason(Code.NO_WAY_BACK, repository=repository)


def share(images: tuple[Image, ...], steps: tuple[Step, ...]) -> int:
    """Return the share of the host's images that would go, in percent, rounded up."""
    return -(-100 * _going(steps) // len(images)) if images else 0


def _going(steps: tuple[Step, ...]) -> int:
    return sum(step.object.kind is Kind.IMAGE for step in steps)


def is_unusual(case: Case, steps: tuple[Step, ...]) -> bool:
    """Whether more of the host's images would go than is usual: most often a policy that says too little."""
    return _going(steps) > _usual(case) * len(case.inventory.images)


def _usual(case: Case) -> Fraction:
    """The share as the policy spells it: 0.29 of 100 is 29, of the binary number for it a bit less."""
    return Fraction(str(case.policy.max_share))


def _unusual(case: Case, steps: tuple[Step, ...]) -> Iterator[Reason]:
    if is_unusual(case, steps):
        yield reason(
            Code.UNUSUAL_SHARE,
            share=share(case.inventory.images, steps),
            limit=math.floor(100 * _usual(case)),
        )


def _unrestorable(steps: tuple[Step, ...]) -> Iterator[Reason]:
    doubtful = (Restorable.NO, Restorable.NOT_PROBED)
    count = sum(s.object.kind is Kind.IMAGE and s.restorable in doubtful for s in steps)
    if count:
        yield reason(Code.UNRESTORABLE_COUNT, count=count)


def _waiting(case: Case, kinds: tuple[Kind, ...], verdicts: tuple[Verdict, ...]) -> Iterator[Reason]:
    """What only its age keeps: so that an empty plan says when there will be a fuller one."""
    kept = (v for v in verdicts if v.keep and v.object.kind in kinds)
    young = [v for v in kept if only_young(v.reasons)]
    if young:
        until = min(_until(v) for v in young)
        yield reason(Code.WAITING, count=len(young), size=_at_most(case, young), until=until.isoformat())


def _at_most(case: Case, verdicts: Sequence[Verdict]) -> int:
    """What they free at most: images share layers, so their sizes may make more than there is of them all."""
    size, there = sum(v.size or 0 for v in verdicts), case.inventory.usage.engine_bytes
    return size if there is None else min(size, there)


def _until(verdict: Verdict) -> datetime:
    return max(datetime.fromisoformat(str(r.params["until"])) for r in verdict.reasons)


def _unknown_use(case: Case) -> Iterator[Reason]:
    """Docker does not record use: what came before the ledger is not known to be unused (moby#4237)."""
    since = case.memory.since or case.now
    if case.now - since < case.policy.image_unused_for:
        yield reason(Code.USE_UNKNOWN_BEFORE, since=since.isoformat())
