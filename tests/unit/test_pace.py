"""An engine that answers ten times slower than at the start of the run stops it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.execution.pace import FASTEST_USUAL, LAST, TIMES_SLOWER, slowed, usual
from workers.reasons import Code, reason

SECONDS = st.floats(0, 300)


def judged(usual: list[float], now: list[float]) -> bool:
    return slowed({"inspect": usual}, {"inspect": now}) is not None


@pytest.mark.parametrize(
    ("usual", "now", "expected"),
    [
        ([0.001] * 3, [0.012] * 9, False),
        ([0.001] * 3, [0.4] * 9, False),
        ([0.001] * 3, [0.6] * 9, True),
        ([0.2] * 3, [1.9] * 9, False),
        ([0.2] * 3, [2.1] * 9, True),
        # A hiccup is none, an answer that took minutes is.
        ([0.001] * 3, [0.001] * 8 + [2.0], False),
        ([0.001] * 3, [0.001] * 8 + [3.0], True),
        ([0.001] * 3, [3.0], True),
        # It was slow and is well again.
        ([0.001] * 3, [3.0] * 9 + [0.001] * LAST, False),
        # One slow answer before the run makes no slow engine usual.
        ([0.001, 0.001, 30.0], [2.0] * LAST, True),
        ([], [0.4] * LAST, False),
        ([], [0.6] * LAST, True),
        ([0.001], [], False),
    ],
)
def test_ten_times_slower_is_slow_above_a_floor(usual: list[float], now: list[float], expected: bool) -> None:
    assert judged(usual, now) is expected


def test_the_reason_says_how_slow_in_milliseconds() -> None:
    found = slowed({"inspect": [0.002]}, {"inspect": [1.5] * LAST})

    assert found == reason(Code.ENGINE_SLOW, now=1500, usual=2)


def test_each_kind_of_look_is_compared_with_itself() -> None:
    usual = {"list": [0.3] * 3, "inspect": [0.001] * 3}

    assert slowed(usual, {"list": [2.0] * LAST, "inspect": [0.01] * LAST}) is None
    assert slowed(usual, {"list": [0.3] * LAST, "inspect": [2.0] * LAST}) is not None


@given(st.dictionaries(st.sampled_from(["list", "inspect"]), st.lists(SECONDS, max_size=8)), SECONDS)
def test_what_is_usual_may_be_reckoned_once_for_a_whole_run(
    taken: dict[str, list[float]], now: float
) -> None:
    answers = {"list": [now] * LAST, "inspect": [now] * LAST, "info": [now]}

    assert slowed(usual(taken), answers) == slowed(taken, answers)


@given(st.lists(SECONDS, min_size=1, max_size=8), st.lists(SECONDS, max_size=8), st.integers(0, 7))
def test_a_slower_answer_never_makes_an_engine_look_faster(
    usual: list[float], now: list[float], at: int
) -> None:
    slower = [taken * 2 if position == at else taken for position, taken in enumerate(now)]

    assert judged(usual, now) <= judged(usual, slower)


@given(st.lists(st.floats(0, FASTEST_USUAL * TIMES_SLOWER), max_size=20), st.lists(SECONDS, max_size=8))
def test_no_engine_that_answers_within_the_floor_is_slow(now: list[float], usual: list[float]) -> None:
    assert not judged(usual, now)
