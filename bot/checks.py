"""What the doctor says of one thing (values)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; where it is not good, what it says names the next step."""

    name: str
    is_good: bool
    says: str
