"""A door in front of a registry: it writes down the requests and can hold an answer in its middle.

So a pull stands still half-way through a layer for as long as a test needs, without any luck.
Images are pulled through it under its own address; the repositories are the registry's.
"""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.stage.door import Hold
from tests.stage.netns import enter, listen
from tests.stage.registry import ANSWER_SECONDS, Registry, pull

PIECE = 4096
TLS = b"\x16"
PASSED_ON = ("Accept", "Authorization", "Range", "User-Agent")


class SlowDoor:
    """Listens beside the registry, in the same engine's network, and passes reads on to it."""

    def __init__(self, registry: Registry, *, port: int = 5001) -> None:
        self.registry = registry
        self.address = f"127.0.0.1:{port}"
        self.requests: list[str] = []
        self._port = port
        self._holds: list[Hold] = []
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hold in self._holds:
            hold.let_through()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @contextlib.contextmanager
    def held(self, pattern: str) -> Iterator[Hold]:
        """Inside the block, answers to requests like ``GET /v2/app/blobs/…`` stop when half is sent."""
        hold = Hold(pattern, answered=True)
        self._holds.append(hold)
        try:
            yield hold
        finally:
            hold.let_through()
            self._holds.remove(hold)

    def pull(self, name: str) -> str:
        """Pull ``app:1`` or ``app@sha256:…`` through the door; returns the image's id."""
        return pull(self.registry.engine, f"{self.address}/{name}")

    def listener(self) -> Any:
        return listen(self.registry.engine, self._port)

    def hold_for(self, request: str) -> Hold | None:
        return next((one for one in self._holds if one.concerns(request)), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, door: SlowDoor) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.door = door
        self.socket.close()
        self.socket = door.listener()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        enter(self.door.registry.engine)
        super().process_request_thread(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        # The containerd store tries TLS first, and looks for these words from a server that speaks none.
        if self.rfile.peek(1).startswith(TLS):
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        else:
            super().handle()

    def do_GET(self) -> None:
        request = f"{self.command} {self.path}"
        self.server.door.requests.append(request)
        # Whoever asks may give up in the middle.
        with contextlib.suppress(ConnectionError):
            self._pass_on(self.server.door.hold_for(request))

    do_HEAD = do_GET  # noqa: N815 - the names http.server looks for

    def _pass_on(self, hold: Hold | None) -> None:
        upstream = http.client.HTTPConnection(
            "127.0.0.1", self.server.door.registry.port, timeout=ANSWER_SECONDS
        )
        # An engine names each form of manifest in a header of its own; the first alone gets another image.
        headers = {
            name: ", ".join(self.headers.get_all(name, [])) for name in PASSED_ON if name in self.headers
        }
        with contextlib.closing(upstream):
            upstream.request(self.command, self.path, headers=headers)
            answer = upstream.getresponse()
            body = answer.read()
        half = len(body) // 2
        self._send_head(answer)
        self._trickle(body[:half])
        if hold is not None:
            hold.stand()
        self._trickle(body[half:])

    def _send_head(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def _trickle(self, body: bytes) -> None:
        for start in range(0, len(body), PIECE):
            self.wfile.write(body[start : start + PIECE])
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Say nothing: the tests read `requests`."""
