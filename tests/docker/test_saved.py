"""What `docker save` leaves behind: newer engines lose count of a layer that one save met twice.

The image goes and the accounting counts its bytes as freed, while the disk keeps them. No plan can know it.
If this fails on a newer engine (`--engine 26.1`, by hand), that engine has been mended.
"""

import subprocess
from pathlib import Path

import pytest

from tests.docker.worker_host import WorkerHost
from tests.stage import images
from workers.contract import Status, Store

LAYER = 3_000_000
MENDED = ("20.10.",)


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="the containerd store keeps its layers elsewhere")
def test_layers_that_one_save_met_twice_stay_on_the_disk_of_newer_engines(host: WorkerHost) -> None:
    client = host.engine.client
    base = images.layer({"usr/lib/base": images.noise("base", LAYER / 1_000_000)})
    owns = [images.layer({"own": name.encode()}) for name in ("one", "two")]
    tags = [("one:1",), ("two:1",)]
    archived = [images.Archived(tags=t, layers=(base, own)) for t, own in zip(tags, owns, strict=True)]
    images.load(client, archived)
    before = on_disk(host)
    save(host, "one:1", "two:1")
    host.policy(max_share="1.0")
    report = host.execute(host.plan())
    leaks = not client.version()["Version"].startswith(MENDED)

    assert (report.status, host.tags()) == (Status.DONE, {})
    assert report.freed is not None
    assert report.freed > LAYER
    assert (before - on_disk(host) < LAYER / 2) is leaks
    host.engine.restart()
    assert (before - on_disk(host) < LAYER / 2) is leaks


def save(host: WorkerHost, *names: str) -> None:
    host.engine.cli("save", "--output", str(host.folder / "saved.tar"), *names)


def on_disk(host: WorkerHost) -> int:
    """The bytes that the layers of all images and containers take."""
    layers = Path(host.engine.client.info()["DockerRootDir"], "overlay2")
    counted = subprocess.run(["du", "-s", "--bytes", layers], capture_output=True, text=True, check=True)
    return int(counted.stdout.split()[0])
