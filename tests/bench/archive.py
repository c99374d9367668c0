"""The archive beside docker's own save and load, on a real engine; run by hand.

    python -m tests.bench.archive [--images 20] [--megabytes 50] [--rounds 3]

Archiving is what a run does before a removal: from the engine, compressed, on the disk, read again, in the
ledger. Beside it: `docker save ID | zstd > FILE`. Restoring is what a restore does: read whole and compared
with its checksum, unpacked, loaded. Beside it: `docker load --input FILE`, of the same images, as `docker
save` writes them.
"""
# ruff: noqa: T201  a bench prints

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.bench.machine import machine
from tests.docker.worker_host import WorkerHost
from tests.stage import images
from tests.stage.engine import DisposableEngine
from tests.stage.folder import fresh_folder
from workers.contract import Bytes, Kind, Reference, Step
from workers.planning.stock import Archived
from workers.reasons import Code, reason

TARGET = 1.2
LONG = timedelta(minutes=10)
MB = 1_000_000
SAVE, ARCHIVING = "docker save ID | zstd > FILE", "archiving"
LOAD, LOAD_PACKED, RESTORING = "docker load -i FILE", "zstd -dc FILE | docker load", "restoring"


@contextmanager
def archived(at: Path, size: int) -> Iterator[Path]:
    """A disk of its own, of blocks that are written: in memory an fsync would cost nothing."""
    image = at.with_suffix(".img")
    at.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


def loaded(host: WorkerHost, count: int, megabytes: int) -> list[str]:
    """Images of which half is noise and half is text."""
    half = megabytes / 2
    made = [
        images.Archived(
            tags=(f"app:{number}",),
            layers=(
                images.layer(
                    {
                        "noise": images.noise(f"noise {number}", half),
                        "text": images.noise(f"text {number}", half / 2).hex().encode(),
                    }
                ),
            ),
        )
        for number in range(count)
    ]
    return [id_ for one in made for id_ in images.load(host.engine.client, [one])]


def seconds(act: Callable[[], object]) -> float:
    subprocess.run(["sync"], check=True)
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def a_step(id_: str) -> Step:
    return Step(
        index=0,
        object=Reference(kind=Kind.IMAGE, id=id_, name=id_[:19]),
        reasons=(reason(Code.UNTAGGED, since=""),),
        fingerprint={},
        expected=Bytes(),
    )


def by_hand(host: WorkerHost, ids: Sequence[str], script: str) -> None:
    """Run a line of shell for each image, with `$ID`, and `$DOCKER` for docker at this engine."""
    docker = f"/usr/bin/docker --host {host.engine.url}"
    for id_ in ids:
        subprocess.run(
            ["sh", "-c", script], env={"DOCKER": docker, "ID": id_, "PATH": "/usr/bin:/bin"}, check=True
        )


def save(host: WorkerHost, ids: Sequence[str]) -> None:
    with host.opened() as opened:
        for id_ in ids:
            told = opened.archive.save("o1", a_step(id_), LONG)
            assert isinstance(told, Archived), told


def load(host: WorkerHost, ids: Sequence[str]) -> None:
    with host.opened() as opened:
        sources = opened.archive.sources()
        for id_ in ids:
            assert opened.archive.load(id_, sources[id_], LONG) is None


def remove(host: WorkerHost, ids: Sequence[str]) -> None:
    for id_ in ids:
        host.engine.client.remove_image(id_, force=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("images", 20), ("megabytes", 50), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    taken: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        with fresh_folder() as folder:
            for what, seconds_ in measured(folder, options.images, options.megabytes).items():
                taken.setdefault(what, []).append(seconds_)
    print(f"{machine()}; {options.images} images of {options.megabytes} MB, {options.rounds} rounds")
    medians = {what: statistics.median(every) for what, every in taken.items()}
    print(f"{'medians':<44}{'seconds':>10}{'ratio':>8}{'target':>10}")
    for ours, beside in ((ARCHIVING, (SAVE,)), (RESTORING, (LOAD, LOAD_PACKED))):
        for other in beside:
            print(f"{other:<44}{medians[other]:>10.2f}{1:>8.2f}")
            ratio = medians[ours] / medians[other]
            print(f"  {ours:<42}{medians[ours]:>10.2f}{ratio:>8.2f}{f'<= {TARGET}':>10}")
    for what, every in taken.items():
        print(f"{what}: {' '.join(f'{one:.2f}' for one in every)}")


def measured(folder: Path, count: int, megabytes: int) -> dict[str, float]:
    """One round; each side works at an engine that has, or lacks, the same images."""
    room = 3 * count * megabytes * MB
    with archived(folder / "disk", room) as disk, DisposableEngine(folder / "e") as engine:
        host = WorkerHost(engine, folder)
        host.policy(archive_dir=f'"{disk}"', archive_max_bytes=str(room))
        ids = loaded(host, count, megabytes)
        tars = folder / "tars"
        tars.mkdir()
        by_hand(host, ids, f"$DOCKER save $ID > {tars}/$ID.tar")
        found = {
            SAVE: seconds(partial(by_hand, host, ids, f"$DOCKER save $ID | zstd -q -f -o {disk}/$ID.zst")),
            ARCHIVING: seconds(partial(save, host, ids)),
        }
        for what, act in {
            LOAD: partial(by_hand, host, ids, f"$DOCKER load -q -i {tars}/$ID.tar >/dev/null"),
            LOAD_PACKED: partial(by_hand, host, ids, f"zstd -dc {disk}/$ID.zst | $DOCKER load -q >/dev/null"),
            RESTORING: partial(load, host, ids),
        }.items():
            remove(host, ids)
            found[what] = seconds(act)
            assert {one["Id"] for one in engine.client.images()} == set(ids)
    return found


if __name__ == "__main__":
    main()
