"""Recorded texts: compared as they are, or recorded anew with ``GOLDEN=write`` in the environment.

What Slack is sent lies in the bot, whose doctor has Slack look at it; what a reader sees of it lies here.
"""

import json
import os
from pathlib import Path

from bot import examples
from bot.render import Block, Message
from tests.unit.render_text import text_of
from tests.workspace.text import Names, plain_blocks

FOLDER = Path(__file__).parent.parent / "golden"
EXAMPLES = Path(examples.__file__).parent


def assert_golden(name: str, *messages: Message) -> None:
    """Compare messages with what is recorded of them: their blocks, and what a reader sees."""
    drawn = [{"text": m.text, "blocks": list(m.blocks), "metadata": m.metadata} for m in messages]
    _assert_example(name, drawn)
    assert_text(f"{name}.txt", "\n".join(text_of(message) for message in messages))


def assert_golden_views(name: str, *views: Block) -> None:
    """Compare forms and Home tabs with what is recorded of them, likewise."""
    _assert_example(name, list(views))
    assert_text(f"{name}.txt", "\n".join(_read(view) for view in views))


def _read(view: Block) -> str:
    """The lines of a view, its title and its buttons."""
    frame = [view[part]["text"] for part in ("title", "submit", "close") if part in view]
    return "\n".join([" | ".join(frame), *plain_blocks(view["blocks"], Names({})), ""])


def _assert_example(name: str, drawn: list[Block]) -> None:
    _assert_same(EXAMPLES / f"{name}.json", json.dumps(drawn, indent=1, ensure_ascii=False) + "\n")


def assert_text(name: str, text: str) -> None:
    _assert_same(FOLDER / name, text)


def _assert_same(path: Path, text: str) -> None:
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
