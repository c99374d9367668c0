"""Answers on a socket as a test says, where no engine has to stand behind it; counts lines and calls."""

import http.server
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

END = b"(whole)"
VERSION = b'{"Version": "20.10.24", "ApiVersion": "1.41"}'


class Talker(socketserver.ThreadingUnixStreamServer):
    """Answers every call alike, but for the one about the version."""

    daemon_threads = True
    status, body, version = HTTPStatus.OK, b"[]", VERSION
    lines = 0
    # Ends each line after an answer, without a word of it; or instead of one.
    hangs_up = breaks_off = False
    # Bytes that it promises and never sends.
    withheld = 0
    # Answers a little at a time, and comes to no end.
    drips = False

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Answer)
        self.address = f"unix://{path}"
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.may_answer, self.was_asked = threading.Event(), threading.Event()
        self.may_answer.set()
        self.drips_away = threading.Event()
        self.lines_ended = threading.Semaphore(0)

    def answers(self, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.status, self.body = status, body

    def shutdown_request(self, request: object) -> None:
        super().shutdown_request(request)  # type: ignore[arg-type]
        self.lines_ended.release()


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Talker

    def setup(self) -> None:
        super().setup()
        self.server.lines += 1

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        if length := int(self.headers.get("Content-Length", 0)):
            self.server.bodies.append(self.rfile.read(length))
        if self.headers.get("Transfer-Encoding") == "chunked":
            self.server.bodies.append(self._chunks())
        self.server.was_asked.set()
        self.server.may_answer.wait(30)
        if self.server.breaks_off:
            self.close_connection = True
            return
        about_version = self.path == "/version"
        status = HTTPStatus.OK if about_version else self.server.status
        body = self.server.version if about_version else self.server.body
        if status is HTTPStatus.NOT_MODIFIED:
            body = b""  # no HTTP server sends one, and no client reads it
        if self.server.drips:
            self._drip()
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + self.server.withheld))
        self.end_headers()
        # Without a word of it in the answer, as an engine that restarts; decided before that is on its way.
        self.close_connection = self.server.hangs_up or self.server.withheld > 0
        self.wfile.write(body)

    def _chunks(self) -> bytes:
        """What comes in pieces, up to its end or to the line's; only the first adds END to it."""
        body = b""
        while line := self.rfile.readline():
            if (size := int(line, 16)) == 0:
                return body + END
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def _drip(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            while not self.server.drips_away.wait(0.01):
                self.wfile.write(b".")

    do_DELETE = do_POST = do_GET  # noqa: N815 - the names http.server looks for

    def address_string(self) -> str:
        return "socket"

    def log_request(self, *told: object) -> None:
        pass


@contextmanager
def talking(path: Path) -> Iterator[Talker]:
    """A talker on a socket, at work until the block ends."""
    with Talker(path) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.may_answer.set()
        server.drips_away.set()
        server.shutdown()
