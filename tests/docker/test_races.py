"""Whoever loses the race against an engine says so, every time (S7)."""

from itertools import islice

from tests.docker.racing import races
from tests.docker.worker_host import WorkerHost, codes
from workers.contract import Status
from workers.reasons import Code

LOST_AT_LEAST = 5
TRIALS = 60


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
