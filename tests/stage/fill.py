"""Puts what a catalogue describes onto an empty engine, and tells which object became what."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from docker import APIClient

from tests.stage import images
from tests.stage.aging import AgePlan, Lifetime, age
from tests.stage.builds import build_all
from tests.stage.catalogue import Catalogue, Container, Image, Life, Network
from tests.stage.engine import DisposableEngine
from tests.stage.errors import NotReady
from tests.stage.objects import Found
from tests.stage.placed import Placed, ids_by_name

HEALTHY_SECONDS = 60
SECOND = 10**9


def fill(engine: DisposableEngine, catalogue: Catalogue, *, scale: float = 1) -> tuple[Placed, ...]:
    """Make everything, age it, start the services, wait until they are healthy; `scale` shrinks the images.

    All is made before the one restart that aging needs: the engine's events afterwards tell of no pull, load,
    tag or create.
    """
    engine.refuse_contents()
    placed = [*_load(engine.client, catalogue.images, scale), *build_all(engine, catalogue.builds)]
    placed += _networks(engine.client, catalogue.networks)
    for name in catalogue.volumes:
        engine.client.create_volume(name)
    placed += _containers(engine.client, catalogue.containers, ids_by_name("image", placed))
    for reference, name in catalogue.moved_tags.items():
        images.add_tags(engine.client, ids_by_name("image", placed)[name], [reference])
    placed += _volumes(engine.client)
    age(engine, _age_plan(placed, catalogue.containers))
    _start_services(engine.client, catalogue.containers)
    return tuple(placed)


def _load(client: APIClient, wanted: Sequence[Image], scale: float) -> Iterator[Placed]:
    siblings = Counter(map(_namespace, wanted))
    archived = [_archived(image, scale, shares=siblings[_namespace(image)] > 1) for image in wanted]
    for image, identity in zip(wanted, images.load(client, archived), strict=True):
        yield Placed(Found("image", identity), image.name, image.fate, image.arrived)


def _namespace(image: Image) -> str:
    return image.name.partition("/")[0]


def _archived(image: Image, scale: float, *, shares: bool) -> images.Archived:
    """Images of one namespace stand on a common runtime, as those of one team do."""
    base = (images.base_layer(),)
    common = _noise_layer(_namespace(image), scale * 4) if shares else None
    program = _noise_layer(image.name, scale * image.megabytes)
    return images.Archived(
        tags=image.references,
        layers=(*base, common, program) if common else (*base, program),
        built=_build_date(image),
        labels=image.labels,
    )


@cache
def _noise_layer(name: str, megabytes: float) -> bytes:
    # One file each, in one folder: a store that unpacks layers onto each other takes no file for a folder.
    return images.layer({f"usr/lib/{name.replace('/', ' ')}": images.noise(name, megabytes)})


def _build_date(image: Image) -> datetime:
    """A few days before it came to the host; what came just now was built long ago."""
    if image.arrived is None:
        return images.LONG_AGO
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - image.arrived - timedelta(days=2)


def _networks(client: APIClient, wanted: Iterable[Network]) -> Iterator[Placed]:
    for network in wanted:
        made = client.create_network(network.name, driver="bridge", labels=dict(network.labels))
        yield Placed(Found("network", made["Id"]), network.name, network.fate, network.created)


def _containers(
    client: APIClient, wanted: Iterable[Container], image_ids: Mapping[str, str]
) -> Iterator[Placed]:
    for container in wanted:
        identity = _create(client, container, image_ids)
        if container.life is Life.EXITED:
            _run_to_its_end(client, identity, container)
        yield Placed(Found("container", identity), container.name, container.fate, container.created)


def _create(client: APIClient, container: Container, image_ids: Mapping[str, str]) -> str:
    image = image_ids[container.image]
    references = images.references_of(client, image)
    made = client.create_container(
        container.image if container.image in references else next(iter(references), image),
        ["sh", "-c", container.command],
        name=container.name,
        labels=dict(container.labels),
        volumes=[*container.volumes.values(), *container.anonymous],
        stop_signal="SIGKILL",
        healthcheck=_health_check(container),
        host_config=client.create_host_config(
            network_mode=container.network,
            restart_policy={"Name": container.restart},
            binds=[f"{name}:{path}" for name, path in container.volumes.items()],
        ),
    )
    return str(made["Id"])


def _health_check(container: Container) -> dict[str, Any] | None:
    if container.health is None:
        return None
    return {
        "test": ["CMD-SHELL", container.health],
        "interval": 2 * SECOND,
        "timeout": 2 * SECOND,
        "retries": 3,
    }


def _run_to_its_end(client: APIClient, identity: str, container: Container) -> None:
    client.start(identity)
    if container.restart != "no":
        client.stop(identity)
    client.wait(identity)


def _volumes(client: APIClient) -> Iterator[Placed]:
    for volume in client.volumes()["Volumes"] or ():
        yield Placed(Found("volume", volume["Name"]), volume["Name"], "kept", None)


def _age_plan(placed: Iterable[Placed], containers: Iterable[Container]) -> AgePlan:
    ages = {one.found: one.age for one in placed if one.age is not None}
    lifetimes = {one.name: Lifetime(created=one.created, stopped=one.stopped) for one in containers}
    return AgePlan(
        images={found.id: since for found, since in ages.items() if found.kind == "image"},
        networks={found.id: since for found, since in ages.items() if found.kind == "network"},
        cache={found.id: since for found, since in ages.items() if found.kind == "cache"},
        containers={one.found.id: lifetimes[one.name] for one in placed if one.found.kind == "container"},
    )


def _start_services(client: APIClient, containers: Iterable[Container]) -> None:
    started = int(time.time())
    services = [one for one in containers if one.life in (Life.RUNNING, Life.PAUSED)]
    for service in services:
        client.start(service.name)
    _await_health(client, {one.name for one in services if one.health is not None}, since=started)
    for service in services:
        if service.life is Life.PAUSED:
            client.pause(service.name)


def _await_health(client: APIClient, waiting: set[str], *, since: int) -> None:
    events = client.events(
        since=since, until=since + HEALTHY_SECONDS, filters={"event": "health_status"}, decode=True
    )
    while waiting:
        event = next(events, None)
        if event is None:
            raise NotReady(f"not healthy after {HEALTHY_SECONDS} s: {', '.join(sorted(waiting))}")
        if event["Action"] == "health_status: healthy":
            waiting.discard(event["Actor"]["Attributes"]["name"])
    events.close()
