"""Where a command says what it has to say: what was asked for to its output, the rest beside it."""

import sys
from collections.abc import Callable

Out = Callable[[str], None]


def aside(line: str) -> None:
    """Say something to people that a program shall not read."""
    sys.stderr.write(f"{line}\n")
