"""The stage's registry: real, an engine's own, and held or away when a test wants it."""

import threading
from collections.abc import Iterator

import pytest

from tests.stage import images
from tests.stage.engine import DisposableEngine
from tests.stage.errors import StageError
from tests.stage.fixtures import RegistryFactory
from tests.stage.registry import Registry
from tests.stage.slow_door import SlowDoor


@pytest.fixture
def registry(fresh_registry: RegistryFactory, engine: DisposableEngine) -> Registry:
    return fresh_registry(engine)


@pytest.fixture
def door(registry: Registry) -> Iterator[SlowDoor]:
    with SlowDoor(registry) as door:
        yield door


def load(engine: DisposableEngine, name: str, *more: bytes) -> str:
    layers = (images.base_layer(), *more)
    return images.load(engine.client, [images.Archived(tags=(name,), layers=layers)])[0]


def forget(engine: DisposableEngine) -> None:
    for found in engine.client.images():
        engine.client.remove_image(found["Id"], force=True)


def test_what_was_pushed_comes_back_by_tag_and_by_digest(registry: Registry) -> None:
    pushed = load(registry.engine, "app:1")
    digest = registry.push(pushed, "app:1")

    forget(registry.engine)
    assert registry.pull("app:1") == pushed
    forget(registry.engine)
    assert registry.pull(f"app@{digest}") == pushed


def test_a_deleted_manifest_is_gone_and_the_engine_goes_on_naming_it(registry: Registry) -> None:
    pushed = load(registry.engine, "app:1")
    digest = registry.push(pushed, "app:1")
    assert registry.has("app", digest)

    registry.delete_manifest("app", digest)

    assert not registry.has("app", digest)
    named = images.inspect(registry.engine.client, pushed)["RepoDigests"]
    assert f"{registry.address}/app@{digest}" in named


def test_a_stopped_registry_is_away_and_comes_back_with_all_it_had(registry: Registry) -> None:
    digest = registry.push(load(registry.engine, "app:1"), "app:1")

    registry.stop()
    with pytest.raises(StageError, match="refused"):
        registry.pull(f"app@{digest}")

    registry.start()
    assert registry.has("app", digest)


def test_a_private_registry_lets_only_the_login_in(
    fresh_registry: RegistryFactory, engine: DisposableEngine
) -> None:
    registry = fresh_registry(engine, private=True)
    digest = registry.push(load(engine, "app:1"), "app:1")

    assert registry.has("app", digest)
    with SlowDoor(registry) as door, pytest.raises(StageError, match="no basic auth credentials"):
        door.pull("app:1")


def test_a_pull_stands_still_in_the_middle_of_a_layer(registry: Registry, door: SlowDoor) -> None:
    layer = images.layer({"noise": images.noise("noise", 1)})
    pushed = load(registry.engine, "app:1", layer)
    top = registry.blobs("app", registry.push(pushed, "app:1"))[-1]
    forget(registry.engine)

    with door.held(f"GET /v2/app/blobs/{top}") as hold:
        pull = threading.Thread(target=door.pull, args=("app:1",))
        pull.start()
        hold.wait_until_reached()
        assert registry.engine.client.images() == []
    pull.join()

    assert images.image_id(registry.engine.client, f"{door.address}/app:1") == pushed
