"""A host's plan: what would go and what stays, each with its reasons."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from workers.contract.disk import DiskAttribution, DiskUsage
from workers.contract.values import Bytes, Digest, HostName, Kind, Reference, Restorable, Value
from workers.reasons import Reason


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
