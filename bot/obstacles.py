"""What keeps a host from executing, as its signs of life tell: then it is sent no order (pure)."""

from collections.abc import Iterable

from workers.contract import Beat
from workers.reasons import Code, Reason, reason

# Orders are signed with a key, expire by a clock, are consumed in the ledger, and held up by a freeze.
OBSTACLES = (Code.KEY_NOT_HELD, Code.LEDGER_UNUSABLE, Code.CLOCK_OFF, Code.FROZEN)


def obstacle(problems: Iterable[Reason], *, removes: bool = True) -> Reason | None:
    """The first that there is; a freeze is none to what removes nothing."""
    known = {found.code: found for found in problems if removes or found.code is not Code.FROZEN}
    return next((known[code] for code in OBSTACLES if code in known), None)


def silencing(problems: Iterable[Reason]) -> Reason | None:
    """What keeps a host from telling anything but its signs of life: its events go through its ledger."""
    return next((found for found in problems if found.code is Code.LEDGER_UNUSABLE), None)


def deaf(problems: Iterable[Reason]) -> Reason | None:
    """What keeps a host from taking anything that it is sent."""
    return next((found for found in problems if found.code is Code.KEY_NOT_HELD), None)


def lacking(beat: Beat, key_id: str) -> Reason | None:
    """Whether a host would not accept what this key seals; an older worker does not say what it holds."""
    if beat.keys is None or key_id in beat.keys:
        return None
    return reason(Code.KEY_NOT_HELD, key=key_id)


def held_against(beat: Beat, key_id: str) -> Beat:
    """The sign of life, with that among its problems where it is one."""
    found = lacking(beat, key_id)
    return beat.model_copy(update={"problems": (*beat.problems, found)}) if found else beat
