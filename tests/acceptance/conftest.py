"""What the acceptance tests share: a company with one small host, and what must hold whatever was played."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.small_host import NO_GRACE, NO_WAITING, small_host
from tests.stage.company import Company
from tests.stage.member import Member
from tests.workspace import Message


@dataclass(frozen=True)
class Silence:
    """A company whose worker was stopped, and what was asked of it then."""

    company: Company
    root: Message


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: waits for a deadline of a minute")


CHANNELS = ("ops", *(f"ops-{number}" for number in range(2, 16)))


@pytest.fixture(scope="module", autouse=True)
def nobody_overreaches() -> Iterator[None]:
    """Bot and workers ask nothing of Redis that their users there may not (`python -m bot acl`)."""
    Company.refusals.clear()
    yield
    assert Company.refusals == []


@pytest.fixture(scope="module")
def module_policy() -> str:
    """What a module's company has in its hosts' policies besides."""
    return NO_WAITING + NO_GRACE


@pytest.fixture(scope="module")
def module_company(stage_place: Callable[[], Path], module_policy: str) -> Iterator[Company]:
    hosts = {"web-1": small_host}
    with Company(stage_place(), hosts, channels=CHANNELS, policy=module_policy, gated=True) as company:
        yield company


@pytest.fixture
def company(module_company: Company) -> Iterator[Company]:
    """The module's company, in a channel of the test's own; Slack must have nothing to complain of."""
    company, known = module_company, len(module_company.slack.violations)
    company.channel = next(one for one in company.channels if not company.slack.messages(one))
    yield company
    assert company.slack.violations[known:] == ()


@pytest.fixture(scope="session", autouse=True)
def silence(request: pytest.FixtureRequest, stage_place: Callable[[], Path]) -> Iterator[Silence | None]:
    """A minute of silence, begun before all other tests so that nobody has to sit through it."""
    if not any(item.get_closest_marker("slow") for item in request.session.items):
        yield None
        return
    with Company(stage_place(), {"web-1": small_host}, policy=NO_WAITING) as company:
        company.ready("web-1")
        company.members["web-1"].worker.stop()
        yield Silence(company, company.asked("preview web-1"))
        assert company.slack.violations == ()


@pytest.fixture
def fresh_company(stage_place: Callable[[], Path]) -> Iterator[Company]:
    """A company of the test's own, with all its waste still there."""
    with Company(stage_place(), {"web-1": small_host}, policy=NO_WAITING, gated=True) as company:
        yield company
        assert company.slack.violations == ()


@pytest.fixture
def web(company: Company) -> Member:
    return company.members["web-1"]
