"""Room is kept for a full disk: real blocks, enough for a whole run, and never what fills the disk."""

import errno
import json
import os
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.facts_host import NOW, a_case, a_plan, an_id, an_image
from workers.contract import (
    DiskUsage,
    ExecutionFinished,
    ExecutionOrder,
    Outcome,
    Person,
    Plan,
    PlanReady,
    Report,
    Status,
    StepFinished,
)
from workers.execution.aftermath import outcome_of
from workers.memory import reserve as reserves
from workers.memory.ledger import Ledger
from workers.memory.reserve import FOR_A_PLAN, FOR_A_RUN, WHOLE, Reserve, room
from workers.signing import digest

ANA = Person(team="T1", user="UANA")
STEPS = 1000


@pytest.fixture
def reserve(tmp_path: Path) -> Reserve:
    made = Reserve(tmp_path / "state")
    made.keep()
    return made


def blocks(reserve: Reserve) -> int:
    return reserve.path.stat().st_blocks * 512


class Disk:
    """What statvfs tells of a disk with so much left, the reserve being on it."""

    def __init__(self, reserve: Reserve, left: int) -> None:
        self.reserve, self.left = reserve, left + reserve.held

    def __call__(self, _path: object) -> os.statvfs_result:
        free = max(0, self.left - self.reserve.held)
        return os.statvfs_result((1, 1, 10**9, free, free, 0, 0, 0, 0, 255))


@pytest.fixture
def full(reserve: Reserve, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk, allocate = Disk(reserve, 0), os.posix_fallocate

    def as_far_as_it_goes(file: int, start: int, size: int) -> None:
        if size > disk.left:
            raise OSError(errno.ENOSPC, "no space left")
        allocate(file, start, size)

    monkeypatch.setattr(reserves.os, "statvfs", disk)
    monkeypatch.setattr(reserves.os, "posix_fallocate", as_far_as_it_goes)
    return disk


def test_it_holds_real_blocks_that_nobody_else_reads(reserve: Reserve) -> None:
    assert (reserve.held, blocks(reserve) >= WHOLE) == (WHOLE, True)
    assert reserve.path.stat().st_mode & 0o777 == 0o600
    assert reserve.in_use == 0


def test_it_is_not_made_on_a_disk_that_it_would_fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Reserve(tmp_path)
    monkeypatch.setattr(reserves.os, "statvfs", Disk(small, 3 * WHOLE - 1))
    small.keep()
    assert small.held == 0

    monkeypatch.setattr(reserves.os, "statvfs", Disk(small, 3 * WHOLE))
    small.keep()
    assert small.held == WHOLE


def test_where_there_is_room_nothing_is_given_up(reserve: Reserve) -> None:
    for for_a_run in (True, False):
        with room(reserve.path.parent, for_a_run=for_a_run):
            assert reserve.held == WHOLE


def test_s15_a_run_on_a_full_disk_has_all_of_it_and_it_is_there_again_afterwards(
    reserve: Reserve, full: Disk
) -> None:
    with room(reserve.path.parent, for_a_run=True):
        assert (reserve.held, reserve.free, reserve.in_use) == (0, WHOLE, WHOLE)
        full.left += 10 * WHOLE

    assert (reserve.held, reserve.in_use) == (WHOLE, 0)


def test_s15_a_plan_leaves_what_a_run_needs(reserve: Reserve, full: Disk) -> None:
    with room(reserve.path.parent, for_a_run=False):
        assert (reserve.held, reserve.free) == (FOR_A_RUN, FOR_A_PLAN)
        full.left -= FOR_A_PLAN
    assert reserve.held == FOR_A_RUN
    with room(reserve.path.parent, for_a_run=False):
        assert reserve.held == FOR_A_RUN


def test_what_is_still_there_is_taken_again_though_the_disk_is_full(reserve: Reserve, full: Disk) -> None:
    written = 2_500_000
    with room(reserve.path.parent, for_a_run=True):
        full.left -= written

    assert WHOLE - written - reserves.MB < reserve.held <= WHOLE - written


def test_where_none_was_made_a_full_disk_is_a_full_disk(tmp_path: Path) -> None:
    with room(tmp_path, for_a_run=True):
        assert Reserve(tmp_path).in_use == 0


# How much a run writes


def way_back(number: int) -> str:
    """As long as that of an image with many layers and labels."""
    layers = [f"sha256:{an_id(f'{number} {layer}')}" for layer in range(30)]
    labels = {f"org.opencontainers.image.label-{at}": an_id(str(at)) for at in range(15)}
    return json.dumps({"RootFS": {"Layers": layers}, "Labels": labels})


def an_order(plan: Plan) -> ExecutionOrder:
    return ExecutionOrder(
        key_id="key-1",
        id="order-1",
        host=plan.host,
        issued_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        request_id=plan.request_id,
        reply_to="C1/1",
        requester=ANA,
        engine_id=plan.engine.id,
        plan_digest=digest(plan),
        approver=ANA,
    )


def written(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def run(ledger: Ledger, plan: Plan, order: ExecutionOrder) -> None:
    """Write what a run writes, step by step."""
    told = {"host": plan.host, "at": NOW, "request_id": plan.request_id, "reply_to": order.reply_to}
    ledger.consume(order, NOW)
    outcomes = []
    for step in plan.steps:
        ledger.ask(order.id, [(step, way_back(step.index))], NOW)
        outcomes.append(outcome_of(step, Outcome.REMOVED, None))
        ledger.end_step(order.id, outcomes[-1], StepFinished(order_id=order.id, step=outcomes[-1], **told))
    report = Report(
        order_id=order.id,
        outcomes=tuple(outcomes),
        status=Status.DONE,
        started_at=NOW,
        finished_at=NOW,
        approver=ANA,
        requester=ANA,
        expected=plan.expected(),
        usage_before=DiskUsage(taken_at=NOW, containers=0, images=0, build_cache=0, volumes=0),
        **{name: getattr(plan, name) for name in ("request_id", "host", "engine")},
        plan_digest=order.plan_digest,
    )
    ledger.finish(report, ExecutionFinished(report=report, **told))


def test_s15_it_holds_what_a_preview_and_a_run_of_a_thousand_steps_write(tmp_path: Path) -> None:
    name = "registry.example:5000/team/a-service-with-a-long-name"
    plan = a_plan(a_case(*(an_image(f"{name}:v{number}.0.0-rc{number}") for number in range(STEPS))))
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        # What is written is the same, and it does not take minutes.
        ledger.rows("PRAGMA synchronous = OFF")
        empty = written(tmp_path)
        ledger.keep_plan(plan, PlanReady(host=plan.host, at=NOW, plan=plan))
        planned = written(tmp_path)
        run(ledger, plan, an_order(plan))
        done = written(tmp_path)

    assert len(plan.steps) == STEPS
    assert planned - empty < FOR_A_PLAN
    assert done - planned < FOR_A_RUN
