"""Pytest fixtures for the real parts; what they hand out is gone, processes too, when its scope ends."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeAlias

import pytest

from tests.stage import hosts, kinds
from tests.stage.engine import DisposableEngine
from tests.stage.errors import NotToBeHad
from tests.stage.folder import fresh_folder
from tests.stage.hosts import FilledHost
from tests.stage.kinds import EngineKind
from tests.stage.redis import RedisServer
from tests.stage.registry import Registry

EngineFactory: TypeAlias = Callable[[], DisposableEngine]


class RegistryFactory(Protocol):
    """Makes a registry on an engine's loopback."""

    def __call__(self, engine: DisposableEngine, *, private: bool = False) -> Registry: ...


SMALL = 0.05


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """The folder of this test run; deleted at its end, or by the next run if this one is killed."""
    with fresh_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def stage_place(run_folder: Path) -> Callable[[], Path]:
    """Names a new folder inside the run's folder at each call; the names are short, sockets go into them."""
    numbers = itertools.count(1)
    return lambda: run_folder / str(next(numbers))


@pytest.fixture(scope="session")
def engine_kind(request: pytest.FixtureRequest) -> EngineKind:
    """The engine that the run was asked to test on; one that moves on with its suite may be missing."""
    name = request.config.getoption("--engine")
    try:
        return kinds.engine_kind(name)
    except NotToBeHad as reason:
        if kinds.is_stable(name):
            raise
        pytest.skip(f"engine {name} is not to be had here: {reason}")


@pytest.fixture
def fresh_engine(stage_place: Callable[[], Path], engine_kind: EngineKind) -> Iterator[EngineFactory]:
    """Makes running, empty engines of the test's own; they may be filled, stopped and killed."""
    with contextlib.ExitStack() as engines:

        def make() -> DisposableEngine:
            engine = engines.enter_context(DisposableEngine(stage_place(), engine_kind))
            engine.refuse_contents()
            return engine

        yield make


@pytest.fixture
def engine(fresh_engine: EngineFactory) -> DisposableEngine:
    """A running, empty engine of the test's own (one boots in a fifth of a second)."""
    return fresh_engine()


@pytest.fixture
def fresh_registry(stage_place: Callable[[], Path]) -> Iterator[RegistryFactory]:
    """Makes running, empty registries of the test's own, one for an engine; they may be stopped."""
    with contextlib.ExitStack() as registries:

        def make(engine: DisposableEngine, *, private: bool = False) -> Registry:
            return registries.enter_context(Registry(engine, stage_place(), private=private))

        yield make


@pytest.fixture(scope="module")
def web_host(stage_place: Callable[[], Path], engine_kind: EngineKind) -> Iterator[FilledHost]:
    """A believable host for tests that only look; one that removes things fills an engine of its own."""
    with DisposableEngine(stage_place(), engine_kind) as engine:
        yield hosts.web_host(engine, "web-1", scale=SMALL)


@pytest.fixture(scope="session")
def hazard_host(stage_place: Callable[[], Path], engine_kind: EngineKind) -> Iterator[FilledHost]:
    """A host full of traps for tests that only look."""
    with DisposableEngine(stage_place(), engine_kind) as engine:
        yield hosts.hazard_host(engine, scale=SMALL)


@pytest.fixture
def redis_server(stage_place: Callable[[], Path]) -> Iterator[RedisServer]:
    """A running, empty Redis of the test's own."""
    with RedisServer(stage_place()) as server:
        yield server
