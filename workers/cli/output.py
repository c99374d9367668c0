"""Where a command says what it has to say: what was asked for to its output, the rest beside it."""

import json
import os
import sys
from collections.abc import Callable
from typing import TextIO

Out = Callable[[str], None]


class OutputLost(OSError):
    """What was to be said could not be written."""


def say(text: str) -> None:
    """Say what was asked for."""
    _write(text, sys.stdout)


def aside(line: str) -> None:
    """Say something to people that a program shall not read."""
    _write(line, sys.stderr)


def let_go() -> None:
    """Have what is still held back for a lost output go nowhere: Python would fail once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for lost in (sys.stdout, sys.stderr):
        if lost is not None:
            os.dup2(nowhere, lost.fileno())


def _write(text: str, to: TextIO | None) -> None:
    """Files and programs have it as it is; a terminal would obey what stands in others' names.

    Whoever started this with the output closed gets the same answer as where its disk is full.
    """
    if to is None:
        raise OutputLost("it is closed")
    try:
        to.write(f"{legible(text) if to.isatty() else text}\n")
        to.flush()
    except OSError as error:
        raise OutputLost(error.strerror or str(error)) from error


def legible(text: str) -> str:
    """The text with what is not visible spelled as JSON spells it, so that JSON stays what it says."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else json.dumps(one)[1:-1] for one in text)
