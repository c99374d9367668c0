"""What removals free on a real engine is what was predicted before the first of them."""

import random
from collections.abc import Callable, Sequence

import pytest

from tests.docker.pools import (
    Pool,
    accounted_bytes,
    cache_of,
    file_bytes,
    images_of,
    remove_image,
    remove_record,
    some_images,
    some_records,
)
from tests.docker.worker_host import WorkerHost, ended
from tests.stage import images as factory
from tests.stage.engine import DisposableEngine
from tests.stage.kinds import MACHINE
from workers.contract import Bytes, Outcome, Store
from workers.planning.inventory import CacheRecord
from workers.planning.reclaim import freed, reckoned

G = Store.GRAPH_DRIVER
pytestmark = pytest.mark.only_on(
    G, because="a containerd store frees within bounds: see test_containerd_store"
)
DOCKERFILE = "FROM base:1\nWORKDIR /work\nRUN head -c 70000 /dev/urandom > made\nENV A=b\nRUN true\n"


def predicted(engine: DisposableEngine, order: Sequence[str]) -> dict[str, Bytes]:
    return dict(reckoned(order, images_of(engine.client), cache_of(engine.client), store=G).bytes)


def remove(engine: DisposableEngine, removed: str) -> None:
    is_image = removed.startswith("sha256:")
    (remove_image if is_image else remove_record)(engine.client, removed)


def freed_each(engine: DisposableEngine, order: Sequence[str], reading: Callable[[], int]) -> dict[str, int]:
    """Remove one by one; the bytes by which the reading went down at each."""
    readings = [reading()]
    for removed in order:
        remove(engine, removed)
        readings.append(reading())
    steps = zip(order, readings, readings[1:], strict=False)
    return {removed: before - after for removed, before, after in steps}


def rightly_told(engine: DisposableEngine) -> list[CacheRecord]:
    """The records whose size the engine knows: 28.5 still tells how large a context was one build ago."""
    found = cache_of(engine.client)
    return found if engine.kind == MACHINE else [one for one in found if one.type != "source.local"]


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_every_image_frees_on_the_disk_the_predicted_bytes(engine: DisposableEngine, seed: int) -> None:
    Pool(engine, seed, cache=False).fill(14)
    order = some_images(engine.client, random.Random(seed), share=0.8)
    expected = predicted(engine, order)
    on_disk = freed_each(engine, order, lambda: file_bytes(engine))
    assert {image: Bytes(low=size, high=size) for image, size in on_disk.items()} == expected


@pytest.mark.parametrize("seed", [1, 4])
def test_the_engine_accounts_for_the_predicted_bytes(engine: DisposableEngine, seed: int) -> None:
    Pool(engine, seed, cache=False).fill(14)
    order = some_images(engine.client, random.Random(seed), share=0.8)
    expected = predicted(engine, order)
    accounted = freed_each(engine, order, lambda: accounted_bytes(engine.client))
    assert {image: Bytes(low=size, high=size) for image, size in accounted.items()} == expected


@pytest.mark.parametrize("seed", [2, 5, 6])
def test_with_a_build_cache_what_is_freed_on_the_disk_lies_within_the_bounds(
    engine: DisposableEngine, seed: int
) -> None:
    Pool(engine, seed, cache=True).fill(12)
    chance = random.Random(seed)
    order = [
        *some_images(engine.client, chance, share=0.8),
        *some_records(rightly_told(engine), chance, share=0.5),
    ]
    expected = sum(predicted(engine, order).values(), Bytes())
    on_disk = sum(freed_each(engine, order, lambda: file_bytes(engine)).values())
    assert expected.low <= on_disk <= expected.high


def test_an_image_whose_build_is_cached_frees_nothing_until_the_record_goes(engine: DisposableEngine) -> None:
    base = factory.import_layer(engine.client, factory.base_layer(), "base:1")
    app = factory.build_with_cache(engine, DOCKERFILE, "app:1")
    records = some_records(cache_of(engine.client), random.Random(1), share=1)
    order = [app, base, *records]

    assert freed({app, base}, images_of(engine.client), cache_of(engine.client), store=G) == Bytes()
    expected = predicted(engine, order)
    on_disk = freed_each(engine, order, lambda: file_bytes(engine))

    assert {removed: Bytes(low=size, high=size) for removed, size in on_disk.items()} == expected
    assert file_bytes(engine) == 0


def test_a_container_holds_the_layers_of_an_image_that_was_forced_off(host: WorkerHost) -> None:
    host.policy(protected_containers='["spent"]')
    base, own = factory.base_layer(), factory.layer({"own": b"own"})
    archived = [("base:1", (base,)), ("app:1", (base, own))]
    factory.load(
        host.engine.client, [factory.Archived(tags=(tag,), layers=layers) for tag, layers in archived]
    )
    host.spent("spent", "app:1")
    host.plan()
    host.engine.client.remove_image("app:1", force=True)
    plan, before = host.plan(), file_bytes(host.engine)

    assert [(step.object.name, step.expected) for step in plan.steps] == [("base:1", Bytes())]
    assert ended(host.execute(plan)) == {"base:1": Outcome.REMOVED}
    assert file_bytes(host.engine) == before
