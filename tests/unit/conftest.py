"""What tests of pure code share where they need a memory: a ledger of the test's own."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from workers.memory.ledger import Ledger
from workers.memory.sightings import Sightings


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger.db")) as opened:
        yield opened


@pytest.fixture
def sightings(ledger: Ledger) -> Sightings:
    return Sightings(ledger, "engine")
