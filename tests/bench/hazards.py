"""The hazard host, filled afresh for each of four ways to clean it, and what came of it; run by hand.

    python -m tests.bench.hazards [--only prune-volumes prune script plan] [--engine 26.1-containerd]

`wrong` counts objects, tags and services lost that the table of fates keeps, `volumes` those lost, `left`
what it calls waste and is still there. All four are judged by the same code and against the same table.
"""
# ruff: noqa: T201  a bench prints

import argparse
import subprocess
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import machine
from tests.docker.pools import stored_bytes
from tests.docker.worker_host import WorkerHost
from tests.stage import hosts
from tests.stage.engine import PATH, DisposableEngine
from tests.stage.fixtures import SMALL
from tests.stage.folder import fresh_folder
from tests.stage.hosts import FilledHost, Score
from tests.stage.kinds import ENGINES, MACHINES_OWN, EngineKind, engine_kind
from workers.contract import Store

SCRIPT = Path(__file__).with_name("allow_list.sh")
LONGEST_SHOWN = 60
ROW = "{:<44}{:>7}{:>9}{:>6}{:>13}{:>9}"


@dataclass(frozen=True)
class Trial:
    way: str
    score: Score
    freed: int
    seconds: float


def prune_with_volumes(filled: FilledHost) -> None:
    filled.engine.cli("system", "prune", "--all", "--force", "--volumes")


def prune(filled: FilledHost) -> None:
    filled.engine.cli("system", "prune", "--all", "--force")


def script(filled: FilledHost) -> None:
    folder = filled.engine.folder
    environment = {"PATH": PATH, "DOCKER_HOST": filled.engine.url, "DOCKER_CONFIG": str(folder / "cli")}
    subprocess.run(["bash", str(SCRIPT)], env=environment, capture_output=True, check=False)


def plan(filled: FilledHost) -> None:
    folder = filled.engine.folder / "pruner"
    folder.mkdir()
    host = WorkerHost(filled.engine, folder, filled.policy | {"settle": '"0s"', "steady_for": '"1s"'})
    filled.hand_over_ledger(host.place.ledger_file)
    host.execute(host.plan())


WAYS: Mapping[str, tuple[str, Callable[[FilledHost], None]]] = {
    "prune-volumes": ("docker system prune -af --volumes", prune_with_volumes),
    "prune": ("docker system prune -af", prune),
    "script": (f"tests/bench/{SCRIPT.name}", script),
    "plan": ("Safe Prune", plan),
}


def trial(folder: Path, key: str, kind: EngineKind) -> tuple[Trial, FilledHost]:
    way, clean = WAYS[key]
    with DisposableEngine(folder, kind) as engine:
        filled = hosts.hazard_host(engine, scale=SMALL)
        before, begun = used(filled), time.monotonic()
        clean(filled)
        seconds = time.monotonic() - begun
        return Trial(way, filled.score(), before - used(filled), seconds), filled


def used(filled: FilledHost) -> int:
    """As the engine accounts for it; that of a containerd store counts cache twice, so its disk is asked."""
    engine = filled.engine
    return filled.used_bytes() if engine.kind.store is Store.GRAPH_DRIVER else stored_bytes(engine)


def print_table(done: list[Trial], filled: FilledHost, engine: str) -> None:
    volumes = sum(found.kind == "volume" for found in filled.kept)
    print(f"{machine()}, engine {engine}")
    print(f"to keep: {len(filled.kept) - volumes} objects, {volumes} volumes; to go: {len(filled.waste)}")
    print(ROW.format("cleaned by", "wrong", "volumes", "left", "bytes freed", "seconds"))
    for one in done:
        score = one.score
        counts = (len(score.wrong), len(score.volumes), len(score.left))
        print(ROW.format(one.way, *counts, one.freed, f"{one.seconds:.1f}"))
    for one in done:
        print_names(one)


def print_names(one: Trial) -> None:
    for what, names in (("lost", (*one.score.wrong, *one.score.volumes)), ("left", one.score.left)):
        if names:
            told = ", ".join(
                name if len(name) < LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…" for name in names
            )
            print(f"\n{one.way}, {what}:\n{textwrap.fill(told, 110, break_on_hyphens=False)}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--engine", choices=sorted(ENGINES), default=MACHINES_OWN)
    options = parser.parse_args()
    kind = engine_kind(options.engine)
    with fresh_folder() as folder:
        tried = [trial(folder / key, key, kind) for key in options.only]
    done = [one for one, _ in tried]
    print_table(done, tried[-1][1], options.engine)
    ours = [one.score for one in done if one.way == WAYS["plan"][0]]
    return 0 if all(score == Score(wrong=(), volumes=(), left=()) for score in ours) else 1


if __name__ == "__main__":
    raise SystemExit(main())
