"""A door in front of an engine: it writes down every call, and holds those that a test names.

So a test stands in the very middle of a run, between the request and the engine, or between the engine and
its answer, and needs no luck for it.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.stage.errors import NotReady

HELD_SECONDS = 60
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
VERSION = re.compile(r"(?<= )/v1\.\d+(?=/)")


class Hold:
    """Calls that match wait at the door. With `answered` the engine does them, and its answers wait."""

    def __init__(self, pattern: str, *, answered: bool) -> None:
        self._pattern, self.answered = re.compile(pattern), answered
        self._reached, self._open = threading.Event(), threading.Event()
        self._forgotten = False

    def concerns(self, call: str) -> bool:
        return self._pattern.match(call) is not None and not self._open.is_set()

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


class Gate:
    """Listens on a socket of its own and passes on to the engine's."""

    def __init__(self, path: Path, engine: Path) -> None:
        self.url = f"unix://{path}"
        self.calls: list[str] = []
        self._path, self.engine = path, engine
        self._holds: list[Hold] = []
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._listener.listen(32)
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
    def held(self, pattern: str, *, answered: bool = False) -> Iterator[Hold]:
        """Inside the block, calls like ``DELETE /images/…`` are held; afterwards all are let through."""
        hold = Hold(pattern, answered=answered)
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

    def _serve(self, caller: socket.socket) -> None:
        with caller, socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
            engine.connect(str(self.engine))
            answers = _Answers(engine, caller)
            answers.start()
            for call, request in _requests(caller):
                self._stop_at_hold(call, answers)
                if self._meddles(call, request, caller):
                    return
                engine.sendall(request)

    def _meddles(self, call: str, request: bytes, caller: socket.socket) -> bool:
        """Whether a call gets another answer than the engine's; a gate only ever waits."""
        return False

    def _stop_at_hold(self, call: str, answers: "_Answers") -> None:
        self.calls.append(call)
        hold = next((one for one in self._holds if one.concerns(call)), None)
        if hold is not None and not hold.answered:
            hold.stand()
        answers.wait_for = hold if hold is not None and hold.answered else None


class _Answers(threading.Thread):
    """Carries the engine's answers back to one caller."""

    def __init__(self, engine: socket.socket, caller: socket.socket) -> None:
        super().__init__(daemon=True)
        self._engine, self._caller = engine, caller
        self.wait_for: Hold | None = None

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while piece := self._engine.recv(65536):
                if self.wait_for is not None:
                    self.wait_for.stand()
                self._caller.sendall(piece)
        with contextlib.suppress(OSError):
            self._caller.shutdown(socket.SHUT_RDWR)


def _requests(caller: socket.socket) -> Iterator[tuple[str, bytes]]:
    """Each request of a connection: its method and path without the API's version, and its bytes."""
    waiting = b""
    while True:
        while HEAD_END not in waiting:
            piece = caller.recv(65536)
            if not piece:
                return
            waiting += piece
        head, _, rest = waiting.partition(HEAD_END)
        length = LENGTH.search(head)
        body = int(length[1]) if length else 0
        while len(rest) < body:
            rest += caller.recv(65536)
        first = head.split(b"\r\n", 1)[0].decode()
        yield VERSION.sub("", first.rpartition(" ")[0]), head + HEAD_END + rest[:body]
        waiting = rest[body:]
