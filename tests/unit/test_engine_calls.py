"""Telling an engine what to remove: over the line of the look before, once, and only what is on the list."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from tests.stage.talker import END, Talker, talking
from workers.allowed_calls import ForbiddenCall
from workers.engine import Engine
from workers.engine_calls import Calls
from workers.engine_lines import Lines
from workers.errors import AnswerLost, ArchiveError, Conflict, EngineError, EngineUnreachable, NotFound

CONTAINER, IMAGE, RECORD = "c" * 64, f"sha256:{'a' * 64}", "r" * 25
FRONT = {"Name": "front", "Driver": "bridge", "CheckDuplicate": True}
REMOVALS: dict[str, Callable[[Engine], object]] = {
    "container": lambda engine: engine.remove_container(CONTAINER),
    "image": lambda engine: engine.remove_image(IMAGE),
    "network": lambda engine: engine.remove_network(CONTAINER),
    "records": lambda engine: engine.remove_cache_records([RECORD], unused=timedelta(hours=1)),
    "tag": lambda engine: engine.tag(IMAGE, "docker.io/library/app", "1"),
    "a network again": lambda engine: engine.create_network(FRONT),
}


@pytest.fixture
def talker(tmp_path: Path) -> Iterator[Talker]:
    with talking(tmp_path / "s") as server:
        yield server


@pytest.fixture
def engine(talker: Talker) -> Iterator[Engine]:
    with closing(Engine(talker.address)) as opened:
        yield opened


def test_a_removal_goes_over_the_line_of_the_look_before(talker: Talker, engine: Engine) -> None:
    for _ in range(5):
        engine.images()
        assert engine.remove_image(IMAGE) == []

    assert (talker.lines, engine.calls) == (1, 11)


def test_what_is_told_is_said_in_full(talker: Talker, engine: Engine) -> None:
    talker.answers(b'{"CachesDeleted": null, "Id": "n1"}')
    for name, removal in REMOVALS.items():
        if name != "image":
            removal(engine)
    talker.answers(b"[]")
    engine.remove_image("docker.io/library/app:1")

    filters = json.dumps({"id": [f"^(?:{RECORD})$"], "until": ["3600s"]})
    assert talker.asked[1:] == [
        f"DELETE /v1.41/containers/{CONTAINER}?v=False&link=False&force=False",
        f"DELETE /v1.41/networks/{CONTAINER}",
        f"POST /v1.41/build/prune?filters={quote_plus(filters)}&all=True",
        f"POST /v1.41/images/{IMAGE}/tag?repo=docker.io%2Flibrary%2Fapp&tag=1&force=False",
        "POST /v1.41/networks/create",
        "DELETE /v1.41/images/docker.io/library/app:1?force=False&noprune=True",
    ]
    assert talker.bodies == [b'{"CheckDuplicate": true, "Driver": "bridge", "Name": "front"}']


@pytest.mark.parametrize(
    ("unused", "until"),
    [
        (timedelta(hours=24), {"until": ["86400s"]}),
        (datetime(2026, 6, 1, tzinfo=UTC), {"until": ["2026-06-01T00:00:00+00:00"]}),
        (timedelta(0), {}),
    ],
)
def test_records_that_need_not_lie_unused_are_asked_for_without_a_time(
    talker: Talker, engine: Engine, unused: timedelta | datetime, until: dict[str, list[str]]
) -> None:
    talker.answers(b"{}")
    engine.remove_cache_records([RECORD], unused=unused)

    [asked] = parse_qs(urlsplit(talker.asked[-1].split()[1]).query)["filters"]
    assert json.loads(asked) == {"id": [f"^(?:{RECORD})$"], **until}


@pytest.mark.parametrize("removal", REMOVALS.values(), ids=REMOVALS)
def test_s4_a_line_that_breaks_is_not_asked_again(
    talker: Talker, engine: Engine, removal: Callable[[Engine], object]
) -> None:
    engine.images()
    talker.breaks_off = True

    with pytest.raises((EngineUnreachable, AnswerLost)):
        removal(engine)
    assert [call.split()[0] for call in talker.asked].count("GET") == 2
    assert len(talker.asked) == 3


def test_a_line_that_the_engine_let_go_is_not_used_for_a_removal(talker: Talker, engine: Engine) -> None:
    talker.hangs_up = True
    engine.images()
    talker.lines_ended.acquire(timeout=60)
    talker.hangs_up = False

    assert engine.remove_image(IMAGE) == []
    assert (talker.lines, len(talker.asked)) == (2, 3)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (HTTPStatus.NOT_FOUND, NotFound),
        (HTTPStatus.FORBIDDEN, Conflict),
        (HTTPStatus.CONFLICT, Conflict),
        (HTTPStatus.INTERNAL_SERVER_ERROR, EngineError),
        (HTTPStatus.NOT_MODIFIED, EngineError),
    ],
)
def test_a_status_has_its_error_with_the_engines_words(
    talker: Talker, engine: Engine, status: HTTPStatus, kind: type[EngineError]
) -> None:
    talker.answers(b'{"message": "no luck"}', status)
    for removal in REMOVALS.values():
        with pytest.raises(kind) as caught:
            removal(engine)
        assert type(caught.value) is kind


@pytest.mark.parametrize("removal", ["image", "records"])
@pytest.mark.parametrize("reply", [b"", b"null", b"<html>", b"\xff", b"7", b"[" * 200_000])
def test_s4_a_reply_that_cannot_be_read_is_an_answer_lost(
    talker: Talker, engine: Engine, removal: str, reply: bytes
) -> None:
    talker.answers(reply)

    with pytest.raises(AnswerLost):
        REMOVALS[removal](engine)


def test_s4_no_answer_in_time_is_an_answer_lost(talker: Talker) -> None:
    with closing(Engine(talker.address, timeout=1)) as engine:
        talker.may_answer.clear()

        with pytest.raises(AnswerLost):
            engine.remove_container(CONTAINER)
    assert len(talker.asked) == 2


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/volumes/data", {}),
        (f"/containers/{CONTAINER}", {"v": True}),
        (f"/images/{IMAGE}", {"force": True, "noprune": True}),
        (f"/images/{IMAGE}", {}),
        ("/images/prune", {}),
    ],
)
def test_s1_s2_what_is_not_on_the_list_is_not_sent(talker: Talker, path: str, query: dict[str, int]) -> None:
    with closing(Lines(talker.address, timeout=5)) as lines:
        calls = Calls(lines, read_only=False)
        for tell in (calls.delete, calls.post):
            with pytest.raises(ForbiddenCall):
                tell(path, **query)
    assert not talker.asked


def test_an_engine_that_is_only_read_is_told_nothing(talker: Talker) -> None:
    talker.version = b'{"Version": "19.03.15", "ApiVersion": "1.40"}'
    with closing(Engine(talker.address)) as engine:
        for removal in REMOVALS.values():
            with pytest.raises(ForbiddenCall, match="only read"):
                removal(engine)
    assert len(talker.asked) == 1


# Saving and loading an image

SOON = timedelta(seconds=20)


def saved(engine: Engine, within: timedelta = SOON) -> bytes:
    return b"".join(engine.saved(IMAGE, within=within))


def test_an_image_is_saved_to_its_last_byte(talker: Talker, engine: Engine) -> None:
    content = bytes(range(256)) * 10_000
    talker.answers(content)

    assert (saved(engine), talker.asked[-1]) == (content, f"GET /v1.41/images/{IMAGE}/get")
    talker.answers(b"[]")
    assert engine.images() == []


def test_s4_a_save_that_breaks_off_is_an_error_and_not_an_end(talker: Talker, engine: Engine) -> None:
    talker.answers(b"x" * 3_000_000)
    talker.withheld = 1

    with pytest.raises(EngineUnreachable):
        saved(engine)


def test_a_save_that_is_refused_or_late_says_so(talker: Talker, engine: Engine) -> None:
    talker.answers(b'{"message": "no such image"}', HTTPStatus.NOT_FOUND)
    with pytest.raises(NotFound, match="no such image"):
        saved(engine)
    talker.answers(b"x" * 3_000_000)
    with pytest.raises(AnswerLost):
        saved(engine, timedelta(0))


def test_a_load_sends_all_pieces_and_an_end(talker: Talker, engine: Engine) -> None:
    talker.answers(b'{"stream": "Loaded image ID"}\r\n')
    engine.load(iter([b"one", b"two"]), within=SOON)

    assert (talker.asked[-1], talker.bodies) == ("POST /v1.41/images/load?quiet=1", [b"onetwo" + END])


def test_s4_a_load_whose_pieces_break_off_has_no_end(talker: Talker, engine: Engine) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise ArchiveError("damaged")

    talker.was_asked.clear()
    with pytest.raises(ArchiveError):
        engine.load(pieces(), within=SOON)
    assert talker.was_asked.wait(10)
    assert talker.bodies[-1:] == [b"one"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b'{"errorDetail": {}, "error": "no space left"}', HTTPStatus.OK, EngineError),
        (b'{"message": "no space left"}', HTTPStatus.INTERNAL_SERVER_ERROR, EngineError),
    ],
)
def test_a_load_that_fails_says_why(
    talker: Talker, engine: Engine, body: bytes, status: HTTPStatus, error: type[EngineError]
) -> None:
    talker.answers(body, status)

    with pytest.raises(error, match="no space left"):
        engine.load(iter([b"one"]), within=SOON)


def test_a_load_that_takes_too_long_is_an_answer_lost(talker: Talker, engine: Engine) -> None:
    with pytest.raises(AnswerLost):
        engine.load(iter([b"one"]), within=timedelta(0))


def test_an_engine_that_is_only_read_loads_nothing(talker: Talker) -> None:
    with (
        closing(Lines(talker.address, timeout=5)) as lines,
        pytest.raises(ForbiddenCall, match="only read"),
    ):
        Calls(lines, read_only=True).post_pieces("/v1.41/images/load", iter([b"one"]), within=5, quiet=1)
    assert talker.asked == []
