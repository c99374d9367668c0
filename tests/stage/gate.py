"""A door in front of an engine: it writes down every call, and holds those that a test names.

So a test stands in the very middle of a run, between the request and the engine, or between the engine and
its answer, and needs no luck for it.
"""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.stage.door import Door, Hold

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"transfer-encoding: *chunked", re.IGNORECASE)
LINE_END = b"\r\n"
STATUS = re.compile(rb"HTTP/1\.\d (\d{3})")
VERSION = re.compile(r"(?<= )/v1\.\d+(?=/)")


class Gate(Door):
    """Listens on a socket of its own and passes on to the engine's; `answers` are calls with statuses."""

    def __init__(self, path: Path, engine: Path) -> None:
        super().__init__(socket.socket(socket.AF_UNIX))
        self.url = f"unix://{path}"
        self.calls: list[str] = []
        self.answers: list[tuple[str, int]] = []
        self._path, self.engine = path, engine

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._listener.listen(32)
        return super().__enter__()

    def _serve(self, caller: socket.socket) -> None:
        with caller, socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
            engine.connect(str(self.engine))
            answers = _Answers(engine, caller, self.answers)
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
        pid = _pid_of(answers.caller)
        hold = next((one for one in self._holds if one.concerns(call, pid)), None)
        if hold is not None and not hold.answered:
            hold.stand()
        answers.wait_for = hold if hold is not None and hold.answered else None
        answers.call = call


class _Answers(threading.Thread):
    """Carries the engine's answers back to one caller."""

    def __init__(self, engine: socket.socket, caller: socket.socket, answered: list[tuple[str, int]]) -> None:
        super().__init__(daemon=True)
        self._engine, self.caller, self._answered = engine, caller, answered
        self.wait_for: Hold | None = None
        self.call = ""

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while piece := self._engine.recv(65536):
                self._write_down(piece)
                if self.wait_for is not None:
                    self.wait_for.stand()
                self.caller.sendall(piece)
        with contextlib.suppress(OSError):
            self.caller.shutdown(socket.SHUT_RDWR)

    def _write_down(self, piece: bytes) -> None:
        """Of each answer its first piece, which has the status."""
        status = STATUS.match(piece)
        if self.call and status:
            self._answered.append((self.call, int(status[1])))
            self.call = ""


def _pid_of(caller: socket.socket) -> int:
    """The process at the other end, as it was when it connected."""
    credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


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
        while (end := _end_of_body(head, rest)) is None:
            piece = caller.recv(65536)
            if not piece:
                return
            rest += piece
        first = head.split(b"\r\n", 1)[0].decode()
        yield VERSION.sub("", first.rpartition(" ")[0]), head + HEAD_END + rest[:end]
        waiting = rest[end:]


def _end_of_body(head: bytes, rest: bytes) -> int | None:
    """Where a request's body ends; None where it is not whole yet."""
    if CHUNKED.search(head):
        return _end_of_chunks(rest)
    length = LENGTH.search(head)
    body = int(length[1]) if length else 0
    return body if len(rest) >= body else None


def _end_of_chunks(rest: bytes) -> int | None:
    at = 0
    while (line := rest.find(LINE_END, at)) >= 0:
        size = int(rest[at:line], 16)
        at = line + size + 2 * len(LINE_END)
        if not size:
            return at if at <= len(rest) else None
    return None
