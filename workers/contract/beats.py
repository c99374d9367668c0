"""A host's sign of life."""

from typing import Literal

from pydantic import AwareDatetime

from workers.contract.values import HostName, Value
from workers.reasons import Reason

Busy = Literal["", "plan", "execute", "restore"]


class Beat(Value):
    """A host's sign of life, refreshed every few seconds; `ledger` names the numbering of its events.

    `keys`: the ids of the bot's keys whose seals it accepts; None where it does not say.
    """

    v: Literal[1] = 1
    host: HostName
    boot: str
    ledger: str
    engine_id: str
    version: str
    at: AwareDatetime
    busy: Busy = ""
    busy_since: AwareDatetime | None = None
    problems: tuple[Reason, ...] = ()
    keys: tuple[str, ...] | None = None
