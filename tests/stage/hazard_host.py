"""A host full of traps for whoever goes by names, by build dates, or by what the engine calls unused.

What should become of each object, and why, stands in `hazard_fates.txt`; here is only what it is made of.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.stage.catalogue import (
    Build,
    Catalogue,
    Container,
    Image,
    Life,
    Network,
    Past,
    Service,
    compose,
    days,
)
from tests.stage.fates import MOUNTS_IMAGES, fate_of, longest
from tests.stage.images import LONG_AGO

STAY = "exec tail -f /dev/null"
MINUTE, LONG = timedelta(minutes=1), days(40)
YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOMORROW = datetime.now(UTC) + days(1)
REGISTRY = "127.0.0.1:5000"
NONE: Mapping[str, str] = {}
KEEP = {"safe-prune.keep": "true"}
ROLE = {"safe-prune.role": "worker"}
PAY, PRUNE, BATCH = ({"com.docker.compose.project": project} for project in ("pay", "prune", "batch"))


def _image(name: str, arrived: timedelta | None, *more_tags: str, **more: Any) -> Image:
    name = longest(name)
    tags = {"tags": (name, *more_tags)} if more_tags else {}
    return Image(name=name, fate=fate_of("image", name), arrived=arrived, **(tags | more))


def _tagged(name: str, *tags: str, arrived: timedelta | None) -> Image:
    """An image whose name in the table is none of its tags."""
    return Image(name=name, fate=fate_of("image", name), arrived=arrived, tags=tags)


def _versions(repository: str, *numbers: int) -> tuple[Image, ...]:
    """Versions that came in the order of their numbers, all of them before the ledger saw them first."""
    return tuple(_image(f"{repository}:{number}", days(70 - 4 * number)) for number in numbers)


def _pulled(name: str, arrived: timedelta | None, *, by: str = "digest") -> Image:
    return _image(f"{REGISTRY}/{name}", arrived, pulled=by, built=LONG_AGO)


def _build(
    tag: str, builder: str, built: timedelta | None, *, of: str = "base/build:1", **more: Any
) -> Build:
    return Build(tag=tag, parent=of, builder=builder, built=built, fate=fate_of("image", tag), **more)  # type: ignore[arg-type]


def _container(name: str, life: Life, image: str = "pay/core:3", **more: Any) -> Container:
    name = longest(name)
    usual = {"created": days(60), "fate": fate_of("container", name)}
    return Container(name=name, image=image, life=life, **(usual | more))


_up = partial(_container, life=Life.RUNNING, created=days(30), command=STAY)


def _ended(name: str, ended: timedelta = LONG, **more: Any) -> Container:
    return _container(name, Life.EXITED, stopped=ended, **more)


def _network(
    name: str, labels: Mapping[str, str] = NONE, created: timedelta | None = LONG, **more: Any
) -> Network:
    return Network(name=name, fate=fate_of("network", name), created=created, labels=labels, **more)


PROTECTED = (
    _image("pay/app:1", days(60)),
    _image("postgres:16", days(60)),
    _image("registry.example/vault/box:7", days(60)),
    _image("tools/golden:1", days(60), "stray/copy:1"),
    _image("tools/keeper:1", days(60), labels=KEEP),
    _pulled("frozen/app:1", days(60)),
    _image("registry.example/longest/kept-…:1", days(60)),
)

LOOK_ALIKES = tuple(
    _image(name, days(40))
    for name in (
        "postgres-exporter:16",
        "mirror/postgres:16",
        "elsewhere.example:5000/postgres:16",
        "registry.example/vaulted/box:7",
        "pay/app:10",
        "pay/app:1-rc",
        "repay/app:1",
        "web-pay/app:1.old",
        "elsewhere.example:5000/pay/app:1",
        "registry.example/longer/unused-…:1",
    )
)

VERSIONS = (
    *_versions("pay/core", 1, 2, 3, 4),
    _image("elsewhere.example:5000/pay/core:2", days(40)),
    _tagged("pay/edge:latest as deployed", "pay/edge:latest", arrived=days(45)),
    _tagged("pay/edge:latest as rebuilt", arrived=days(35)),
    _image("pay/shop:v7", days(45), "pay/shop:current"),
    _tagged("pay/shop:current as rebuilt", arrived=days(35)),
    _image("pay/live:0.8", days(60)),
    _image("pay/live:0.9", days(50)),
    *_versions("pay/rolled", 1, 2, 3, 4),
    *_versions("pay/quota", 1, 2, 3, 4),
    _image("pay/many:1", days(50), "pay/many:1.0"),
    _image("pay/many:2", days(40), "pay/many:2.0", "pay/many:stable"),
    _image("pay/many:3", days(35)),
    _tagged("pay/site:latest two rebuilds ago", "pay/site:latest", arrived=days(50)),
    _tagged("pay/site:latest one rebuild ago", arrived=days(40)),
    _tagged("pay/site:latest as it runs", arrived=days(30)),
    *_versions("pay/jobs", 7, 8, 9),
    *_versions("tasks/report", 3, 4, 5),
    *_versions("lone/app", 1, 2, 3),
    _pulled("pin/app:2", days(50)),
    _pulled("pin/app:3", days(45)),
    _pulled("pin/app:4", days(40)),
    _pulled("pin/other:1", days(40)),
    *_versions("mesh/api", 1, 2, 3),
    *_versions("own/worker", 1, 2, 3),
    _image("own/tool:1", days(40), labels=ROLE),
)

DATES = (
    _image("arrived/now:1", None),
    _image("arrived/hour:1", timedelta(hours=1)),
    _image("arrived/longago:1", days(50)),
    _pulled("pin/fresh:1", None, by="tag"),
    _image("dates/year-one-new:1", None, built=YEAR_ONE),
    _image("dates/year-one-old:1", days(40), built=YEAR_ONE),
    _image("dates/epoch-new:1", None, built=EPOCH),
    _image("dates/epoch-old:1", days(40), built=EPOCH),
    _image("dates/future:1", days(40), built=TOMORROW),
    _image("dates/tomorrow:1", days(-1), built=LONG_AGO),
    _image("tags/three:1", days(40), "tags/three:2", "elsewhere.example:5000/tags/three:1"),
    _image("tags/renewed:1", days(40)),
    _tagged("no tag, old", arrived=days(40)),
    _tagged("no tag, new", arrived=None),
    _image("base/build:1", days(60)),
    *_versions("runtime/base", 1, 2, 3),
)

BUILDS = (
    _build("pay/built:1", "classic", days(40)),
    _build("pay/unbuilt:1", "classic", days(40), kilobytes=400),  # else it shares its step
    _build("pay/kitted:1", "kit", days(40), cache_mount=True),
    _build("pay/cached:1", "kit", days(40), of="arrived/longago:1", times=2),
    # Of another size, else it shares a step with pay/kitted:1.
    _build("pay/live:1", "kit", days(40), times=2, containers_between=True, kilobytes=450),
    _build("pay/based:1", "kit", days(5), of="runtime/base:3"),
    _build("pay/fresh:1", "kit", None),
)

NETWORKS = (
    _network("stopped-only"),
    _network("stopped-too"),
    _network("in-use"),
    _network("pay_spare", PAY),
    _network("ghost_default", compose("ghost", "web")),
    _network("prune_default", PRUNE),
    _network("labelled", KEEP),
    _network("named-keep"),
    _network("new", created=None),
    _network("settings", settings_only=True),
    _network("spent-only"),
    _network("batch_default", BATCH),
    _network("gone_default", {"com.docker.compose.project": "gone"}),
    _network("unused"),
    _network("in-use-2"),
)

UP = (
    _up("pay-core", network="in-use", restart="always", critical=True, labels=compose("pay", "core")),
    _up("pay-edge", image="pay/edge:latest as deployed", critical=True),
    _up("pay-shop", image="pay/shop:v7", made_of="pay/shop:current"),
    _up("pay-live", image="pay/live:1 build 1"),
    _up("pay-built", image="pay/built:1"),
    _up("pay-kitted", image="pay/kitted:1"),
    _up("pay-rolled", image="pay/rolled:3"),
    _up("pay-quota", image="pay/quota:4"),
    _up("pay-many", image="pay/many:3"),
    _up("pay-site", image="pay/site:latest as it runs"),
    _up("pay-pinned", image=f"{REGISTRY}/pin/app:4"),
    _up("pay-reader", volumes_from=("data-only",)),
    _up("pay-paused", life=Life.PAUSED),
    _up("pay-crashing", life=Life.RESTARTING, command="exit 1", restart="always"),
)

STOPPED_BUT_KEPT = (
    _ended(
        "pay-archive",
        network="stopped-only",
        second_network="stopped-too",
        labels=compose("pay", "archive"),
    ),
    _ended("ghost-web", labels=compose("ghost", "web")),
    _ended("mesh-api.1.old", labels={"com.docker.swarm.service.name": "mesh-api"}),
    _ended("stopped-by-hand", command=STAY, restart="unless-stopped"),
    _ended("gave-up", restart="on-failure"),
    _ended("holds-figures", command="head -c 2000000 /dev/urandom > /figures"),
    _ended("labelled", labels=KEEP),
    _ended("named-keep"),
    _ended("prune-worker", image="own/worker:3", labels=ROLE | compose("prune", "worker")),
    _ended("prune-redis", labels=compose("prune", "redis")),
    _ended("just-ended", 10 * MINUTE),
    _ended("ended-tomorrow", days(-1)),
    _container("between-create-and-start", Life.CREATED, created=MINUTE),
    _ended("net-holder"),
    _container("net-guest", Life.CREATED, restart="unless-stopped", network="container:net-holder"),
    _container("data-only", Life.CREATED, anonymous=("/data",)),
)

SPENT = (
    _ended("spent", anonymous=("/var/spool/spent",)),
    _ended("spent-one-off", labels=compose("pay", "job", one_off=True)),
    _ended("spent-batch", network="batch_default", labels=compose("batch", "job", one_off=True)),
    _ended("spent-in-network", network="spent-only", volumes={"spent": "/spent"}),
    _ended("spent-ten-days-ago", days(10), image="pay/jobs:9"),
    _ended("spent-alone", image="arrived/longago:1"),
    _ended("spent-lone", image="lone/app:2"),
    _ended("spent-holder"),
    _container("spent-guest", Life.CREATED, network="container:spent-holder"),
    _ended("spent-backup", volumes_from=("data-only",)),
    _ended("spent-…"),
    _container("never-started", Life.CREATED, image="pay/core:1"),
)

HAZARDS = Catalogue(
    images=(*PROTECTED, *LOOK_ALIKES, *VERSIONS, *DATES),
    builds=BUILDS,
    networks=NETWORKS,
    volumes=("precious", "f00d" * 16),
    # Whoever is joined by others is made before them.
    containers=(*STOPPED_BUT_KEPT, *UP, *SPENT),
    past=Past(
        rebuilt=(
            ("pay/site:latest", "pay/site:latest one rebuild ago"),
            ("pay/site:latest", "pay/site:latest as it runs"),
        ),
        ran=("tasks/report:5",),
    ),
    services=(Service(name="mesh-api", image="mesh/api:3", before="mesh/api:2"),),
    overlays=("mesh",),
    moved_tags={
        "pay/edge:latest": "pay/edge:latest as rebuilt",
        "pay/shop:current": "pay/shop:current as rebuilt",
        "tags/renewed:2": "tags/renewed:1",
    },
    protected_images=(
        "pay/app:1",
        "docker.io/library/postgres:16",
        "registry.example/vault/*",
        "docker.io/tools/golden:1",
        "registry.example/longest/*",
        "pay/quota:3",
    ),
    protected_digests=(f"{REGISTRY}/frozen/app:1",),
    protected_containers=("named-*",),
    protected_networks=("named-*",),
)

MOUNTED = (
    _image("data/set:1", days(50)),
    _image("data/held:1", days(50)),
    _image("data/spent:1", days(50)),
    _tagged("data/moved:latest as mounted", "data/moved:latest", arrived=days(50)),
    _image("data/moved:1", days(38)),
    _tagged("data/moved:latest as rebuilt", arrived=days(35)),
)

# Before the untagged images of no known repository came: by that they never had a name that is mounted.
_before: dict[str, Any] = {"created": days(45)}

MOUNTING = (
    _up("mounts-set", mounted=("data/set:1",), **_before),
    _up("mounts-moved", mounted=("data/moved:latest as mounted",), **_before),
    _ended("mounts-held", command=STAY, restart="unless-stopped", mounted=("data/held:1",), **_before),
    _ended("spent-mount", mounted=("data/spent:1",), **_before),
)


def hazards_on(traits: frozenset[str]) -> Catalogue:
    """All traps that an engine with these traits can have."""
    if MOUNTS_IMAGES not in traits:
        return HAZARDS
    return replace(
        HAZARDS,
        images=(*HAZARDS.images, *MOUNTED),
        containers=(*HAZARDS.containers, *MOUNTING),
        moved_tags={**HAZARDS.moved_tags, "data/moved:latest": "data/moved:latest as rebuilt"},
    )
