"""The values of one request: what is recorded of it, and how it stands.

    PLANNING ──▶ READY ──▶ EXECUTING ──▶ FINISHED
        │          ├─ cancelled, expired, superseded ─▶ CLOSED
        └── no host has anything to confirm ─────────▶ CLOSED

How a request stands is never stored: `bot.progress` makes it of what is recorded and of the time. What
follows from its plans is reckoned once: fifty hosts with a thousand objects each are asked for it often.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from bot.wanted import Wanted
from workers import exclusions
from workers.contract import (
    Bytes,
    Event,
    Kind,
    Person,
    Plan,
    PlanReady,
    Reference,
    Report,
    RestorePlan,
    RestorePlanned,
    RestoreReport,
    Step,
    WorkBegun,
)
from workers.reasons import Reason
from workers.signing import MAX_LIFE, digest

# A first inventory of a large containerd store takes minutes, so a host that says it plans is waited for.
ANSWER_WITHIN = timedelta(seconds=60)
PLAN_WITHIN = MAX_LIFE
START_WITHIN = MAX_LIFE
SILENT_AFTER = timedelta(seconds=60)
SENT_WITHIN = timedelta(seconds=60)


class Phase(StrEnum):
    """Where a request stands."""

    PLANNING = "planning"
    READY = "ready"
    EXECUTING = "executing"
    FINISHED = "finished"
    CLOSED = "closed"


class Settled(StrEnum):
    """How a request was decided; exactly one of them, once."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Stage(StrEnum):
    """Where one host stands within a request."""

    ASKED = "asked"
    PLANNING = "planning"
    PLANNED = "planned"
    PLAN_FAILED = "plan_failed"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    ORDERED = "ordered"
    EXECUTING = "executing"
    FINISHED = "finished"
    REFUSED = "refused"
    LOST = "lost"
    NOT_EXECUTED = "not_executed"
    WITHDRAWN = "withdrawn"


WAITING_STAGES = frozenset({Stage.ASKED, Stage.PLANNING, Stage.ORDERED, Stage.EXECUTING})
SETTLED_STAGES = frozenset(Stage) - WAITING_STAGES
# A host that was told to execute and is heard of no more is in none of these: it may have begun.
UNBEGUN_STAGES = frozenset(
    {Stage.ORDERED, Stage.REFUSED, Stage.UNREACHABLE, Stage.NOT_EXECUTED, Stage.WITHDRAWN}
)
NOTHING = Bytes()


@dataclass(frozen=True)
class Asked:
    """The recorded start of a request; `wanted`: what is to come back, where something is.

    `thread`: the ts of the message in whose thread all of it stands; empty where it has one of its own.
    """

    id: str
    verb: str  # "preview", "execute" or "restore"
    channel: str
    requester: Person
    hosts: tuple[str, ...]
    made_at: datetime
    kinds: tuple[Kind, ...] | None = None
    wanted: Wanted | None = None
    thread: str = ""

    @property
    def is_restore(self) -> bool:
        """Whether something is to come back."""
        return self.wanted is not None


@dataclass(frozen=True)
class Choice:
    """What people left out of one host's plan: steps by their indexes, or the host as a whole."""

    host: str
    excluded: tuple[int, ...] = ()
    is_left_out: bool = False


@dataclass(frozen=True)
class Settlement:
    """The recorded decision; one that confirms names the plan of each host, and means no other (S3).

    `choices`: what of these plans it leaves out.
    """

    how: Settled
    at: datetime
    by: Person | None = None
    set_digest: str = ""
    plans: Mapping[str, str] = field(default_factory=dict)  # host → plan digest
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Ballot:
    """One person's agreement to one set of plans; `is_counted`: it helped to settle the request."""

    person: Person
    set_digest: str
    at: datetime
    is_counted: bool = False


@dataclass(frozen=True)
class Sent:
    """The recorded attempt to put a job on a host's queue; `error` is empty when it is there.

    `final`: it is not tried again. `certain`: where the queue's answer was lost, the job may be there.
    An order without `order_id`: none was sealed, since too few of those who agreed still may.
    """

    host: str
    type: str  # of the job: see bot.orders
    at: datetime
    order_id: str = ""
    error: str = ""
    final: bool = True
    certain: bool = True


@dataclass(frozen=True)
class Told:
    """An event as it was recorded, with the digest of the plan it brings."""

    event: Event
    plan_digest: str = ""


@dataclass(frozen=True)
class Contact:
    """What is known of a host's worker now, by the bot's own clock."""

    host: str
    last_seen: datetime | None = None
    busy: str = ""
    busy_since: datetime | None = None
    version: str = ""
    problems: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Holder:
    """Whose run holds a host: who confirmed it, since when, with which plan; as far as it is known."""

    by: tuple[Person, ...] = ()
    since: datetime | None = None
    plan_digest: str = ""


@dataclass(frozen=True)
class Line:
    """Whether the bot hears its hosts at all; while it does not, no host can be called silent."""

    up: bool
    since: datetime
    error: str = ""


@dataclass(frozen=True)
class Halt:
    """Somebody said that a run or a restore is to end after the object in hand."""

    by: Person
    at: datetime


