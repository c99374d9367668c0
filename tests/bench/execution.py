"""A guarded run beside docker's own bulk prune, each on a host of its own that holds the same; run by hand.

    python -m tests.bench.execution [--containers 100] [--images 280] [--rounds 3] [--engine 28.5]

The run has all its looks, re-checks and its durable journal; `steady_for` and `settle` are 0. Between the
two stands what the removals alone take, one call for each object as the run makes it, and nothing else.
"""
# ruff: noqa: T201  a bench prints

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import machine
from tests.docker.worker_host import REQUIRED, WorkerHost, order_for
from tests.stage import images
from tests.stage.engine import DisposableEngine
from tests.stage.folder import fresh_folder
from tests.stage.kinds import ENGINES, MACHINES_OWN, EngineKind, engine_kind
from workers.contract import Outcome, Status
from workers.engine import Engine

TARGET = 1.5
TEAMS = 10
EVERYTHING = {"max_share": "1.0"}


@dataclass(frozen=True)
class Wanted:
    """How much lies on a host."""

    containers: int
    images: int

    @property
    def steps(self) -> int:
        return self.containers + self.images


@dataclass(frozen=True)
class Guarded:
    """What a run took."""

    seconds: float
    calls: int


@contextmanager
def filled(folder: Path, wanted: Wanted, kind: EngineKind) -> Iterator[WorkerHost]:
    """A host of finished jobs and of images that nothing needs; teams have a base in common."""
    with DisposableEngine(folder / "engine", kind) as engine:
        loaded = images.load(engine.client, [_image(number) for number in range(wanted.images)])
        host = WorkerHost(engine, folder)
        host.keys |= REQUIRED | EVERYTHING
        jobs = [
            host.create(f"job-{n}", loaded[n % len(loaded)], "true", network="none")
            for n in range(wanted.containers)
        ]
        engine.cli("start", *jobs)
        for job in jobs:
            engine.client.wait(job)
        # The engine forgets its events: nobody has touched these names just now.
        engine.restart()
        yield host


def _image(number: int) -> images.Archived:
    team, own = f"team{number % TEAMS}", f"team{number % TEAMS}/app{number}:1"
    layers = [images.layer({f"usr/lib/{name}": images.noise(name, 0.1)}) for name in (team, own)]
    return images.Archived(tags=(own,), layers=(images.base_layer(), *layers))


def pruned(folder: Path, wanted: Wanted, kind: EngineKind) -> float:
    with filled(folder, wanted, kind) as host:
        begun = time.monotonic()
        host.engine.cli("container", "prune", "--force")
        host.engine.cli("image", "prune", "--all", "--force")
        taken = time.monotonic() - begun
        _expect_empty(host)
    return taken


def removed_one_by_one(folder: Path, wanted: Wanted, kind: EngineKind) -> float:
    with filled(folder, wanted, kind) as host, closing(Engine(host.engine.url)) as engine:
        containers = [one["Id"] for one in engine.containers()]
        listed = [one["Id"] for one in engine.images()]
        begun = time.monotonic()
        for id_ in containers:
            engine.remove_container(id_)
        for id_ in listed:
            engine.remove_image(id_)
        taken = time.monotonic() - begun
        _expect_empty(host)
    return taken


def guarded(folder: Path, wanted: Wanted, kind: EngineKind) -> Guarded:
    with filled(folder, wanted, kind) as host:
        plan = host.plan()
        with host.opened() as opened:
            order, before, begun = order_for(plan), opened.engine.calls, time.monotonic()
            report = opened.execute(order, told_to_stop=lambda: False)
            taken, calls = time.monotonic() - begun, opened.engine.calls - before
        assert len(report.outcomes) == wanted.steps
        assert {one.outcome for one in report.outcomes} == {Outcome.REMOVED}
        assert report.status is Status.DONE
        _expect_empty(host)
    return Guarded(taken, calls)


def _expect_empty(host: WorkerHost) -> None:
    client = host.engine.client
    assert not client.images(all=True)
    assert not client.containers(all=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("containers", 100), ("images", 280), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--engine", choices=sorted(ENGINES), default=MACHINES_OWN)
    options = parser.parse_args()
    kind = engine_kind(options.engine)
    wanted = Wanted(options.containers, options.images)
    bulk, alone, runs = list[float](), list[float](), list[Guarded]()
    for _ in range(options.rounds):
        with fresh_folder() as folder:
            bulk.append(pruned(folder, wanted, kind))
        with fresh_folder() as folder:
            alone.append(removed_one_by_one(folder, wanted, kind))
        with fresh_folder() as folder:
            runs.append(guarded(folder, wanted, kind))
    print(
        f"{machine()}, engine {options.engine}; {wanted.containers} containers and {wanted.images} images"
        f", {options.rounds} rounds"
    )
    base, run = statistics.median(bulk), statistics.median(one.seconds for one in runs)
    print(f"{'medians':<44}{'seconds':>10}{'ratio':>8}{'target':>10}")
    print(f"{'docker container prune && image prune -a':<44}{base:>10.2f}{1:>8.2f}")
    one_by_one = statistics.median(alone)
    print(f"{'its removals alone, one call an object':<44}{one_by_one:>10.2f}{one_by_one / base:>8.2f}")
    print(f"{'guarded run':<44}{run:>10.2f}{run / base:>8.2f}{f'<= {TARGET}':>10}")
    print(f"bulk: {_all(bulk)}; alone: {_all(alone)}; guarded: {_all([one.seconds for one in runs])}")
    per_step = runs[0].calls / wanted.steps
    print(f"calls of the engine in a run: {runs[0].calls}, {per_step:.2f} a step")


def _all(seconds: list[float]) -> str:
    return " ".join(f"{one:.2f}" for one in seconds)


if __name__ == "__main__":
    main()
