"""All that the worker changes at an engine, each with what has to be there first."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.docker.worker_host import WorkerHost
from tests.stage import images
from tests.stage.fixtures import RegistryFactory
from tests.stage.objects import usage
from workers.engine import Engine
from workers.restore import networks

LONG = timedelta(minutes=1)
# An image that an engine sends, and is sent, in more pieces than one.
MEGABYTES = 3
LIBRARY = "docker.io/library"
FRONT: dict[str, Any] = {
    "driver": "bridge",
    "internal": True,
    "options": {"com.docker.network.driver.mtu": "1400"},
    "labels": {"team": "shop"},
    "ipam": {"Driver": "default", "Config": [{"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.254"}]},
}
# Makes one change, and returns what the engine's method does.
Change = Callable[[Engine], object]
Prepare = Callable[[WorkerHost, RegistryFactory], Change]


def remove_container(host: WorkerHost, _: RegistryFactory) -> Change:
    """With a volume of its own, which stays."""
    host.image("base:1")
    spent = host.spent("spent", "base:1", volumes=["/data"])
    return lambda engine: engine.remove_container(spent)


def remove_image(host: WorkerHost, _: RegistryFactory) -> Change:
    image = host.image("app:1")
    return lambda engine: engine.remove_image(image)


def remove_image_alone(host: WorkerHost, _: RegistryFactory) -> Change:
    """Where the builder leaves untagged parents, they go along unless the call says otherwise."""
    host.image("base:1")
    image = images.build_classic(host.engine.client, "FROM base:1\nENV A=1\nENV B=2", "app:1")
    return lambda engine: engine.remove_image(image)


def untag(host: WorkerHost, _: RegistryFactory) -> Change:
    host.image("app:1", "app:2")
    return lambda engine: engine.remove_image(f"{LIBRARY}/app:2")


def untag_by_image(host: WorkerHost, _: RegistryFactory) -> Change:
    image = host.image("app:1", "app:2")
    return lambda engine: engine.remove_image(f"{LIBRARY}/app:2@{image}")


def remove_network(host: WorkerHost, _: RegistryFactory) -> Change:
    host.network("stays")
    loose = host.network("loose")
    return lambda engine: engine.remove_network(loose)


def remove_cache_records(host: WorkerHost, _: RegistryFactory) -> Change:
    """None of those used within a day, then two together whenever they were used; the rest stays."""
    host.image("base:1")
    dockerfile = "FROM base:1\nRUN echo 1 > /one\nRUN echo 2 > /two\nRUN echo 3 > /three"
    built = images.build_with_cache(host.engine, dockerfile, "built:1")
    # What an image holds would be told by ids and layers that are new with each build.
    host.engine.client.remove_image(built)
    last = _written_down(host, "/two", "/three")
    within = (timedelta(days=1), timedelta())
    return lambda engine: [engine.remove_cache_records(last, unused=unused) for unused in within]


def _written_down(host: WorkerHost, *steps: str) -> list[str]:
    """The records of steps, once their use has a time: until then the engine takes them for unused."""
    while True:
        records = usage(host.engine.client)["BuildCache"]
        found = [raw for step in steps for raw in records if raw["Description"].endswith(step)]
        if all(raw["LastUsedAt"] and not raw["InUse"] for raw in found):
            return [raw["ID"] for raw in found]
        time.sleep(0.05)


def tag_image(host: WorkerHost, _: RegistryFactory) -> Change:
    image = host.image("app:1")
    return lambda engine: engine.tag(image, f"{LIBRARY}/app", "2")


def create_network(host: WorkerHost, _: RegistryFactory) -> Change:
    """One that was here before, as it was described."""
    client = host.engine.client
    front = client.create_network("front", **FRONT)["Id"]
    described = networks.spelled(networks.described(client.inspect_network(front)))
    client.remove_network(front)
    return lambda engine: engine.create_network(described)


def save_image(host: WorkerHost, _: RegistryFactory) -> Change:
    image = _large_image(host)

    def save(engine: Engine) -> object:
        pieces = list(engine.saved(image, within=LONG))
        return {"pieces": [len(piece) for piece in pieces], "tar": b"".join(pieces)}

    return save


def load_image(host: WorkerHost, _: RegistryFactory) -> Change:
    image = _large_image(host)
    pieces = list(host.engine.client.get_image(image))
    host.engine.client.remove_image(image)
    return lambda engine: engine.load(iter(pieces), within=LONG)


def pull_image(host: WorkerHost, fresh_registry: RegistryFactory) -> Change:
    registry, image = fresh_registry(host.engine), _large_image(host)
    digest = registry.push(image, "app:1")
    host.engine.client.remove_image(image, force=True)
    return lambda engine: engine.pull(f"{registry.address}/app", digest, within=LONG)


def _large_image(host: WorkerHost) -> str:
    noise = images.layer({"noise": images.noise("large", MEGABYTES)})
    [id_] = images.load(
        host.engine.client, [images.Archived(tags=("large:1",), layers=(images.base_layer(), noise))]
    )
    return id_


ANYWHERE: tuple[Prepare, ...] = (
    remove_container,
    remove_image,
    remove_image_alone,
    untag,
    remove_network,
    remove_cache_records,
    tag_image,
    create_network,
    save_image,
    load_image,
    pull_image,
)
