"""The end of a log becomes lines that nothing obeys: no terminal, no chat, and no limit is broken by them."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workers.contract import LogTail
from workers.execution.log_lines import LONGEST, ROOM, clean, tail

AT = "2026-01-02T03:04:05.123456789Z "
OUT, ERR, COMPLAINT = 1, 2, 3


def frame(text: bytes | str, stream: int = OUT) -> bytes:
    """A piece of a log as an engine sends it of a container without a terminal."""
    raw = text.encode() if isinstance(text, str) else text
    return bytes((stream, 0, 0, 0)) + len(raw).to_bytes(4, "big") + raw


def read(*frames: bytes, whole: bool = True) -> LogTail:
    return tail(b"".join(frames), framed=True, whole=whole)


def texts(found: LogTail) -> list[str]:
    return [line.text for line in found.lines]


def test_lines_of_both_streams_are_told_in_their_order_each_with_its_time() -> None:
    found = read(frame(f"{AT}listening\n"), frame(f"{AT}no such host: db\n", ERR))

    assert texts(found) == ["listening", "no such host: db"]
    assert {line.at for line in found.lines} == {datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)}
    assert (found.cut, found.unread) == (False, "")


def test_a_line_in_two_pieces_does_not_run_into_one_of_another_stream() -> None:
    assert texts(read(frame("half a"), frame("error\n", ERR), frame(" line\n"))) == [
        "half a",
        "error",
        "line",
    ]


def test_of_a_container_with_a_terminal_the_log_has_no_frames() -> None:
    found = tail(f"{AT}one\r\n{AT}two\r\n".encode(), framed=False, whole=True)

    assert texts(found) == ["one", "two"]


def test_a_log_without_the_frames_it_should_have_is_read_as_it_is() -> None:
    assert texts(read(b"no frames here\nnor here\n")) == ["no frames here", "nor here"]


def test_what_the_engine_has_to_say_of_a_log_is_no_line_of_it() -> None:
    complaint = frame("Error grabbing logs: invalid character\n", COMPLAINT)

    assert read(complaint) == LogTail(unread="Error grabbing logs: invalid character")
    assert texts(read(frame("served\n"), complaint)) == ["served"]


def test_a_log_that_is_empty_is_so() -> None:
    assert read() == LogTail()
    assert read(frame(f"{AT}\n"), frame(b"\n")) == LogTail()


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("\x1b[31mERROR\x1b[0m db", "ERROR db"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07shell", "shell"),
        ("\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x9b31mred", "red"),
        ("\x1b(Bplain", "plain"),
        ("a\x00b\x07c\x08d", "abcd"),
        ("10%\r20%\rdone", "10% 20% done"),
        ("tab\there", "tab here"),
        ("\u202egnp.exe", "gnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("one\u2028two\u0085three", "one two three"),
        ("`; rm -rf` <!channel>", "`; rm -rf` <!channel>"),
    ],
)
def test_of_a_line_only_what_a_reader_would_see_is_kept(written: str, seen: str) -> None:
    assert clean(written) == seen


def test_letters_that_are_none_are_replaced() -> None:
    assert texts(read(frame(b"caf\xe9 \xff\xfe\n"))) == ["caf\ufffd \ufffd\ufffd"]


def test_a_long_line_is_shortened_and_said_to_be() -> None:
    found = read(frame("x" * 100_000 + "\n"))

    assert [len(text) for text in texts(found)] == [LONGEST]
    assert found.cut


def test_the_newest_lines_are_kept_where_there_are_too_many() -> None:
    found = read(*(frame(f"{n:03} {'x' * 200}\n") for n in range(50)))

    assert texts(found)[-1].startswith("049")
    assert 15 <= len(found.lines) < 25
    assert found.cut


def test_where_the_engine_was_asked_for_less_it_is_said_to_be_cut() -> None:
    assert read(frame("one\n"), whole=False).cut


RAW = st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
PIECES = st.lists(st.tuples(RAW, st.sampled_from([OUT, ERR, COMPLAINT])), max_size=8)


@given(PIECES, st.booleans(), st.integers(0, 3000))
@example(pieces=[(b"\x1b]" * 2000, OUT)], framed=True, cut_at=3000)
@example(pieces=[(b"\x1b[" + b"0" * 4000, OUT)], framed=True, cut_at=3000)
def test_whatever_is_in_a_log_its_lines_are_harmless_and_few(
    pieces: list[tuple[bytes, int]], framed: bool, cut_at: int
) -> None:
    raw = b"".join(frame(text, stream) for text, stream in pieces)[:cut_at]
    found = tail(raw, framed=framed, whole=True)

    for text in (*texts(found), found.unread):
        assert text == "" or text.isprintable()
        assert len(text) <= LONGEST
    assert all(text == text.strip() and text for text in texts(found))
    assert sum(len(text.encode()) for text in texts(found)) <= ROOM
    assert LogTail.model_validate_json(found.model_dump_json()) == found


@given(st.binary(max_size=2000))
def test_an_engine_may_send_anything(raw: bytes) -> None:
    for framed in (True, False):
        assert all(line.text.isprintable() for line in tail(raw, framed=framed, whole=True).lines)


def test_very_many_pieces_take_no_time() -> None:
    assert read(frame(b"") * 100_000, frame("last\n")).lines[0].text == "last"
