"""The project's own processes (python -m bot, python -m workers), started with what they are given alone."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.stage.errors import NotReady
from tests.stage.leftovers import OWNER_VARIABLE
from tests.stage.readiness import ending_of
from tests.stage.spawn import mortal

REPOSITORY = Path(__file__).resolve().parents[2]
STOP_SECONDS = 20
LOOK_SECONDS = 0.02
MINIMAL = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONUNBUFFERED": "1"}


class ProjectProcess:
    """A process in a group of its own; its log tells what it does. Start, stop and kill at will."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = [sys.executable, *arguments]
        self._environment = {**MINIMAL, "HOME": str(folder), OWNER_VARIABLE: str(folder), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0
        # What starts it in surroundings of its own.
        self.entering: Callable[[Sequence[str]], Sequence[str]] = list
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it; to be called from a thread that outlives it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.entering(mortal(self._command)),
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def wait_for_line(self, pattern: str, *, seconds: float = 30) -> str:
        """The next line of the log, counted from the last one waited for, that matches the pattern."""
        deadline = time.monotonic() + seconds
        for line in self._lines(deadline):
            if re.search(pattern, line):
                return line
        state = "is still running" if self.is_running else f"ended with {self._running().poll()}"
        raise NotReady(f"{self.name} {state} and never said {pattern!r}:\n{self.log_tail()}")

    def stop(self, *, seconds: float = STOP_SECONDS) -> int:
        """Ask it to end, as systemd does; its exit status. What it leaves of its group is killed."""
        self._running().terminate()
        status = self._running().wait(seconds)
        self.kill()
        return status

    def kill(self) -> None:
        """Kill it and all its children at once."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def log_tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _lines(self, deadline: float) -> Iterator[str]:
        goes_on = True
        while goes_on:
            goes_on = self._goes_on(deadline)
            yield from self._unread()

    def _goes_on(self, deadline: float) -> bool:
        """Give it a moment; whether it still runs and there is still time."""
        if not self.is_running:
            return False
        with ending_of(self.pid) as end:
            ended = bool(select.select([end], [], [], LOOK_SECONDS)[0])
        return not ended and time.monotonic() < deadline

    def _unread(self) -> Iterator[str]:
        with self.log.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                yield line.decode(errors="replace").rstrip("\n")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NotReady(f"{self.name} was not started")
        return self._process
