"""What all tiers share: the real parts of the stage, and which engine they are to be."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.stage.kinds import ENGINES, MACHINES_OWN

pytest_plugins = ["tests.stage.fixtures"]

# How long an example takes is no property of the code; a machine at work would fail tests at random.
settings.register_profile("stage", deadline=None)
settings.load_profile("stage")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=sorted(ENGINES),
        default=MACHINES_OWN,
        help="the Docker engine to test on: the machine's own, or one of another Debian suite",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only_on(store, because): what the test is about has only this store")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _, store = ENGINES[config.getoption("--engine")]
    for item in items:
        only = item.get_closest_marker("only_on")
        if only is not None and only.args[0] is not store:
            item.add_marker(pytest.mark.skip(reason=only.kwargs["because"]))


@pytest.fixture(autouse=True)
def _no_log_outlives_its_test() -> Iterator[None]:
    """A program that a test calls logs to that test's stderr, which nobody can write to later."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
