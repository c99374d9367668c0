"""What the bot asks of a host and permits it; each of these is sealed."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, TypeAdapter, model_validator

from workers.contract.answers import Topic
from workers.contract.values import Digest, HostName, Kind, Person, ProtectedKind, Value


class Claims(Value):
    """What every sealed message says of itself, whatever it asks for."""

    v: Literal[1] = 1
    key_id: str
    id: str
    host: HostName
    issued_at: AwareDatetime
    expires_at: AwareDatetime
    request_id: str
    reply_to: str
    requester: Person


class PlanRequest(Claims):
    """Asks a host for a plan; it can remove nothing."""

    type: Literal["plan"] = "plan"
    kinds: tuple[Kind, ...] | None = None


class Question(Claims):
    """Asks a host about itself; it can remove nothing, and no plan is made for it.

    `object`: what is to be explained, as somebody calls it; or the run (its order) whose services are meant.
    """

    type: Literal["answer"] = "answer"
    topic: Topic
    object: Annotated[str, Field(max_length=512)] = ""

    @model_validator(mode="after")
    def _names_what_it_is_about(self) -> Self:
        if (self.topic in (Topic.OBJECT, Topic.SERVICES)) != bool(self.object):
            raise ValueError("an object or a run is named where one is meant, and only there")
        return self


class ExecutionOrder(Claims):
    """Permission to execute one plan once, on one engine, less the excluded steps.

    `approver`: whose agreement was the last one needed. `approvers`: everybody who agreed, that one included.
    """

    type: Literal["execute"] = "execute"
    engine_id: str
    plan_digest: Digest
    approver: Person
    approvers: tuple[Person, ...] = ()
    excluded: tuple[int, ...] = ()

    @property
    def agreed(self) -> tuple[Person, ...]:
        """Everybody who agreed."""
        return tuple(dict.fromkeys((*self.approvers, self.approver)))


class StopOrder(Claims):
    """Has the run of one order end after the object in hand; it waits in no queue."""

    type: Literal["stop"] = "stop"
    order_id: str


class Decision(Claims):
    """An order that a host keeps until a later decision about the same; `decided_at` says which is later.

    What does not arrive is sealed and sent again, so it may be issued long after it was decided.
    """

    decided_at: AwareDatetime

    @model_validator(mode="after")
    def _decided_before_it_was_issued(self) -> Self:
        if self.decided_at > self.issued_at:
            raise ValueError("decided after it was issued")
        return self


class FreezeOrder(Decision):
    """Nothing is removed on the host until it is unfrozen."""

    type: Literal["freeze"] = "freeze"
    why: Annotated[str, Field(max_length=300)] = ""


class UnfreezeOrder(Decision):
    """The host may remove again."""

    type: Literal["unfreeze"] = "unfreeze"
    why: Annotated[str, Field(max_length=300)] = ""


class ProtectOrder(Decision):
    """What a pattern means stays, beside all that the host's policy protects."""

    type: Literal["protect"] = "protect"
    kind: ProtectedKind
    pattern: Annotated[str, Field(max_length=512)]
    until: AwareDatetime | None = None


class UnprotectOrder(Decision):
    """Lifts a protection that came from Slack; the host's policy is out of its reach."""

    type: Literal["unprotect"] = "unprotect"
    kind: ProtectedKind
    pattern: Annotated[str, Field(max_length=512)]


StandingOrder = FreezeOrder | UnfreezeOrder | ProtectOrder | UnprotectOrder
STANDING: TypeAdapter[StandingOrder] = TypeAdapter(Annotated[StandingOrder, Field(discriminator="type")])
