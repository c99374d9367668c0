"""What ends a run under way: an engine that slows down, one that fails, and the word to stop (S14)."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docker.worker_host import WorkerHost, codes, ended, on
from tests.stage.engine import DisposableEngine
from workers.contract import Kind, Outcome, Status, Store
from workers.execution import pace
from workers.execution.guards import MAX_FAILURES
from workers.reasons import Code

REMOVED, FAILED, LEFT = Outcome.REMOVED, Outcome.FAILED, Outcome.NOT_ATTEMPTED
# One answer that takes as long as the last few may take together, also where a busy machine's take twice as
# long as the fastest that count.
LONGER_THAN_ALL_MAY = 2 * pace.LAST * pace.TIMES_SLOWER * pace.FASTEST_USUAL + 0.5


def dockerd(engine: DisposableEngine) -> int:
    """The engine itself, below the process that holds its namespaces."""
    [init] = children(engine.pid)
    return next(p for p in children(init) if Path(f"/proc/{p}/comm").read_text().strip() == "dockerd")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def freeze(engine: DisposableEngine) -> None:
    """Let the engine stand still for a while: whatever is asked of it meanwhile takes so much longer."""
    pid = dockerd(engine)
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(LONGER_THAN_ALL_MAY, os.kill, (pid, signal.SIGCONT)).start()


def test_an_engine_that_slows_down_ends_the_run_after_the_object_in_hand(host: WorkerHost) -> None:
    for number in range(3):
        host.image(f"waste:{number}")
    report = host.execute(host.plan(), after=on("image", lambda: freeze(host.engine)))

    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.ENGINE_SLOW])
    assert int(report.stopped_by[0].params["now"]) > 1000 * pace.TIMES_SLOWER * pace.FASTEST_USUAL
    # The look that took so long had found nothing against the second; the third was not looked at.
    assert list(ended(report).values()) == [REMOVED, REMOVED, LEFT]


def test_an_engine_that_slows_down_among_records_of_the_cache_ends_the_run(host: WorkerHost) -> None:
    """Records have no looks of their own."""
    host.image("base:1")
    for number in range(15):
        dockerfile = f"FROM base:1\nRUN echo {number} > /a\nRUN echo {number} > /b\n"
        host.engine.cli("build", "--network", "none", "-", stdin=dockerfile.encode())
    plan = host.plan((Kind.BUILD_CACHE,))
    frozen = on("cache", lambda: freeze(host.engine))
    asked: list[str] = []

    def freeze_at_the_end_of_a_batch(kind: str, id_: str) -> None:
        asked.append(id_)
        if len(asked) == 20:
            frozen(kind, id_)

    report = host.execute(plan, after=freeze_at_the_end_of_a_batch)
    assert len(plan.steps) > 20
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.ENGINE_SLOW])
    assert len(asked) == 20
    assert {one.outcome for one in report.outcomes[20:]} == {LEFT}


@contextmanager
def immutable(host: WorkerHost, containers: list[str]) -> Iterator[None]:
    """The engine cannot delete their files: what it answers is an error, not a refusal."""
    inspected = [host.engine.client.inspect_container(id_) for id_ in containers]
    files = [str(Path(found["GraphDriver"]["Data"]["UpperDir"], "kept")) for found in inspected]
    subprocess.run(["chattr", "+i", *files], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=False)


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store does not tell where a layer lies")
def test_after_so_many_failures_a_run_ends(host: WorkerHost) -> None:
    host.image("app:1")
    spent = [host.create(f"spent-{number}", "app:1", "echo 1 > /kept") for number in range(MAX_FAILURES + 2)]
    for id_ in spent:
        host.engine.client.start(id_)
        host.engine.client.wait(id_)
    plan = host.plan((Kind.CONTAINER,))
    with immutable(host, spent):
        report = host.execute(plan)

    assert list(ended(report).values()) == [FAILED] * MAX_FAILURES + [LEFT, LEFT]
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.TOO_MANY_FAILURES])
    assert {one.reason.code for one in report.outcomes if one.reason} == {Code.ENGINE_ERROR, Code.RUN_STOPPED}


def test_s14_told_to_stop_in_the_middle_of_an_object_that_object_is_finished(host: WorkerHost) -> None:
    """Between two names of an image nothing stops: it is gone whole, or has all its names."""
    first, second = host.image("app:1", "app:2", "app:3"), host.image("db:1", "db:2")
    told: list[str] = []
    report = host.execute(
        host.plan(), told_to_stop=lambda: bool(told), after=on("name", lambda: told.append("stop"))
    )

    there = [id_ for id_ in (first, second) if host.has(id_)]
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.TERMINATED])
    assert list(ended(report).values()) == [REMOVED, LEFT]
    assert len(there) == 1
    assert len(host.tags()) == {first: 3, second: 2}[there[0]]
    assert [one.reason.code for one in report.outcomes if one.reason] == [Code.RUN_STOPPED]
