"""A few cells of the fault matrix, each part once; `tests/faults/run` plays all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.case import played
from tests.faults.cells import ALL, OTHERS, REACHABLE, RUNS, Cell, Victim
from tests.faults.scene import Scene

CELLS = (
    "bot:killed:before-order",
    "redis:older:before-report",
    "horse:killed:mid-stage",
    "slack:killed:after-consume",
    "engine:killed:mid-stage",
    "worker:killed:after-report",
)
CELLS_OF_COPIES = (
    "horse:killed:mid-stage:restore",
    "engine:killed:before-tags:restore",
    "worker:killed:mid-save:archive",
)
SEED = 20


@pytest.fixture(scope="module")
def scene(stage_place: Callable[[], Path]) -> Iterator[Scene]:
    with Scene(stage_place()) as scene:
        yield scene


@pytest.fixture(scope="module")
def scene_with_archive(stage_place: Callable[[], Path]) -> Iterator[Scene]:
    with Scene(stage_place(), has_archive=True) as scene:
        yield scene


@pytest.mark.parametrize("name", CELLS)
def test_s11_s14_s15_a_run_is_carried_out_once_and_told_truly_whatever_fails(scene: Scene, name: str) -> None:
    assert played(scene, Cell.named(name), SEED).faults == ()


# Names that a case before has touched are left alone for a minute, so each case has its own.
@pytest.mark.parametrize(("seed", "name"), list(enumerate(CELLS_OF_COPIES, SEED)))
def test_s11_s14_s15_what_was_saved_comes_back_once_and_is_told_truly_whatever_fails(
    scene_with_archive: Scene, seed: int, name: str
) -> None:
    assert played(scene_with_archive, Cell.named(name), seed).faults == ()


def test_every_part_fails_once_in_these() -> None:
    assert {Cell.named(name).victim for name in CELLS} == set(Victim)


def test_each_cell_can_happen_or_has_a_reason_why_not() -> None:
    assert set(REACHABLE) == {cell for cell in ALL if not cell.why_not}
    assert len(RUNS) == 6 * 4 * 8
    assert len(OTHERS) == 4 * (6 + 2)
    assert all(Cell.named(str(cell)) == cell for cell in ALL)
