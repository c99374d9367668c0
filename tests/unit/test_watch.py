"""How long a run watches over services after its last removal, whatever the clock does meanwhile (S6)."""

import time
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from tests.unit.facts_host import a_policy
from workers.engine import Engine
from workers.execution.watch import Watch

SETTLE = 0.6


@pytest.mark.parametrize(
    ("ago", "watched"), [(0, SETTLE), (SETTLE / 2, SETTLE / 2), (3600, 0), (-3600, SETTLE)]
)
def test_s6_settling_takes_no_longer_than_it_should(ago: float, watched: float) -> None:
    """Less than no time ago is a removal when the clock has gone back since."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        assert sum(waits) < 2 * SETTLE
        time.sleep(seconds)

    watch = Watch(cast("Engine", None), a_policy(settle=timedelta(seconds=SETTLE)), wait)
    watch.settle([], datetime.now(UTC) - timedelta(seconds=ago))

    assert sum(waits) == pytest.approx(watched, abs=SETTLE / 4)
