"""A host of a small web shop after a few months of deployments.

Every row says what the default policy should make of it; where that is not plain, a comment says why.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from tests.stage.catalogue import Build, Catalogue, Container, Fate, Image, Life, Network, compose, days

IDLE = "exec tail -f /dev/null"
SERVE = "exec httpd -f -p 8080 -h /srv"
SERVES = "wget -q -O /dev/null http://127.0.0.1:8080/"
DATABASE = "/var/lib/postgresql/data"
STORE = (
    f"cd {DATABASE} && echo 16 > PG_VERSION && head -c 3000000 /dev/urandom > base && exec tail -f /dev/null"
)


MIGRATION = compose("shop", "migrate", one_off=True)


def _service(name: str, image: str, *, age: timedelta, **more: Any) -> Container:
    """A critical service with a health check; compose owns those of the shop's network."""
    project, _, service = name.partition("-")
    labels = compose(project, service) if project == "shop" else {}
    usual = {"command": SERVE, "health": SERVES, "restart": "always", "labels": labels}
    return Container(
        name=name, image=image, fate="kept", life=Life.RUNNING, created=age, critical=True, **(usual | more)
    )


def _ended(
    name: str, image: str, ended: timedelta, command: str = "true", *, fate: Fate = "kept", **more: Any
) -> Container:
    created = ended + timedelta(minutes=20)
    return Container(
        name=name,
        image=image,
        fate=fate,
        life=Life.EXITED,
        created=created,
        stopped=ended,
        command=command,
        **more,
    )


_spent = partial(_ended, fate="waste")

SHOP_IMAGES = (
    Image(name="shop/api:1.4.0", fate="waste", arrived=days(58), megabytes=28),
    Image(name="shop/api:1.4.1", fate="waste", arrived=days(51), megabytes=28),
    Image(name="shop/api:1.5.0", fate="waste", arrived=days(44), megabytes=30),
    Image(name="shop/api:1.5.1", fate="kept", arrived=days(38), megabytes=30),  # the way back
    Image(
        name="shop/api:1.6.0",
        tags=("shop/api:1.6.0", "shop/api:1.6", "shop/api:stable"),
        fate="kept",
        arrived=days(31),
        megabytes=31,
    ),
    Image(name="shop/api:1.7.0", fate="kept", arrived=days(3), megabytes=31),  # waits for its roll-out
    Image(name="shop/web:2.1.0", fate="waste", arrived=days(55), megabytes=14),
    Image(name="shop/web:2.2.0", fate="kept", arrived=days(46), megabytes=14),
    Image(name="shop/web:2.3.0", fate="kept", arrived=days(33), megabytes=15),
    Image(name="shop/worker:0.9.4", fate="kept", arrived=days(52), megabytes=9),
    Image(name="shop/mailer:1.1.0", fate="kept", arrived=days(57), megabytes=6),
    Image(name="shop/reports:5", fate="kept", arrived=days(49), megabytes=8),
    Image(name="shop/backup:3", fate="kept", arrived=days(54), megabytes=5),
)

OTHER_IMAGES = (
    Image(name="base/runtime:3", fate="kept", arrived=days(60), megabytes=4),  # protected as base/*
    Image(name="postgres:16", fate="kept", arrived=days(60), megabytes=24),
    Image(name="edge/proxy:1.27", fate="kept", arrived=days(41), megabytes=7),
    Image(
        name="tools/scanner:7", fate="kept", arrived=None, megabytes=6
    ),  # loaded just now, though built long ago
    Image(
        name="shop/legacy:1.0",
        tags=("shop/legacy:1.0", "shop/legacy:stable", "registry.example:5000/shop/legacy:1.0"),
        fate="waste",
        arrived=days(60),
        megabytes=18,
    ),
    Image(
        name="myshop/api:1.6.0", fate="waste", arrived=days(47), megabytes=21
    ),  # looks like shop/api, is not
    Image(name="shop/api-gateway:1.6.0", fate="waste", arrived=days(43), megabytes=12),
    Image(
        name="example/postgres:16", fate="waste", arrived=days(53), megabytes=16
    ),  # looks protected, is not
    Image(name="tools/shell:1", fate="waste", arrived=days(56), megabytes=3),
)

