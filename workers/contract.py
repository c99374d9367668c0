"""The values that cross a process: requests, plan, order, events, report.

Every message is frozen, forbids unknown fields and carries the number of its version.
Times are aware and UTC, sizes are bytes, ids are full. `reply_to` is opaque to workers.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from workers.reasons import Reason

HOST_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
# The team of whoever is at a machine's own command line; a job never carries it (workers.jobs).
HOST_TEAM = "host"
AT_A_MACHINE = "cli:"
LONGEST_WORK = 86_400
HostName = Annotated[str, Field(pattern=HOST_PATTERN)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
# What somebody may call an object, and how many of them one request names.
LONGEST_NAME, MOST_OBJECTS = 512, 50
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Value(BaseModel):
    """A frozen value that knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """What a plan may hold, in the order of its stages. Volumes are not a member (S1)."""

    CONTAINER = "container"
    IMAGE = "image"
    NETWORK = "network"
    BUILD_CACHE = "build-cache"


ProtectedKind = Literal[Kind.CONTAINER, Kind.IMAGE, Kind.NETWORK]


class Person(Value):
    """Who asked or confirmed: a user id means something only together with its team."""

    team: str
    user: str

    @property
    def spelled(self) -> str:
        """``TEAM/USER``, or ``cli:USER`` of somebody at a machine itself."""
        return f"{AT_A_MACHINE}{self.user}" if self.team == HOST_TEAM else f"{self.team}/{self.user}"


class Bytes(Value):
    """A size that is known to lie between two bounds, most often equal ones."""

    low: int = 0
    high: int = 0

    def __add__(self, other: "Bytes") -> "Bytes":
        return Bytes(low=self.low + other.low, high=self.high + other.high)


class Reference(Value):
    """One object on a host. The name is for people, the id is its identity."""

    kind: Kind
    id: str
    name: str


class Restorable(StrEnum):
    """Whether an object can be brought back, as far as anyone has shown."""

    YES = "yes"
    NOT_PROBED = "not_probed"
    NO = "no"
    RECREATED = "recreated"
    ARCHIVED = "archived"


class Verdict(Value):
    """Keep or remove, for one object, with every reason."""

    object: Reference
    keep: bool
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]
    size: int | None = None


class Step(Value):
    """One object to remove, with the facts that must still hold when its turn comes.

    `untags` are the references an image loses one by one; `needs` are the indexes of steps
    without which this one cannot happen; `leaves` names what stays behind (volumes).
    """

    index: int
    object: Reference
    reasons: tuple[Reason, ...]
    fingerprint: dict[str, str]
    expected: Bytes
    untags: tuple[str, ...] = ()
    needs: tuple[int, ...] = ()
    leaves: tuple[str, ...] = ()
    restorable: Restorable = Restorable.NO


class LayerGroup(Value):
    """Layers that go together, once no step that stays holds them or a group above them.

    `lies_on` is the index of the group below, which stands before this one; `held_by` are the indexes of the
    steps whose objects end in it.
    """

    size: Bytes
    lies_on: int | None = None
    held_by: tuple[int, ...] = ()


class Filesystem(Value):
    """A filesystem as statvfs tells it; inodes are 0 where it has no fixed number of them.

    `free` is what everybody may still write, `reserved` what is kept for root beyond that.
    """

    path: str
    total: int
    free: int
    inodes: int
    inodes_free: int
    reserved: int = 0

    @property
    def used(self) -> int:
        """Bytes that something lies in."""
        return self.total - self.free - self.reserved

    @property
    def capacity(self) -> int:
        """Bytes that can be in use before it is full for everybody but root."""
        return self.total - self.reserved


class DiskUsage(Value):
    """The engine's accounting in bytes, beside the filesystems under its data."""

    taken_at: AwareDatetime
    containers: int
    images: int
    build_cache: int
    volumes: int
    filesystems: tuple[Filesystem, ...] = ()

    @property
    def engine_bytes(self) -> int:
        """What a plan can bring down: volumes are counted, never removed, so they do not belong here."""
        return self.containers + self.images + self.build_cache

    @property
    def free(self) -> int | None:
        """What the filesystems have left, one that lies under two places counted once."""
        left = {(found.total, found.inodes): found.free for found in self.filesystems}
        return sum(left.values()) if left else None


class DiskPart(StrEnum):
    """What an engine fills a disk with; more than a plan may hold, for here it is only told (S1)."""

    IMAGES = "images"
    WRITABLE_LAYERS = "writable-layers"
    LOGS = "logs"
    VOLUMES = "volumes"
    BUILD_CACHE = "build-cache"


class PartUse(Value):
    """What one part holds: of `count` things, `unsized` have no known size and are not in `size`.

    A size that is not known at all is None, never 0.
    """

    part: DiskPart
    size: int | None
    count: int
    unsized: int = 0


