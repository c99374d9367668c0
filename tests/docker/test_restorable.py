"""Whether images can be had again, asked of a real registry through a real engine."""

from collections.abc import Iterator

import pytest

from tests.docker.worker_host import WorkerHost, outcome_of, why
from tests.stage.fixtures import RegistryFactory
from tests.stage.registry import Registry
from tests.stage.slow_door import SlowDoor
from workers import registries
from workers.contract import Outcome, Plan, Restorable
from workers.planning.restorable import Answer
from workers.reasons import Code, Reason
from workers.references import ImageName

MANIFESTS = "(GET|HEAD) /v2/app/manifests/"


@pytest.fixture
def registry(host: WorkerHost, fresh_registry: RegistryFactory) -> Registry:
    host.policy(probe_registry="true")
    return fresh_registry(host.engine)


@pytest.fixture
def door(registry: Registry) -> Iterator[SlowDoor]:
    with SlowDoor(registry) as door:
        yield door


def shared(host: WorkerHost, registry: Registry, name: str) -> tuple[str, str]:
    """An image that came from the registry: its id, and its digest there."""
    made = host.image(name)
    digest = registry.push(made, name)
    host.engine.client.remove_image(made, force=True)
    return registry.pull(name), digest


def marks(plan: Plan) -> dict[str, Restorable]:
    return {step.object.id: step.restorable for step in plan.steps}


def said(plan: Plan, code: Code) -> list[Reason]:
    return [notice for notice in plan.notices if notice.code is code]


def test_only_what_the_registry_gives_back_counts_as_restorable(host: WorkerHost, registry: Registry) -> None:
    given, _ = shared(host, registry, "given:1")
    deleted, digest = shared(host, registry, "deleted:1")
    local = host.image("local:1")
    registry.delete_manifest("deleted", digest)
    plan = host.plan()

    assert marks(plan) == {given: Restorable.YES, deleted: Restorable.NO, local: Restorable.NO}
    assert [notice.params for notice in said(plan, Code.UNRESTORABLE_COUNT)] == [{"count": 2}]
    # The containerd store makes up a digest for the local one, about which the hub is asked in vain.
    assert registry.address not in {notice.params["registry"] for notice in said(plan, Code.REGISTRY_SILENT)}


def test_nothing_is_asked_where_the_policy_does_not_say_so(host: WorkerHost, registry: Registry) -> None:
    given, _ = shared(host, registry, "given:1")
    host.policy(probe_registry="false")

    assert marks(host.plan()) == {given: Restorable.NOT_PROBED}


def test_s4_a_registry_that_is_away_gives_nothing_back_and_the_plan_says_so(
    host: WorkerHost, registry: Registry
) -> None:
    given, _ = shared(host, registry, "given:1")
    registry.stop()
    plan = host.plan()
    [silent] = said(plan, Code.REGISTRY_SILENT)

    assert marks(plan) == {given: Restorable.NO}
    assert (silent.params["registry"], silent.params["count"]) == (registry.address, 1)
    assert "connection refused" in str(silent.params["detail"])


def test_s4_a_registry_that_lets_nobody_in_gives_nothing_back(
    host: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    host.policy(probe_registry="true")
    locked = fresh_registry(host.engine, private=True)
    image, _ = shared(host, locked, "app:1")
    plan = host.plan()

    assert marks(plan) == {image: Restorable.NO}
    [silent] = said(plan, Code.REGISTRY_SILENT)
    assert "no basic auth credentials" in str(silent.params["detail"])


def test_where_they_are_kept_only_what_the_registry_gives_back_goes(
    host: WorkerHost, registry: Registry
) -> None:
    host.policy(unrestorable_images='"keep"')
    given, _ = shared(host, registry, "given:1")
    local = host.image("local:1")
    plan = host.plan()

    assert marks(plan) == {given: Restorable.YES}
    host.execute(plan)
    assert (host.has(given), host.has(local)) == (False, True)
    assert registry.pull("given:1") == given


def test_s7_what_the_registry_has_lost_since_the_preview_stays(host: WorkerHost, registry: Registry) -> None:
    host.policy(unrestorable_images='"keep"')
    given, digest = shared(host, registry, "given:1")
    plan = host.plan()
    registry.delete_manifest("given", digest)
    report = host.execute(plan)

    assert (outcome_of(report, given).outcome, why(report, given)) == (Outcome.REFUSED, Code.NOT_RESTORABLE)
    assert host.has(given)


# Never long, and few at a time


def of(door: SlowDoor, digest: str) -> ImageName:
    return ImageName.parse(f"{door.address}/app@{digest}")


def no_such(door: SlowDoor, count: int) -> list[ImageName]:
    return [of(door, f"sha256:{number:064x}") for number in range(count)]


def test_a_registry_that_says_nothing_is_asked_a_few_times_at_most(host: WorkerHost, door: SlowDoor) -> None:
    wanted = no_such(door, 3 * registries.AT_ONCE)
    with door.held(MANIFESTS):
        answers = registries.ask(host.engine.url, wanted, each=1)

    assert answers == dict.fromkeys(wanted, Answer(given=False, silence="no answer in 1 s"))
    assert len([asked for asked in door.requests if "manifests" in asked]) == registries.AT_ONCE


def test_when_the_time_for_all_is_over_the_rest_is_not_asked(host: WorkerHost, door: SlowDoor) -> None:
    wanted = no_such(door, 3 * registries.AT_ONCE)
    with door.held(MANIFESTS):
        answers = registries.ask(host.engine.url, wanted, each=1, together=0)

    assert answers == dict.fromkeys(wanted, registries.OUT_OF_TIME)


def test_many_are_asked_and_each_gets_its_own_answer(host: WorkerHost, door: SlowDoor) -> None:
    _, digest = shared(host, door.registry, "app:1")
    known, unknown = of(door, digest), no_such(door, 3 * registries.AT_ONCE)
    answers = registries.ask(host.engine.url, [*unknown, known])

    assert answers == {**dict.fromkeys(unknown, Answer(given=False)), known: Answer(given=True)}
