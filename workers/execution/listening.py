"""What an engine tells of images and who uses them during a run; it forgets all but its last (S2, S7)."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from workers.engine import Engine
from workers.errors import EngineError
from workers.execution import guards
from workers.planning import hearsay, mentions
from workers.planning.activity import MEMORY, forgotten_before
from workers.planning.fields import Fields
from workers.planning.hearsay import Use
from workers.planning.mentions import OVERLAP, SOME_TIME, event_time

# How long a name must have been left alone before it may be taken off by name (S2).
QUIET = timedelta(seconds=60)
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class News:
    """What was told since a run judged.

    When what came, by name or id; which containers started or ended, each once and gone by now perhaps; which
    of them came to a network last, or left it, by the network's id.
    """

    arrivals: Mapping[str, datetime]
    uses: Collection[Use]
    joined: Mapping[str, str]


class Listening:
    """Listens from when a run looks, to judge; whoever takes his time, or removes something, listens between.

    A run's own removals and the health checks of a busy host are events too: 85 s of those may be all that an
    engine remembers, and a pull of what is there already leaves no other trace.
    """

    def __init__(self, engine: Engine, judged_at: datetime) -> None:
        self._engine, self._judged_at = engine, judged_at
        self._upto = judged_at - QUIET
        self._last: Sequence[Raw] = ()
        self._recent = deque[Raw]()
        self._arrivals: dict[str, datetime] = {}
        self._uses: dict[str, Use] = {}
        self._joined: dict[str, str] = {}
        self._missed = False

    def news(self) -> News:
        """Return what was pulled, loaded or tagged since the run judged, and what was used.

        Raises:
            EngineError: it cannot be read, or more happened than the engine remembers.
        """
        self.listen()
        return News(self._arrivals, self._uses.values(), self._joined)

    def recent(self) -> Collection[Raw]:
        """Return the events of images of the last minute; raises as `news` does."""
        self.listen()
        return self._recent

    def listen(self) -> Sequence[Raw]:
        """Return what spoke of images and their names since the last look; raises as `news` does."""
        now = datetime.now(UTC)
        heard = self._engine.events({}, since=self._upto - OVERLAP, until=now)
        forgotten = forgotten_before(heard)
        self._missed |= forgotten is not None and forgotten > max(self._upto, self._judged_at)
        if self._missed:
            raise EngineError(f"events: more than the last {MEMORY} happened between two looks")
        new = [event for event in heard if _speaks_of_an_image(event) and event not in self._last]
        self._arrivals |= mentions.arrivals(event for event in new if _time(event) >= self._judged_at)
        self._note_uses([event for event in heard if _time(event) >= self._judged_at])
        self._last, self._upto = heard, now
        self._recent.extend(new)
        while self._recent and _time(self._recent[0]) < now - QUIET:
            self._recent.popleft()
        return new

    def _note_uses(self, told: Sequence[Raw]) -> None:
        # Of each container the last: one that fails and starts again does so a thousand times in a run.
        self._uses |= {use.container: use for use in hearsay.uses(told)}
        self._joined |= hearsay.joined(told)


def _speaks_of_an_image(event: Raw) -> bool:
    """One whose words cannot be read may."""
    read = Fields(event)
    return read.text("Type") in ("image", "") and read.text("Action") in (*guards.TOUCHING, "")


def _time(event: Raw) -> datetime:
    return event_time(event) or SOME_TIME
