"""What most tests of the bot work with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.bot_stage import Stage, bot_stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Two hosts without workers, a workspace and a Redis."""
    with bot_stage(tmp_path, "web-1", "web-2") as made:
        yield made
