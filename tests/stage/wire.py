"""What goes over the wire, byte for byte: as a caller in this process has it, and as it is behind a door."""

import contextlib
import http.client
import io
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from tests.stage.door import Door


@dataclass
class Exchange:
    """One call, and the answer as far as it was read."""

    asked: bytes
    answered: bytearray = field(default_factory=bytearray)


@contextlib.contextmanager
def overheard() -> Iterator[list[Exchange]]:
    """Inside the block, all calls of this process over HTTP, in their order; nothing stands in their way."""
    exchanges: list[Exchange] = []
    asked, send = bytearray(), http.client.HTTPConnection.send

    def noted(connection: http.client.HTTPConnection, data: bytes) -> None:
        asked.extend(data)
        send(connection, data)

    class Heard(http.client.HTTPResponse):
        def __init__(self, *connected: Any, **options: Any) -> None:
            super().__init__(*connected, **options)
            exchanges.append(Exchange(bytes(asked)))
            asked.clear()
            self.fp = io.BufferedReader(_Ear(self.fp.detach(), exchanges[-1].answered))

    with (
        patch.object(http.client.HTTPConnection, "send", noted),
        patch.object(http.client.HTTPConnection, "response_class", Heard),
    ):
        yield exchanges


class _Ear(io.RawIOBase):
    """Reads from where another reads, and writes down what it gets."""

    def __init__(self, source: io.RawIOBase, heard: bytearray) -> None:
        self._source, self._heard = source, heard

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        got = self._source.readinto(buffer)
        self._heard.extend(buffer[:got])
        return got

    def close(self) -> None:
        self._source.close()
        super().close()


class Wire(Door):
    """Stands between a door and its engine, and passes on what it does not read; all of it is kept."""

    def __init__(self, path: Path, engine: Path) -> None:
        super().__init__(socket.socket(socket.AF_UNIX))
        self.path, self._engine = path, engine
        self.asked, self.answered = bytearray(), bytearray()

    def __enter__(self) -> Self:
        self._listener.bind(str(self.path))
        self._listener.listen(32)
        return super().__enter__()

    def _serve(self, caller: socket.socket) -> None:
        with caller, socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
            engine.connect(str(self._engine))
            back = threading.Thread(target=_pass_on, args=(engine, caller, self.answered), daemon=True)
            back.start()
            _pass_on(caller, engine, self.asked)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket, heard: bytearray) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            heard.extend(piece)
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
