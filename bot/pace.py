"""How often one message is edited: about every 3 s, as Slack takes it, and a few times at once if need be."""

from collections.abc import Hashable
from datetime import datetime, timedelta

EVERY = timedelta(seconds=3)
AT_ONCE = 3


class Pace:
    """Remembers when each message may be edited again; edits made early push that further off."""

    def __init__(self) -> None:
        self._due: dict[Hashable, datetime] = {}

    def allows(self, what: Hashable, now: datetime, *, is_urgent: bool = False) -> bool:
        """Whether it may be edited now; what is urgent may come early, until all of that is used up."""
        early = (AT_ONCE - 1) * EVERY if is_urgent else timedelta()
        return self._due.get(what, now) - now <= early

    def edited(self, what: Hashable, now: datetime) -> None:
        """It was."""
        self._due[what] = max(now, self._due.get(what, now)) + EVERY

    def forget(self, what: Hashable) -> None:
        """It is not edited any more."""
        self._due.pop(what, None)
