"""Takes an engine over from a ledger that is lost: a person at the host says so, by that ledger's id."""

from collections.abc import Callable

from workers.execution.ownership import Owner
from workers.host import Host
from workers.reasons import Code, Reason
from workers.whoami import whoami
from workers.wording import fragment

SHORTEST_ID = 12


def adopted(host: Host, typed: str | None, out: Callable[[str], None]) -> bool:
    """Whether the engine is this ledger's now; whoever types the former's id has seen which one that is.

    Raises:
        RefusedError: a run holds the engine, or whose it is cannot be read or written.
    """
    ours, former = host.ownership, host.ownership.owner()
    why = ours.refusal(former)
    if former is None or why is None:
        out(f"No other ledger than {ours} has this engine; there is nothing to take over.")
        return True
    if not (typed and len(typed) >= SHORTEST_ID and former.ledger.startswith(typed)):
        clause = fragment(why)
        out(f"{clause[:1].upper()}{clause[1:]}; of the runs it lacks ledger {ours} knows nothing.")
        out(how_to(why, former))
        return False
    host.adopt(former, by=whoami().spelled)
    out(f"This engine belongs to ledger {ours} from now on, and no longer to ledger {former}.")
    out("Plans made before are not executed any more; show a new one with: python -m workers preview")
    return True


def how_to(why: Reason, former: Owner) -> str:
    """What to do about an engine that is not ours."""
    lost = "no newer copy of it is left" if why.code is Code.LEDGER_PUT_BACK else "that ledger is lost"
    return f"Only if {lost}: python -m workers adopt --confirm {former.ledger[:SHORTEST_ID]}"
