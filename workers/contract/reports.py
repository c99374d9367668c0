"""What came of a run, step by step and service by service."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from workers.contract.disk import DiskUsage
from workers.contract.plans import EngineIdentity, Store
from workers.contract.values import Bytes, Digest, HostName, Person, Reference, Restorable, Value
from workers.reasons import Reason


class Outcome(StrEnum):
    """How a step ended. There are exactly five ways."""

    REMOVED = "removed"
    GONE = "gone"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"


class StepOutcome(Value):
    """A step's end, with the reason where it was not simply removed."""

    index: int
    object: Reference
    outcome: Outcome
    reason: Reason | None = None
    expected: Bytes = Bytes()


class HealthChange(StrEnum):
    """A container's health after the run, against before."""

    SAME = "same"
    REGRESSED = "regressed"
    GONE = "gone"
    NOT_RECHECKED = "not_rechecked"
    RECOVERED = "recovered"


class HealthLine(Value):
    """One container that ran before the run, and how it is after."""

    name: str
    critical: bool
    before: str
    after: str
    change: HealthChange


class Condition(Value):
    """How a container is at one look; `exit_code` is that of its last end, where it has ended.

    `since` when it is so, as far as its engine tells; `earlier`: it may have been so before that as well.
    """

    state: str
    health: str = ""
    restarts: int = 0
    exit_code: int | None = None
    since: AwareDatetime | None = None
    earlier: bool = False


class LogLine(Value):
    """One line of a container's log, without control characters."""

    text: str
    at: AwareDatetime | None = None


class LogTail(Value):
    """The end of a container's log, oldest line first; `cut`: some of it is left out for its length.

    `unread` says why there is none.
    """

    lines: tuple[LogLine, ...] = ()
    cut: bool = False
    unread: str = ""


class Tie(StrEnum):
    """What a removed object had to do with a service."""

    NETWORK = "network"  # the service was attached to it
    PROJECT = "project"  # both are of one compose project
    REPOSITORY = "repository"  # the service was made of a version of the same repository


class Worse(Value):
    """A service that is worse than before the run; `now` is None where it is gone.

    `seen_at`: when a look first found it so. `ties`: what it had to do with removed objects, by their steps.
    `log`: None where the policy lets no log be read.
    """

    name: str
    before: Condition
    now: Condition | None
    seen_at: AwareDatetime
    ties: dict[int, tuple[Tie, ...]] = Field(default_factory=dict)
    log: LogTail | None = None


class Removed(Value):
    """An object that a run removed; `at`: when the engine was asked.

    `names` are those an image lost. `pull`: ``REPOSITORY@DIGEST``, as which the ledger knows its content;
    whether the registry still has it, `restorable` says.
    """

    index: int
    object: Reference
    at: AwareDatetime
    names: tuple[str, ...] = ()
    pull: str = ""
    restorable: Restorable = Restorable.NO


class Trouble(Value):
    """What is known of services that are worse than before the run, within bounds.

    `removed` stands in the order of the removals; `more` are those left out, what is tied last of all.
    """

    worse: tuple[Worse, ...]
    removed: tuple[Removed, ...] = ()
    more: int = 0


class Status(StrEnum):
    """How a run ended, derived from its outcomes and from what stopped it."""

    DONE = "done"
    PARTIAL = "partial"
    STOPPED = "stopped"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Report(Value):
    """The final value of one execution; the history stores it as it is.

    `expected`: what all that was ordered frees; `expected_of_removed`: what went of it frees, without the
    layers that the rest holds. None from a worker that does not tell.
    `ping`: whom the policy has pinged where a service is worse; `trouble`: what is known of that then.
    """

    v: Literal[1] = 1
    request_id: str
    order_id: str
    host: HostName
    engine: EngineIdentity
    plan_digest: Digest
    requester: Person
    approver: Person
    approvers: tuple[Person, ...] = ()
    started_at: AwareDatetime
    finished_at: AwareDatetime
    status: Status
    stopped_by: tuple[Reason, ...] = ()
    outcomes: tuple[StepOutcome, ...]
    expected: Bytes
    expected_of_removed: Bytes | None = None
    usage_before: DiskUsage | None = None
    usage_after: DiskUsage | None = None
    health: tuple[HealthLine, ...] = ()
    findings: tuple[Reason, ...] = ()
    ping: tuple[str, ...] = ()
    trouble: Trouble | None = None

    @property
    def agreed(self) -> tuple[Person, ...]:
        """Everybody who agreed."""
        return tuple(dict.fromkeys((*self.approvers, self.approver)))

    @property
    def gone(self) -> Bytes:
        """What was expected of the objects that were removed."""
        if self.expected_of_removed is not None:
            return self.expected_of_removed
        return sum((s.expected for s in self.outcomes if s.outcome is Outcome.REMOVED), Bytes())

    @property
    def measured_by_engine(self) -> bool:
        """Whether the engine's accounting can tell what went: a containerd store's leaves out most blobs."""
        return self.engine.store is Store.GRAPH_DRIVER

    @property
    def freed(self) -> int | None:
        """Bytes the engine's own accounting went down by, or the filesystem's where that cannot tell.

        None where neither could be asked.
        """
        before, after = self.usage_before, self.usage_after
        if before is None or after is None:
            return None
        if self.measured_by_engine:
            return _less(before.engine_bytes, after.engine_bytes)
        return _less(after.free, before.free)


def _less(much: int | None, other: int | None) -> int | None:
    return None if much is None or other is None else much - other
