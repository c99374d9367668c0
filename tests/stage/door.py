"""What stands between a client and its server: it holds the calls a test names, and passes on the others."""

import contextlib
import re
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from tests.stage.errors import NotReady

HELD_SECONDS = 60

# Told the caller's pid where the door knows it, else 0.
When = Callable[[int], bool]


def always(_pid: int) -> bool:
    """Whoever calls, and whenever."""
    return True


class Hold:
    """Calls that match wait at the door. With `answered` the engine does them, and its answers wait.

    `when` is asked of each call that matches, in the thread that carries it.
    """

    def __init__(self, pattern: str, *, answered: bool, when: When = always) -> None:
        self._pattern, self.answered, self._when = re.compile(pattern), answered, when
        self._reached, self._open = threading.Event(), threading.Event()
        self._forgotten = False

    def concerns(self, call: str, pid: int = 0) -> bool:
        return not self._open.is_set() and self._pattern.match(call) is not None and self._when(pid)

    def wait_until_reached(self, seconds: float = 30) -> None:
        if not self._reached.wait(seconds):
            raise NotReady(f"no call {self._pattern.pattern!r} in {seconds:g} s")

    def let_through(self) -> None:
        self._open.set()

    def forget(self) -> None:
        """What is held goes nowhere any more: whoever asked is dead."""
        self._forgotten = True
        self._open.set()

    def stand(self) -> None:
        """Wait here until let through, in the thread of the connection."""
        self._reached.set()
        self._open.wait(HELD_SECONDS)
        if self._forgotten:
            raise ConnectionAbortedError("the held call is forgotten")


class Door(ABC):
    """Serves each connection of a listener in a thread of its own, until the block ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener, self._holds = listener, list[Hold]()

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for hold in self._holds:
            hold.let_through()

    @contextlib.contextmanager
    def held(self, pattern: str, *, answered: bool = False, when: When = always) -> Iterator[Hold]:
        """Inside the block, calls (with `answered`: answers) that match are held."""
        hold = Hold(pattern, answered=answered, when=when)
        self._holds.append(hold)
        try:
            yield hold
        finally:
            hold.let_through()
            self._holds.remove(hold)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    @abstractmethod
    def _serve(self, caller: socket.socket) -> None:
        """Carry one connection to its end."""
