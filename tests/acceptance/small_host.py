"""A host with little on it, quick to make: a critical service, another one, waste of every kind but cache."""

from tests.stage import hosts, images
from tests.stage.catalogue import Catalogue, Container, Image, Life, Network, days
from tests.stage.engine import DisposableEngine
from tests.stage.hosts import FilledHost
from tests.stage.member import Member

IDLE = "exec tail -f /dev/null"
NO_WAITING = 'settle = "1s"\nsteady_for = "0s"\nquiet_for = "0s"\n'
# Whatever a test puts on the host is old enough at once.
NO_GRACE = "".join(
    f'{key} = "0s"\n'
    for key in ("image_grace", "cache_grace", "container_grace", "network_grace", "image_unused_for")
)


def _service(name: str, *, critical: bool = False) -> Container:
    return Container(
        name=name,
        image="shop/web:2",
        fate="kept",
        life=Life.RUNNING,
        created=days(30),
        command=IDLE,
        restart="always",
        critical=critical,
    )


def _spent(name: str) -> Container:
    return Container(
        name=name,
        image="old/job:1",
        fate="waste",
        life=Life.EXITED,
        created=days(40),
        stopped=days(39),
        anonymous=("/spool",),
    )


SMALL = Catalogue(
    images=(
        Image(name="shop/web:1", fate="kept", arrived=days(50)),  # the way back
        Image(name="shop/web:2", fate="kept", arrived=days(40)),
        Image(name="base/runtime:3", fate="kept", arrived=days(60)),  # protected
        Image(name="old/job:1", fate="waste", arrived=days(50)),
        Image(name="old/api:1", fate="waste", arrived=days(50), megabytes=3),
        Image(name="old/site:1", fate="waste", arrived=days(50), megabytes=2),
    ),
    containers=(_service("web", critical=True), _service("helper"), _spent("job-1"), _spent("job-2")),
    networks=(
        Network(name="attic", fate="waste", created=days(50)),
        Network(name="cellar", fate="waste", created=days(50)),
    ),
    volumes=("precious",),
    protected_images=("base/*",),
)
IMAGES = ("old/api:1", "old/job:1", "old/site:1")
WASTE = {*IMAGES, "job-1", "job-2", "attic", "cellar"}


def small_host(engine: DisposableEngine) -> FilledHost:
    return hosts.place(engine, "small", SMALL, scale=0.1)


def litter(member: Member, name: str) -> str:
    """One more thing that may go: an unused network."""
    member.engine.client.create_network(name, driver="bridge")
    return name


def litter_all_kinds(member: Member, stem: str) -> set[str]:
    """Two things of each kind, to have a run with stages."""
    client = member.engine.client
    for number in (1, 2):
        name = f"{stem}-{number}"
        layers = (images.base_layer(), images.layer({name: images.noise(name, 0.1)}))
        images.load(client, [images.Archived(layers=layers)])
        client.create_container("shop/web:2", ["true"], name=f"{name}-job")
        client.create_network(f"{name}-net", driver="bridge")
    return {f"{stem}-{number}-{kind}" for number in (1, 2) for kind in ("job", "net")}
