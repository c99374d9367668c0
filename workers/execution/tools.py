"""What a run works with."""

from collections.abc import Callable
from dataclasses import dataclass

from workers.contract import EngineIdentity
from workers.engine import Engine
from workers.memory.ledger import Ledger
from workers.planning.facts import Case
from workers.planning.inventory import Inventory
from workers.planning.policy import Policy
from workers.reasons import Reason


@dataclass(frozen=True)
class Tools:
    """The parts of a host; `told_to_stop` is asked between steps, `wait` lets time pass.

    `findings` are what the host itself has to say in the report.
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
    findings: tuple[Reason, ...] = ()
