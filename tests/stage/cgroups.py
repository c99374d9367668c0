"""The control groups of an engine, on machines of either cgroup version."""

import contextlib
import hashlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.stage.errors import NotToBeHad
from tests.stage.readiness import wait_until_gone

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class _Files:
    """What a version calls its files."""

    limit: str
    usage: str
    events: str
    no_swap: str


FIRST = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control", "memory.swappiness")
SECOND = _Files("memory.max", "memory.current", "memory.events", "memory.swap.max")
NOBODY_NEEDS = 1_000_000_000


def cgroup_of(folder: Path) -> str:
    """The name of the group under which the engine of this folder keeps its containers."""
    return "safe-prune-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def thaw_cgroup(name: str) -> None:
    """Let paused containers go on: on cgroup version 1 a frozen process cannot even be killed."""
    for top in _hierarchies(name):
        for state in top.rglob("freezer.state"):
            _write(state, "THAWED")
        for state in top.rglob("cgroup.freeze"):
            _write(state, "0")


def members(name: str) -> set[int]:
    """Pids of the processes in the group and below it."""
    lists = (found for top in _hierarchies(name) for found in top.rglob("cgroup.procs"))
    return {int(pid) for found in lists for pid in found.read_text().split()}


def remove_cgroup(name: str) -> None:
    """Remove the (empty) group and all below it, in every hierarchy."""
    for top in _hierarchies(name):
        for group in [*sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True), top]:
            with contextlib.suppress(OSError):
                group.rmdir()


def _hierarchies(name: str) -> list[Path]:
    return [top for top in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")) if top.is_dir()]


def _write(control: Path, word: str) -> None:
    with contextlib.suppress(OSError):
        control.write_text(word)


class MemoryGroup:
    """A group for processes that share one limit of memory, as those of a service do.

    Raises:
        NotToBeHad: this machine lets nobody set such a limit.
    """

    def __init__(self, name: str) -> None:
        is_second = (CGROUPS / "cgroup.controllers").exists()
        self._files = SECOND if is_second else FIRST
        self._folder = (CGROUPS if is_second else CGROUPS / "memory") / name

    def __enter__(self) -> Self:
        if self._files is SECOND:
            _write(CGROUPS / "cgroup.subtree_control", "+memory")
        try:
            self._folder.mkdir()
            self.leave(NOBODY_NEEDS)
        except OSError as error:
            self._remove()
            raise NotToBeHad(f"a limit of memory: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            wait_until_gone(pid, seconds=10)
        self._remove()

    def entering(self, command: Sequence[str]) -> list[str]:
        """The command, begun in the group: what it takes from then on counts."""
        return ["sh", "-c", 'echo 0 >"$0" && exec "$@"', str(self._folder / "cgroup.procs"), *command]

    @property
    def members(self) -> set[int]:
        return {int(pid) for pid in (self._folder / "cgroup.procs").read_text().split()}

    @property
    def killed(self) -> int:
        """How many processes of the group the kernel has killed for want of memory."""
        lines = (self._folder / self._files.events).read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])

    def leave(self, size: int) -> None:
        """Have no more to be had than what is used now and so many bytes."""
        self._set_limit(self._usage + size)

    @property
    def _usage(self) -> int:
        return int((self._folder / self._files.usage).read_text())

    def _set_limit(self, size: int) -> None:
        # What goes to the swap is out of the way of a limit; where there is no swap, there is no such file.
        _write(self._folder / self._files.no_swap, "0")
        (self._folder / self._files.limit).write_text(str(size))

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._folder.rmdir()
