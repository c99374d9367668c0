"""Asking an engine over lines that stay open: what is answered, what is not, and what is never asked."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.stage.talker import Talker, talking
from workers.allowed_calls import ForbiddenCall
from workers.engine import Engine
from workers.engine_lines import Lines
from workers.engine_reads import Reads
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound


@pytest.fixture
def talker(tmp_path: Path) -> Iterator[Talker]:
    with talking(tmp_path / "s") as server:
        yield server


@pytest.fixture
def engine(talker: Talker) -> Iterator[Engine]:
    with closing(Engine(talker.address)) as opened:
        yield opened


def test_calls_one_after_the_other_share_a_line(talker: Talker, engine: Engine) -> None:
    for _ in range(5):
        engine.images()

    assert (talker.lines, len(talker.asked), engine.calls) == (1, 6, 6)


def test_the_clock_is_read_in_what_the_engine_has_told_of_itself(talker: Talker, engine: Engine) -> None:
    before = datetime.now(UTC)
    talker.answers(b'{"Name": "web-1", "SystemTime": "2026-06-01T12:00:00.5+02:00"}')
    engine.name()
    read = engine.clock(anew=False)

    assert read.told == datetime(2026, 6, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert before <= read.after <= read.before <= datetime.now(UTC)
    assert talker.asked.count("GET /v1.41/info") == 1
    assert engine.clock().after > read.before
    assert talker.asked.count("GET /v1.41/info") == 2


@pytest.mark.parametrize("told", [b"{}", b'{"SystemTime": "noon"}', b'{"SystemTime": 7}'])
def test_s4_a_clock_that_cannot_be_read_is_an_error(talker: Talker, engine: Engine, told: bytes) -> None:
    talker.answers(told)

    for anew in (True, False):
        with pytest.raises(EngineError, match=r"^info: "):
            engine.clock(anew=anew)


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


def test_an_error_that_is_no_json_is_told_as_it_is(talker: Talker, engine: Engine) -> None:
    talker.answers(b"[" * 200_000, HTTPStatus.CONFLICT)

    with pytest.raises(Conflict, match=r"list images: \[\["):
        engine.images()


@pytest.mark.parametrize("answer", [b"<html>", b"[" * 200_000, b"[" + b"9" * 5_000 + b"]"])
def test_an_answer_that_is_no_json_comes_from_no_engine(
    talker: Talker, engine: Engine, answer: bytes
) -> None:
    talker.answers(answer)

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


CONTAINER = "c" * 64


def tail(engine: Engine, *, most: int = 10**6, within: float = 30) -> tuple[bytes, bool]:
    return engine.log_tail(CONTAINER, lines=7, most=most, within=timedelta(seconds=within))


def test_the_end_of_a_log_is_asked_for_and_never_followed(talker: Talker, engine: Engine) -> None:
    talker.answers(b"no JSON \xff at all")

    assert tail(engine) == (b"no JSON \xff at all", True)
    assert talker.asked[-1] == (
        f"GET /v1.41/containers/{CONTAINER}/logs?stdout=1&stderr=1&timestamps=1&tail=7"
    )


@pytest.mark.parametrize(("most", "whole"), [(9, False), (10, True), (11, True)])
def test_of_too_much_the_beginning_is_read(talker: Talker, engine: Engine, most: int, whole: bool) -> None:
    talker.answers(b"0123456789")

    assert tail(engine, most=most) == (b"0123456789"[:most], whole)


def test_after_a_part_of_an_answer_the_rest_is_nobodys(talker: Talker, engine: Engine) -> None:
    talker.answers(b"[" + b" " * 10**6 + b"]")
    tail(engine, most=10)

    assert engine.images() == []


def test_a_log_that_cannot_be_read_says_so(talker: Talker, engine: Engine) -> None:
    talker.answers(
        b'{"message": "configured logging driver does not support reading"}', HTTPStatus.NOT_IMPLEMENTED
    )

    with pytest.raises(EngineError, match="does not support reading"):
        tail(engine)


def test_a_log_that_does_not_begin_in_time_is_an_answer_lost(talker: Talker, engine: Engine) -> None:
    talker.may_answer.clear()
    began = time.monotonic()

    with pytest.raises(AnswerLost):
        tail(engine, within=0.2)
    # The engine is waited for much longer elsewhere.
    assert time.monotonic() - began < 10


def test_a_log_that_does_not_end_in_time_is_an_answer_lost(talker: Talker, engine: Engine) -> None:
    talker.drips = True

    with pytest.raises(AnswerLost):
        tail(engine, within=0.5)


def error_of(call: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineUnreachable) as caught:
        call()
    return caught.value


LOOKS: dict[str, Callable[[Engine], object]] = {
    "list": Engine.containers,
    "inspect": lambda engine: engine.inspect_container("c" * 64),
    "info": Engine.name,
}


@pytest.mark.parametrize("what", LOOKS)
def test_how_long_each_kind_of_look_took_is_known(talker: Talker, engine: Engine, what: str) -> None:
    talker.answers(b"[]" if what == "list" else b'{"Name": "web-1"}')
    LOOKS[what](engine)

    assert {name: len(seconds) for name, seconds in engine.latencies().items()} == {what: 1}


@pytest.mark.parametrize("path", ["/volumes", "/v1.41/containers/web/export", "/v1.41/images/../volumes"])
def test_s1_what_is_not_on_the_list_is_not_asked(talker: Talker, path: str) -> None:
    with closing(Lines(talker.address, timeout=5)) as lines, pytest.raises(ForbiddenCall):
        Reads(lines).get(path)
    assert talker.lines == 0