class LogUse(Value):
    """The log files of one container, rotated ones included."""

    container: str
    size: int


class VolumeUse(Value):
    """A volume as people ask about it; `users` are the containers that mount it now, in any state."""

    name: str
    size: int | None
    created_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = None
    users: tuple[str, ...] = ()


class FilesystemUse(Value):
    """A filesystem under the engine's data, with the parts that lie on it.

    `rest` is what is in use there beyond those whose size is known.
    """

    filesystem: Filesystem
    holds: tuple[DiskPart, ...]
    rest: Bytes


class DiskAttribution(Value):
    """Where the disk went; of logs and volumes the biggest are named."""

    parts: tuple[PartUse, ...]
    filesystems: tuple[FilesystemUse, ...] = ()
    logs: tuple[LogUse, ...] = ()
    volumes: tuple[VolumeUse, ...] = ()


class Store(StrEnum):
    """Where an engine keeps images; the two differ in what a removal means."""

    GRAPH_DRIVER = "graph-driver"
    CONTAINERD = "containerd"


class EngineIdentity(Value):
    """Which engine a plan was made from; an order for another one is refused.

    `read_only`: why nothing may be removed on it, where that is so.
    """

    id: str
    version: str
    api_version: str
    storage_driver: str
    store: Store
    data_root: str
    read_only: Reason | None = None


class Plan(Value):
    """A closed, ordered list of removals for one host; it is the dry run and is used once.

    `complete`: everything could be read. `applicable`: there is something to do, and it may be done.
    `unusual`: more of the host's images would go than the policy calls usual, so whoever confirms it must not
    be who asked for it. `layers` are those that go, so that what is left out can be reckoned with;
    `unplaced`: the bytes of layers of which nothing tells whether the build cache holds them.
    """

    v: Literal[1] = 1
    request_id: str
    host: HostName
    engine: EngineIdentity
    policy_digest: Digest
    made_at: AwareDatetime
    expires_at: AwareDatetime
    kinds: tuple[Kind, ...]
    steps: tuple[Step, ...]
    verdicts: tuple[Verdict, ...]
    notices: tuple[Reason, ...] = ()
    usage: DiskUsage
    disk: DiskAttribution | None = None
    layers: tuple[LayerGroup, ...] = ()
    unplaced: int = 0
    complete: bool = True
    unusual: bool = False

    @property
    def applicable(self) -> bool:
        """Whether there is anything to confirm."""
        return bool(self.steps) and self.complete and self.engine.read_only is None

    def expected(self, kind: Kind | None = None) -> Bytes:
        """What the steps free together, of one kind or of all."""
        steps = (s.expected for s in self.steps if kind in (None, s.object.kind))
        return sum(steps, Bytes())


class Topic(StrEnum):
    """What a host can be asked about itself."""

    OBJECT = "object"
    POLICY = "policy"
    VOLUMES = "volumes"
    SERVICES = "services"


class Explanation(Value):
    """An object with its verdict and the facts behind it, each with its name.

    Times are ISO 8601, sizes bytes; what is not known is not there.
    """

    kind: str
    id: str
    name: str
    keep: bool
    reasons: tuple[Reason, ...]
    facts: dict[str, str | int]


class ObjectExplanation(Explanation):
    """The same within the bounds of an answer: `more` are the reasons that are left out."""

    more: int = 0


class ObjectAnswer(Value):
    """All that a text may mean on the host; where that is nothing, the names most like it.

    `more`: how many it means besides.
    """

    topic: Literal[Topic.OBJECT] = Topic.OBJECT
    text: str
    found: tuple[ObjectExplanation, ...] = ()
    more: int = 0
    nearest: tuple[str, ...] = ()


class Names(Value):
    """The first of a list, and how many more there are."""

    first: tuple[str, ...] = ()
    more: int = 0


class ProtectionFromSlack(Value):
    """A protection that somebody added to the policy's from Slack."""

    kind: ProtectedKind
    pattern: str
    by: str
    until: AwareDatetime | None = None


class PolicyAnswer(Value):
    """The policy as the host reads it now, beside what it was told to keep to; lengths of time in seconds.

    Of a probe there is no user, password or query. `show_logs`: lines of a log, none by default.
    `more`: protections from Slack that are left out.
    """

    topic: Literal[Topic.POLICY] = Topic.POLICY
    file: str
    digest: Digest
    protected_images: Names
    protected_labels: Names
    protected_networks: Names
    protected_containers: Names
    critical_containers: Names
    probes: Names
    approvers: Names | None
    kinds: tuple[Kind, ...]
    keep_previous: int
    image_grace: int
    image_unused_for: int
    container_grace: int
    network_grace: int
    cache_grace: int
    writable_limit: int
    build_cache_keep_bytes: int
    unrestorable_images: Literal["keep", "flag"]
    probe_registry: bool
    max_objects: int
    max_bytes: int | None
    max_share: float
    quiet_for: int
    steady_for: int
    settle: int | None
    ping: Names = Names()
    show_logs: int = 0
    archive_max_bytes: int | None = None
    frozen: Reason | None = None
    protections: tuple[ProtectionFromSlack, ...] = ()
    more: int = 0


