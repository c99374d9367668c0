"""The fault matrix: who fails, how, and when; and which of it cannot happen (pure)."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product


class Victim(StrEnum):
    """Who fails."""

    BOT = "bot"
    WORKER = "worker"
    HORSE = "horse"
    REDIS = "redis"
    ENGINE = "engine"
    SLACK = "slack"


class Fault(StrEnum):
    """How it fails. EMPTY and OLDER: it is killed and comes back without its memory, or with a copy of it."""

    KILLED = "killed"
    HUNG = "hung"
    EMPTY = "empty"
    OLDER = "older"


class Work(StrEnum):
    """What is under way: the run of a cleanup, the restore of one, or a run that saves images first."""

    RUN = "run"
    RESTORE = "restore"
    ARCHIVE = "archive"


class Moment(StrEnum):
    """When it fails: each is an event at a door, between two things that happen one after the other."""

    PLANNED = "planned"
    BEFORE_ORDER = "before-order"
    AFTER_ORDER = "after-order"
    BEFORE_CONSUME = "before-consume"
    AFTER_CONSUME = "after-consume"
    MID_SAVE = "mid-save"
    MID_STAGE = "mid-stage"
    BEFORE_TAGS = "before-tags"
    BEFORE_REPORT = "before-report"
    AFTER_REPORT = "after-report"
    BEFORE_ACK = "before-ack"


WHEN = {
    Moment.PLANNED: "the plan of a restore stands under its button, nobody has pressed it",
    Moment.BEFORE_ORDER: "the click is recorded, the order is on its way to the queue",
    Moment.AFTER_ORDER: "the order is on the queue, the worker has not got it",
    Moment.BEFORE_CONSUME: "the work-horse holds the order and asks the engine, nothing is consumed",
    Moment.AFTER_CONSUME: "the order is consumed, nothing is removed",
    Moment.MID_SAVE: "an image for the archive is asked of the engine, or its first bytes are here",
    Moment.MID_STAGE: "a removal is at the engine's door, or its answer is; of a restore, an image",
    Moment.BEFORE_TAGS: "an image is back, a tag of it is not",
    Moment.BEFORE_REPORT: "the last removal is done, or the last object back; there is no report",
    Moment.AFTER_REPORT: "the report is in the ledger, it is on its way to Redis",
    Moment.BEFORE_ACK: "the report is in the bot's memory, the acknowledgement is on its way",
}
HORSE_LIVES = (
    *(Moment.BEFORE_CONSUME, Moment.AFTER_CONSUME, Moment.MID_SAVE),
    *(Moment.MID_STAGE, Moment.BEFORE_TAGS, Moment.BEFORE_REPORT),
)
MOMENTS = {
    Work.RUN: tuple(m for m in Moment if m not in (Moment.PLANNED, Moment.MID_SAVE, Moment.BEFORE_TAGS)),
    Work.RESTORE: (
        *(Moment.PLANNED, Moment.BEFORE_ORDER, Moment.AFTER_CONSUME),
        *(Moment.MID_STAGE, Moment.BEFORE_TAGS, Moment.BEFORE_REPORT),
    ),
    Work.ARCHIVE: (Moment.MID_SAVE, Moment.MID_STAGE),
}
# Of other work the parts that it has to itself; how bot and Slack fail with a request is the same for all.
AT_THE_HOST = (Victim.WORKER, Victim.HORSE, Victim.REDIS, Victim.ENGINE)


@dataclass(frozen=True, order=True)
class Cell:
    """One field of the matrix."""

    victim: Victim
    fault: Fault
    moment: Moment
    work: Work = Work.RUN

    def __str__(self) -> str:
        of = "" if self.work is Work.RUN else f":{self.work}"
        return f"{self.victim}:{self.fault}:{self.moment}{of}"

    @classmethod
    def named(cls, name: str) -> "Cell":
        """Read what `str` writes; raises ValueError."""
        victim, fault, moment, *work = name.split(":")
        return cls(Victim(victim), Fault(fault), Moment(moment), *map(Work, work))

    @property
    def why_not(self) -> str:
        """Why this cannot happen; empty where it can."""
        forgets = self.fault in (Fault.EMPTY, Fault.OLDER)
        if self.victim is Victim.HORSE and self.moment not in HORSE_LIVES:
            return "a work-horse lives from the taking of the order to its report, and has ended with that"
        if self.victim is Victim.HORSE and forgets:
            return (
                "a work-horse has no memory of its own and is not started again; the ledger is its parent's"
            )
        if self.victim is Victim.SLACK and forgets:
            return "Slack is not ours to set back; messages that are gone: tests of the threads"
        if self.victim is Victim.BOT and self.fault is Fault.EMPTY:
            return (
                "with the bot's memory its hosts and requests are gone, so nobody is left who could end the"
                " thread; the run stands in the host's ledger"
            )
        return ""


RUNS = tuple(Cell(*parts) for parts in product(Victim, Fault, MOMENTS[Work.RUN]))
OTHERS = tuple(
    Cell(victim, Fault.KILLED, moment, work)
    for work in (Work.RESTORE, Work.ARCHIVE)
    for victim, moment in product(AT_THE_HOST, MOMENTS[work])
)
ALL = (*RUNS, *OTHERS)
REACHABLE = tuple(cell for cell in ALL if not cell.why_not)
