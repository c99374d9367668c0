"""Whoever loses the race against an engine says so, every time (S7)."""

from itertools import islice
from pathlib import Path

import pytest

from tests.docker.racing import races
from tests.docker.worker_host import WorkerHost, codes
from workers.contract import Status, Store
from workers.reasons import Code

LOST_AT_LEAST = 5
# On a containerd store few are lost, and tests/run plays these tests only once.
TRIALS = 120


def test_s7_every_race_that_was_lost_is_one_alarm(host: WorkerHost) -> None:
    lost = 0
    for one in islice(races(host), TRIALS):
        assert (one.alarms, one.in_order) == (int(one.lost), True)
        if one.lost:
            assert codes(one.report.findings) == [Code.LOST_RACE, Code.NOT_BROUGHT_BACK]
            assert one.report.status is Status.STOPPED
        lost += one.lost
        if lost == LOST_AT_LEAST:
            break

    assert lost == LOST_AT_LEAST


def test_s7_an_image_that_lost_its_race_is_there_again_where_a_registry_has_it(
    host: WorkerHost, tmp_path: Path
) -> None:
    stage = pytest.importorskip("tests.stage.registry")
    with stage.Registry(host.engine, tmp_path / "registry") as registry:
        trials = races(
            host,
            f"{registry.address}/race",
            push=lambda image, name: registry.push(image, name.partition("/")[2]),
        )
        lost = next(one for one in islice(trials, TRIALS) if one.lost)

    assert codes(lost.report.findings) == [Code.LOST_RACE, Code.BROUGHT_BACK]
    assert lost.image_is_there
    before, after = lost.report.usage_before, lost.report.usage_after
    if host.engine.kind.store is Store.GRAPH_DRIVER:
        # What came back is no freed space, be it measured while somebody still looked for such races. A
        # containerd store accounts for less then: it pulls no blob of what a container holds unpacked.
        assert (before and before.images) == (after and after.images) != 0
