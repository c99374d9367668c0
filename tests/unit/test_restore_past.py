"""Which run is meant, and what of it: by any clear beginning; else the nearest are named."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.bot_values import NOON, order
from tests.unit.restore_values import described, image_id, removed_image, removed_network
from workers.contract import Outcome
from workers.errors import UsageError
from workers.restore import past
from workers.restore.past import PastRun, Removal
from workers.restore.restorer import run_of

FIRST, SECOND = "ab" * 16, "abcd" * 8
DIGESTS = {FIRST: f"sha256:{'1' * 64}", SECOND: f"sha256:{'2' * 64}"}
RUNS = [PastRun(order(id_, DIGESTS[id_]), NOON, ()) for id_ in (FIRST, SECOND)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FIRST, [FIRST]),
        ("abab", [FIRST]),
        ("abcd", [SECOND]),
        (DIGESTS[SECOND], [SECOND]),
        ("sha256:1111", [FIRST]),
        ("2222", [SECOND]),
        ("ab", []),
        ("sha256:", []),
        ("", []),
        ("zzzz", []),
    ],
)
def test_a_run_is_meant_by_a_clear_beginning(text: str, found: list[str]) -> None:
    assert [run.order.id for run in past.meant(RUNS, text)] == found


def test_a_beginning_that_several_runs_have_means_all_of_them() -> None:
    runs = [PastRun(order(f"abcd{n}", DIGESTS[FIRST]), NOON, ()) for n in range(2)]

    assert past.meant(runs, "abcd") == runs
    assert past.meant(runs, "abcd0") == runs[:1]


class Remembering:
    """A ledger as far as it is asked for runs."""

    def __init__(self, *runs: PastRun) -> None:
        self._runs = [*runs]

    def past_runs(self) -> list[PastRun]:
        return self._runs


def test_the_last_run_is_the_last_that_removed_something() -> None:
    """As /prune restore has it."""
    first, second = (replace(run, removals=(removed_image(1, "web:1"),)) for run in RUNS)
    ledger: Any = Remembering(first, second, replace(RUNS[0], removals=()))
    nothing: Any = Remembering(*RUNS)

    assert run_of(ledger, "last", "web-1") == second
    with pytest.raises(UsageError, match="web-1 is called 'last', which has removed nothing yet"):
        run_of(nothing, "last", "web-1")


def test_the_nearest_runs_are_those_that_begin_alike_else_the_last() -> None:
    assert past.nearest_runs(RUNS, "abce")[0] == SECOND
    assert past.nearest_runs(RUNS, "2223") == [SECOND]
    assert past.nearest_runs(RUNS, "zzzz") == [SECOND, FIRST]
    assert past.nearest_runs([], "zzzz") == []


REMOVALS = [
    removed_image(1, "registry.example/shop/web:1", "web:2"),
    removed_image(2, "web:1"),
    removed_network(3, described("front"), at=3),
]


@pytest.mark.parametrize(
    ("texts", "found", "unknown"),
    [
        ([], [0, 1, 2], []),
        (["web:1"], [1], []),
        (["docker.io/library/web:2"], [0], []),
        (["shop/web:1"], [0], []),
        (["front"], [2], []),
        (["front", "nothing", "web:1"], [1, 2], ["nothing"]),
        ([image_id(2)], [1], []),
        ([image_id(1)[:71]], [0], []),
        (["sha256:000"], [], ["sha256:000"]),
        (["eb:1"], [], ["eb:1"]),
        ([""], [], [""]),
    ],
)
def test_objects_are_meant_by_names_ids_and_beginnings(
    texts: list[str], found: list[int], unknown: list[str]
) -> None:
    chosen, left = past.chosen(REMOVALS, texts)

    assert (chosen, left) == ([REMOVALS[index] for index in found], unknown)


def test_the_nearest_objects_are_named() -> None:
    assert past.nearest_objects(REMOVALS, "fornt") == ["front"]
    assert past.nearest_objects(REMOVALS, "zzz")[0] == "front"


def test_what_was_refused_or_gone_before_is_not_among_what_a_run_perhaps_removed() -> None:
    kept = {outcome for outcome in Outcome if outcome not in past.PERHAPS_GONE}

    assert kept == {Outcome.REFUSED, Outcome.GONE, Outcome.NOT_ATTEMPTED}
    assert None in past.PERHAPS_GONE


def test_a_run_is_remembered_as_long_as_any_way_back_is() -> None:
    forgotten = [Removal(one.step, "", one.outcome) for one in REMOVALS]

    assert PastRun(order("o1", DIGESTS[FIRST]), NOON, tuple(REMOVALS[:1] + forgotten)).is_remembered
    assert not PastRun(order("o1", DIGESTS[FIRST]), NOON, tuple(forgotten)).is_remembered
