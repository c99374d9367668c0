"""What was looked up in the workspace, as values: about people, channels and user groups (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

FRESH_FOR = timedelta(minutes=5)


class About(StrEnum):
    """What can be looked up in the workspace."""

    PERSON = "person"
    CHANNEL = "channel"
    MEMBERS = "members"  # who is in a channel
    USER_GROUP = "user_group"


@dataclass(frozen=True, order=True)
class Lookup:
    """One thing to look up, by its id."""

    about: About
    id: str


@dataclass(frozen=True)
class Fact:
    """What a look-up found, and when; only the fields of its kind are set.

    `names`: what a person is called, `utc_offset`: how many seconds their clock is ahead of UTC.
    `is_private`: only members get into a channel. `error`: the workspace does not tell this at all, for one
    without user groups there are none.
    """

    at: datetime
    team: str = ""
    is_guest: bool = False
    is_active: bool = True
    is_shared: bool = False
    is_private: bool = True
    members: frozenset[str] = frozenset()
    error: str = ""
    names: tuple[str, ...] = ()
    utc_offset: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known of the workspace, and which look-ups have just failed, with the reason."""

    known: Mapping[Lookup, Fact] = field(default_factory=dict)
    failed: Mapping[Lookup, str] = field(default_factory=dict)

    def fresh(self, now: datetime) -> "Facts":
        """Only what is young enough to act on; what was found in the future, by a clock set back, is not."""
        young = {what: fact for what, fact in self.known.items() if abs(now - fact.at) <= FRESH_FOR}
        return Facts(young, self.failed)
