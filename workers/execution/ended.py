"""How the removal of one object ended."""

from dataclasses import dataclass

from workers.contract import Outcome
from workers.reasons import Reason


@dataclass(frozen=True)
class Ended:
    """An outcome with its reason. `alarm` stops the run: something happened that was not planned."""

    outcome: Outcome
    reason: Reason | None = None
    alarm: bool = False


REMOVED = Ended(Outcome.REMOVED)


def refused(why: Reason) -> Ended:
    """A guard said no."""
    return Ended(Outcome.REFUSED, why)
