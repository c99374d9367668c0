"""Which versions of a repository are the way back: in use, previous, and newer ones (pure; S9)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workers.planning.dropped import Absent, was_way_back
from workers.planning.facts import Memory
from workers.planning.fields import NEVER
from workers.planning.inventory import Image
from workers.reasons import Code, Reason, reason
from workers.references import ImageName, repository_of


@dataclass(frozen=True)
class Version:
    """An image as a version of its repositories. `ran_at` is now for one that runs.

    `named_at` is when a container last ran that was made of its name, be it of an image that had it before.

    `arrived_at` is the latest evidence of its arrival, `came_at` the earliest. `never_ran`: it came while the
    host's events were followed, and none told of a run.
    """

    image: Image
    repositories: frozenset[str]
    in_use: bool
    protected: bool
    arrived_at: datetime | None
    came_at: datetime | None
    ran_at: datetime | None
    named_at: datetime | None
    never_ran: bool = False

    @property
    def order(self) -> tuple[datetime, str]:
        """Versions are ordered by the last sign of life: a run, or their arrival.

        Not by runs alone: on a host met for the first time an old leftover container would else make an
        ancient version look more recent than one that ran last week in a container long removed.
        """
        latest = max(t for t in (self.ran_at, self.arrived_at) if t) if self.known else NEVER
        return latest, self.image.id

    @property
    def known(self) -> bool:
        """Whether there is any evidence to order it by."""
        return bool(self.ran_at or self.arrived_at)


def repositories(image: Image, memory: Memory) -> frozenset[str]:
    """Return the repositories an image is a version of, by its names now and those it had."""
    had = (ImageName.parse(name) for name in memory.names.get(image.id, {}))
    named = [*image.names, *image.digests, *had]
    return frozenset(repository_of(name) for name in named)


def way_back(
    versions: Iterable[Version],
    used: Mapping[str, datetime],
    gone: Mapping[str, Sequence[Absent]],
    *,
    ran: Mapping[str, datetime],
    keep: int,
) -> dict[str, list[Reason]]:
    """Return, by image id, why it is kept as a version.

    `used` are the repositories that count as used, with when their newest use was; `gone` are the versions of
    a repository that the engine has dropped; `ran` is when anything of a repository ran last.
    """
    kept: dict[str, list[Reason]] = {}
    members: dict[str, list[Version]] = {repository: [] for repository in used}
    for version in versions:
        for repository in version.repositories & used.keys():
            members[repository].append(version)
    for repository in used:
        of = members[repository]
        ran_at = ran.get(repository, NEVER)
        for version, why in _kept_of(repository, of, ran_at, gone.get(repository, ()), keep):
            kept.setdefault(version.image.id, []).append(why)
    return kept


def _kept_of(
    repository: str, members: list[Version], ran_at: datetime, gone: Sequence[Absent], keep: int
) -> list[tuple[Version, Reason]]:
    newest = _newest(members, ran_at)
    placed = [(v, _place(v, newest)) for v in members if v is newest or not v.in_use]
    kept = [(v, reason(place, repository=repository)) for v, place in placed if place]
    older = [v for v, place in placed if place is None and not v.protected]
    for position, version in _previous(older, keep):
        why = reason(Code.PREVIOUS_VERSION, repository=repository, position=position, keep=keep)
        kept.append((version, why))
    signs = [version.order[0] for version in older]
    if was_way_back(gone, newest.came_at if newest else None, signs, keep):
        kept += [(version, reason(Code.WAY_BACK_DROPPED, repository=repository)) for version in members]
    return kept


def _previous(older: list[Version], keep: int) -> Iterator[tuple[int, Version]]:
    """The newest by their last sign of life, each with its position; where any of them never ran, those too
    that ran last: what came while a service was down looks newer than the last one that worked.
    """
    alive = sorted(older, key=lambda v: v.order, reverse=True)[:keep]
    ran = sorted((v for v in older if v.ran_at), key=lambda v: (v.ran_at, v.image.id), reverse=True)[:keep]
    yield from enumerate(alive, start=1)
    if any(v.never_ran for v in alive):
        yield from ((position, v) for position, v in enumerate(ran, start=1) if v not in alive)


def _newest(members: list[Version], ran_at: datetime) -> Version | None:
    """The version that ran last, of several the one that arrived last; None if that is not here any more.

    Nor is it where something of the repository ran later, as a container made of a name that has moved since:
    of which version, is not known.
    """
    ran = [v for v in members if v.ran_at] or [v for v in members if v.named_at or v.in_use]
    if not ran:
        return None
    newest = max(ran, key=lambda v: (v.ran_at or v.named_at or NEVER, v.arrived_at or NEVER, v.image.id))
    return None if newest.ran_at and newest.ran_at < ran_at else newest


def _place(version: Version, newest: Version | None) -> Code | None:
    """Why a version stays whatever the quota; None for an older one. What cannot be placed stays (S4).

    A tag given to what runs makes it no newer than what waits for its roll-out.
    """
    if version is newest:
        return Code.CURRENT_VERSION
    if newest is None or newest.came_at is None or version.arrived_at is None:
        return Code.UNPLACED_VERSION
    return Code.NEWER_VERSION if version.arrived_at > newest.came_at else None
