"""A probe that fails is named with its reason, and without what is secret in its address."""

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from workers.execution import probes
from workers.execution.probes import failing
from workers.planning.bounds import LONGEST
from workers.reasons import Code

TRICKLE = 0.02


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine at which nobody listens, and which nobody else is given meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@contextmanager
def answering(answer: bytes, *, slowly: bool = False) -> Iterator[int]:
    """The port of a server that gives this one answer, once; `slowly`: byte by byte, while it is heard."""
    is_heard = Event()
    is_heard.set()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"" if slowly else answer)
                for byte in answer if slowly else b"":
                    if is_heard.is_set():
                        connection.sendall(bytes([byte]))
                        time.sleep(TRICKLE)

        served = Thread(target=serve)
        served.start()
        yield int(server.getsockname()[1])
        is_heard.clear()
        served.join()


def test_s5_a_probe_that_nobody_answers_is_named_with_the_reason(closed_port: int) -> None:
    probe = f"http://127.0.0.1:{closed_port}/health"

    (found,) = failing([probe])
    assert (found.code, found.params["probe"]) == (Code.PROBE_FAILED, probe)
    assert "refused" in str(found.params["detail"])


def test_s12_what_may_be_secret_in_its_address_is_not_told(closed_port: int) -> None:
    (found,) = failing([f"http://127.0.0.1:{closed_port}/health?key=hunter2"])

    assert found.params["probe"] == f"http://127.0.0.1:{closed_port}/health?…"
    assert "hunter2" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"\x15\x03\x01\x00\x02\x02F", r"BadStatusLine('\x15\x03\x01\x00\x02\x02F')"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", r"BadStatusLine('SSH-2.0-OpenSSH_9.2\r\n')"),
        (b"HTTP/1.1 fine\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", "LineTooLong"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 101 + b"\r\n", "got more than 100 headers"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://web:port/\r\n\r\n", "nonnumeric port"),
        (b"HTTP/1.1 503 " + b"sorry " * 9_999 + b"\r\n\r\n", "HTTP Error 503: sorry"),
        (b"", "closed connection"),
    ],
)
def test_s14_whatever_answers_instead_of_the_service_is_a_reason(answer: bytes, detail: str) -> None:
    with answering(answer) as port:
        [found] = failing([f"http://127.0.0.1:{port}/health"])

    assert detail in str(found.params["detail"])
    assert len(str(found.params["detail"])) <= LONGEST


def test_s5_a_probe_whose_answer_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "ALL_OF_IT", 5 * TRICKLE)
    with answering(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10_000, slowly=True) as port:
        begun = time.monotonic()
        [found] = failing([f"http://127.0.0.1:{port}/health"])
        took = time.monotonic() - begun

    assert "no whole answer within" in str(found.params["detail"])
    assert took < probes.TIMEOUT


def test_s5_no_proxy_answers_for_a_service_that_is_down(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    # Whoever asked first has decided for all.
    monkeypatch.setattr(urllib.request, "_opener", None)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        [found] = failing([f"http://127.0.0.1:{closed_port}/health"])
        failing([f"http://127.0.0.1:{proxy}"])

    assert "refused" in str(found.params["detail"])


def test_s5_a_probe_that_answers_well_is_no_reason() -> None:
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as port:
        assert failing([f"http://127.0.0.1:{port}/health"]) == []
