"""The disk before and after a run, as a table that a phone shows whole and as the lines of a file."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.disk import disk_rows, disk_table
from tests.unit.facts_host import NOW
from workers.contract import DiskUsage, Filesystem

# What a phone's width leaves for a figure, beside the name and two others.
ROOM = 8


def usage(*, images: int | None = 0, inodes: int = 0) -> DiskUsage:
    disk = Filesystem(path="/data", total=1, free=1, inodes=2**64, inodes_free=inodes)
    return DiskUsage(taken_at=NOW, containers=0, images=images, build_cache=0, volumes=0, filesystems=(disk,))


def shown(before: DiskUsage | None, after: DiskUsage | None) -> dict[str, Sequence[str]]:
    """The table's rows by their first cell."""
    [table] = disk_table(before, after)
    rows = [[cell["text"] for cell in row] for row in table["rows"]]
    return {name: figures for name, *figures in rows}


def test_the_change_stands_before_the_figures() -> None:
    found = shown(usage(images=41 * 10**12), usage(images=40 * 10**12))

    assert found["Disk (TB)"] == ["Change", "Before", "After"]
    assert found["Images"] == ["-1.00", "41.00", "40.00"]


@pytest.mark.parametrize(
    ("before", "after", "figures"),
    [
        (0, 999, ["+999", "0", "999"]),
        (999, 1000, ["+1", "999", "1k"]),
        (999_499, 999_500, ["+1", "999k", "1M"]),
        (5_912_004, 5_900_000, ["-12k", "5.91M", "5.9M"]),
        (2**64 - 1, 0, ["-18.4E", "18.4E", "0"]),
    ],
)
def test_counts_are_short_in_the_table_and_whole_in_the_file(
    before: int, after: int, figures: list[str]
) -> None:
    then, now = usage(inodes=before), usage(inodes=after)

    assert shown(then, now)["Free inodes on disk"] == figures
    assert disk_rows(then, now)[-1][2:] == (f"{before:,}", f"{after:,}")


def test_what_was_not_measured_is_never_told_as_nothing() -> None:
    assert shown(usage(images=3), None)["Images"] == ["?", "3", "?"]
    assert ("Images", "unknown", "3 B", "unknown") in disk_rows(usage(images=3), None)
    assert shown(usage(images=None), usage(images=3))["Images"] == ["?", "?", "3"]
    assert (disk_rows(None, None), disk_table(None, None)) == ([], [])


AMOUNTS = st.integers(0, 10**15)
INODES = st.integers(0, 2**64 - 1)


@given(AMOUNTS, AMOUNTS, INODES, INODES)
def test_no_figure_is_too_wide_for_a_phone(images: int, later: int, inodes: int, left: int) -> None:
    figures = shown(usage(images=images, inodes=inodes), usage(images=later, inodes=left)).values()

    assert max(len(figure) for row in figures for figure in row) <= ROOM
