"""Where a command says what it has to say: what was asked for to its output, the rest beside it."""

import json
import sys
from collections.abc import Callable
from typing import TextIO

Out = Callable[[str], None]


def say(text: str) -> None:
    """Say what was asked for."""
    _write(text, sys.stdout)


def aside(line: str) -> None:
    """Say something to people that a program shall not read."""
    _write(line, sys.stderr)


def _write(text: str, to: TextIO) -> None:
    """Files and programs have it as it is; a terminal would obey what stands in others' names."""
    to.write(f"{legible(text) if to.isatty() else text}\n")


def legible(text: str) -> str:
    """The text with what is not visible spelled as JSON spells it, so that JSON stays what it says."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else json.dumps(one)[1:-1] for one in text)
