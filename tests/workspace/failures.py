"""Failures on order: the next calls of a method that are to go wrong, and how."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Failure:
    """An HTTP status, or None for an answer that never comes.

    `error`: what Slack calls it; `retry_after` goes with 429, None for one that does not say how long.
    """

    status: int | None
    retry_after: int | None = 1
    after_effect: bool = False
    error: str = ""

    @property
    def name(self) -> str:
        return self.error or ("ratelimited" if self.status == 429 else "internal_error")


@dataclass
class Failures:
    planned: dict[str, deque[Failure]] = field(default_factory=dict)

    def plan(self, method: str, failure: Failure, times: int) -> None:
        self.planned.setdefault(method, deque()).extend([failure] * times)

    def take(self, method: str) -> Failure | None:
        for key in (method, "*"):
            if self.planned.get(key):
                return self.planned[key].popleft()
        return None
