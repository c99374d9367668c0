"""What most tests of the bot work with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.bot_stage import Clock, HandDriven, Stage, bot_stage, listen


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Two hosts without workers, a workspace and a Redis."""
    with bot_stage(tmp_path, "web-1", "web-2") as made:
        yield made


@pytest.fixture
def bot(stage: Stage) -> Iterator[HandDriven]:
    """The bot on that stage, driven by hand; modules that run it as a process have one of their own."""
    made = HandDriven(stage, Clock())
    listen(stage, made)
    yield made
    made.close()
