"""The end of a container's log, as an engine sends it, as lines that a chat can carry (pure).

A log is what a stranger's program wrote: nothing of it is obeyed, by no terminal and by no chat.
"""

import re
from collections.abc import Iterable, Iterator

from workers.contract import LogLine, LogTail
from workers.planning.bounds import clipped
from workers.planning.fields import moment

# Bytes of one container's lines together, and letters of one line.
ROOM = 4_000
LONGEST = 300
# No more of a line is looked at: what is cut off afterwards may as well be cut off before.
LOOKED_AT = 4_000
HEADER = 8
STREAMS, SYSTEM_ERROR = (0, 1, 2), 3
ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]P^_X][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?"
)

Frame = tuple[int, bytes]


def tail(raw: bytes, *, framed: bool, whole: bool) -> LogTail:
    """Read the end of a log, of which the newest lines are kept; `framed`: several streams are in it.

    `whole`: nothing was left out of it before.
    """
    frames = list(_frames(raw)) if framed else [(STREAMS[0], raw)]
    written = [line for stream, text in frames if stream in STREAMS for line in _lines(text)]
    complaints = [line.text for stream, text in frames if stream == SYSTEM_ERROR for line in _lines(text)]
    if complaints and not written:
        return LogTail(unread=clipped(" ".join(complaints)))
    kept = _newest(written)
    shown = tuple(line.model_copy(update={"text": clipped(line.text, LONGEST)}) for line in kept)
    return LogTail(lines=shown, cut=not whole or len(kept) < len(written) or shown != tuple(kept))


def _frames(raw: bytes) -> Iterator[Frame]:
    """Take the streams apart: a header says of each piece which it is of and how long; the last may be cut.

    What has no such header is taken as it is.
    """
    at = 0
    while at < len(raw):
        header = raw[at : at + HEADER]
        if len(header) < HEADER or header[0] > SYSTEM_ERROR or any(header[1:4]):
            yield STREAMS[0], raw[at:]
            return
        begin = at + HEADER
        at = begin + int.from_bytes(header[4:], "big")
        yield header[0], raw[begin:at]


def _lines(text: bytes) -> Iterator[LogLine]:
    """The lines in which there is anything to read."""
    for line in text.split(b"\n"):
        at, words = _dated(line[:LOOKED_AT].decode(errors="replace"))
        if cleaned := clean(words):
            yield LogLine(text=cleaned, at=moment(at))


def _dated(line: str) -> tuple[str, str]:
    """The time that an engine writes before each line; empty where there is none."""
    at, _, words = line.partition(" ")
    return (at, words) if moment(at) else ("", line)


def clean(text: str) -> str:
    """What a reader would see: without colours, movements of the cursor and other unseen letters."""
    seen = ESCAPES.sub("", text)
    return "".join(
        " " if one.isspace() else one for one in seen if one.isspace() or one.isprintable()
    ).strip()


def _newest(lines: Iterable[LogLine]) -> list[LogLine]:
    """As many from the end as there is room for."""
    kept: list[LogLine] = []
    room = ROOM
    for line in reversed(list(lines)):
        room -= len(clipped(line.text, LONGEST).encode())
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]
