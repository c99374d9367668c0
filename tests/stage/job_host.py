"""A host whose scheduler starts a job once a month, from an image that no container holds in between.

Under the default policy that image goes: unused for weeks, with newer ones of its repository there.
"""

from functools import partial

from tests.stage import hosts
from tests.stage.catalogue import Catalogue, Container, Image, Life, Network, days
from tests.stage.engine import DisposableEngine
from tests.stage.hosts import FilledHost

# The registry that serves this engine alone.
JOBS = "127.0.0.1:5000/shop/jobs"
INVOICES, SCHEDULER = f"{JOBS}:invoices", "job-scheduler"

# What the scheduler would start at the end of the month has to be there; what it misses, its log tells.
READY = f"docker image inspect {INVOICES} >/dev/null 2>/proc/1/fd/1"

_pulled = partial(Image, pulled="tag", megabytes=2)


def job_host(engine: DisposableEngine, name: str, *, scale: float = 1) -> FilledHost:
    """Fill the engine with a web server, the scheduler, and what has been left over."""
    return hosts.place(engine, name, _catalogue(engine), scale=scale)


def _catalogue(engine: DisposableEngine) -> Catalogue:
    return Catalogue(
        images=(
            Image(name="shop/web:2.1.0", fate="waste", arrived=days(55), megabytes=14),
            Image(name="shop/web:2.2.0", fate="kept", arrived=days(46), megabytes=14),  # the way back
            Image(name="shop/web:2.3.0", fate="kept", arrived=days(33), megabytes=15),
            _pulled(name=INVOICES, fate="waste", arrived=days(58)),
            _pulled(name=f"{JOBS}:cleanup", fate="kept", arrived=days(50)),  # taken for the version before
            _pulled(name=f"{JOBS}:scheduler", fate="kept", arrived=days(41)),
        ),
        networks=(Network(name="loadtest", fate="waste", created=days(39)),),
        containers=(_web(), _scheduler(engine)),
    )


def _web() -> Container:
    return Container(
        name="shop-web",
        image="shop/web:2.3.0",
        fate="kept",
        life=Life.RUNNING,
        created=days(33),
        command="exec httpd -f -p 8080 -h /srv",
        health="wget -q -O /dev/null http://127.0.0.1:8080/",
        restart="always",
        critical=True,
    )


def _scheduler(engine: DisposableEngine) -> Container:
    """It has the engine's socket and the machine's docker command, as such containers do."""
    machine = ("/usr/bin/docker", "/lib", "/lib64")
    return Container(
        name=SCHEDULER,
        image=f"{JOBS}:scheduler",
        fate="kept",
        life=Life.RUNNING,
        created=days(41),
        command="exec tail -f /dev/null",
        health=READY,
        restart="always",
        binds=(f"{engine.socket}:/var/run/docker.sock", *(f"{path}:{path}:ro" for path in machine)),
    )
