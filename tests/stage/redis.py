"""A redis-server of one's own on the loopback interface, with the durability the product asks for."""

import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from tests.stage.errors import NotReady
from tests.stage.leftovers import OWNER_VARIABLE, remove_leftovers
from tests.stage.readiness import ReadySocket
from tests.stage.spawn import mortal

READY_SECONDS = 15
STOP_SECONDS = 10


class RedisServer:
    """Start, stop, kill, empty or roll back at will; the address stays the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.log = folder / "redis.log"
        self._append_only = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        remove_leftovers(self.folder)

    @property
    def pid(self) -> int:
        return self._running().pid

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def start(self) -> Self:
        """Return when it answers; to be called from a thread that outlives it."""
        self._append_only.mkdir(exist_ok=True)
        with ReadySocket(self.folder / "ready.sock") as ready, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                mortal(self._command()),
                env={"PATH": "/usr/bin:/bin", OWNER_VARIABLE: str(self.folder), **ready.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._await(ready)
        return self

    def stop(self) -> None:
        """An orderly stop: everything is on disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """A crash: what the append-only file has not got is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart_empty(self) -> Self:
        """Come back with nothing, as a Redis does whose disk was replaced."""
        self.kill()
        shutil.rmtree(self._append_only)
        return self.start()

    def snapshot(self) -> Path:
        """A copy of all that is stored now, to roll back to."""
        copy = self.folder / f"snapshot-{len(list(self.folder.glob('snapshot-*')))}"
        self.stop()
        shutil.copytree(self._append_only, copy)
        self.start()
        return copy

    def roll_back(self, snapshot: Path) -> Self:
        """Come back as of the snapshot, as a Redis does that is restored from a backup."""
        self.kill()
        shutil.rmtree(self._append_only)
        shutil.copytree(snapshot, self._append_only)
        return self.start()

    def _command(self) -> list[str]:
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self._append_only),
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "supervised": "systemd",
            "daemonize": "no",
            # A new title would be written over the environment, and with it over the mark of whose it is.
            "set-proc-title": "no",
        }
        return ["redis-server", *(word for key, value in settings.items() for word in (f"--{key}", value))]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NotReady(f"redis-server on {self.url} is not running")
        return self._process

    def _await(self, ready: ReadySocket) -> None:
        try:
            ready.wait(self.pid, seconds=READY_SECONDS)
        except NotReady as silence:
            self.kill()
            raise NotReady(
                f"redis-server on port {self.port}: {silence}\n{self.log.read_text()}"
            ) from silence


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
