"""What the doctor says of one thing (values)."""

from dataclasses import dataclass

from workers.reasons import Reason
from workers.wording import sentence


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; where it is not good, what it says names the next step.

    `problems`: what a host itself says is wrong with it.
    """

    name: str
    is_good: bool
    says: str
    problems: tuple[Reason, ...] = ()

    def told(self) -> str:
        """All that there is to say of it, in plain words."""
        return " ".join([self.lead, *map(sentence, self.problems)])

    @property
    def lead(self) -> str:
        """What was found, so that the problems may follow it."""
        return f"{self.says.removesuffix('.')}." if self.problems else self.says
