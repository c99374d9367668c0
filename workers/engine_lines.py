"""Lines to one engine that stay open; nothing goes out over them that is not on the closed list."""

import http.client
import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from threading import Lock
from urllib.parse import urlencode, urlsplit

from workers.allowed_calls import require_allowed

UNIX, TCP = "unix://", "tcp://"
JSON = {"Content-Type": "application/json"}
TAR = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
Query = dict[str, str | int]
PIECE, LARGE_PIECE = 1 << 16, 1 << 20


class BadStatus(Exception):
    """The engine answered, with a status that means it did not do as asked."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status = status


class NoConnection(OSError):
    """Nobody listens at the address."""


class Line:
    """One connection, lent for one call; `was_used` says whether it had a call before."""

    def __init__(self, connection: http.client.HTTPConnection, *, was_used: bool) -> None:
        self._connection, self.was_used = connection, was_used

    def ask(self, method: str, url: str, body: bytes = b"") -> bytes:
        """Send one call, its body being JSON if there is any, and return the whole answer.

        Raises:
            ForbiddenCall: the call is not on the closed list; nothing was sent.
            BadStatus: the engine said no.
            TimeoutError: there was no answer in time.
            OSError, http.client.HTTPException: there was none, or it broke off.
        """
        answer = self._sent(method, url, body)
        return _accepted(answer, answer.read())

    def ask_for_part(self, method: str, url: str, *, most: int, within: float) -> tuple[bytes, bool]:
        """Send a call whose answer may have any length; return its beginning, and whether that is all of it.

        It is done within so many seconds, over a connection that has no other call: the rest stays unread.

        Raises:
            As `ask` does.
        """
        until, usual = time.monotonic() + within, self._connection.timeout
        self.renew()
        self._connection.timeout = within
        try:
            self._connection.connect()
            # An answer that ends with its connection takes that from it.
            connected = self._connection.sock
            answer = self._sent(method, url)
            body = b"".join(_pieces(answer, connected, most + 1, until))
            return _accepted(answer, body)[:most], len(body) <= most
        finally:
            self._connection.timeout = usual
            self.renew()

    def ask_for_pieces(self, method: str, url: str, *, within: float) -> Iterator[bytes]:
        """Send a call whose answer may have any length; give it piece by piece, to its end.

        It is done within so many seconds, over a connection that has no other call.

        Raises:
            As `ask` does, an answer that breaks off included.
        """
        until = time.monotonic() + within
        self.renew()
        answer = self._sent(method, url)
        if not _is_good(answer):
            _accepted(answer, answer.read())
        # Whole pieces: to have each chunk as it comes is to wake up ten times as often.
        while piece := answer.read(LARGE_PIECE):
            if time.monotonic() > until:
                raise TimeoutError
            yield piece
        # A length that was promised and not kept is an end like any other, to a reader of parts.
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        self.renew()

    def ask_with_pieces(self, method: str, url: str, pieces: Iterator[bytes], *, within: float) -> bytes:
        """Send a call whose body comes in pieces, and return the whole answer.

        What a piece raises breaks the call off: the other end sees that its body has no end.

        Raises:
            As `ask` does.
        """
        until = time.monotonic() + within
        self.renew()
        answer = self._streamed(method, url, _in_time(pieces, until))
        return _accepted(answer, answer.read())

    def _streamed(self, method: str, url: str, pieces: Iterator[bytes]) -> http.client.HTTPResponse:
        require_allowed(method, url, streams=True)
        # Who has heard enough hangs up, most often with the reason said before.
        with suppress(BrokenPipeError, ConnectionResetError):
            # Without a length the body goes in chunks.
            self._connection.request(method, url, pieces, TAR, encode_chunked=True)
        return self._connection.getresponse()

    def _sent(self, method: str, url: str, body: bytes = b"") -> http.client.HTTPResponse:
        require_allowed(method, url, body)
        self._connection.request(method, url, body or None, JSON if body else {})
        return self._connection.getresponse()

    def renew(self) -> None:
        """Begin a new connection with the next call."""
        self._connection.close()


class Lines:
    """The connections to one engine, for as many threads as like."""

    def __init__(self, address: str, *, timeout: float) -> None:
        self._address, self._timeout = address, timeout
        self._idle: list[http.client.HTTPConnection] = []
        self._open: set[http.client.HTTPConnection] = set()
        self._lock = Lock()
        self.calls = 0
        self.closed = False

    @contextmanager
    def line(self) -> Iterator[Line]:
        """Lend a line; it is used again only after a whole answer."""
        connection, was_used = self._taken()
        try:
            yield Line(connection, was_used=was_used)
        except BadStatus:
            self._give_back(connection)
            raise
        except BaseException:
            with self._lock:
                self._open.discard(connection)
            connection.close()
            raise
        self._give_back(connection)

    def close(self) -> None:
        """Let all connections go; whoever still waits for an answer gets none."""
        self.closed = True
        with self._lock:
            connections, self._open = self._open, set()
            self._idle.clear()
        for connection in connections:
            _hang_up(connection)

    def _taken(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            self.calls += 1
            while self._idle:
                connection = self._idle.pop()
                if not _was_cut(connection):
                    return connection, True
                self._open.discard(connection)
                connection.close()
            connection = _to(self._address, self._timeout)
            self._open.add(connection)
            return connection, False

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if connection in self._open:
                self._idle.append(connection)


def _accepted(answer: http.client.HTTPResponse, body: bytes) -> bytes:
    if not _is_good(answer):
        raise BadStatus(answer.status, _explanation(body) or f"{answer.status} {answer.reason}")
    return body


def _is_good(answer: http.client.HTTPResponse) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _in_time(pieces: Iterator[bytes], until: float) -> Iterator[bytes]:
    for piece in pieces:
        if time.monotonic() > until:
            raise TimeoutError
        yield piece


def _pieces(
    answer: http.client.HTTPResponse, connected: socket.socket, most: int, until: float
) -> Iterator[bytes]:
    """Read on until the end, or until there are so many bytes."""
    while most > 0:
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError
        connected.settimeout(left)
        piece = answer.read1(min(most, PIECE))
        if not piece:
            return
        most -= len(piece)
        yield piece


def url_of(path: str, query: Query) -> str:
    """Write the address of a call."""
    return f"{path}?{urlencode(query)}" if query else path


def _was_cut(connection: http.client.HTTPConnection) -> bool:
    """Whether the other end hung up meanwhile: nothing was asked, and yet there is something to read."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _explanation(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
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
