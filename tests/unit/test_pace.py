"""Edits of one message never come faster than Slack takes them, and what is urgent waits only then."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.pace import AT_ONCE, EVERY, Pace
from tests.unit.bot_values import NOON

MOMENTS = st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=60)


@given(MOMENTS)
def test_no_more_are_made_than_a_bucket_of_slack_s_holds(wanted: list[tuple[float, bool]]) -> None:
    pace, now, bucket = Pace(), NOON, float(AT_ONCE)
    for passed, is_urgent in wanted:
        now += timedelta(seconds=passed)
        bucket = min(AT_ONCE, bucket + passed / EVERY.total_seconds())
        if pace.allows("m", now, is_urgent=is_urgent):
            pace.edited("m", now)
            bucket -= 1
        assert bucket >= -1e-6


def test_three_urgent_ones_need_not_wait_and_any_other_does() -> None:
    pace = Pace()
    for _ in range(AT_ONCE):
        assert pace.allows("m", NOON, is_urgent=True)
        pace.edited("m", NOON)
    assert not pace.allows("m", NOON, is_urgent=True)
    assert not pace.allows("m", NOON + 2 * EVERY)
    assert pace.allows("m", NOON + EVERY, is_urgent=True)
    assert pace.allows("m", NOON + 3 * EVERY)
    assert pace.allows("another", NOON)


def test_what_is_forgotten_may_be_edited_at_once() -> None:
    pace = Pace()
    pace.edited("m", NOON)
    pace.forget("m")
    assert pace.allows("m", NOON)
