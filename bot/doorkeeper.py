"""The loop that looks up who somebody is, once Slack has its answer, and has decided what waited for it."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.facts import Lookup
from bot.memory.waiting import Pending, Waiting
from bot.reception import Reception
from bot.slack.directory import Directory, Pause

logger = logging.getLogger(__name__)

STEP_SECONDS = 1.0
# Whoever was made to wait longer has asked again, or somebody else.
WAITS = timedelta(minutes=1)
ROUNDS = 4


class Doorkeeper:
    """Takes up what waits, oldest first."""

    def __init__(
        self,
        *,
        waiting: Waiting,
        directory: Directory,
        reception: Reception,
        clock: Callable[[], datetime],
    ) -> None:
        self._waiting, self._directory, self._reception = waiting, directory, reception
        self._clock = clock
        self._until: datetime | None = None

    def step(self) -> float:
        """Decide what can be decided by now; returns how long to wait until the next step."""
        if self._until and self._clock() < self._until:
            return min(STEP_SECONDS, (self._until - self._clock()).total_seconds())
        self._until = None
        for act in self._waiting.open():
            try:
                self._decide(act)
            except Exception:
                logger.exception("%s %s could not be decided", act.verb, act.id)
                self._give_up_in_time(act)
        return STEP_SECONDS

    def _give_up_in_time(self, act: Pending) -> None:
        """What can never be decided is not tried for ever, and whoever waits for it is told."""
        if self._clock() - act.at <= WAITS:
            return
        try:
            self._reception.give_up(act)
        except Exception:
            logger.exception("%s %s is left out: it cannot even be answered", act.verb, act.id)
            self._waiting.close(act.id)

    def _decide(self, act: Pending) -> None:
        """One look-up may show that another is needed; what fails is not asked for again here."""
        failed: dict[Lookup, str] = {}
        needs = self._reception.again(act, failed)
        for _ in range(ROUNDS):
            # Where Slack has asked us to wait, only what is known decides.
            if not needs or self._until:
                return
            troubles = self._directory.look_up(needs)
            if (pause := _pause(troubles)) and self._clock() - act.at < WAITS:
                self._until = pause.until
                return
            failed |= {what: why.why if isinstance(why, Pause) else why for what, why in troubles.items()}
            needs = self._reception.again(act, failed)


def _pause(troubles: Mapping[Lookup, str | Pause]) -> Pause | None:
    pauses = [trouble for trouble in troubles.values() if isinstance(trouble, Pause)]
    return max(pauses, key=lambda pause: pause.until) if pauses else None
