"""A door in front of a real engine at which single answers go wrong: lost, cut, garbled, or another one.

Everything else passes byte for byte, so behind it stands the real engine and no imitation of one. That is why
there is no fake engine here: what a real one cannot be made to do is done to its answers.
"""

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.stage.gate import HEAD_END, Gate

# Answers the caller; what it is handed asks the engine and returns the whole of its answer.
Fault = Callable[[socket.socket, Callable[[], bytes]], None]
ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
# For whoever asks without a limit: more than a test has to spare helps nobody.
ENDLESS_MEGABYTES = 500
CONNECTION = re.compile(rb"\r\nconnection: [^\r]*", re.IGNORECASE)


@dataclass
class _Rule:
    """The fault of some calls; those before the `nth` that match still pass."""

    pattern: re.Pattern[str]
    fault: Fault
    nth: int
    times: int

    def concerns(self, call: str) -> bool:
        if not self.pattern.match(call):
            return False
        self.nth -= 1
        return -self.times < self.nth <= 0


class Faulty(Gate):
    """A gate that can do worse than wait."""

    def __init__(self, path: Path, engine: Path) -> None:
        super().__init__(path, engine)
        self._rules: list[_Rule] = []

    @contextlib.contextmanager
    def at(self, pattern: str, fault: Fault, *, nth: int = 1, times: int = 1) -> Iterator[None]:
        """Inside the block, calls like ``DELETE /images/…`` go wrong, from the nth on."""
        rule = _Rule(re.compile(pattern), fault, nth, times)
        self._rules.append(rule)
        try:
            yield
        finally:
            self._rules.remove(rule)

    def _meddles(self, call: str, request: bytes, caller: socket.socket) -> bool:
        rule = next((one for one in self._rules if one.concerns(call)), None)
        if rule is not None:
            rule.fault(caller, lambda: self._ask(request))
        return rule is not None

    def _ask(self, request: bytes) -> bytes:
        """The engine's whole answer; asked on a connection of its own, which ends with it."""
        head, end, body = request.partition(HEAD_END)
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(str(self.engine))
            # In the head alone: a body may hold the same words, as that of a web server does.
            engine.sendall(CONNECTION.sub(b"", head) + b"\r\nConnection: close" + end + body)
            return b"".join(iter(lambda: engine.recv(65536), b""))


def unanswered(caller: socket.socket, ask: Callable[[], bytes]) -> None:
    """The engine does as asked, and whoever asked waits in vain."""
    ask()
    _wait_until_it_hangs_up(caller)


def unasked(caller: socket.socket, ask: Callable[[], bytes]) -> None:
    """The call never reaches the engine, and whoever asked waits in vain."""
    _wait_until_it_hangs_up(caller)


def _wait_until_it_hangs_up(caller: socket.socket) -> None:
    while caller.recv(65536):
        pass


def cut(share: float) -> Fault:
    """The engine does as asked, and its answer breaks off after this share of it."""

    def fault(caller: socket.socket, ask: Callable[[], bytes]) -> None:
        answer = ask()
        caller.sendall(answer[: int(len(answer) * share)])

    return fault


def refused(status: int, body: bytes | None = None) -> Fault:
    """The call never reaches the engine; this is the answer instead."""
    said = json.dumps({"message": "said the door"}).encode() if body is None else body
    return lambda caller, ask: caller.sendall(_answer(status, said))


def garbled(body: bytes) -> Fault:
    """The engine does as asked, and its answer says something else."""

    def fault(caller: socket.socket, ask: Callable[[], bytes]) -> None:
        ask()
        caller.sendall(_answer(200, body))

    return fault


def endless(before: Callable[[], object], *, asked: bool) -> Fault:
    """Something happens, then comes an answer for which no memory is enough; `asked`: of the engine too."""

    def fault(caller: socket.socket, ask: Callable[[], bytes]) -> None:
        if asked:
            ask()
        before()
        caller.sendall(ENDLESS_HEAD)
        for _ in range(ENDLESS_MEGABYTES):
            caller.sendall(bytes(1_000_000))

    return fault


def around(*, before: Callable[[], object] = bool, after: Callable[[], object] = bool) -> Fault:
    """Something happens in the moment before the engine is asked, or before its answer arrives."""

    def fault(caller: socket.socket, ask: Callable[[], bytes]) -> None:
        before()
        answer = ask()
        after()
        caller.sendall(answer)

    return fault


def _answer(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} {http.client.responses[status]}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
