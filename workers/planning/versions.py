"""Which versions of a repository are the way back: in use, previous, and newer ones (pure; S9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from workers.planning.inventory import NEVER, Image
from workers.reasons import Code, Reason, reason
from workers.references import ImageName, repository_of


@dataclass(frozen=True)
class Version:
    """An image as a version of its repositories. `ran_at` is now for one in use."""

    image: Image
    repositories: frozenset[str]
    in_use: bool
    protected: bool
    arrived_at: datetime | None
    ran_at: datetime | None

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


def repositories(image: Image, remembered: Iterable[str] = ()) -> frozenset[str]:
    """Return the repositories an image is a version of, by its names now and those it had."""
    named = [*image.names, *image.digests, *(ImageName.parse(name) for name in remembered)]
    return frozenset(repository_of(name) for name in named)


def way_back(
    versions: Iterable[Version], used: Mapping[str, datetime], *, keep: int
) -> dict[str, list[Reason]]:
    """Return, by image id, why it is kept as a version.

    `used` are the repositories that count as used, with when their newest use was.
    """
    kept: dict[str, list[Reason]] = {}
    every = list(versions)
    for repository in used:
        members = [v for v in every if repository in v.repositories]
        for version, why in _kept_of(repository, members, keep):
            kept.setdefault(version.image.id, []).append(why)
    return kept


def _kept_of(repository: str, members: list[Version], keep: int) -> list[tuple[Version, Reason]]:
    newest = max((v for v in members if v.ran_at), key=lambda v: v.ran_at or NEVER, default=None)
    kept = [(v, reason(Code.CURRENT_VERSION, repository=repository)) for v in members if v is newest]
    others = [v for v in members if v is not newest and not v.in_use]
    newer = [v for v in others if _is_newer(v, newest)]
    kept += [(v, reason(Code.NEWER_VERSION, repository=repository)) for v in newer]
    older = [v for v in others if v not in newer and not v.protected]
    ordered = sorted(older, key=lambda v: v.order, reverse=True)
    for position, version in enumerate(ordered[:keep], start=1):
        why = reason(Code.PREVIOUS_VERSION, repository=repository, position=position, keep=keep)
        kept.append((version, why))
    return kept


def _is_newer(version: Version, newest: Version | None) -> bool:
    """Whether it came after the newest one that ran; one that cannot be placed counts as newer (S4)."""
    if newest is None or newest.arrived_at is None or version.arrived_at is None:
        return version.arrived_at is None
    return version.arrived_at > newest.arrived_at
