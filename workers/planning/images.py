"""Which images may go: what nobody uses, nobody protects, and nobody would roll back to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from workers.contract import Kind, Reference, Restorable, Verdict
from workers.planning.ages import (
    REPOSITORY,
    Arrival,
    Users,
    came,
    evidence,
    last_built_upon,
    last_used,
    latest,
    ran_of,
    ran_repositories,
)
from workers.planning.dropped import dropped
from workers.planning.facts import ROLE, Case, Memory, age_reasons, labelled, only_young, unread_reasons
from workers.planning.image_mounts import ImageMounts
from workers.planning.inventory import Container, Image
from workers.planning.protections import for_images
from workers.planning.restorable import restorable
from workers.planning.versions import Version, repositories, way_back
from workers.reasons import Code, Reason, reason
from workers.references import repository_of


@dataclass(frozen=True)
class _Known:
    """An image with what the host and the ledger tell of it."""

    image: Image
    users: list[Container]
    perhaps_mounted: list[Container]
    arrived: Arrival
    came_at: datetime | None
    repositories: frozenset[str]
    used_at: datetime | None
    built_upon: datetime | None
    protections: tuple[Reason, ...]


def judge(case: Case, leaving: frozenset[str]) -> tuple[Verdict, ...]:
    """Return one verdict for every image; `leaving` are the ids of containers that the plan removes."""
    users = Users(case.inventory.containers)
    mounts = ImageMounts(case.inventory.containers, case.inventory.images, case.memory)
    known = [_know(image, case, users.of(image), mounts) for image in case.inventory.images]
    used = _used_repositories(known, case, leaving)
    keep = max(case.policy.keep_previous, 1 if case.own.container_ids else 0)
    versions, gone = [_version(k, case, leaving) for k in known], dropped(case, leaving)
    back = way_back(versions, used, gone, ran=ran_repositories(case.inventory, case.memory), keep=keep)
    kept = {k.image.id: (*k.protections, *_rules(k, case, leaving), *back.get(k.image.id, ())) for k in known}
    kept = _with_parents([k.image for k in known], kept)
    return tuple(_verdict(k, kept[k.image.id], used, keep) for k in known)


def _know(image: Image, case: Case, users: list[Container], mounts: ImageMounts) -> _Known:
    arrivals = evidence(image, case.memory, case.inventory.arrivals)
    known_as = repositories(image, case.memory)
    return _Known(
        image=image,
        users=users,
        perhaps_mounted=mounts.of(image, known_as),
        arrived=latest(image, case.memory, arrivals),
        came_at=came(image, case.memory, arrivals),
        repositories=known_as,
        used_at=last_used(image, case, users),
        built_upon=last_built_upon(image, case),
        protections=tuple(_protections(image, case, users)),
    )


def _protections(image: Image, case: Case, users: list[Container]) -> Iterator[Reason]:
    if ROLE in image.labels or any(c.id in case.own.container_ids for c in users):
        yield reason(Code.OWN, what="an image of its own")
    if found := labelled(image.labels, case.policy.protected_labels):
        yield found
    yield from pattern_protections(image, case)
    yield from for_images(case.protections, (*image.names, *image.digests))


def pattern_protections(image: Image, case: Case) -> Iterator[Reason]:
    """A protected name protects the image it points to, under whatever other name (S8)."""
    for pattern in case.policy.image_protections():
        for name in (*image.names, *image.digests):
            if pattern.matches(name):
                yield reason(Code.PROTECTED_REFERENCE, pattern=pattern.text, reference=name.familiar())
                break


def _rules(known: _Known, case: Case, leaving: frozenset[str]) -> Iterator[Reason]:
    image, policy = known.image, case.policy
    yield from unread_reasons(image)
    staying, ran = [c for c in known.users if c.id not in leaving], ran_of(image, known.users)
    for container in staying:
        # It would start of it, but what it is made of is what had the name then.
        state = container.state if container in ran else "by its name alone"
        yield reason(Code.IN_USE, container=container.name, state=state)
    for container in (c for c in known.perhaps_mounted if c.id not in leaving and c not in staying):
        yield reason(Code.IN_USE, container=container.name, state="perhaps, as a mount")
    if case.inventory.service_images & {*image.names, *image.digests}:
        yield reason(Code.SWARM)
    grace = policy.image_grace.total_seconds()
    yield from age_reasons(known.arrived.at, grace, case.now, Code.YOUNG, evidence=known.arrived.evidence)
    if not staying:
        yield from _recent(Code.RECENTLY_USED, known.used_at, policy.image_unused_for, case.now)
    yield from _recent(Code.BUILT_UPON, known.built_upon, policy.image_unused_for, case.now)
    if (
        policy.unrestorable_images == "keep"
        and case.archive is None
        and restorable(image, case.inventory.engine.store, case.answers) != Restorable.YES
    ):
        yield reason(Code.NOT_RESTORABLE)
    if len(image.untagged_repositories) > 1:
        # By id an engine takes what is of one repository (moby's isSingleReference). Tags are taken off
        # before; a digest is not, for nothing but a pull gives it back (S2).
        yield reason(Code.SEVERAL_REPOSITORIES, repositories=", ".join(image.untagged_repositories))


def _recent(code: Code, used_at: datetime | None, unused_for: timedelta, now: datetime) -> Iterator[Reason]:
    if used_at is not None and now - used_at < unused_for:
        until = (used_at + unused_for).isoformat()
        yield reason(code, since=used_at.isoformat(), until=until)


def _used_repositories(known: list[_Known], case: Case, leaving: frozenset[str]) -> dict[str, datetime]:
    """Repositories that a container uses which stays, or that ran not long ago, even if it goes now (S9)."""
    used: dict[str, datetime] = {}
    for container in case.inventory.containers:
        for name in container.references:
            _note(used, repository_of(name), _use_of(container, case, leaving))
    for one in known:
        times = [_use_of(c, case, leaving) for c in one.users] + [one.used_at, one.built_upon]
        if latest := max((time for time in times if time is not None), default=None):
            for repository in one.repositories:
                _note(used, repository, latest)
    for (kind, repository), sighting in case.memory.sightings.items():
        if kind == REPOSITORY:
            _note(used, repository, sighting.last_used)
    oldest = case.now - case.policy.image_unused_for
    return {repository: at for repository, at in used.items() if at >= oldest}


def _use_of(container: Container, case: Case, leaving: frozenset[str]) -> datetime | None:
    return container.finished_at if container.id in leaving else case.now


def _note(used: dict[str, datetime], repository: str, at: datetime | None) -> None:
    if at is not None and at > used.get(repository, at - timedelta(seconds=1)):
        used[repository] = at


def _version(known: _Known, case: Case, leaving: frozenset[str]) -> Version:
    ran = ran_of(known.image, known.users)
    used_at = known.used_at if len(ran) == len(known.users) else last_used(known.image, case, ran)
    # Beginning a build from a version is a use of it as running it is.
    uses = (used_at, known.built_upon)
    # By what runs, not by what stays: a stopped container that is kept makes no old version the newest.
    ran_at = case.now if any(not c.stopped for c in ran) else max(filter(None, uses), default=None)
    # A gap may hide that it ran: then what did so before stays beside it, and that is the worst of it.
    since = min(filter(None, (case.memory.since, case.memory.followed_first)), default=None)
    return Version(
        image=known.image,
        repositories=known.repositories,
        in_use=any(c.id not in leaving for c in known.users),
        protected=bool(known.protections),
        arrived_at=known.arrived.at,
        came_at=known.came_at,
        ran_at=ran_at,
        named_at=case.now if any(not c.stopped for c in known.users) else known.used_at,
        never_ran=not ran_at and bool(since and known.came_at and known.came_at >= since),
    )


def _with_parents(images: list[Image], kept: dict[str, tuple[Reason, ...]]) -> dict[str, tuple[Reason, ...]]:
    """Keep every ancestor of a kept image: on the graph driver it is held, elsewhere it is its base.

    What only waits for its age says nothing of a child that does too: both can go later.
    """
    by_id, held = {image.id: image for image in images}, set[str]()
    waiting = [image for image in images if kept[image.id]]
    while waiting:
        child = waiting.pop()
        parent = by_id.get(child.parent)
        only_wait = all(one and one.id not in held and only_young(kept[one.id]) for one in (child, parent))
        if parent and parent.id not in held and not only_wait:
            held.add(parent.id)
            waiting.append(parent)
    children: dict[str, str] = {}
    for child in (i for i in images if kept[i.id] or i.id in held):
        children[child.parent] = min(child.shown, children.get(child.parent, child.shown))
    return kept | {id_: (*kept[id_], reason(Code.PARENT, child=children[id_])) for id_ in held}


def _verdict(known: _Known, kept: tuple[Reason, ...], used: dict[str, datetime], keep: int) -> Verdict:
    image = known.image
    return Verdict(
        object=Reference(kind=Kind.IMAGE, id=image.id, name=image.shown),
        keep=bool(kept),
        reasons=kept or (_why_remove(known, used, keep),),
        size=image.size,
    )


def _why_remove(known: _Known, used: dict[str, datetime], keep: int) -> Reason:
    since = known.used_at or known.arrived.at
    at = since.isoformat() if since else ""
    if not known.image.names:
        return reason(Code.UNTAGGED, since=at)
    for repository in sorted(repositories(known.image, Memory())):
        if repository in used:
            return reason(Code.SUPERSEDED, repository=repository, kept=keep)
    return reason(Code.UNUSED, since=at)
