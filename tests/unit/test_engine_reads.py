"""Asking an engine over lines that stay open: what is answered, what is not, and what is never asked."""

import http.server
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest

from workers.allowed_calls import ForbiddenCall
from workers.engine import Engine
from workers.engine_reads import Reads
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound

VERSION = b'{"Version": "20.10.24", "ApiVersion": "1.41"}'


class Talker(socketserver.ThreadingUnixStreamServer):
    """Answers on a socket as a test says; counts the lines that were opened and the calls on them."""

    daemon_threads = True
    status, body = HTTPStatus.OK, b"[]"
    lines = 0
    hangs_up = False

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Answer)
        self.address = f"unix://{path}"
        self.asked: list[str] = []
        self.may_answer, self.was_asked = threading.Event(), threading.Event()
        self.may_answer.set()

    def answers(self, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.status, self.body = status, body


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Talker

    def setup(self) -> None:
        super().setup()
        self.server.lines += 1

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.was_asked.set()
        self.server.may_answer.wait(30)
        body = VERSION if self.path == "/version" else self.server.body
        self.send_response(HTTPStatus.OK if self.path == "/version" else self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # Without a word of it in the answer, as an engine that restarts.
        self.close_connection = self.server.hangs_up

    def address_string(self) -> str:
        return "socket"

    def log_request(self, *told: object) -> None:
        pass


@pytest.fixture
def talker(tmp_path: Path) -> Iterator[Talker]:
    with Talker(tmp_path / "s") as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.may_answer.set()
        server.shutdown()


@pytest.fixture
def engine(talker: Talker) -> Iterator[Engine]:
    with closing(Engine(talker.address)) as opened:
        yield opened


def test_calls_one_after_the_other_share_a_line(talker: Talker, engine: Engine) -> None:
    for _ in range(5):
        engine.images()

    assert (talker.lines, len(talker.asked), engine.calls) == (1, 6, 6)


def test_a_line_that_was_closed_meanwhile_is_opened_again(talker: Talker, engine: Engine) -> None:
    talker.hangs_up = True

    assert [engine.images(), engine.images()] == [[], []]
    assert len(talker.asked) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (HTTPStatus.NOT_FOUND, NotFound),
        (HTTPStatus.CONFLICT, Conflict),
        (HTTPStatus.INTERNAL_SERVER_ERROR, EngineError),
    ],
)
def test_a_status_has_its_error_with_the_engines_words(
    talker: Talker, engine: Engine, status: HTTPStatus, kind: type[EngineError]
) -> None:
    talker.answers(b'{"message": "no luck"}', status)

    with pytest.raises(kind, match="list images: no luck") as caught:
        engine.images()
    assert type(caught.value) is kind


def test_an_answer_that_is_no_json_comes_from_no_engine(talker: Talker, engine: Engine) -> None:
    talker.answers(b"<html>")

    with pytest.raises(EngineUnreachable, match="not JSON"):
        engine.images()


def test_no_answer_in_time_is_an_answer_lost(talker: Talker) -> None:
    with closing(Engine(talker.address, timeout=1)) as engine:
        talker.may_answer.clear()

        with pytest.raises(AnswerLost):
            engine.images()


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    for address in (f"unix://{tmp_path}/nobody", "tcp://127.0.0.1:1", "tcp://nowhere"):
        with pytest.raises(EngineUnreachable):
            Engine(address)


def test_whoever_waits_hears_when_the_engine_is_closed(talker: Talker, engine: Engine) -> None:
    heard: list[EngineError] = []
    talker.may_answer.clear()
    talker.was_asked.clear()
    waiting = threading.Thread(target=lambda: heard.append(error_of(engine.images)))
    waiting.start()
    talker.was_asked.wait(30)
    engine.close()
    waiting.join(30)

    assert (len(heard), len(talker.asked)) == (1, 2)


def error_of(call: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineUnreachable) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("path", ["/volumes", "/v1.41/containers/web/export", "/v1.41/images/../volumes"])
def test_s1_what_is_not_on_the_list_is_not_asked(talker: Talker, path: str) -> None:
    with closing(Reads(talker.address, timeout=5)) as reads, pytest.raises(ForbiddenCall):
        reads.get(path)
    assert talker.lines == 0
