"""Protections that people added from Slack, beside those of the policy; they can only keep (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from workers.contract import Kind
from workers.reasons import Code, Reason, reason
from workers.references import ImageName, NamePattern, Pattern


@dataclass(frozen=True)
class Protection:
    """A pattern over one kind of object, in force until then or until it is lifted; raises BadName."""

    kind: Kind
    pattern: str
    by: str
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind is Kind.IMAGE:
            Pattern.parse(self.pattern)
        else:
            NamePattern.parse(self.pattern)

    @property
    def reason(self) -> Reason:
        """Why what it means stays."""
        return reason(Code.PROTECTED_FROM_SLACK, **self._told)

    @property
    def idle(self) -> Reason:
        """That it means nothing here, which is no mistake yet: it went to all the hosts that were named."""
        return reason(Code.PROTECTION_MATCHES_NOTHING, kind=self.kind, **self._told)

    @property
    def _told(self) -> dict[str, str]:
        until = self.until.isoformat() if self.until else ""
        return {"pattern": self.pattern, "by": self.by, "until": until}


def for_images(protections: Iterable[Protection], names: Iterable[ImageName]) -> Iterator[Reason]:
    """The protections that mean an image by one of its names, or by its content (S8)."""
    known = tuple(names)
    for one in protections:
        if one.kind is Kind.IMAGE and any(map(Pattern.parse(one.pattern).matches, known)):
            yield one.reason


def for_named(protections: Iterable[Protection], kind: Kind, name: str) -> Iterator[Reason]:
    """The protections that mean a container or a network by its name."""
    for one in protections:
        if one.kind is kind and NamePattern.parse(one.pattern).matches(name):
            yield one.reason
