"""Whether an engine answers as it did when the run began (pure)."""

from collections.abc import Mapping, Sequence
from statistics import median

from workers.reasons import Code, Reason, reason

# So many times slower than usual is no longer the run's own load: somebody else needs the engine more.
TIMES_SLOWER = 10
# Seconds. An engine at rest answers in one to five milliseconds, a busy one in fifty: a run that is stopped
# between 1 ms and 12 ms is stopped for nothing.
FASTEST_USUAL = 0.05
# One long answer among the last few is a hiccup, unless it alone took as long as all of them may.
LAST = 5

Taken = Mapping[str, Sequence[float]]


def usual(taken: Taken) -> Taken:
    """What is usual of each kind; asked between any two steps, so it is made once."""
    return {what: (median(seconds),) for what, seconds in taken.items() if seconds}


def slowed(usual: Taken, now: Taken) -> Reason | None:
    """Whether the last answers of any kind took ten times as long as such answers took before the run.

    Only looks are compared, each kind with itself: how long a removal takes depends on what is removed.
    """
    for what, seconds in now.items():
        before = median(usual.get(what) or (0.0,))
        mean = sum(seconds[-LAST:]) / LAST
        if mean > TIMES_SLOWER * max(before, FASTEST_USUAL):
            return reason(Code.ENGINE_SLOW, now=_milliseconds(mean), usual=_milliseconds(before))
    return None


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
