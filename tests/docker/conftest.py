"""What the tests of this tier share."""

from pathlib import Path

import pytest

from tests.docker.worker_host import WorkerHost
from tests.stage.engine import DisposableEngine


@pytest.fixture
def host(engine: DisposableEngine, tmp_path: Path) -> WorkerHost:
    """A worker's host with an empty engine of the test's own."""
    return WorkerHost(engine, tmp_path)
