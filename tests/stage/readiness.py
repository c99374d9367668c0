"""Waiting for events with a deadline: a service that says it is ready, a process that ends."""

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.stage.errors import NotReady


class ReadySocket:
    """The socket on which a service says READY=1, as dockerd and Redis do under systemd."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    @property
    def environment(self) -> dict[str, str]:
        return {"NOTIFY_SOCKET": str(self.path)}

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        self._socket.bind(str(self.path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def wait(self, pid: int, *, seconds: float) -> None:
        """Return when the service is ready; raise NotReady if the process ends first or time runs out."""
        deadline = time.monotonic() + seconds
        with ending_of(pid) as end:
            while not self._said_ready(end, deadline):
                pass

    def _said_ready(self, end: int, deadline: float) -> bool:
        sources = [self._socket.fileno(), end]
        readable, _, _ = select.select(sources, [], [], max(0, deadline - time.monotonic()))
        if sources[0] in readable:
            return b"READY=1" in self._socket.recv(4096)
        raise NotReady("it ended" if readable else "it said nothing in time")


@contextlib.contextmanager
def ending_of(pid: int) -> Iterator[int]:
    """A file descriptor that becomes readable when the process ends."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def wait_until(look: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Look again and again; for what nothing tells of."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise NotReady(f"{what}: not there after {seconds:g} s")
        time.sleep(0.05)


def wait_until_gone(pid: int, *, seconds: float) -> bool:
    """Whether the process ended in time."""
    try:
        with ending_of(pid) as end:
            return bool(select.select([end], [], [], seconds)[0])
    except ProcessLookupError:
        return True
