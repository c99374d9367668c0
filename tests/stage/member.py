"""One host of the company, as seen from outside: its engine, its worker, what its ledger says."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.stage.engine import DisposableEngine
from tests.stage.faulty import Faulty
from tests.stage.hosts import FilledHost
from tests.stage.processes import MINIMAL, REPOSITORY, ProjectProcess
from workers.contract import Report
from workers.memory.ledger import Ledger
from workers.reasons import Reason

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str, seconds: float = 30) -> Found:
    """What the look finds, once it finds anything; for what nothing wakes us for."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.02)
    return found


@dataclass(frozen=True)
class Member:
    """One host of the company; `gate` stands between its worker and its engine."""

    name: str
    engine: DisposableEngine
    gate: Faulty
    filled: FilledHost
    policy: Path
    environment: dict[str, str]
    worker: ProjectProcess

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with contextlib.closing(Ledger(Path(self.environment["PRUNE_STATE_DIR"]) / "ledger.db")) as ledger:
            yield ledger

    def refusals(self) -> list[Reason]:
        """What the host has turned away, oldest first."""
        with self.ledger() as ledger:
            return [why for _, reasons in ledger.refusals() for why in reasons]

    def reports(self) -> list[Report]:
        """What the host says of its runs, oldest first."""
        with self.ledger() as ledger:
            return ledger.reports()

    def names(self) -> set[str]:
        """The names of all that lies on the engine."""
        client = self.engine.client
        containers = {name.lstrip("/") for c in client.containers(all=True) for name in c["Names"]}
        return containers | {n["Name"] for n in client.networks()} | set(self.tags())

    def tags(self) -> dict[str, str]:
        """Every tag on the engine with the id of its image."""
        return {tag: image["Id"] for image in self.engine.client.images() for tag in image["RepoTags"] or ()}

    def cli(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The host's own command line, straight at the engine."""
        environment = {**MINIMAL, **self.environment, "DOCKER_HOST": self.engine.url}
        return finished("workers", arguments, environment)

    def children(self) -> list[int]:
        """The processes of what the worker does now."""
        pid = self.worker.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill_worker(self) -> None:
        """Worker and work go at once."""
        for victim in (*self.children(), self.worker.pid):
            os.kill(victim, signal.SIGKILL)
        self.worker.kill()

    def lose_power(self) -> None:
        """All of the host is gone at once; nothing of what it had in memory is there when it is back."""
        self.kill_worker()
        self.engine.kill()


def finished(
    package: str, arguments: Iterable[str], environment: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run one of the project's commands to its end."""
    return subprocess.run(
        [sys.executable, "-m", package, *arguments],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=120,
    )