BUILDS = (
    Build(
        tag="shop/assets:latest",
        parent="base/runtime:3",
        builder="kit",
        fate="waste",
        times=3,
        built=days(36),
        kilobytes=4000,
    ),
    Build(tag="shop/preview:pr-77", parent="base/runtime:3", builder="kit", fate="kept", built=None),
)

NETWORKS = (
    Network(
        name="shop_default", fate="kept", created=days(60), labels={"com.docker.compose.project": "shop"}
    ),
    Network(name="edge", fate="kept", created=days(60)),
    Network(name="mail", fate="kept", created=days(57)),  # the stopped mailer could not start without it
    Network(name="canary", fate="kept", created=None),
    Network(name="old_default", fate="waste", created=days(45)),
    Network(name="loadtest", fate="waste", created=days(39)),
    Network(name="batch", fate="waste", created=days(50)),  # only the spent import job names it
)

SERVICES = (
    _service("shop-web", "shop/web:2.3.0", age=days(33), network="shop_default"),
    _service("shop-api", "shop/api:1.6.0", age=days(31), network="shop_default"),
    _service(
        "shop-db",
        "postgres:16",
        age=days(60),
        network="shop_default",
        command=STORE,
        health=f"test -s {DATABASE}/PG_VERSION",
        volumes={"shop-db-data": DATABASE},
    ),
    _service("edge-proxy", "edge/proxy:1.27", age=days(41), network="edge", restart="unless-stopped"),
)

STOPPED_BUT_KEPT = (
    # Somebody stopped it, and it would otherwise start with the engine.
    _ended("shop-worker", "shop/worker:0.9.4", days(35), IDLE, restart="unless-stopped"),
    _ended("shop-mailer", "shop/mailer:1.1.0", days(34), network="mail", labels=compose("shop", "mailer")),
    # Somebody's figures lie in its writable layer.
    _ended("quarter-report", "shop/reports:5", days(48), "head -c 6000000 /dev/urandom > /report.csv"),
    _ended("nightly-backup", "shop/backup:3", timedelta(hours=1)),
)

SPENT = (
    _spent(
        "shop-migrate-1",
        "shop/api:1.5.0",
        days(44),
        "echo migrated",
        labels=MIGRATION,
        network="shop_default",
    ),
    _spent(
        "shop-migrate-2",
        "shop/api:1.6.0",
        days(31),
        "echo migrated",
        labels=MIGRATION,
        network="shop_default",
    ),
    _spent(
        "import-prices",
        "shop/api:1.4.1",
        days(50),
        "head -c 2000000 /dev/urandom > /uploads/prices; head -c 400000 /dev/urandom > /tmp/log; exit 1",
        network="batch",
        anonymous=("/var/spool/prices",),
        volumes={"shop-uploads": "/uploads"},
    ),
    _spent("debug-shell", "tools/shell:1", days(39), "echo 'what is wrong here' > /tmp/notes"),
    Container(
        name="never-started", image="shop/web:2.1.0", fate="waste", life=Life.CREATED, created=days(45)
    ),
)


WEB = Catalogue(
    images=(*SHOP_IMAGES, *OTHER_IMAGES),
    builds=BUILDS,
    networks=NETWORKS,
    volumes=("shop-uploads-2025",),
    containers=(*SERVICES, *STOPPED_BUT_KEPT, *SPENT),
    protected_images=("postgres:16", "base/*"),
)

# A sister host that somebody looked after: the same services, less left over.
LOOKED_AFTER = {
    "shop/api:1.4.0",
    "shop/legacy:1.0",
    "shop/api-gateway:1.6.0",
    "example/postgres:16",
    "tools/shell:1",
}
CALM = replace(
    WEB,
    images=tuple(image for image in WEB.images if image.name not in LOOKED_AFTER),
    builds=BUILDS[1:],
    containers=tuple(one for one in WEB.containers if one.image not in LOOKED_AFTER),
)
