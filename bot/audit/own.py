"""The bot's copy: its acts, and what it has recorded of each host (pure)."""

from dataclasses import dataclass
from datetime import datetime

from bot.acts import Act
from workers.audit_lines import Reported


@dataclass(frozen=True)
class Heard:
    """An event that a host told; `at` by the host's own clock, `report` where it ends a run or a restore."""

    host: str
    ledger: str
    seq: int
    at: datetime | None = None
    report: Reported | None = None


@dataclass(frozen=True)
class Own:
    """Everything that the bot holds for a comparison."""

    hosts: tuple[str, ...]
    acts: tuple[Act, ...]
    heard: tuple[Heard, ...]
