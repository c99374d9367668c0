"""Bringing an image back has an end, whatever the registry behind the engine does."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from workers import engine as engines
from workers.engine import Engine
from workers.errors import AnswerLost, EngineError

DIGEST = f"sha256:{'0' * 64}"
Telling = Callable[[BaseHTTPRequestHandler, threading.Event], None]


def silent(_answer: BaseHTTPRequestHandler, over: threading.Event) -> None:
    over.wait()


def trickling(answer: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """A layer that arrives, and never has arrived."""
    answer.send_response(200)
    answer.send_header("Transfer-Encoding", "chunked")
    answer.end_headers()
    while not over.wait(0.01):
        answer.wfile.write(b"2\r\n{}\r\n")


def complaining(answer: BaseHTTPRequestHandler, _over: threading.Event) -> None:
    """What goes wrong after a good beginning is said in the stream alone."""
    text = b'{"status": "Pulling"}{"errorDetail": {"message": "no space left"}, "error": "no space left"}'
    answer.send_response(200)
    answer.send_header("Transfer-Encoding", "chunked")
    answer.end_headers()
    answer.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text))


@contextmanager
def an_engine(folder: Path, pulls: Telling) -> Iterator[str]:
    """As much of an engine as a pull needs: no real one can be made to never end."""
    over = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            body = b'{"Version": "20.10.24", "ApiVersion": "1.41"}'
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            pulls(self, over)

        def address_string(self) -> str:
            return ""

        def log_message(self, *_: object) -> None:
            pass

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """The caller has gone, which is what is tested."""

    path = folder / "docker.sock"
    with Server(str(path), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"unix://{path}"
        finally:
            over.set()
            server.shutdown()


@pytest.mark.parametrize("pulls", [silent, trickling])
def test_s14_a_pull_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pulls: Telling
) -> None:
    monkeypatch.setattr(engines, "PULL_SILENCE", 0.2)
    with (
        an_engine(tmp_path, pulls) as address,
        closing(Engine(address)) as engine,
        pytest.raises(AnswerLost),
    ):
        engine.pull("registry.example/app", DIGEST, within=timedelta(seconds=0.2))


def test_a_pull_that_fails_half_way_says_why(tmp_path: Path) -> None:
    with (
        an_engine(tmp_path, complaining) as address,
        closing(Engine(address)) as engine,
        pytest.raises(EngineError, match=r"app@sha256:0+: no space left"),
    ):
        engine.pull("registry.example/app", DIGEST, within=timedelta(seconds=5))
