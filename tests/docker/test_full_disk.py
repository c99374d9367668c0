"""With no byte left nothing is removed, unless room was kept for it; then what needs no room goes first."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.docker.test_recovery import a_request
from tests.docker.worker_host import WorkerHost, codes, order_for
from tests.stage.engine import DisposableEngine
from tests.stage.images import build_with_cache
from tests.stage.kinds import EngineKind
from workers import jobs
from workers.cli import standing as at_the_host
from workers.cli.command_line import Exit, parser
from workers.cli.commands import audit
from workers.contract import (
    EVENT,
    Event,
    FreezeOrder,
    Kind,
    Outcome,
    Plan,
    PlanReady,
    Report,
    Status,
    UnfreezeOrder,
)
from workers.errors import LedgerError
from workers.memory.ledger import Ledger
from workers.memory.reserve import FOR_A_RUN, WHOLE, Reserve
from workers.reasons import Code

SIZE = 320_000_000


@pytest.fixture
def small(stage_place: Callable[[], Path], engine_kind: EngineKind, tmp_path: Path) -> Iterator[WorkerHost]:
    """A host whose engine and ledger share a disk of their own, which nobody else fills or empties."""
    disk = stage_place()
    mount(disk)
    (disk / "state").mkdir()
    (tmp_path / "state").symlink_to(disk / "state")
    with DisposableEngine(disk / "e", engine_kind) as engine:
        yield WorkerHost(engine, tmp_path)


def mount(at: Path) -> None:
    image = at.with_suffix(".img")
    at.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE)
    # Without blocks that only root may use: what is full for others is full for us.
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True)


def fill_up(host: WorkerHost) -> None:
    """To the last byte, with somebody else's data."""
    disk = host.engine.folder.parent
    with (disk / "data").open("ab") as file:
        for piece in (1 << 24, 1 << 20, 1 << 16, 4096):
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, piece)
    assert free(host) == 0


def free(host: WorkerHost) -> int:
    disk = os.statvfs(host.engine.folder)
    return disk.f_bavail * disk.f_frsize


def waste(host: WorkerHost) -> None:
    """Something of every kind, among it an image with names that are taken off one by one."""
    host.policy(writable_limit='"100MB"')
    host.image("base:1")
    build_with_cache(host.engine, "FROM base:1\nRUN head -c 3000000 /dev/urandom > /made", "app:1")
    host.image("multi:1", "multi:2", "elsewhere.example:5000/multi:1")
    for number in range(2):
        id_ = host.create(f"spent-{number}", "base:1", "head -c 8000000 /dev/zero > /big")
        host.engine.client.start(id_)
        host.engine.client.wait(id_)
    host.network("loose")


def events(host: WorkerHost) -> list[Event]:
    with closing(Ledger(host.place.ledger_file)) as ledger:
        return [EVENT.validate_json(text) for _, text in ledger.outbox(after=0)]


def planned(host: WorkerHost, request: Plan) -> Plan:
    jobs.plan(a_request(request), host.place)
    return [one.plan for one in events(host) if isinstance(one, PlanReady)][-1]


def executed(host: WorkerHost, plan: Plan) -> Report:
    jobs.execute(order_for(plan), host.place, told_to_stop=lambda: False)
    with closing(Ledger(host.place.ledger_file)) as ledger:
        return ledger.reports()[-1]


def everything(host: WorkerHost) -> object:
    client = host.engine.client
    return host.tags(), [c["Id"] for c in client.containers(all=True)], len(client.df()["BuildCache"])


def test_s15_with_no_byte_left_and_none_kept_nothing_is_removed(small: WorkerHost) -> None:
    waste(small)
    plan = small.plan()
    before = everything(small)
    fill_up(small)

    with pytest.raises(LedgerError):
        jobs.execute(order_for(plan), small.place, told_to_stop=lambda: False)
    assert everything(small) == before


def test_s15_with_no_byte_left_the_room_that_was_kept_is_used_and_kept_again(small: WorkerHost) -> None:
    waste(small)
    request = small.plan()
    reserve = Reserve(small.place.state_dir)
    reserve.keep()
    assert reserve.held == WHOLE
    fill_up(small)

    plan = planned(small, request)
    assert (codes(plan.notices)[0], Code.SHORT_OF_ROOM in codes(plan.notices)) == (Code.RESERVE_USED, True)
    assert list(dict.fromkeys(step.object.kind for step in plan.steps)) == [
        *(Kind.CONTAINER, Kind.BUILD_CACHE, Kind.IMAGE, Kind.NETWORK)
    ]
    kept = reserve.held
    assert kept >= FOR_A_RUN

    fill_up(small)
    for type_ in (FreezeOrder, UnfreezeOrder):
        at_the_host.decide(type_, "", small.place)
    assert list(at_the_host.in_force(small.place)) == []
    assert audit.run(parser().parse_args(["audit"]), small.place, lambda _: None) is Exit.DONE
    report = executed(small, plan)
    assert (report.status, codes(report.findings)) == (Status.DONE, [Code.RESERVE_USED])
    assert {one.outcome for one in report.outcomes} == {Outcome.REMOVED}
    assert (small.tags(), small.engine.client.containers(all=True)) == ({}, [])
    assert reserve.held == kept
    assert free(small) > 10_000_000


def test_a_preview_never_takes_what_a_run_needs(small: WorkerHost) -> None:
    waste(small)
    request = small.plan()
    reserve = Reserve(small.place.state_dir)
    reserve.keep()
    for _ in range(3):
        fill_up(small)
        planned(small, request)

    assert FOR_A_RUN <= reserve.held < WHOLE
