"""The word that work is to end, from whoever may say it to whoever does the work."""

from dataclasses import dataclass, field

from workers.reasons import Code, Reason, reason


@dataclass
class Halt:
    """Whether the work in hand is to end; looked at between two objects, never inside one."""

    reasons: list[Reason] = field(default_factory=list)

    @property
    def requested(self) -> bool:
        """Whether to end after the object in hand."""
        return bool(self.reasons)

    def request(self, why: Code) -> None:
        """Ask for the end. Signal handlers call this, so it does nothing that could wait."""
        self.reasons.append(reason(why))
