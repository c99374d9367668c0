"""What a host answers about itself: one object, its policy, its volumes, services after a run."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from workers.contract.disk import PartUse, VolumeUse
from workers.contract.reports import Condition, HealthLine
from workers.contract.values import Digest, Kind, ProtectedKind, Value
from workers.reasons import Reason


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

    @property
    def is_ill(self) -> bool:
        """Whether it is there and not well, be it as before the run."""
        return self.now is not None and (self.now.state != "running" or self.now.health == "unhealthy")


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
