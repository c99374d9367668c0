"""What a host tells its bot, one numbered event after the other."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, SerializerFunctionWrapHandler, TypeAdapter, model_serializer

from workers.contract.answers import Answer
from workers.contract.orders import StandingOrder
from workers.contract.plans import Plan
from workers.contract.reports import Report, StepOutcome
from workers.contract.restores import RestorePlan, RestoreReport
from workers.contract.values import LONGEST_WORK, HostName, Kind, Reference, Value
from workers.reasons import Reason


class Fact(Value):
    """What every event tells: something that happened on a host, for a request or for none."""

    v: Literal[1] = 1
    host: HostName
    at: AwareDatetime
    request_id: str = ""
    reply_to: str = ""


class PlanStarted(Fact):
    """The host has begun to look at its engine."""

    event: Literal["plan_started"] = "plan_started"


class PlanReady(Fact):
    """The plan is kept in the host's ledger; this is a copy to show."""

    event: Literal["plan_ready"] = "plan_ready"
    plan: Plan


class PlanFailed(Fact):
    """No plan could be made."""

    event: Literal["plan_failed"] = "plan_failed"
    reason: Reason


class Answered(Fact):
    """What somebody asked about the host is answered."""

    event: Literal["answered"] = "answered"
    answer: Answer


class NotAnswered(Fact):
    """What somebody asked about the host cannot be answered."""

    event: Literal["not_answered"] = "not_answered"
    reason: Reason


class OrderRefused(Fact):
    """A request or an order was turned away before anything was begun."""

    event: Literal["order_refused"] = "order_refused"
    order_id: str = ""
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]


class ExecutionStarted(Fact):
    """The order is consumed; the pre-check is passed; the first removal comes next."""

    event: Literal["execution_started"] = "execution_started"
    order_id: str
    steps: int


class Doing(StrEnum):
    """What a run does, one meaning each."""

    WATCHING_FOR_QUIET = "watching_for_quiet"
    LOOKING = "looking"
    HOLDING_STILL = "holding_still"
    REMOVING = "removing"
    SETTLING = "settling"
    MEASURING = "measuring"


class WorkBegun(Fact):
    """What a run does from now on: for at most so many `seconds`, or with `count` objects of a kind.

    What takes longer than a day is told as a day.
    """

    event: Literal["work_begun"] = "work_begun"
    order_id: str
    doing: Doing
    seconds: float = Field(default=0, ge=0, le=LONGEST_WORK)
    kind: Kind | None = None
    count: int = Field(default=0, ge=0)


class StepFinished(Fact):
    """One step has ended."""

    event: Literal["step_finished"] = "step_finished"
    order_id: str
    step: StepOutcome


class ExecutionFinished(Fact):
    """The run is over, however it ended."""

    event: Literal["execution_finished"] = "execution_finished"
    report: Report


class RestorePlanned(Fact):
    """The plan of a restore is kept in the host's ledger; this is a copy to show."""

    event: Literal["restore_planned"] = "restore_planned"
    plan: RestorePlan


class RestoreStepBegun(Fact):
    """A restore brings this object back now; its order is consumed."""

    event: Literal["restore_step_begun"] = "restore_step_begun"
    order_id: str
    index: int
    object: Reference


class RestoreFinished(Fact):
    """The restore is over, however it ended."""

    event: Literal["restore_finished"] = "restore_finished"
    report: RestoreReport


class StandingTaken(Fact):
    """A standing order is kept in the host's ledger; `in_force`: no later decision overrules it.

    `was_frozen`: whether an unfreeze found a freeze to lift; None of other orders, and from older workers.
    """

    event: Literal["standing_taken"] = "standing_taken"
    order: Annotated[StandingOrder, Field(discriminator="type")]
    in_force: bool
    was_frozen: bool | None = None

    @model_serializer(mode="wrap")
    def _as_before_where_nothing_is_new(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A bot that does not know the last field reads whatever needs none, a freeze above all."""
        return {name: value for name, value in whole(self).items() if (name, value) != ("was_frozen", None)}


Event = Annotated[
    PlanStarted
    | PlanReady
    | PlanFailed
    | Answered
    | NotAnswered
    | OrderRefused
    | ExecutionStarted
    | WorkBegun
    | StepFinished
    | ExecutionFinished
    | RestorePlanned
    | RestoreStepBegun
    | RestoreFinished
    | StandingTaken,
    Field(discriminator="event"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def hosts_of(event: Event) -> set[str]:
    """Whom an event speaks for: a plan and a report that it bears are each of a host."""
    match event:
        case PlanReady() | RestorePlanned():
            return {event.host, event.plan.host}
        case ExecutionFinished() | RestoreFinished():
            return {event.host, event.report.host}
    return {event.host}
