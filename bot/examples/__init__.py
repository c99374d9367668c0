"""Every message and form that the bot draws, one file for each, as the tests have recorded them.

They are here, and not beside the tests, so that `python -m bot doctor --blocks` can have Slack look at them
wherever the bot is installed. Recorded anew with GOLDEN=write (tests/unit/golden.py).
"""

import json
from collections.abc import Iterator
from importlib.resources import files

from bot.render.blocks import Block


def drawn() -> Iterator[tuple[str, Block]]:
    """Each by its name: a message as `{"text": …, "blocks": […]}`, a form or a Home tab as Slack's view."""
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            yield from _in_file(file.name.removesuffix(".json"), json.loads(file.read_text(encoding="utf-8")))


def _in_file(name: str, found: list[Block]) -> Iterator[tuple[str, Block]]:
    for number, one in enumerate(found, 1):
        yield (f"{name} {number}" if len(found) > 1 else name), one
