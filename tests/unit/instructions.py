"""deploy/INSTALL.md as those read it who follow it: its blocks in order, each with what it is for."""

import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[2] / "deploy" / "INSTALL.md"
BLOCK = re.compile(r"(?:<!-- (?P<place>[^\n]+?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code; `place`: the terminal or the file it belongs into, empty where it is not played."""

    place: str
    language: str
    text: str


def text() -> str:
    return FILE.read_text(encoding="utf-8")


def blocks() -> list[Block]:
    return [Block(found["place"] or "", found["language"], found["text"]) for found in BLOCK.finditer(text())]
