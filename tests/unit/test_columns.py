"""One unit for a column: no figure is lost in it, and none looks larger than another that it is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.columns import Unit
from workers.contract import Bytes

SIZES = st.lists(st.integers(-(10**13), 10**13), min_size=2, max_size=6)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ([13_000_000_000, 612_000_000, 0], ["13.00", "0.61", "0"]),
        ([41_300_000_000_000, 96_000_000], ["41.30", "<0.01"]),
        ([412_000_000_000, 4_100_000_000, 3_000_000], ["412.0", "4.1", "<0.1"]),
        ([999, 17], ["999", "17"]),
        ([-4_100_000_000, 41_000_000_000], ["-4.10", "41.00"]),
    ],
)
def test_a_column_reads_at_sight(sizes: list[int], told: list[str]) -> None:
    unit = Unit.of(sizes)
    assert [unit.figure(one) for one in sizes] == told


def test_the_head_names_the_unit_and_an_interval_has_both_ends() -> None:
    unit = Unit.of([38_200_000_000])
    assert unit.head("Frees") == "Frees (GB)"
    assert unit.interval(Bytes(low=36_000_000_000, high=38_200_000_000)) == "36.00 to 38.20"


@given(SIZES)
def test_figures_keep_their_order_and_only_nothing_is_0(sizes: list[int]) -> None:
    unit = Unit.of(sizes)
    values = [float(re.sub("<", "", unit.figure(one))) for one in sorted(sizes)]
    assert values == sorted(values)
    assert [unit.figure(one) == "0" for one in sizes] == [one == 0 for one in sizes]
    assert all(len(unit.figure(one)) <= 8 for one in sizes if abs(one) < 10**15)
