"""The loopback of an engine, entered by single threads of the test; the rest of the process stays outside."""

import ctypes
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tests.stage.engine import DisposableEngine

Result = TypeVar("Result")
CLONE_NEWNET = 0x40000000
# Python 3.11 has no os.setns.
_LIBC = ctypes.CDLL(None, use_errno=True)


def enter(engine: DisposableEngine) -> None:
    """Move this thread, and no other, into the engine's network; to be called in a thread that ends soon."""
    with Path(f"/proc/{engine.pid}/ns/net").open("rb") as namespace:
        if _LIBC.setns(namespace.fileno(), CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def inside(engine: DisposableEngine, work: Callable[[], Result]) -> Result:
    """Do something in the engine's network; a socket made there stays in it."""
    with ThreadPoolExecutor(1, initializer=enter, initargs=(engine,)) as thread:
        return thread.submit(work).result()


def listen(engine: DisposableEngine, port: int) -> socket.socket:
    """A socket that listens on the engine's loopback."""
    return inside(engine, lambda: socket.create_server(("127.0.0.1", port)))