class ListedVolume(VolumeUse):
    """A volume within the bounds of an answer: `more` containers mount it beside those that are named."""

    more: int = 0


class VolumesAnswer(Value):
    """The volumes of a host, biggest first, of one size the oldest; only told of (S1).

    `use` counts all of them, `more` those that are left out.
    """

    topic: Literal[Topic.VOLUMES] = Topic.VOLUMES
    taken_at: AwareDatetime
    use: PartUse
    volumes: tuple[ListedVolume, ...] = ()
    more: int = 0


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


class CheckedService(Value):
    """A service that was worse after a run: how it was before that, at the post-check, and is now.

    `line` compares now with before, as a post-check does. `was`: how the post-check found it, in a word;
    `then` is the same in full, None where it was gone or that is not kept. `replaced`: another container has
    its name by now.
    """

    line: HealthLine
    was: str
    before: Condition
    then: Condition | None
    now: Condition | None
    replaced: bool = False


class ServicesAnswer(Value):
    """The services that a run's post-check named as worse, as they are now; first those that still are.

    `run`: its order. `worse` and `unchecked` count all of them, `more` those that are left out. `failing`:
    which of the policy's probes do not answer well.
    """

    topic: Literal[Topic.SERVICES] = Topic.SERVICES
    run: str
    checked_at: AwareDatetime
    taken_at: AwareDatetime
    services: tuple[CheckedService, ...] = ()
    worse: int = 0
    unchecked: int = 0
    more: int = 0
    failing: tuple[Reason, ...] = ()


Answer = Annotated[ObjectAnswer | PolicyAnswer | VolumesAnswer | ServicesAnswer, Field(discriminator="topic")]


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
            return before.engine_bytes - after.engine_bytes
        return None if before.free is None or after.free is None else after.free - before.free


class AddressPool(Value):
    """Addresses of a network, each as text; `auxiliary` are those that are nobody's, by name."""

    subnet: str
    ip_range: str = ""
    gateway: str = ""
    auxiliary: dict[str, str] = {}


class NetworkDescription(Value):
    """All that makes a network again. A flag is None where the engine did not tell it."""

    name: str
    driver: str
    internal: bool = False
    attachable: bool = False
    ipv4: bool | None = None
    ipv6: bool = False
    address_driver: str = ""
    address_options: dict[str, str] = {}
    pools: tuple[AddressPool, ...] = ()
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


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
Busy = Literal["", "plan", "execute", "restore"]


class Beat(Value):
    """A host's sign of life, refreshed every few seconds; `ledger` names the numbering of its events.

    `keys`: the ids of the bot's keys whose seals it accepts; None where it does not say.
    """

    v: Literal[1] = 1
    host: HostName
    boot: str
    ledger: str
    engine_id: str
    version: str
    at: AwareDatetime
    busy: Busy = ""
    busy_since: AwareDatetime | None = None
    problems: tuple[Reason, ...] = ()
    keys: tuple[str, ...] | None = None


# The names of keys in Redis. A host's rights follow from them (bot/rights.py): it writes what it tells, reads
# what it is told, and has jobs and workers of RQ under names of its own. No `:` and no `_` is in a host's
# name, so none of its keys begins like another host's.
def told_by(host: str, what: str) -> str:
    """A key that the host writes and the bot reads."""
    return f"prune:from:{host}:{what}"


def told_to(host: str, what: str) -> str:
    """A key that the bot writes and the host can only read."""
    return f"prune:to:{host}:{what}"


def rq_name(host: str, name: str) -> str:
    """The name of a job or a worker of RQ's that is this host's."""
    return f"{host}_{name}"


def events_key(host: str) -> str:
    """The stream of a host's events; entries have the fields ledger, first, seq and event (JSON).

    `first`: the host holds no event below this number any more, for a bot had recorded those.
    """
    return told_by(host, "events")


def stop_key(host: str, order_id: str) -> str:
    """A sealed stop (JSON, as a job's arguments) of one order, which the host reads beside its run."""
    return told_to(host, f"stop:{order_id}")


def freeze_key(host: str) -> str:
    """The newest sealed freeze (likewise): one in the queue would wait for the run under way to end."""
    return told_to(host, "freeze")


def beat_key(host: str) -> str:
    """The host's last sign of life (JSON), which expires."""
    return told_by(host, "beat")


def acknowledged_key(host: str) -> str:
    """The highest contiguous sequence number the bot has recorded, as `ledger:seq`."""
    return told_to(host, "acknowledged")
