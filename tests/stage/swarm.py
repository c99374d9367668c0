"""What swarm puts onto a host: networks of its own, overlays, and services without a container."""

from collections.abc import Iterator, Sequence

from docker import APIClient

from tests.stage.catalogue import Fate, Service
from tests.stage.engine import DisposableEngine
from tests.stage.objects import Found
from tests.stage.placed import Placed
from tests.stage.readiness import wait_until

# Swarm makes them by itself.
INGRESS, GATEWAY = "ingress", "docker_gwbridge"
GATEWAY_SECONDS = 20
FATE: Fate = "kept"


def join_swarm(engine: DisposableEngine, overlays: Sequence[str], services: Sequence[Service]) -> None:
    """Make the engine a swarm of its own, then its overlays and services, each updated once."""
    client = engine.client
    client.init_swarm("127.0.0.1")
    # The gateway comes a moment after the reply, and no event tells.
    wait_until(lambda: bool(client.networks(names=[GATEWAY])), f"network {GATEWAY}", seconds=GATEWAY_SECONDS)
    for name in overlays:
        engine.cli("network", "create", "--driver", "overlay", "--attachable", name)
    for service in services:
        quietly = ("--detach", "--no-resolve-image")
        engine.cli("service", "create", *quietly, "--replicas", "0", "--name", service.name, service.before)
        engine.cli("service", "update", *quietly, "--image", service.image, service.name)


def networks_of_swarm(client: APIClient, overlays: Sequence[str]) -> Iterator[Placed]:
    """They are found, not made: `ingress` is made anew at each start of the engine."""
    for network in client.networks(names=[INGRESS, GATEWAY, *overlays]):
        yield Placed(Found("network", network["Id"]), network["Name"], FATE, None)
