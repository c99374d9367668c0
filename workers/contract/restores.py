"""The way back: its requests, plan, order and report."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from workers.contract.orders import Claims
from workers.contract.plans import EngineIdentity
from workers.contract.reports import Status
from workers.contract.values import (
    LONGEST_NAME,
    MOST_OBJECTS,
    Bytes,
    Digest,
    HostName,
    Name,
    Person,
    Reference,
    Value,
)
from workers.reasons import Reason


class AddressPool(Value):
    """Addresses of a network, each as text; `auxiliary` are those that are nobody's, by name."""

    subnet: str
    ip_range: str = ""
    gateway: str = ""
    auxiliary: dict[str, str] = Field(default_factory=dict)


class NetworkDescription(Value):
    """All that makes a network again. A flag is None where the engine did not tell it."""

    name: str
    driver: str
    internal: bool = False
    attachable: bool = False
    ipv4: bool | None = None
    ipv6: bool = False
    address_driver: str = ""
    address_options: dict[str, str] = Field(default_factory=dict)
    pools: tuple[AddressPool, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)


class FromRegistry(Value):
    """An image comes from its registry, by digest; `asked`: it has just said that it gives it back."""

    source: Literal["registry"] = "registry"
    repository: str
    digest: Digest
    asked: bool = False


class FromArchive(Value):
    """An image comes from the host's archive: a file there, with its bytes and checksum."""

    source: Literal["archive"] = "archive"
    file: str
    size: int
    sha256: str


class FromDescription(Value):
    """A network is made again as it was described."""

    source: Literal["description"] = "description"
    network: NetworkDescription


Source = Annotated[FromRegistry | FromArchive | FromDescription, Field(discriminator="source")]


class TakenTag(Value):
    """A tag that names another image by now, and stays with it."""

    name: str
    image: str


class RestoreStep(Value):
    """One object to bring back. `sources` are tried in their order; none where an image is there already
    and lacks `tags` alone. Those of its tags that are `taken` are left.
    """

    index: int
    object: Reference
    sources: tuple[Source, ...] = ()
    tags: tuple[str, ...] = ()
    taken: tuple[TakenTag, ...] = ()
    needs: Bytes = Bytes()


class StaysAway(Value):
    """An object that is not brought back, and why; `command` would create a container like it."""

    object: Reference
    reason: Reason
    taken: tuple[TakenTag, ...] = ()
    command: str = ""


class RestorePlan(Value):
    """What of a run comes back to one host, and from where; it is used once, removes nothing, takes no tag.

    `run`: the order whose removals these are. `needs`: bytes that it takes; `free`: those that are left on
    the engine's disk, None where that cannot be read. `unusual`: the plan of that run was.
    """

    v: Literal[1] = 1
    request_id: str
    host: HostName
    engine: EngineIdentity
    run: str
    run_plan_digest: Digest
    run_at: AwareDatetime
    made_at: AwareDatetime
    expires_at: AwareDatetime
    steps: tuple[RestoreStep, ...]
    away: tuple[StaysAway, ...] = ()
    notices: tuple[Reason, ...] = ()
    needs: Bytes = Bytes()
    free: int | None = None
    unusual: bool = False

    @property
    def fits(self) -> bool:
        """Whether its bytes are there, as far as that is known."""
        return self.free is None or self.needs.low <= self.free

    @property
    def applicable(self) -> bool:
        """Whether there is anything to confirm."""
        return bool(self.steps) and self.fits and self.engine.read_only is None


class RestoreRequest(Claims):
    """Asks a host what of a run would come back, and from where; nothing comes back for that.

    `run`: an order or the start of its name; empty for the last run that removed something. `objects`: as
    somebody calls them, all of the run's where there are none.
    """

    type: Literal["restore_plan"] = "restore_plan"
    run: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    objects: Annotated[tuple[Name, ...], Field(max_length=MOST_OBJECTS)] = ()


class RestoreOrder(Claims):
    """Permission to execute the plan of one restore once, on one engine."""

    type: Literal["restore"] = "restore"
    engine_id: str
    plan_digest: Digest
    approver: Person
    approvers: tuple[Person, ...] = ()

    @property
    def agreed(self) -> tuple[Person, ...]:
        """Everybody who agreed."""
        return tuple(dict.fromkeys((*self.approvers, self.approver)))


class Restored(StrEnum):
    """How a step of a restore ended. There are exactly five ways."""

    RESTORED = "restored"
    ALREADY_THERE = "already_there"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"


class RestoreOutcome(Value):
    """A step's end, with the reason where the object is not there as it was; `tags` are those that it got."""

    index: int
    object: Reference
    outcome: Restored
    reason: Reason | None = None
    tags: tuple[str, ...] = ()


class RestoreReport(Value):
    """The final value of one restore."""

    v: Literal[1] = 1
    request_id: str
    order_id: str
    host: HostName
    engine: EngineIdentity
    plan_digest: Digest
    run: str
    requester: Person
    approver: Person
    approvers: tuple[Person, ...] = ()
    started_at: AwareDatetime
    finished_at: AwareDatetime
    status: Status
    stopped_by: tuple[Reason, ...] = ()
    outcomes: tuple[RestoreOutcome, ...]
    findings: tuple[Reason, ...] = ()

    @property
    def agreed(self) -> tuple[Person, ...]:
        """Everybody who agreed."""
        return tuple(dict.fromkeys((*self.approvers, self.approver)))
