"""A terminal in which somebody types what a document tells them to, block after block, in one shell."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.stage.errors import NotReady
from tests.stage.leftovers import OWNER_VARIABLE
from tests.stage.processes import MINIMAL
from tests.stage.spawn import mortal

DONE = "--- the prompt ---"
SECONDS = 90


class Terminal:
    """Types and reads; commands that fail are told by themselves, as they are typed."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            mortal(["bash", "--noprofile", "--norc"]),
            env={**MINIMAL, "HOME": str(folder), OWNER_VARIABLE: str(folder), **environment},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._begun = ""
        self._type("trap 'echo \"FAILED: $BASH_COMMAND\"' ERR")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.communicate()

    def run(self, block: str) -> list[str]:
        """Type it, and read until the prompt is back; what was said."""
        self._type(f"{block}\necho; echo '{DONE}'")
        return [line for line in self._until(f"^{DONE}$")[:-1] if line]

    def stay(self, block: str, until: str) -> str:
        """Type what goes on running, and read until it says so; the line that says it."""
        self._type(block)
        return self._until(until)[-1]

    def interrupt(self) -> list[str]:
        """Ctrl-C; what was said until the prompt was back."""
        children = Path(f"/proc/{self._shell.pid}/task/{self._shell.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGINT)
        return self.run("true")

    def _type(self, text: str) -> None:
        assert self._shell.stdin
        self._shell.stdin.write(f"{text}\n".encode())
        self._shell.stdin.flush()

    def _until(self, wanted: str) -> list[str]:
        """The lines to the first that matches, that one included."""
        lines: list[str] = []
        deadline = time.monotonic() + SECONDS
        while True:
            *whole, self._begun = (self._begun + self._read(deadline, lines)).split("\n")
            for number, line in enumerate(whole):
                lines.append(line)
                if re.search(wanted, line):
                    self._begun = "\n".join([*whole[number + 1 :], self._begun])
                    return lines

    def _read(self, deadline: float, lines: list[str]) -> str:
        assert self._shell.stdout
        left = max(0.0, deadline - time.monotonic())
        found = select.select([self._shell.stdout], [], [], left)[0]
        read = os.read(self._shell.stdout.fileno(), 65536) if found else b""
        if not read:
            raise NotReady("\n".join(["what was waited for did not come; this did:", *lines, self._begun]))
        return read.decode(errors="replace")
