"""What is asked of an engine without changing anything: GETs, over connections that stay open.

A plan asks a thousand times; docker-py takes a millisecond for each call, this takes a quarter of one.
"""

import http.client
import json
from collections.abc import Iterator
from typing import Any

from workers.engine_lines import Lines, url_of


class Reads:
    """Asks one engine, from as many threads as like; each call has a connection for itself.

    Raises:
        ForbiddenCall, BadStatus, TimeoutError, OSError, http.client.HTTPException: as a line does; the
            last also where an answer is not JSON.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def get(self, path: str, **query: str | int) -> Any:
        """Ask for one JSON value."""
        return _read(self._answer(url_of(path, query)))

    def get_lines(self, path: str, **query: str | int) -> list[Any]:
        """Ask for a stream that ends, one JSON value after the other."""
        return [_read(line) for line in self._answer(url_of(path, query)).splitlines() if line.strip()]

    def get_part(self, path: str, *, most: int, within: float, **query: str | int) -> tuple[bytes, bool]:
        """Ask for what is no JSON; returns at most so many bytes of it, and whether that is all."""
        with self._lines.line() as line:
            return line.ask_for_part("GET", url_of(path, query), most=most, within=within)

    def get_pieces(self, path: str, *, within: float) -> Iterator[bytes]:
        """Ask for what is no JSON and may be long; give it piece by piece, whole or with an error."""
        with self._lines.line() as line:
            yield from line.ask_for_pieces("GET", path, within=within)

    def _answer(self, url: str) -> bytes:
        with self._lines.line() as line:
            try:
                return line.ask("GET", url)
            except ConnectionError:
                # The engine may close what has been idle; a call that changes nothing may be made again.
                if not line.was_used or self._lines.closed:
                    raise
                line.renew()
                return line.ask("GET", url)


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise http.client.HTTPException(f"the engine's answer is not JSON: {error}") from error
