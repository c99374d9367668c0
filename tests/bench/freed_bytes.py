"""Predicted against freed bytes on random pools, beside what `docker system df` claims: run by hand.

    python -m tests.bench.freed_bytes --seeds 1-20 [--cache] [--engine 26.1-containerd]

Of each pool some images are in use; all others are removed, one by one, and the cache stays. `disk` counts
the bytes of files in layers, or of snapshots and blobs on a containerd store; `accounted`
is the engine's own figure, `du` the blocks of its data root, and `df claims` what `docker system df` calls
reclaimable of images.
"""
# ruff: noqa: T201  a bench prints

import argparse
import random
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from docker import APIClient

from tests.docker.pools import (
    Pool,
    accounted_bytes,
    cache_of,
    images_of,
    remove_image,
    some_images,
    stored_bytes,
)
from tests.stage.engine import DisposableEngine
from tests.stage.folder import fresh_folder
from tests.stage.kinds import ENGINES, MACHINES_OWN, EngineKind, engine_kind
from workers.contract import Store
from workers.planning.histories import HistoryStep
from workers.planning.layers import LayeredImage
from workers.planning.reclaim import freed, reckoned

UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
HEADINGS = ("seed", "images", "removed", "records", "predicted", "disk", "accounted", "du", "df claims")

ROW = "{:>5}{:>8}{:>8}{:>8}{:>20}" + "{:>12}" * 4


@dataclass(frozen=True)
class Trial:
    seed: int
    images: int
    removed: int
    records: int
    low: int
    high: int
    disk: int
    accounted: int
    du: int
    claimed: int

    @property
    def is_within(self) -> bool:
        return self.low <= self.disk <= self.high

    @property
    def is_exact(self) -> bool:
        return self.low == self.disk == self.high


def trial(folder: Path, seed: int, *, cache: bool, kind: EngineKind) -> Trial:
    with DisposableEngine(folder, kind) as engine:
        Pool(engine, seed, cache=cache).fill(16)
        chance = random.Random(seed)
        use_some(engine.client, chance)
        images, records = images_of(engine.client), cache_of(engine.client)
        order = some_images(engine.client, chance, share=1)
        expected = freed(order, images, records, store=kind.store)
        claimed = claim(engine)
        before = readings(engine)
        for image in order:
            remove_image(engine.client, image)
        went = [earlier - later for earlier, later in zip(before, readings(engine), strict=True)]
        return Trial(
            seed, len(images), len(order), len(records), expected.low, expected.high, *went, claimed=claimed
        )


def use_some(client: APIClient, chance: random.Random) -> None:
    tags = sorted(tag for image in client.images() for tag in image["RepoTags"] or () if "<none>" not in tag)
    for tag in chance.sample(tags, k=min(3, len(tags))):
        client.create_container(tag, ["sh"])


def readings(engine: DisposableEngine) -> tuple[int, int, int]:
    subprocess.run(["sync", "--file-system", str(engine.data_root)], check=True)
    du = subprocess.run(
        ["du", "-s", "-B1", str(engine.data_root)], check=True, capture_output=True, text=True
    )
    return stored_bytes(engine), accounted_bytes(engine.client), int(du.stdout.split()[0])


def claim(engine: DisposableEngine) -> int:
    told = engine.cli("system", "df", "--format", "{{.Type}} {{.Reclaimable}}")
    found = re.search(r"^Images ([-\d.e+]+)([kMG]?B)", told, re.MULTILINE)
    return int(float(found[1]) * UNITS[found[2]]) if found else 0


def made_up_images(count: int) -> list[LayeredImage]:
    """Images of 8 to 20 layers on 20 bases, as on a host that builds a lot."""
    chance = random.Random(count)
    return [
        made_up_image(
            number, f"base {chance.randrange(20)}", base=chance.randint(3, 8), own=chance.randint(5, 12)
        )
        for number in range(count)
    ]


def made_up_image(number: int, family: str, *, base: int, own: int) -> LayeredImage:
    layers = (*(f"{family} {at}" for at in range(base)), *(f"{number} {at}" for at in range(own)))
    history = [HistoryStep(len(layer) * 1000, f"RUN {layer}") for layer in layers]
    idle = [HistoryStep(0, "/bin/sh -c true")] * (number % 4)
    return LayeredImage(
        id=str(number),
        layers=layers,
        history=(*reversed(history), *idle),
        size=sum(step.size for step in history),
    )


def print_duration(count: int) -> None:
    images = made_up_images(count)
    order = [image.id for image in images[::2]]
    start = time.perf_counter()
    reckoned(order, images, store=Store.GRAPH_DRIVER)
    print(f"{count} images, {len(order)} of them removed: predicted in {time.perf_counter() - start:.2f} s")


def print_table(trials: Iterable[Trial]) -> list[Trial]:
    print(ROW.format(*HEADINGS))
    done = []
    for one in trials:
        seed, images, removed, records, low, high, *measured = astuple(one)
        predicted = str(low) if low == high else f"{low}-{high}"
        print(ROW.format(seed, images, removed, records, predicted, *measured), flush=True)
        done.append(one)
    return done


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="1-10", help="as in 1-10")
    parser.add_argument("--cache", action="store_true", help="build with BuildKit too, which leaves records")
    parser.add_argument("--engine", choices=sorted(ENGINES), default=MACHINES_OWN)
    options = parser.parse_args()
    kind = engine_kind(options.engine)
    first, last = map(int, options.seeds.split("-"))
    with fresh_folder() as folder:
        done = print_table(
            trial(folder / str(seed), seed, cache=options.cache, kind=kind) for seed in range(first, last + 1)
        )
    exact, within = sum(one.is_exact for one in done), sum(one.is_within for one in done)
    print(f"{exact} of {len(done)} predicted to the byte, {within} within the bounds")
    print_duration(1000)
    return 0 if within == len(done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
