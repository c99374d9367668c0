"""A host full of traps for whoever goes by names, by build dates, or by what the engine calls unused.

Every row says what the default policy should make of it; where that is not plain, a comment names the trap.
"""

from datetime import timedelta
from typing import Any

from tests.stage.catalogue import Build, Catalogue, Container, Fate, Image, Life, Network, compose, days

STAY = "exec tail -f /dev/null"
MINUTE = timedelta(minutes=1)


def _stopped(
    name: str, *, ended: timedelta, image: str = "pay/core:3", fate: Fate = "kept", **more: Any
) -> Container:
    return Container(
        name=name, image=image, fate=fate, life=Life.EXITED, created=days(60), stopped=ended, **more
    )


# No container uses any of these.
PROTECTED = (
    Image(name="pay/app:1", fate="kept", arrived=days(60)),
    Image(name="postgres:16", fate="kept", arrived=days(60)),
    Image(name="registry.example/vault/box:7", fate="kept", arrived=days(60)),  # protected by a glob
    Image(name="tools/golden:1", tags=("tools/golden:1", "tools/golden:old"), fate="kept", arrived=days(60)),
    Image(name="tools/keeper:1", fate="kept", arrived=days(60), labels={"safe-prune.keep": "true"}),
)

LOOK_ALIKES = (
    Image(name="postgres-exporter:16", fate="waste", arrived=days(40)),
    Image(name="mirror/postgres:16", fate="waste", arrived=days(40)),
    Image(name="registry.example/vaulted/box:7", fate="waste", arrived=days(40)),
    Image(name="pay/app:10", fate="waste", arrived=days(40)),
    Image(name="repay/app:1", fate="waste", arrived=days(40)),
)

VERSIONS = (
    Image(name="pay/core:1", fate="waste", arrived=days(50)),
    Image(name="pay/core:2", fate="kept", arrived=days(40)),  # the way back
    Image(name="pay/core:3", fate="kept", arrived=days(30)),
    Image(name="pay/core:4", fate="kept", arrived=days(20)),  # arrived after the newest that ran
    # The tag moved while a container runs: one image is in use by its id, the other by its name.
    Image(name="pay/edge:latest as deployed", tags=("pay/edge:latest",), fate="kept", arrived=days(45)),
    Image(name="pay/edge:latest as rebuilt", tags=(), fate="kept", arrived=days(35)),
    Image(name="pay/jobs:9", fate="kept", arrived=days(40)),  # ran less than two weeks ago
)

DATES = (
    Image(name="arrived/now:1", fate="kept", arrived=None),  # built long ago
    Image(name="arrived/hour:1", fate="kept", arrived=timedelta(hours=1)),
    Image(name="arrived/longago:1", fate="waste", arrived=days(50)),
    Image(
        name="tags/three:1",
        tags=("tags/three:1", "tags/three:2", "elsewhere.example:5000/tags/three:1"),
        fate="waste",
        arrived=days(40),
    ),
    Image(name="no tag, old", tags=(), fate="waste", arrived=days(40)),
    Image(name="no tag, new", tags=(), fate="kept", arrived=None),
    Image(name="base/build:1", fate="kept", arrived=days(60)),  # parent of an image in use
)

BUILDS = (
    Build(tag="pay/built:1", parent="base/build:1", builder="classic", fate="kept", built=days(40)),
    Build(tag="pay/unbuilt:1", parent="base/build:1", builder="classic", fate="waste", built=days(40)),
    Build(
        tag="pay/cached:1", parent="arrived/longago:1", builder="kit", fate="waste", built=days(40), times=2
    ),
)

NETWORKS = (
    Network(
        name="stopped-only", fate="kept", created=days(50)
    ),  # removing it keeps pay-archive from starting
    Network(name="pay_spare", fate="kept", created=days(50), labels={"com.docker.compose.project": "pay"}),
    Network(name="labelled", fate="kept", created=days(50), labels={"safe-prune.keep": "true"}),
    Network(name="in-use", fate="kept", created=days(50)),
    Network(name="new", fate="kept", created=None),
    Network(name="spent-only", fate="waste", created=days(50)),
    Network(name="unused", fate="waste", created=days(50)),
)

RUNNING = (
    Container(
        name="pay-core",
        image="pay/core:3",
        life=Life.RUNNING,
        fate="kept",
        created=days(30),
        command=STAY,
        restart="always",
        network="in-use",
        critical=True,
        labels=compose("pay", "core"),
    ),
    Container(
        name="pay-edge",
        image="pay/edge:latest as deployed",
        life=Life.RUNNING,
        fate="kept",
        created=days(45),
        command=STAY,
        critical=True,
    ),
    Container(
        name="pay-built", image="pay/built:1", life=Life.RUNNING, fate="kept", created=days(40), command=STAY
    ),
    Container(
        name="pay-paused", image="pay/core:3", life=Life.PAUSED, fate="kept", created=days(30), command=STAY
    ),
)

STOPPED_BUT_KEPT = (
    _stopped("pay-archive", ended=days(40), network="stopped-only", labels=compose("pay", "archive")),
    _stopped("stopped-by-hand", ended=days(40), command=STAY, restart="unless-stopped"),
    _stopped("holds-figures", ended=days(40), command="head -c 2000000 /dev/urandom > /figures"),
    _stopped("labelled", ended=days(40), labels={"safe-prune.keep": "true"}),
    _stopped("prune-worker", ended=days(40), labels={"safe-prune.role": "worker"}),
    _stopped("just-ended", ended=10 * MINUTE),  # created long ago, which is what engines look at
    Container(
        name="between-create-and-start", image="pay/core:3", life=Life.CREATED, fate="kept", created=MINUTE
    ),
)

SPENT = (
    _stopped("spent", fate="waste", ended=days(40), anonymous=("/var/spool/spent",)),
    _stopped("spent-one-off", fate="waste", ended=days(40), labels=compose("pay", "job", one_off=True)),
    _stopped(
        "spent-in-network", fate="waste", ended=days(40), network="spent-only", volumes={"spent": "/spent"}
    ),
    _stopped("spent-ten-days-ago", fate="waste", image="pay/jobs:9", ended=days(10)),
    _stopped("spent-alone", fate="waste", image="arrived/longago:1", ended=days(40)),
    Container(name="never-started", image="pay/core:1", life=Life.CREATED, fate="waste", created=days(40)),
)

HAZARDS = Catalogue(
    images=(*PROTECTED, *LOOK_ALIKES, *VERSIONS, *DATES),
    builds=BUILDS,
    networks=NETWORKS,
    volumes=("precious",),
    containers=(*RUNNING, *STOPPED_BUT_KEPT, *SPENT),
    moved_tags={"pay/edge:latest": "pay/edge:latest as rebuilt"},
    protected_images=("postgres:16", "registry.example/vault/*", "docker.io/tools/golden:1", "pay/app:1"),
)
