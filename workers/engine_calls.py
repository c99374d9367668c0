"""What changes something at an engine: removals of single objects, and what brings one back (S1, S2).

They go over the lines that the looks before them went over; docker-py opened a new one for each object.
"""

from collections.abc import Iterator

from workers.allowed_calls import ForbiddenCall
from workers.engine_lines import Lines, url_of


class Calls:
    """Tells one engine what to do, each thing once.

    A line that breaks is not asked again: whether the engine did as told is unknown until somebody looks.

    Raises:
        ForbiddenCall: the call is not on the closed list, or this engine is only read; nothing was sent.
        BadStatus: the engine said no.
        TimeoutError: there was no answer in time.
        OSError, http.client.HTTPException: there was none, or it broke off.
    """

    def __init__(self, lines: Lines, *, read_only: bool) -> None:
        self._lines, self._read_only = lines, read_only

    def delete(self, path: str, **query: str | int) -> bytes:
        """Remove one object; returns what the engine says to it."""
        return self._told("DELETE", url_of(path, query))

    def post(self, path: str, **query: str | int) -> bytes:
        """Do one thing to one object; returns what the engine says to it."""
        return self._told("POST", url_of(path, query))

    def post_json(self, path: str, body: bytes) -> bytes:
        """Make one object as the body tells."""
        return self._told("POST", path, body)

    def post_pieces(self, path: str, pieces: Iterator[bytes], *, within: float, **query: str | int) -> bytes:
        """Send what comes in pieces; returns what the engine says to the whole."""
        url = url_of(path, query)
        self._refuse_if_only_read("POST", url)
        with self._lines.line() as line:
            return line.ask_with_pieces("POST", url, pieces, within=within)

    def _told(self, method: str, url: str, body: bytes = b"") -> bytes:
        self._refuse_if_only_read(method, url)
        with self._lines.line() as line:
            return line.ask(method, url, body)

    def _refuse_if_only_read(self, method: str, url: str) -> None:
        if self._read_only:
            raise ForbiddenCall(f"{method} {url}: this engine is only read")