@dataclass(frozen=True)
class HostPart:
    """One host within a request; `error` says why the queue is not reached, also while it is tried again.

    `trouble`: what the host says keeps it from going on, while something is expected of it.
    `withheld`: why it would be sent no order, as long as nobody has decided.
    `holder`: the run of another request for which this one waits there.
    `is_overdue`: its deadline has passed once, so it does not hold up the others even if it comes back.
    `work`: what its run said last that it does. `done_of_kind`: how many objects of that kind are done.
    `halt`: who said that its run, or its restore, is to end.
    `back`, `restored` are the plan and the report of a restore, `bringing` is what it brings back now.
    `excluded`, `is_left_out`: what people chose not to remove, or did not confirm: steps of its plan, or all.
    """

    host: str
    stage: Stage = Stage.ASKED
    since: datetime | None = None
    plan: Plan | None = None
    plan_digest: str = ""
    ordered: bool = False
    is_overdue: bool = False
    report: Report | None = None
    reasons: tuple[Reason, ...] = ()
    error: str = ""
    steps: int = 0
    steps_done: int = 0
    freed_so_far: Bytes = NOTHING
    work: WorkBegun | None = None
    done_of_kind: int = 0
    halt: Halt | None = None
    last_seen: datetime | None = None
    told_at: datetime | None = None
    withheld: Reason | None = None
    trouble: Reason | None = None
    holder: Holder | None = None
    excluded: tuple[int, ...] = ()
    is_left_out: bool = False
    is_restore: bool = False
    back: RestorePlan | None = None
    restored: RestoreReport | None = None
    bringing: Reference | None = None

    @property
    def has_begun(self) -> bool:
        """Whether its run, or its restore, is known to have begun."""
        return any(found is not None for found in (self.report, self.restored, self.told_at))

    @property
    def only_waits(self) -> bool:
        """Whether it was told to execute and has begun nothing, as far as it is heard of."""
        return self.ordered and self.stage in UNBEGUN_STAGES and self.work is None

    @property
    def drawn(self) -> Plan | RestorePlan | None:
        """The plan that people decide on."""
        return self.back if self.is_restore else self.plan

    @property
    def confirmable(self) -> bool:
        """Whether this host has a plan with something to do, and may be sent an order."""
        return self.drawn is not None and self.drawn.applicable and self.withheld is None

    @property
    def chosen(self) -> bool:
        """Whether a click would confirm something for this host."""
        is_something = self.is_restore or bool(self.chosen_steps)
        return self.confirmable and not self.is_left_out and is_something

    @cached_property
    def chosen_steps(self) -> tuple[Step, ...]:
        """The steps of its plan that are not left out."""
        steps, out = self.plan.steps if self.plan else (), frozenset(self.excluded)
        return tuple(step for step in steps if step.index not in out)

    @cached_property
    def expected(self) -> Bytes:
        """What these steps free."""
        return exclusions.expected(self.plan, self.excluded) if self.plan else NOTHING


@dataclass(frozen=True)
class Request:
    """A request as it stands."""

    asked: Asked
    parts: tuple[HostPart, ...]
    settlement: Settlement | None
    phase: Phase
    ballots: tuple[Ballot, ...] = ()

    @cached_property
    def offered(self) -> tuple[HostPart, ...]:
        """The hosts among which people choose."""
        return tuple(part for part in self.parts if part.confirmable)

    @cached_property
    def confirmable(self) -> tuple[HostPart, ...]:
        """The hosts whose plans a click would confirm, or has confirmed."""
        return tuple(part for part in self.parts if part.chosen)

    @property
    def stoppable(self) -> tuple[HostPart, ...]:
        """The hosts that are to do what was confirmed or at it, and that nobody has stopped."""
        runs = (part for part in self.parts if part.ordered and not part.halt)
        return tuple(part for part in runs if part.stage not in SETTLED_STAGES)

    @cached_property
    def plans(self) -> dict[str, str]:
        """The digest of each plan that a click would confirm, by host."""
        drawn = ((part, part.drawn) for part in self.confirmable)
        return {part.host: part.plan_digest or digest(plan) for part, plan in drawn if plan is not None}

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What people left out, where they did."""
        touched = (part for part in self.parts if part.excluded or part.is_left_out)
        return tuple(Choice(part.host, part.excluded, part.is_left_out) for part in touched)

    @cached_property
    def set_digest(self) -> str:
        """Name the exact (host, plan, steps left out) drawn before people; a button carries it (S3)."""
        plans = self.plans
        lines = (" ".join([p.host, plans[p.host], *map(str, p.excluded)]) for p in self.confirmable)
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]

    @property
    def approvers(self) -> tuple[Person, ...]:
        """Everybody whose agreement settled it."""
        if self.settlement is None or self.settlement.by is None:
            return ()
        return tuple(b.person for b in self.ballots if b.is_counted) or (self.settlement.by,)

    @cached_property
    def expires_at(self) -> datetime | None:
        """When the first of its plans does."""
        parts = self.confirmable or self.offered
        return min((p.drawn.expires_at for p in parts if p.drawn is not None), default=None)

    @cached_property
    def expected(self) -> Bytes:
        """What its plans free together, less what is left out."""
        return sum((part.expected for part in self.confirmable), NOTHING)

    def is_expired(self, now: datetime) -> bool:
        """Whether a plan that a click would confirm is no longer in force."""
        return self.expires_at is not None and now >= self.expires_at


def told(events: Iterable[Event]) -> tuple[Told, ...]:
    """Name the plan in each event that brings one."""
    return tuple(Told(e, digest(e.plan) if isinstance(e, PlanReady | RestorePlanned) else "") for e in events)
