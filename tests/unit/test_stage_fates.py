"""The table of fates is written so that it can be checked: known reasons, named sources, nothing twice."""

import re

import pytest

from tests.stage.fates import FATES, longest, read_table
from workers.reasons import Code

SOURCE = re.compile(r"S([1-9]|1[0-7])|P([1-9]|[1-3][0-9]|4[0-6])|E[0-8](\.[1-9]){0,2}|D([1-9]|1[01])")
LINE = "image | app:1 | kept | young | S10, P9 | came just now"


def test_every_reason_is_one_that_a_plan_can_give() -> None:
    assert {row.code for row in FATES.values() if row.kind != "volume"} <= set(Code)


def test_every_row_names_its_sources() -> None:
    assert all(SOURCE.fullmatch(source) for row in FATES.values() for source in row.sources)
    assert all(row.sources and row.trap for row in FATES.values())


def test_s1_every_volume_is_kept_and_no_plan_has_a_word_about_it() -> None:
    volumes = [row for row in FATES.values() if row.kind == "volume"]

    assert volumes
    assert {(row.fate, row.code) for row in volumes} == {("kept", "")}


def test_a_line_is_read() -> None:
    [row] = read_table(f"# a remark\n\n{LINE}\n").values()

    assert (row.kind, row.name, row.fate, row.code) == ("image", "app:1", "kept", "young")
    assert (row.sources, row.trap) == (("S10", "P9"), "came just now")


@pytest.mark.parametrize("text", [f"{LINE}\n{LINE}", LINE.replace("kept", "keep"), "image | app:1 | kept"])
def test_what_is_no_table_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_table(text)


def test_an_ellipsis_fills_a_name_up() -> None:
    name = longest("registry.example/app-…:1")

    assert (len(name), name[:21], name[-3:]) == (257, "registry.example/app-", "x:1")
    assert longest("app:1") == "app:1"
