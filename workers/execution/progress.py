"""What a run does at this moment and for how long, for whoever waits for it (pure)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workers.contract import LONGEST_WORK, Doing, Kind


@dataclass(frozen=True)
class Progress:
    """What is done now; `seconds` it takes at most, `count` objects of a kind."""

    doing: Doing
    seconds: float = 0
    kind: Kind | None = None
    count: int = 0

    def told(self) -> dict[str, Any]:
        """What others are told; a policy may have a run watch for longer than the contract has words for."""
        return {**vars(self), "seconds": min(max(self.seconds, 0.0), LONGEST_WORK)}


Heard = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """Nobody waits."""
