"""Containers and what becomes of them: created, run to their end, up, paused, crashing."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from docker import APIClient

from tests.stage import images
from tests.stage.catalogue import Container, Life
from tests.stage.errors import NotReady
from tests.stage.objects import Found
from tests.stage.placed import Placed

HEALTHY_SECONDS = 60
# In the environment of every container, so that a test can look where it has come to.
PLANTED_SECRET = "planted-8f2c61d0-in-no-record"
SECOND = 10**9


def create(client: APIClient, wanted: Sequence[Container], image_ids: Mapping[str, str]) -> Iterator[Placed]:
    """Make all of them, and let end those that have ended."""
    made = [_create(client, container, image_ids) for container in wanted]
    ended = [one for one in wanted if one.life is Life.EXITED]
    for container in ended:
        client.start(container.name)
    for container in ended:
        if container.restart != "no":
            client.stop(container.name)
        client.wait(container.name)
    for container, identity in zip(wanted, made, strict=True):
        yield Placed(Found("container", identity), container.name, container.fate, container.created)


def _create(client: APIClient, container: Container, image_ids: Mapping[str, str]) -> str:
    made = client.create_container(
        container.made_of or _reference(client, container.image, image_ids),
        ["sh", "-c", container.command],
        name=container.name,
        environment=[f"API_TOKEN={PLANTED_SECRET}"],
        labels=dict(container.labels),
        volumes=[*container.volumes.values(), *container.anonymous],
        stop_signal="SIGKILL",
        healthcheck=_health_check(container),
        host_config=client.create_host_config(
            network_mode=container.network,
            restart_policy={"Name": container.restart},
            binds=[*(f"{name}:{path}" for name, path in container.volumes.items()), *container.binds],
            volumes_from=list(container.volumes_from),
            mounts=[
                _image_mount(_reference(client, image, image_ids), number)
                for number, image in enumerate(container.mounted)
            ],
        ),
    )
    if container.second_network:
        client.connect_container_to_network(made["Id"], container.second_network)
    return str(made["Id"])


def _reference(client: APIClient, image: str, image_ids: Mapping[str, str]) -> str:
    """Its name in the catalogue if that is one of its names, else another one that it has, else its id."""
    references = images.references_of(client, image_ids[image])
    return image if image in references else next(iter(references), image_ids[image])


def _image_mount(reference: str, number: int) -> Any:
    # docker-py's own class knows no such type.
    return {"Type": "image", "Source": reference, "Target": f"/mounted/{number}"}


def _health_check(container: Container) -> dict[str, Any] | None:
    if container.health is None:
        return None
    return {
        "test": ["CMD-SHELL", container.health],
        "interval": 2 * SECOND,
        "timeout": 2 * SECOND,
        "retries": 3,
    }


def start_services(client: APIClient, containers: Iterable[Container]) -> None:
    """Start what shall be up, and wait until what has a check is healthy."""
    started = int(time.time())
    services = [one for one in containers if one.is_up]
    for service in services:
        client.start(service.name)
    await_health(client, {one.name for one in services if one.health is not None}, since=started)
    for service in services:
        if service.life is Life.PAUSED:
            client.pause(service.name)


def await_health(client: APIClient, names: Iterable[str], *, since: int) -> None:
    """Wait until the engine has told of each that it has become healthy, in the minute from then on."""
    waiting = set(names)
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
