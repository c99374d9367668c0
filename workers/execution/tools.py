"""What a run works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workers.contract import EngineIdentity, ExecutionOrder, Step
from workers.engine import Engine
from workers.execution.progress import Heard, unheard
from workers.execution.races import Load
from workers.memory.ledger import Ledger
from workers.planning.facts import Case
from workers.planning.inventory import Inventory
from workers.planning.policy import Policy
from workers.planning.stock import Archived
from workers.reasons import Reason

Save = Callable[[Step, timedelta], Archived | Reason]


@dataclass(frozen=True)
class Tools:
    """The parts of a host; `told_to_stop` is asked between steps, `wait` lets time pass.

    `consume` uses an order up, durably, before the first removal.
    `save` has an image in the archive, given its step and how long that may take, or says why it is not;
    `load` gives one back to the engine, or says why not.
    `barred` says between steps why people, or what they left standing, want the run to end.
    `findings` are what the host itself has to say in the report. `hear` is told what is done now.
    """

    engine: Engine
    identity: EngineIdentity
    ledger: Ledger
    policy: Policy
    look: Callable[[], tuple[Inventory, Case]]
    local: bool
    forget_image: Callable[[str], None]
    told_to_stop: Callable[[], bool]
    wait: Callable[[float], None]
    consume: Callable[[ExecutionOrder, datetime], None]
    save: Save
    load: Load
    findings: tuple[Reason, ...] = ()
    barred: Callable[[], Reason | None] = lambda: None
    hear: Heard = unheard
