"""What the picture of a run's disk shows and says: figures on honest axes, the same in words."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.measured import Measured, Moment
from bot.render.picture import MOST_ALT, MOST_POINTS, Picture, days_shown, is_pictured, picture
from bot.render.scales import Scale
from tests.unit.bot_values import NOON
from tests.unit.picture_values import AFTER, BEFORE, DAY, GB, RUN, at, disk, run, usage
from tests.unit.render_strategies import NAMES
from workers.contract import DiskUsage, Filesystem, Outcome, Status


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def fractions(value: Any) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from fractions(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from fractions(inner)


# What it says


def test_the_title_is_the_outcome_in_words() -> None:
    assert picture(RUN, []).figure.title == ("Pruned 14.0 GB on web-1.",)


def test_each_kind_stands_in_the_key_with_its_sizes() -> None:
    rows = [(row.name, row.before, row.after) for row in picture(RUN, []).figure.bars.key]

    assert rows == [
        ("Containers", "1.00 GB", "0 B"),
        ("Images", "22.0 GB", "13.0 GB"),
        ("Build cache", "6.00 GB", "2.00 GB"),
        ("Volumes", "5.00 GB", "5.00 GB"),
    ]


def test_the_stacks_are_in_proportion_and_say_what_they_come_to() -> None:
    bars = picture(RUN, []).figure.bars

    assert [bar.total for bar in bars.bars] == ["34.0 GB", "20.0 GB"]
    assert [mark.label for mark in bars.marks] == ["0", "10 GB", "20 GB", "30 GB", "40 GB"]
    assert bars.bars[0].parts == pytest.approx([1 / 40, 22 / 40, 6 / 40, 5 / 40])


def test_a_size_that_is_not_known_is_not_drawn_as_nothing() -> None:
    unsized = RUN.model_copy(update={"usage_after": AFTER.model_copy(update={"images": None})})
    told = picture(unsized, [])

    assert [(row.before, row.after) for row in told.figure.bars.key if row.name == "Images"] == [
        ("22.0 GB", "unknown")
    ]
    assert [bar.total for bar in told.figure.bars.bars] == ["34.0 GB", "at least 7.00 GB"]
    assert "22.0 GB of images, now unknown;" in told.alt


def test_what_docker_holds_is_not_drawn_over_time_where_a_part_of_it_is_not_known() -> None:
    bare = RUN.model_copy(
        update={
            "usage_before": BEFORE.model_copy(update={"filesystems": (), "images": None}),
            "usage_after": AFTER.model_copy(update={"filesystems": ()}),
        }
    )

    assert len(picture(bare, []).figure.course.points) == 1


def test_the_filesystem_and_its_inodes_are_told_in_numbers() -> None:
    course = picture(RUN, []).figure.course

    assert course.notes == (
        "In use: 41.0 GB, now 28.0 GB",
        "of 48.0 GB: 85 %, now 58 %",
        "Inodes: 40 %, now 30 %",
    )
    assert course.limit is not None
    assert (course.limit.label, course.limit.at) == ("Full at 48.0 GB", pytest.approx(48 / 50))


def test_the_words_in_its_place_have_all_the_figures() -> None:
    assert picture(RUN, [at(10, 30 * GB)]).alt.split(". ") == [
        "Pruned 14.0 GB on web-1",
        "Before the run Docker held 1.00 GB of containers, now 0 B; 22.0 GB of images, now 13.0 GB;"
        " 6.00 GB of build cache, now 2.00 GB; 5.00 GB of volumes, now 5.00 GB",
        "The filesystem: before 41.0 GB of 48.0 GB (85 %), now 28.0 GB of 48.0 GB (58 %);"
        " inodes in use 40 %, now 30 %",
        "In the 30 days shown, 3 measurements and 1 run: between 28.0 GB and 41.0 GB in use",
        "Times are UTC, up to 24 Nov 2026 12:00.",
    ]


def test_the_file_is_named_after_its_host_and_plan() -> None:
    assert picture(RUN, []).name == "web-1-disk-000000000000.png"


# The days


def test_the_last_30_days_are_shown_up_to_the_run_and_in_utc() -> None:
    zone = timezone(timedelta(hours=9))
    late = RUN.model_copy(
        update={"usage_after": AFTER.model_copy(update={"taken_at": NOON.astimezone(zone)})}
    )
    figure = picture(late, []).figure

    assert days_shown(late) == (NOON - 30 * DAY, NOON)
    assert [day.label for day in figure.course.days] == ["25 Oct", "4 Nov", "14 Nov", "24 Nov"]
    assert [day.at for day in figure.course.days] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert figure.subtitle == "24 Nov 2026 12:00 UTC"
    assert "UTC" in figure.course.title


def test_what_is_older_or_later_is_left_out() -> None:
    points = picture(RUN, [at(31, 1), at(15, 20 * GB), at(-1, 2)]).figure.course.points

    assert len(points) == 3
    assert points[0] == pytest.approx((0.5, 20 / 50))


def test_this_run_is_drawn_once_though_the_history_has_it_too() -> None:
    again = [Measured(BEFORE, Moment.BEFORE, "o1"), Measured(AFTER, Moment.AFTER, "o1")]

    assert picture(RUN, again) == picture(RUN, [])
    assert len(picture(RUN, []).figure.course.points) == 2


def test_runs_are_marked_where_they_ended() -> None:
    earlier = [at(15, 40 * GB, Moment.BEFORE, "o0"), at(15, 20 * GB, Moment.AFTER, "o0")]

    assert picture(RUN, earlier).figure.course.runs == pytest.approx((0.5, 1.0))


def test_of_two_ends_at_one_moment_the_one_after_comes_last() -> None:
    course = picture(run(BEFORE, AFTER.model_copy(update={"taken_at": NOON})), []).figure.course

    assert course.points == ((1.0, 41 / 50), (1.0, 28 / 50))


def test_of_many_points_some_are_drawn_and_the_run_always() -> None:
    many = [at(30 - n / 400, 10 * GB) for n in range(1, 12_000)]
    points = picture(RUN, many).figure.course.points

    assert len(points) <= MOST_POINTS + 2
    assert [y for _, y in points[-2:]] == pytest.approx([41 / 50, 28 / 50])


def test_a_disk_that_was_made_larger_is_drawn_whole() -> None:
    course = picture(RUN, [Measured(usage(0, disk(90 * GB, total=100 * GB), at=NOON - DAY))]).figure.course

    assert course.marks[-1].label == "100 GB"
    assert course.limit is not None
    assert course.limit.label == "Full at 48.0 GB"


def test_of_several_filesystems_the_engine_s_own_is_drawn_and_named() -> None:
    other = disk(1, path="/volumes")
    before, after = (u.model_copy(update={"filesystems": (*u.filesystems, other)}) for u in (BEFORE, AFTER))

    course = picture(run(before, after), []).figure.course
    assert course.title == "/data, 30 days (UTC)"
    assert course.points[-1][1] == pytest.approx(28 / 50)


def test_without_a_filesystem_the_engine_s_own_figures_are_drawn() -> None:
    course = picture(run(usage(22 * GB), usage(13 * GB)), [at(3, 40 * GB)]).figure.course

    assert course.title == "Docker holds, 30 days (UTC)"
    assert course.limit is None
    assert course.notes == ("In use: 27.0 GB, now 18.0 GB",)
    assert [y for _, y in course.points] == pytest.approx([5 / 30, 27 / 30, 18 / 30])


@pytest.mark.parametrize(("before", "after"), [(None, AFTER), (BEFORE, None), (None, None)])
def test_where_one_end_was_not_measured_there_is_no_picture(
    before: DiskUsage | None, after: DiskUsage | None
) -> None:
    assert is_pictured(RUN)
    assert not is_pictured(run(before, after))


def test_where_nothing_was_begun_there_is_no_picture() -> None:
    untouched = tuple(s.model_copy(update={"outcome": Outcome.NOT_ATTEMPTED}) for s in RUN.outcomes)
    refused = RUN.model_copy(update={"status": Status.REFUSED, "outcomes": untouched})

    assert not is_pictured(refused)


# Whatever comes

SIZES = st.sampled_from([0, 1, 999, 2**60]) | st.integers(0, 2**60)
ODD = NAMES | st.sampled_from(["$\\frac{1}{0}$", "a\nb", "\x00", "\U0001f4a3", "\u202e/data", "{}%s", "\\"])
FILESYSTEMS = st.builds(
    Filesystem, path=ODD, total=SIZES, free=SIZES, inodes=SIZES, inodes_free=SIZES, reserved=SIZES
)


@st.composite
def usages(draw: st.DrawFn, filesystems: list[Filesystem]) -> DiskUsage:
    seconds = draw(st.sampled_from([0, 1]) | st.integers(0, 40 * 86_400))
    return DiskUsage(
        taken_at=NOON - timedelta(seconds=seconds),
        containers=draw(SIZES),
        images=draw(st.none() | SIZES),
        build_cache=draw(SIZES),
        volumes=draw(SIZES),
        filesystems=tuple(draw(st.lists(st.sampled_from(filesystems), max_size=3)) if filesystems else ()),
    )


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    filesystems = draw(st.lists(FILESYSTEMS, max_size=3))
    moments = st.sampled_from(Moment)
    orders = st.sampled_from(["", "o0", "o1", "o2"])
    points = st.builds(Measured, usage=usages(filesystems), moment=moments, order_id=orders)
    history = draw(st.lists(points, max_size=8)) * draw(st.sampled_from([1, 1, 5, 700]))
    told = run(draw(usages(filesystems)), draw(usages(filesystems)))
    host = draw(st.sampled_from(["a", "web-1", "x" * 63]))
    return picture(told.model_copy(update={"host": host, "status": draw(st.sampled_from(Status))}), history)


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_whatever_was_measured_can_be_drawn(drawn: Picture) -> None:
    figure = asdict(drawn.figure)

    assert json.loads(json.dumps(figure, allow_nan=False)) == json.loads(json.dumps(figure))
    assert all(0 <= number <= 1 for number in fractions(figure))
    assert len(drawn.figure.course.points) <= MOST_POINTS + 2


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_axes_begin_at_nothing_and_hold_everything(drawn: Picture) -> None:
    for panel in (drawn.figure.bars, drawn.figure.course):
        assert (panel.marks[0].label, panel.marks[0].at) == ("0", 0)
        assert panel.marks[-1].at == 1
        assert len({mark.label for mark in panel.marks}) == len(panel.marks) <= 6
    assert all(sum(bar.parts) <= 1 + 1e-9 for bar in drawn.figure.bars.bars)


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_words_are_there_and_fit(drawn: Picture) -> None:
    assert 0 < len(drawn.alt) <= MOST_ALT
    assert drawn.alt.startswith(" ".join(drawn.figure.title)[:20])
    assert 1 <= len(drawn.figure.title) <= 3
    assert all(len(note) <= 36 for note in drawn.figure.course.notes)
    assert len(drawn.figure.course.notes) <= 3
    assert all(text.isprintable() for text in texts(asdict(drawn)))


@given(st.lists(st.integers(-(2**60), 2**70)))
def test_a_scale_ends_at_a_round_number_close_above(sizes: list[int]) -> None:
    scale = Scale.over(sizes)
    most = max([*sizes, 0])

    assert most <= scale.top
    assert scale.top - most <= scale.step
    assert str(scale.step).rstrip("0") in ("1", "2", "5")
    assert all(0 <= scale.at(size) <= 1 for size in sizes)


def test_a_clock_at_the_edge_of_the_calendar_has_no_days_before_it() -> None:
    edge = datetime(1, 1, 2, tzinfo=UTC)

    assert days_shown(run(BEFORE, AFTER.model_copy(update={"taken_at": edge}))) == (edge, edge)
