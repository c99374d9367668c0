"""What a run does at this moment and for how long, for whoever waits for it (pure)."""

from collections.abc import Callable
from dataclasses import dataclass

from workers.contract import Doing, Kind


@dataclass(frozen=True)
class Progress:
    """What is done now; `seconds` it takes at most, `count` objects of a kind."""

    doing: Doing
    seconds: float = 0
    kind: Kind | None = None
    count: int = 0


Heard = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """Nobody waits."""
