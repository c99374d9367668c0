"""Recorded texts: compared as they are, or recorded anew with ``GOLDEN=write`` in the environment."""

import json
import os
from pathlib import Path

from bot.render import Message
from tests.unit.render_text import text_of

FOLDER = Path(__file__).parent.parent / "golden"


def assert_golden(name: str, *messages: Message) -> None:
    """Compare messages with what is recorded of them: their blocks, and what a reader sees."""
    drawn = [{"text": m.text, "blocks": list(m.blocks), "metadata": m.metadata} for m in messages]
    assert_text(f"{name}.json", json.dumps(drawn, indent=1, ensure_ascii=False) + "\n")
    assert_text(f"{name}.txt", "\n".join(text_of(message) for message in messages))


def assert_text(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
