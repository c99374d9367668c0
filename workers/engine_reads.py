"""What is asked of an engine without changing anything: GETs, over connections that stay open.

A plan asks a thousand times; docker-py takes a millisecond for each call, this takes a quarter of one.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from threading import Lock
from typing import Any
from urllib.parse import urlencode, urlsplit

from workers.allowed_calls import require_allowed

UNIX, TCP = "unix://", "tcp://"


class BadStatus(Exception):
    """The engine answered, with a status that means it did not do as asked."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status = status


class NoConnection(OSError):
    """Nobody listens at the address."""


class Reads:
    """Asks one engine, from as many threads as like; each call has a connection for itself.

    Raises:
        ForbiddenCall: the call is not on the closed list; nothing was sent.
        BadStatus: the engine said no.
        TimeoutError: there was no answer in time.
        OSError, http.client.HTTPException: there was none, or none that can be read.
    """

    def __init__(self, address: str, *, timeout: float) -> None:
        self._address, self._timeout = address, timeout
        self._idle: list[http.client.HTTPConnection] = []
        self._open: set[http.client.HTTPConnection] = set()
        self._lock = Lock()
        self.calls = 0

    def get(self, path: str, **query: str | int) -> Any:
        """Ask for one JSON value."""
        return _read(self._answer(path, query))

    def get_lines(self, path: str, **query: str | int) -> list[Any]:
        """Ask for a stream that ends, one JSON value after the other."""
        return [_read(line) for line in self._answer(path, query).splitlines() if line.strip()]

    def close(self) -> None:
        """Let all connections go; whoever still waits for an answer gets none."""
        with self._lock:
            connections, self._open = self._open, set()
            self._idle.clear()
        for connection in connections:
            _hang_up(connection)

    def _answer(self, path: str, query: dict[str, str | int]) -> bytes:
        url = f"{path}?{urlencode(query)}" if query else path
        require_allowed("GET", url)
        with self._connection() as (connection, was_used):
            try:
                return _asked(connection, url)
            except ConnectionError:
                # The engine may close what has been idle; a call that changes nothing may be made again.
                if not was_used or connection not in self._open:
                    raise
                connection.close()
                return _asked(connection, url)

    @contextmanager
    def _connection(self) -> Iterator[tuple[http.client.HTTPConnection, bool]]:
        """Lend a connection; it is used again only after a whole answer."""
        with self._lock:
            self.calls += 1
            was_used = bool(self._idle)
            connection = self._idle.pop() if was_used else _to(self._address, self._timeout)
            self._open.add(connection)
        try:
            yield connection, was_used
        except BadStatus:
            self._give_back(connection)
            raise
        except BaseException:
            with self._lock:
                self._open.discard(connection)
            connection.close()
            raise
        self._give_back(connection)

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if connection in self._open:
                self._idle.append(connection)


def _asked(connection: http.client.HTTPConnection, url: str) -> bytes:
    connection.request("GET", url)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != HTTPStatus.OK:
        raise BadStatus(answer.status, _explanation(body) or f"{answer.status} {answer.reason}")
    return body


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise http.client.HTTPException(f"the engine's answer is not JSON: {error}") from error


def _explanation(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError):
        return body.decode(errors="replace").strip()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError as error:
            raise NoConnection(*error.args) from error


class _TcpConnection(http.client.HTTPConnection):
    """HTTP over TCP."""

    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            raise NoConnection(*error.args) from error


def _to(address: str, timeout: float) -> http.client.HTTPConnection:
    if address.startswith(UNIX):
        return _UnixConnection(address.removeprefix(UNIX), timeout)
    found = urlsplit(address)
    if not found.hostname or not found.port:
        raise NoConnection(f"{address} is not {UNIX}PATH or {TCP}HOST:PORT")
    return _TcpConnection(found.hostname, found.port, timeout=timeout)


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """End a connection, in whatever thread somebody waits at its other end."""
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
