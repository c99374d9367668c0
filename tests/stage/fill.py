"""Puts what a catalogue describes onto an empty engine, and tells which object became what."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from docker import APIClient

from tests.stage import images, lives
from tests.stage.aging import AgePlan, Lifetime, age
from tests.stage.builds import Builds
from tests.stage.catalogue import Catalogue, Container, Image, Network, Past
from tests.stage.engine import DisposableEngine
from tests.stage.objects import Found
from tests.stage.onlooker import Onlooker, live_through
from tests.stage.placed import Placed, ids_by_name
from tests.stage.pulls import come_from_registry
from tests.stage.swarm import join_swarm, networks_of_swarm

ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def fill(
    engine: DisposableEngine, catalogue: Catalogue, onlooker: Onlooker, *, scale: float = 1
) -> tuple[Placed, ...]:
    """Make everything, age it, start the services, wait until they are healthy; `scale` shrinks the images.

    What happened before all of it, the `onlooker` has seen, and nothing else tells of it.

    All is made before the one restart that aging needs: the engine's events afterwards tell of no pull, load,
    tag or create.
    """
    engine.refuse_contents()
    client, builds = engine.client, Builds(engine, catalogue.builds)
    placed = list(_images(engine, catalogue, onlooker, scale))
    builds.before_containers()
    placed += _networks(engine, catalogue.networks)
    for name in catalogue.volumes:
        client.create_volume(name)
    image_ids = ids_by_name("image", [*placed, *builds.made])
    placed += lives.create(client, catalogue.containers, image_ids)
    builds.after_containers()
    placed += builds.left()
    for reference, name in catalogue.moved_tags.items():
        images.add_tags(client, image_ids[name], [reference])
    if catalogue.services or catalogue.overlays:
        join_swarm(engine, catalogue.overlays, catalogue.services)
    placed += _volumes(client)
    age(engine, _age_plan(placed, catalogue.containers))
    lives.start_services(engine.client, catalogue.containers)
    if catalogue.services or catalogue.overlays:
        placed += networks_of_swarm(engine.client, catalogue.overlays)
    return tuple(placed)


def _images(
    engine: DisposableEngine, catalogue: Catalogue, onlooker: Onlooker, scale: float
) -> Iterator[Placed]:
    """First what was there in earlier days, then what a registry gave and what came just now."""
    siblings = Counter(map(_namespace, catalogue.images))
    early = [image for image in catalogue.images if image.arrived is not None and not image.pulled]
    late = [image for image in catalogue.images if image not in early]
    loaded = list(_load(engine.client, early, scale, siblings))
    if catalogue.past != Past():
        live_through(catalogue.past, onlooker, ids_by_name("image", loaded))
    yield from loaded
    yield from _load(engine.client, late, scale, siblings)
    if pulled := [(image.name, image.pulled) for image in late if image.pulled]:
        come_from_registry(engine, pulled)


def _load(
    client: APIClient, wanted: Sequence[Image], scale: float, siblings: Counter[str]
) -> Iterator[Placed]:
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
    file = hashlib.sha256(name.encode()).hexdigest()[:16]
    return images.layer({f"usr/lib/{file}": images.noise(name, megabytes)})


def _build_date(image: Image) -> datetime:
    """A few days before it came to the host; what came just now was built long ago."""
    if image.built or image.arrived is None:
        return image.built or images.LONG_AGO
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - image.arrived - timedelta(days=2)


def _networks(engine: DisposableEngine, wanted: Iterable[Network]) -> Iterator[Placed]:
    for network in wanted:
        made = _network(engine, network)
        yield Placed(Found("network", made), network.name, network.fate, network.created)


def _network(engine: DisposableEngine, network: Network) -> str:
    if network.settings_only:
        # docker-py cannot ask for it.
        return engine.cli("network", "create", "--config-only", network.name).strip()
    made = engine.client.create_network(network.name, driver="bridge", labels=dict(network.labels))
    return str(made["Id"])


def _volumes(client: APIClient) -> Iterator[Placed]:
    for volume in client.volumes()["Volumes"] or ():
        name: str = volume["Name"]
        known_as = "anonymous" if ANONYMOUS.fullmatch(name) else name
        yield Placed(Found("volume", name), known_as, "kept", None)


def _age_plan(placed: Iterable[Placed], containers: Iterable[Container]) -> AgePlan:
    ages = {one.found: one.age for one in placed if one.age is not None}
    lifetimes = {one.name: Lifetime(created=one.created, stopped=one.stopped) for one in containers}
    return AgePlan(
        images={found.id: since for found, since in ages.items() if found.kind == "image"},
        networks={found.id: since for found, since in ages.items() if found.kind == "network"},
        cache={found.id: since for found, since in ages.items() if found.kind == "cache"},
        containers={one.found.id: lifetimes[one.name] for one in placed if one.found.kind == "container"},
    )
