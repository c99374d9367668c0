"""Races between the creation of a container and the removal of its image, on a real engine: run by hand.

    python -m tests.bench.races [--trials 100] [--no-registry] [--engine 26.1-containerd]

An engine lets both succeed when they come within milliseconds of each other. Each race that is lost so must
give exactly one alarm, and where a registry has the image, the image must be there again.
"""
# ruff: noqa: T201  a bench prints

import argparse
import importlib
import importlib.util
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from tests.bench.machine import machine
from tests.docker.racing import Push, Race, races
from tests.docker.worker_host import WorkerHost
from tests.stage.engine import DisposableEngine
from tests.stage.folder import fresh_folder
from tests.stage.kinds import ENGINES, MACHINES_OWN, engine_kind

REGISTRY = "tests.stage.registry"


@contextmanager
def registry_of(engine: DisposableEngine, folder: Path) -> Iterator[tuple[str, Push]]:
    """A registry on the engine's own loopback: the repository to use there, and how to push to it."""
    with importlib.import_module(REGISTRY).Registry(engine, folder) as registry:
        yield f"{registry.address}/race", lambda image, name: registry.push(image, name.partition("/")[2])


def with_registry(host: WorkerHost, folder: Path, trials: int) -> list[Race]:
    with registry_of(host.engine, folder) as (repository, push):
        return list(islice(races(host, repository, push=push), trials))


def summary(done: list[Race]) -> str:
    lost = sum(one.lost for one in done)
    alarms, back = sum(one.alarms for one in done), sum(one.brought_back for one in done)
    return f"{len(done)} races, {lost} lost, {alarms} alarms, {back} brought back"


def is_as_promised(done: list[Race], *, registry: bool) -> bool:
    return all(
        one.alarms == int(one.lost)
        and one.brought_back == (int(one.lost) if registry else 0)
        and one.in_order
        for one in done
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--no-registry", action="store_true", help="nothing can be brought back then")
    parser.add_argument("--engine", choices=sorted(ENGINES), default=MACHINES_OWN)
    options = parser.parse_args()
    kind = engine_kind(options.engine)
    registry = not options.no_registry and importlib.util.find_spec(REGISTRY) is not None
    with fresh_folder() as folder, DisposableEngine(folder / "1", kind) as engine:
        (folder / "host").mkdir()
        host = WorkerHost(engine, folder / "host")
        print(f"{machine()}, engine {options.engine} ({engine.client.version()['Version']})")
        start = time.perf_counter()
        if registry:
            done = with_registry(host, folder / "registry", options.trials)
        else:
            done = list(islice(races(host), options.trials))
        print(f"{'with' if registry else 'without'} a registry: {summary(done)}")
        print(f"{(time.perf_counter() - start) / len(done):.2f} s each")
    return 0 if is_as_promised(done, registry=registry) else 1


if __name__ == "__main__":
    raise SystemExit(main())
