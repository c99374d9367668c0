"""Has pictures drawn, one at a time, each by a process of its own; nobody ever waits for one.

Who wants a picture asks for it again and again: the first time it is begun, some time later it is there, or
there will be none, which is said once in the log. Nothing else depends on it.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import Enum, auto
from pathlib import Path

from bot.render.picture import Figure

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "bot.drawing")
ROOT = Path(__file__).parents[1]
# It takes a second of a processor, and that may be long in coming where a machine is at work.
SECONDS = 120.0
SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 2_000_000
# While Slack is away pictures wait here; one that has to make room is drawn again.
MOST_KEPT = 50
COMPLAINT = 500

Name = tuple[str, str]


class Undrawn(Enum):
    """There is no picture: not yet, or none at all."""

    YET = auto()
    AT_ALL = auto()


@dataclass
class Child:
    """A process that draws, and the folder that has all its files."""

    name: Name
    process: "subprocess.Popen[bytes]"
    folder: "tempfile.TemporaryDirectory[str]"
    until: float

    def drawn(self) -> bytes:
        """What it has drawn, no more of it than a picture can be."""
        with Path(self.folder.name, "out").open("rb") as file:
            return file.read(MOST_BYTES + 1)

    def complaint(self) -> str:
        """The last it had to say."""
        text = Path(self.folder.name, "err").read_text(errors="replace").strip()
        return text.splitlines()[-1][:COMPLAINT] if text else "it said nothing"

    def clear(self) -> None:
        """End it, and remove what it leaves."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        with suppress(OSError):
            self.folder.cleanup()


@dataclass
class Easel:
    """The one place where pictures are made; used by one thread."""

    command: Sequence[str] = COMMAND
    seconds: float = SECONDS
    _child: Child | None = None
    _ended: dict[Name, bytes | Undrawn] = field(default_factory=dict)

    def ask(self, name: Name, figure: Callable[[], Figure]) -> bytes | Undrawn:
        """The picture of that name, if it is drawn by now; where nobody draws, it is begun."""
        self._look()
        if name not in self._ended and self._child is None:
            self._begin(name, figure)
        return self._ended.get(name, Undrawn.YET)

    def forget(self, request_id: str) -> None:
        """Nobody asks for the pictures of a request any more."""
        self._ended = {name: drawn for name, drawn in self._ended.items() if name[0] != request_id}

    def wait(self) -> None:
        """Wait until whoever draws has ended, in time or not."""
        if self._child:
            with suppress(subprocess.TimeoutExpired):
                self._child.process.wait(max(self._child.until - time.monotonic(), 0.0))

    def close(self) -> None:
        """End whoever draws."""
        if self._child:
            self._child.clear()
            self._child = None

    def _begin(self, name: Name, figure: Callable[[], Figure]) -> None:
        try:
            self._child = _start(self.command, name, figure(), time.monotonic() + self.seconds)
        except (OSError, OverflowError, ValueError) as error:
            self._end(name, Undrawn.AT_ALL, why=f"it cannot be begun: {error}")

    def _look(self) -> None:
        """See how far the child is; one that nobody has asked about for long is looked after all the same."""
        child = self._child
        if child is None:
            return
        exit_code = child.process.poll()
        if exit_code is None and time.monotonic() < child.until:
            return
        self._child = None
        try:
            self._end(child.name, *_judged(child, exit_code, self.seconds))
        finally:
            child.clear()

    def _end(self, name: Name, drawn: bytes | Undrawn, why: str = "") -> None:
        if why:
            logger.warning("request %s, %s: there is no picture: %s", *name, why)
        self._ended[name] = drawn
        while len(self._ended) > MOST_KEPT:
            del self._ended[next(iter(self._ended))]


def _start(command: Sequence[str], name: Name, figure: Figure, until: float) -> Child:
    folder = tempfile.TemporaryDirectory(prefix="safe-prune-drawing-")
    place = Path(folder.name)
    try:
        (place / "in").write_text(json.dumps(asdict(figure)))
        with (
            (place / "in").open("rb") as given,
            (place / "out").open("wb") as out,
            (place / "err").open("wb") as err,
        ):
            process = subprocess.Popen(
                command, stdin=given, stdout=out, stderr=err, cwd=ROOT, env=_environment(folder.name)
            )
    except BaseException:
        folder.cleanup()
        raise
    return Child(name, process, folder, until)


def _environment(folder: str) -> dict[str, str]:
    """Nothing of the bot's own surroundings, in which secrets may be, but where its packages lie."""
    paths = {name: os.environ[name] for name in ("PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    # matplotlib writes down what fonts it finds, and would run programs to find more of them; numpy would
    # start a thread for each processor.
    return {**paths, "PATH": folder, "HOME": folder, "MPLCONFIGDIR": folder, "OPENBLAS_NUM_THREADS": "1"}


def _judged(child: Child, exit_code: int | None, seconds: float) -> tuple[bytes | Undrawn, str]:
    """What came of it, and why there is nothing."""
    if exit_code is None:
        return Undrawn.AT_ALL, f"it was not drawn within {seconds:g} s"
    try:
        if exit_code:
            return Undrawn.AT_ALL, f"drawing ended with exit code {exit_code}: {child.complaint()}"
        drawn = child.drawn()
    except OSError as error:
        return Undrawn.AT_ALL, f"it cannot be read: {error}"
    if not drawn.startswith(SIGNATURE) or len(drawn) > MOST_BYTES:
        return Undrawn.AT_ALL, f"what was drawn is no picture of at most {MOST_BYTES:,} bytes"
    return drawn, ""
