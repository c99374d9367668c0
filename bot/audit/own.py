"""The bot's copy: its acts, and what it has recorded of each host (pure)."""

from dataclasses import dataclass
from datetime import datetime

from bot.acts import Act
from workers.audit_lines import ReportLine


@dataclass(frozen=True)
class Heard:
    """An event that a host told; `report` where it is the end of a run, `at` by the host's own clock."""

    host: str
    ledger: str
    seq: int
    at: datetime | None = None
    report: ReportLine | None = None


@dataclass(frozen=True)
class Own:
    """Everything that the bot holds for a comparison."""

    hosts: tuple[str, ...]
    acts: tuple[Act, ...]
    heard: tuple[Heard, ...]
