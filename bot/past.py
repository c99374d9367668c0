"""Past runs and restores as the history tells them: one line each, found and shown page by page (pure)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter

from workers.contract import HealthChange, Outcome, Person, Report, Restored, RestoreReport, Status

# What a database can add and compare; no disk is that big.
MOST_BYTES = 2**62
RAN_ON = (HealthChange.SAME, HealthChange.RECOVERED)
IS_THERE = (Restored.RESTORED, Restored.ALREADY_THERE)


@dataclass(frozen=True)
class Run:
    """One past run; `ran` containers ran before it, `running` of them still do, `freed` may not be known.

    `number` is its place among those that the bot was told of. A restore has removed nothing: of the `wanted`
    objects so many are `back`, which is None of a run.
    """

    host: str
    request_id: str
    finished_at: datetime
    status: Status
    removed: int
    freed: int | None
    ran: int
    running: int
    unchecked: int
    requester: Person
    approvers: tuple[Person, ...]
    number: int = 0
    order_id: str = ""
    back: int | None = None
    wanted: int = 0

    @property
    def people(self) -> tuple[Person, ...]:
        """Who asked for it or confirmed it."""
        return tuple(dict.fromkeys((self.requester, *self.approvers)))

    @property
    def spot(self) -> "Spot":
        """Its place in the order of the history."""
        return Spot(self.finished_at, self.number)


@dataclass(frozen=True)
class Wanted:
    """Which runs: on these hosts, by one of these people if any are named, from `since` to before `until`."""

    hosts: tuple[str, ...]
    people: tuple[Person, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Sought:
    """What somebody has asked to see: hosts by name or glob, all of them where none is named."""

    hosts: tuple[str, ...] = ()
    people: tuple[Person, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Spot:
    """A place between runs, which stays where it is whatever is told of later."""

    at: datetime
    number: int


class Turn(StrEnum):
    """Which way a page is turned."""

    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True)
class Leaf:
    """What a button carries that turns a page: what is sought, and from where it goes which way."""

    sought: Sought
    spot: Spot
    turn: Turn


@dataclass(frozen=True)
class Totals:
    """How many runs there are and what they freed; of `unmeasured` ones it is not known what they did."""

    runs: int = 0
    freed: int = 0
    unmeasured: int = 0
    restores: int = 0

    @property
    def lines(self) -> int:
        """How many lines of the history that is."""
        return self.runs + self.restores


@dataclass(frozen=True)
class Page:
    """Some runs, newest first; `newer` ones of all that are wanted stand before them."""

    runs: tuple[Run, ...] = ()
    totals: Totals = Totals()
    newer: int = 0

    @property
    def older(self) -> int:
        """How many stand behind them."""
        return self.totals.lines - self.newer - len(self.runs)


LEAF = TypeAdapter(Leaf)


def run_of(report: Report) -> Run:
    """A report in one line of the history."""
    changes = [line.change for line in report.health]
    freed = report.freed
    return Run(
        host=report.host,
        request_id=report.request_id,
        finished_at=report.finished_at,
        status=report.status,
        removed=sum(step.outcome is Outcome.REMOVED for step in report.outcomes),
        freed=None if freed is None else max(-MOST_BYTES, min(freed, MOST_BYTES)),
        ran=len(changes),
        running=sum(change in RAN_ON for change in changes),
        unchecked=changes.count(HealthChange.NOT_RECHECKED),
        requester=report.requester,
        approvers=report.agreed,
        order_id=report.order_id,
    )


def restore_of(report: RestoreReport) -> Run:
    """The same of a restore."""
    return Run(
        host=report.host,
        request_id=report.request_id,
        finished_at=report.finished_at,
        status=report.status,
        removed=0,
        freed=None,
        ran=0,
        running=0,
        unchecked=0,
        requester=report.requester,
        approvers=report.agreed,
        order_id=report.order_id,
        back=sum(one.outcome in IS_THERE for one in report.outcomes),
        wanted=len(report.outcomes),
    )
