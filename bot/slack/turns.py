"""When Slack may be asked for what: it says how long to wait, and takes messages one after the other."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import AccessLost, OutOfTurn, SlackAway
from bot.slack.answers import named_errors


@dataclass(frozen=True)
class Rest:
    """Until when Slack is not asked for something, and the answer that is why; None for our own pace."""

    until: datetime
    why: SlackAway | None = None

    def again(self, what: str, now: datetime) -> SlackAway:
        """The same answer for whoever comes meanwhile."""
        seconds = (self.until - now).total_seconds()
        if isinstance(self.why, AccessLost):
            why = self.why
            return AccessLost(str(why), seconds=seconds, code=why.code, remedy=why.remedy, scopes=why.scopes)
        code = self.why.code if self.why else ""
        return OutOfTurn(f"{what}: its turn has not come", seconds=seconds, certain=True, code=code)


class Turns:
    """Remembers what rests, and until when."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._rests: dict[str, Rest] = {}

    def wait_for(self, method: str, target: str = "") -> None:
        """Refuse what Slack has asked us to wait with, before anything is done.

        Raises:
            SlackAway: its turn has not come.
        """
        if rest := self.rest_of(method, target):
            raise rest

    def rest_of(self, method: str, target: str = "") -> SlackAway | None:
        """What that would be refused with; None where its turn has come."""
        now = self._clock()
        self._rests = {what: rest for what, rest in self._rests.items() if rest.until > now}
        found = self._rests.get(method) or self._rests.get(f"{method} {target}")
        return found.again(method, now) if found else None

    def rest(self, what: str, time: timedelta, why: SlackAway | None = None) -> None:
        """Leave this alone for so long."""
        self._rests[what] = Rest(self._clock() + time, why)

    @contextlib.contextmanager
    def obeying(self, method: str) -> Iterator[None]:
        """Where Slack asks us to wait, leave this method alone for as long."""
        try:
            with named_errors(method):
                yield
        except SlackAway as error:
            if error.certain:
                self.rest(method, timedelta(seconds=error.seconds), error)
            raise
