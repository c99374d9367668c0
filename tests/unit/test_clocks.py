"""Whether a host's clock is off, told by signs of life that may have waited anywhere."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clocks import IN_A_ROW, LARGEST, Clocks
from bot.obstacles import obstacle
from tests.unit.bot_values import after
from workers.contract import Beat
from workers.reasons import Reason


def beat(at: float, boot: str = "b") -> Beat:
    return Beat(host="web-1", boot=boot, ledger="l", engine_id="e", version="1", at=after(at))


def told(signs: Iterable[tuple[float, float]]) -> Reason | None:
    """What is known after looks that took no time, each (when looked, the sign's own time)."""
    clocks, last = Clocks(), None
    for looked, at in signs:
        [last] = clocks.look([beat(at)], asked_at=after(looked), now=after(looked))
    return obstacle(last.problems) if last else None


def signs(off: float, count: int = IN_A_ROW + 1) -> list[tuple[float, float]]:
    return [(5.0 * number, 5.0 * number + off) for number in range(count)]


@pytest.mark.parametrize(("off", "way"), [(14, "ahead of"), (-19, "behind"), (3600, "ahead of")])
def test_a_clock_that_is_off_is_found_with_its_direction(off: float, way: str) -> None:
    found = told(signs(off))

    assert found is not None
    assert found.params["way"] == way
    assert LARGEST.total_seconds() <= int(found.params["off"]) <= abs(off)


def test_it_takes_several_signs_in_a_row() -> None:
    assert told(signs(60, IN_A_ROW)) is None
    assert told([*signs(60), (20.0, 20.0)]) is None


def test_a_sign_that_waited_in_a_redis_that_hung_is_no_wrong_clock() -> None:
    hung = [(0.0, 0.0), (5.0, 5.0), (40.0, 10.0), (42.0, 42.0), (47.0, 47.0)]

    assert [told(hung[:count]) for count in range(1, 6)] == [None] * 5


def test_a_bot_that_did_not_look_for_a_while_blames_nobody() -> None:
    assert told([(120.0 * number, 120.0 * number - 59) for number in range(6)]) is None


def test_the_same_sign_again_says_nothing() -> None:
    assert told([(float(second), 0.0) for second in range(60)]) is None


@given(
    st.lists(
        st.tuples(st.floats(0.1, 30), st.floats(0, 60)),  # until the next look, and the age of its sign
        min_size=IN_A_ROW + 1,
        max_size=12,
    )
)
def test_no_delay_makes_a_right_clock_seem_ahead(looks: list[tuple[float, float]]) -> None:
    moment, seen = 0.0, []
    for pause, age in looks:
        moment += pause
        seen.append((moment, moment - age))
    found = told(seen)

    assert found is None or found.params["way"] == "behind"


@given(st.lists(st.tuples(st.floats(0.1, 30), st.floats(0, 1)), min_size=IN_A_ROW + 1, max_size=12))
def test_a_right_clock_whose_signs_come_as_they_are_made_is_never_called_off(
    looks: list[tuple[float, float]],
) -> None:
    """Each sign is made somewhere between two looks, and found by the second."""
    moment, seen = 0.0, []
    for pause, share in looks:
        seen.append((moment + pause, moment + pause * share))
        moment += pause

    assert told(seen) is None
