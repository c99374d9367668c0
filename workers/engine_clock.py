"""Whether an engine's clock goes like this worker's: by this one's it is asked for what happened."""

from workers.engine import Engine
from workers.planning import activity
from workers.planning.activity import ClockReading
from workers.reasons import Reason

TRIES = 3


def clock_off(engine: Engine, told: ClockReading | None = None) -> Reason | None:
    """Say how far it is off; `told` is what it has said already.

    Asked several times: an engine may answer with what it began to gather for somebody before.
    """
    found: Reason | None = None
    for _ in range(TRIES):
        if not (found := activity.clock_off(told or engine.clock())):
            break
        told = None
    return found
