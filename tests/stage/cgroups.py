"""The control groups of an engine, on machines of either cgroup version."""

import contextlib
import hashlib
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


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
