"""The table of fates is written so that it can be checked: known reasons, named sources, nothing twice."""

import re
from collections import Counter

import pytest

from tests.stage.fates import MOUNTS_IMAGES, ROWS, STORES, fates_on, longest, read_table
from workers.reasons import Code

SOURCE = re.compile(r"S([1-9]|1[0-7])|P([1-9]|[1-3][0-9]|4[0-6])|E[0-8](\.[1-9]){0,2}|D([1-9]|1[01])")
LINE = "image | app:1 | kept | young | S10, P9 | came just now"


def test_every_reason_is_one_that_a_plan_can_give() -> None:
    assert {row.code for row in ROWS if row.kind != "volume"} <= set(Code)


def test_every_row_names_its_sources() -> None:
    assert all(SOURCE.fullmatch(source) for row in ROWS for source in row.sources)
    assert all(row.sources and row.trap for row in ROWS)


def test_s1_every_volume_is_kept_and_no_plan_has_a_word_about_it() -> None:
    volumes = [row for row in ROWS if row.kind == "volume"]

    assert volumes
    assert {(row.fate, row.code) for row in volumes} == {("kept", "")}


def test_a_line_is_read() -> None:
    [row, other] = read_table(f"# a remark\n\n{LINE}\n{LINE} | Docker 28, containerd\n")

    assert (row.kind, row.name, row.fate, row.code) == ("image", "app:1", "kept", "young")
    assert (row.sources, row.trap, row.where) == (("S10", "P9"), "came just now", frozenset())
    assert (other.key, other.where) == (row.key, frozenset({"Docker 28", "containerd"}))


@pytest.mark.parametrize("store", STORES.values())
@pytest.mark.parametrize("more", [[], [MOUNTS_IMAGES]])
def test_on_every_engine_one_line_holds_for_an_object(store: str, more: list[str]) -> None:
    traits = frozenset({store, *more})
    fates = fates_on(traits)
    holding = [(row.key, len(row.where)) for row in ROWS if row.where <= traits]
    most = Counter(key for key, words in holding if words == len(fates[key].where))

    assert set(most.values()) == {1}


NOT_ROWS = [
    f"{LINE}\n{LINE}",
    LINE.replace("kept", "keep"),
    "image | app:1 | kept",
    f"{LINE} | Docker 7",
    f"{LINE} | containerd | Docker 28",
]


@pytest.mark.parametrize("text", NOT_ROWS)
def test_what_is_no_table_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_table(text)


def test_an_ellipsis_fills_a_name_up() -> None:
    name = longest("registry.example/app-…:1")

    assert (len(name), name[:21], name[-3:]) == (257, "registry.example/app-", "x:1")
    assert longest("app:1") == "app:1"
