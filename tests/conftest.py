"""What all tiers share: the real parts of the stage, and which engine they are to be."""

import pytest

from tests.stage.kinds import ENGINES, MACHINES_OWN

pytest_plugins = ["tests.stage.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=sorted(ENGINES),
        default=MACHINES_OWN,
        help="the Docker engine to test on: the machine's own, or one of another Debian suite",
    )
