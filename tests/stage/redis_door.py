"""A door in front of Redis for one of its clients: it holds the command, or the answer, that a test names.

A transaction is one call here, and goes on whole: ``MULTI | HSET … | RPUSH … | EXEC``. An answer is matched
together with its call: ``BLMOVE rq:queue:web-1 … → …``.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from tests.stage.door import Door, Hold
from tests.stage.redis import RedisServer

SHOWN_OF_A_WORD = 400
SHOWN_OF_AN_ANSWER = 400
ENDS = (b"EXEC", b"DISCARD")


class RedisDoor(Door):
    """Listens on a port of its own and passes on to Redis, whether that is there or not."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(socket.create_server(("127.0.0.1", 0), backlog=64))
        self._server = server
        self.port = int(self._listener.getsockname()[1])

    def instead_of(self, url: str) -> str:
        """The same address, user and password included, with the door's port."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{self.port}"))

    def _serve(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError, ValueError):
            self._pass_on(caller)

    def _pass_on(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._server.port)) as server:
            answers = _Answers(server, client, self._hold_for)
            answers.start()
            try:
                self._carry(client, server, answers)
            finally:
                # Closing alone, while the other thread reads, would leave a dead one's BLMOVE to take jobs.
                with contextlib.suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)

    def _carry(self, client: socket.socket, server: socket.socket, answers: "_Answers") -> None:
        for call, request in _calls(client):
            hold = self._hold_for(call, answered=False)
            if hold is not None:
                hold.stand()
            answers.call = call
            server.sendall(request)

    def _hold_for(self, call: str, *, answered: bool) -> Hold | None:
        return next((one for one in self._holds if one.answered is answered and one.concerns(call)), None)


class _Answers(threading.Thread):
    """Carries Redis' answers back to one client."""

    def __init__(self, server: socket.socket, client: socket.socket, hold_for: "HoldFor") -> None:
        super().__init__(daemon=True)
        self._server, self._client, self._hold_for = server, client, hold_for
        self.call = ""

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while piece := self._server.recv(65536):
                said = piece[:SHOWN_OF_AN_ANSWER].decode(errors="replace")
                hold = self._hold_for(f"{self.call} → {said}", answered=True)
                if hold is not None:
                    hold.stand()
                self._client.sendall(piece)
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)


class HoldFor(Protocol):
    """What an answer is held by."""

    def __call__(self, call: str, *, answered: bool) -> Hold | None: ...


def _calls(client: socket.socket) -> Iterator[tuple[str, bytes]]:
    """Each command of a connection, or each transaction, as it reads and in its bytes."""
    shown: list[str] = []
    waiting: list[bytes] = []
    for words, request in _commands(client):
        shown.append(" ".join(word.decode(errors="replace")[:SHOWN_OF_A_WORD] for word in words))
        waiting.append(request)
        if shown[0] != "MULTI" or words[0].upper() in ENDS:
            yield " | ".join(shown), b"".join(waiting)
            shown, waiting = [], []


def _commands(client: socket.socket) -> Iterator[tuple[list[bytes], bytes]]:
    """Commands as clients write them: arrays of strings."""
    with client.makefile("rb") as stream:
        while head := stream.readline():
            request, words = [head], []
            for _ in range(int(head[1:])):
                size = stream.readline()
                word = stream.read(int(size[1:]) + 2)
                words.append(word[:-2])
                request += [size, word]
            yield words, b"".join(request)
