"""A host of a test's own: a real engine, a policy and a ledger, with the worker's code at work on them."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker.errors

from tests.stage import images
from tests.stage.engine import DisposableEngine
from workers.contract import ExecutionOrder, Kind, Outcome, Person, Plan, Report, StepOutcome
from workers.engine import Engine
from workers.host import Host, Place
from workers.memory.ledger import Ledger
from workers.reasons import Code
from workers.signing import digest

ANA, BO = Person(team="T1", user="UANA"), Person(team="T1", user="UBO")
STAY = "exec tail -f /dev/null"
GRACES = ("image_grace", "cache_grace", "container_grace", "network_grace", "image_unused_for")
# Time is not the subject: what nobody needs may go at once.
AT_ONCE = dict.fromkeys((*GRACES, "quiet_for", "steady_for", "settle"), '"0s"')
REQUIRED = {"protected_images": "[]", "critical_containers": "[]"}
Hook = Callable[[str, str], None]


def nothing(_kind: str, _id: str) -> None:
    """Nothing happens."""


class Busy(Engine):
    """An engine at which something happens in the very moment before or after a removal."""

    def __init__(self, address: str, *, before: Hook = nothing, after: Hook = nothing) -> None:
        super().__init__(address)
        self._before, self._after = before, after

    @contextmanager
    def _around(self, kind: str, id_: str) -> Iterator[None]:
        self._before(kind, id_)
        yield
        self._after(kind, id_)

    def remove_container(self, id_: str) -> None:
        with self._around("container", id_):
            super().remove_container(id_)

    def remove_image(self, name: str) -> Sequence[Mapping[str, str]]:
        with self._around("image" if name.startswith("sha256:") else "name", name):
            return super().remove_image(name)

    def remove_network(self, id_: str) -> None:
        with self._around("network", id_):
            super().remove_network(id_)

    def remove_cache_records(self, ids: Sequence[str], *, unused: timedelta | datetime) -> frozenset[str]:
        with ExitStack() as all_of_them:
            for id_ in ids:
                all_of_them.enter_context(self._around("cache", id_))
            return super().remove_cache_records(ids, unused=unused)


@dataclass
class WorkerHost:
    """The engine, and beside it all that a worker keeps."""

    engine: DisposableEngine
    folder: Path
    keys: dict[str, str] = field(default_factory=lambda: REQUIRED | AT_ONCE)

    @property
    def place(self) -> Place:
        return Place(
            host="web-1",
            address=self.engine.url,
            policy_file=self.folder / "policy.toml",
            state_dir=self.folder / "state",
        )

    def policy(self, **keys: str) -> None:
        """Write keys of the policy, as they stand in TOML."""
        self.keys |= keys

    @contextmanager
    def opened(self, **hooks: Hook) -> Iterator[Host]:
        lines = [f"{key} = {value}\n" for key, value in self.keys.items()]
        self.place.policy_file.write_text("".join(lines))
        with (
            closing(Ledger(self.place.ledger_file)) as ledger,
            closing(Busy(self.engine.url, **hooks)) as engine,
        ):
            yield Host(self.place, ledger, engine)

    def plan(self, kinds: tuple[Kind, ...] = tuple(Kind)) -> Plan:
        with self.opened() as host:
            return host.plan(kinds=kinds, request_id="request-1")

    def execute(
        self,
        plan: Plan,
        *,
        excluded: tuple[int, ...] = (),
        told_to_stop: Callable[[], bool] = lambda: False,
        **hooks: Hook,
    ) -> Report:
        with self.opened(**hooks) as host:
            return host.execute(order_for(plan, excluded=excluded), told_to_stop=told_to_stop)

    # What a test puts onto the engine

    def image(self, *tags: str, content: str = "") -> str:
        """Load an image of its own content; no event names its tags. Returns its id."""
        own = images.layer({"content": (content or " ".join(tags) or uuid.uuid4().hex).encode()})
        [id_] = images.load(
            self.engine.client, [images.Archived(tags=tags, layers=(images.base_layer(), own))]
        )
        return id_

    def built(self, dockerfile: str, tag: str) -> str:
        """Build an image with BuildKit, which leaves records in the build cache.

        Newer engines hold what a build was sent for a moment after its end, so this one starts anew.
        """
        id_ = images.build_with_cache(self.engine, dockerfile, tag)
        self.engine.restart()
        return id_

    def create(self, name: str, of: str, command: str = STAY, **options: Any) -> str:
        client = self.engine.client
        network = options.pop("network", "none")
        config = client.create_host_config(network_mode=network, **options.pop("host", {}))
        made = client.create_container(
            of, ["sh", "-c", command], name=name, host_config=config, stop_signal="SIGKILL", **options
        )
        return str(made["Id"])

    def spent(self, name: str, of: str, **options: Any) -> str:
        """A container that ran to its end."""
        id_ = self.create(name, of, "true", **options)
        self.engine.client.start(id_)
        self.engine.client.wait(id_)
        return id_

    def running(self, name: str, of: str, **options: Any) -> str:
        id_ = self.create(name, of, **options)
        self.engine.client.start(id_)
        return id_

    def network(self, name: str) -> str:
        return str(self.engine.client.create_network(name, driver="bridge")["Id"])

    # What is there

    def has(self, id_: str) -> bool:
        client = self.engine.client
        found = [c["Id"] for c in client.containers(all=True)] + [n["Id"] for n in client.networks()]
        return id_ in [*found, *(i["Id"] for i in client.images(all=True))]

    def image_named(self, name: str) -> str:
        """The id of the image that has this name; empty where there is none.

        By an inspection: engine 26.1 with a containerd store lists no image that came back under a container.
        """
        try:
            return str(self.engine.client.inspect_image(name)["Id"])
        except docker.errors.ImageNotFound:
            return ""

    def tags(self) -> dict[str, str]:
        """Every tag with the id of its image."""
        listed = self.engine.client.images()
        return {
            tag: image["Id"] for image in listed for tag in image["RepoTags"] or () if tag != "<none>:<none>"
        }

    def volumes(self) -> set[str]:
        return {volume["Name"] for volume in self.engine.client.volumes()["Volumes"] or ()}


def order_for(plan: Plan, **claims: Any) -> ExecutionOrder:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {
        "key_id": "key-1",
        "id": uuid.uuid4().hex,
        "host": plan.host,
        "issued_at": now,
        "expires_at": now + timedelta(minutes=5),
        "request_id": plan.request_id,
        "reply_to": "",
        "requester": ANA,
        "engine_id": plan.engine.id,
        "plan_digest": digest(plan),
        "approver": BO,
    }
    return ExecutionOrder.model_validate(usual | claims)


def step_ids(plan: Plan) -> set[str]:
    return {step.object.id for step in plan.steps}


def outcome_of(report: Report, id_: str) -> StepOutcome:
    return next(one for one in report.outcomes if one.object.id == id_)


def ended(report: Report) -> dict[str, Outcome]:
    """How each object's step ended, by its name."""
    return {one.object.name: one.outcome for one in report.outcomes}


def why(report: Report, id_: str) -> Code | None:
    found = outcome_of(report, id_).reason
    return found.code if found else None


def codes(reasons: Sequence[Any]) -> list[Code]:
    return [one.code for one in reasons]


def on(kind: str, act: Callable[[], object], *, times: int = 1) -> Hook:
    """A hook that acts at the first removal of a kind."""
    left = [times]

    def hook(at: str, _id: str) -> None:
        if at == kind and left[0]:
            left[0] -= 1
            act()

    return hook
