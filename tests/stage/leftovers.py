"""What a killed run leaves: processes (each carries the mark of its folder), mounts, folders."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.stage.cgroups import cgroup_of, members, remove_cgroup, thaw_cgroup
from tests.stage.errors import StageError
from tests.stage.readiness import wait_until_gone

OWNER_VARIABLE = "SAFE_PRUNE_STAGE"
MARKER = "made-by-stage"
GONE_SECONDS = 10


def remove_leftovers(folder: Path) -> None:
    """Kill what was started for this folder, unmount what lies in it, delete it."""
    groups = [cgroup_of(marker.parent) for marker in (*folder.glob(MARKER), *folder.glob(f"*/{MARKER}"))]
    _kill({*marked_processes(folder), *itertools.chain.from_iterable(map(members, groups))}, groups)
    for point in mounts_under(folder):
        subprocess.run(["umount", "--lazy", str(point)], check=True)
    for group in groups:
        remove_cgroup(group)
    if folder.exists():
        shutil.rmtree(folder)


def _kill(pids: set[int], groups: Iterable[str]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for group in groups:
        thaw_cgroup(group)
    stuck = [pid for pid in pids if not wait_until_gone(pid, seconds=GONE_SECONDS)]
    if stuck:
        raise StageError(f"processes that do not die: {stuck}")


def marked_processes(folder: Path) -> Iterator[int]:
    """Pids of the processes whose environment says that they belong to this folder."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        pid = int(environment.parent.name)
        if pid != os.getpid() and _owner(environment).is_relative_to(folder):
            yield pid


def mounts_under(folder: Path) -> list[Path]:
    """Mount points inside the folder, deepest first."""
    points = (Path(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return sorted((point for point in points if point.is_relative_to(folder)), reverse=True)


def _owner(environment: Path) -> Path:
    prefix = f"{OWNER_VARIABLE}=".encode()
    with contextlib.suppress(OSError):
        for entry in environment.read_bytes().split(b"\0"):
            if entry.startswith(prefix):
                return Path(os.fsdecode(entry.removeprefix(prefix)))
    return Path("/proc/nobody")
