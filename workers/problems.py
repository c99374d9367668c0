"""What keeps a host from doing anything, told with its sign of life: that needs no ledger and no engine."""

from collections.abc import Iterator
from contextlib import closing

from workers.errors import LedgerError, PolicyError
from workers.host import Place, read_policy
from workers.memory.ledger import Ledger
from workers.memory.reserve import Reserve
from workers.memory.standing import StandingOrders
from workers.reasons import Code, Reason, reason

# What one refusal takes; with less, even the reason would be lost.
LEAST = 1_000_000


def problems(place: Place) -> Iterator[Reason]:
    """Say why nothing can be planned or removed here, if so."""
    try:
        read_policy(place.policy_file)
    except PolicyError as error:
        yield reason(Code.POLICY_INVALID, file=error.path, detail=error.detail)
    if found := _of_ledger(place):
        yield found


def _of_ledger(place: Place) -> Reason | None:
    """What is wrong with the ledger, or else who froze the host, as it stands there."""
    reserve = Reserve(place.state_dir)
    if place.state_dir.exists() and reserve.free < LEAST:
        # Opening it takes some room as well; whoever does gives up the reserve first.
        return None if reserve.held >= LEAST else _unusable(place, "no room is left on its disk")
    try:
        with closing(Ledger(place.ledger_file)) as ledger:
            ledger.refuse_unusable()
            return StandingOrders(ledger).frozen()
    except LedgerError as error:
        return _unusable(place, str(error))


def _unusable(place: Place, detail: str) -> Reason:
    return reason(Code.LEDGER_UNUSABLE, file=str(place.ledger_file), detail=detail)
