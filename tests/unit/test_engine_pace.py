"""A run ends where its engine answers ten times slower than it did before, and not for less."""

import pytest

from workers.execution.pace import FASTEST_USUAL, LAST, slowed, usual
from workers.reasons import Code, reason

LOOK, LIST = "inspect", "list"
BEFORE = usual({LOOK: [0.2] * 9, LIST: [0.1, 0.4, 9.0], "events": []})


def test_what_is_usual_is_the_middle_of_each_kind() -> None:
    assert BEFORE == {LOOK: (0.2,), LIST: (0.4,)}


@pytest.mark.parametrize(
    ("now", "is_slow"),
    [
        ({LOOK: [1.9] * LAST}, False),
        ({LOOK: [2.1] * LAST}, True),
        ({LOOK: [2.1] * (LAST - 1)}, False),
        ({LOOK: [2.1] * LAST + [0.2] * LAST}, False),
        # One long answer is a hiccup, unless it took as long as all of the last may.
        ({LOOK: [0.2] * 9 + [9.0]}, False),
        ({LOOK: [0.2] * 9 + [9.3]}, True),
        # Each kind is compared with itself.
        ({LOOK: [0.2] * LAST, LIST: [3.9] * LAST}, False),
        ({LOOK: [0.2] * LAST, LIST: [4.1] * LAST}, True),
        # What was never asked before counts as quick.
        ({"events": [0.9 * 10 * FASTEST_USUAL] * LAST}, False),
        ({"events": [1.1 * 10 * FASTEST_USUAL] * LAST}, True),
        ({}, False),
    ],
)
def test_an_engine_that_answers_ten_times_slower_is_slow(now: dict[str, list[float]], is_slow: bool) -> None:
    assert (slowed(BEFORE, now) is not None) is is_slow


def test_how_slow_it_is_beside_how_it_was_is_told() -> None:
    assert slowed(BEFORE, {LOOK: [3.0] * LAST}) == reason(Code.ENGINE_SLOW, now=3000, usual=200)
