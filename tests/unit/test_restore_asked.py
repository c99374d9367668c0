"""What somebody elsewhere wants back: one run and objects of it, or a reason that says what there is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.bot_values import ANA, NOON, order
from tests.unit.restore_values import described, removed_image, removed_network
from workers.contract import LONGEST_NAME, MOST_OBJECTS, RestoreRequest
from workers.errors import RefusedError
from workers.reasons import Code
from workers.restore.asked import run_meant
from workers.restore.past import PastRun
from workers.signing import MAX_BODY, canonical

DIGEST = f"sha256:{'1' * 64}"
REMOVALS = (removed_image(1, "web:1"), removed_network(2, described("front")))
FIRST = PastRun(order("ab" * 16, DIGEST), NOON, REMOVALS)
SECOND = PastRun(order("abcd" * 8, f"sha256:{'2' * 64}"), NOON, REMOVALS)
EMPTY = PastRun(order("e" * 32, f"sha256:{'3' * 64}"), NOON, ())
RUNS = [FIRST, SECOND, EMPTY]


def request(**asked: Any) -> RestoreRequest:
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    return RestoreRequest(
        key_id="k1",
        id="p1",
        host="web-1",
        issued_at=now,
        expires_at=now + timedelta(minutes=10),
        request_id="r1",
        reply_to="C1",
        requester=ANA,
        **asked,
    )


def refusal(runs: list[PastRun], **asked: Any) -> tuple[Code, dict[str, str | int]]:
    with pytest.raises(RefusedError) as refused:
        run_meant(runs, request(**asked))
    [why] = refused.value.reasons
    return why.code, why.params


def test_without_a_name_it_is_the_last_run_that_removed_something() -> None:
    assert run_meant(RUNS, request()) == SECOND
    assert run_meant(RUNS, request(objects=("front",))) == SECOND


def test_a_run_is_meant_by_its_name_and_any_of_its_objects() -> None:
    assert run_meant(RUNS, request(run="abab", objects=("web:1", "front"))) == FIRST
    assert run_meant(RUNS, request(run=DIGEST)) == FIRST


def test_what_means_no_run_is_answered_with_what_there_is() -> None:
    assert refusal([EMPTY]) == (Code.NOTHING_REMOVED_YET, {})
    assert refusal([], run="abab") == (Code.NOTHING_REMOVED_YET, {})
    nearest = {"run": "abce", "alike": f"{SECOND.order.id} and {FIRST.order.id}"}
    assert refusal(RUNS, run="abce") == (Code.RUN_UNKNOWN, nearest)
    assert refusal(RUNS, run="eeee")[0] is Code.RUN_UNKNOWN


def test_a_beginning_of_several_runs_means_none_of_them() -> None:
    twins = [PastRun(order(f"abcd{n}", DIGEST), NOON, REMOVALS) for n in range(2)]

    assert refusal(twins, run="abcd") == (Code.RUN_AMBIGUOUS, {"run": "abcd", "alike": "abcd0 and abcd1"})


def test_an_object_that_the_run_did_not_remove_is_answered_with_the_nearest() -> None:
    about = {"object": "web:2", "run": SECOND.order.id, "alike": "web:1"}
    assert refusal(RUNS, objects=("front", "web:2")) == (Code.NOT_REMOVED_BY_RUN, about)
    assert refusal(RUNS, objects=("zzzzzz",))[1]["alike"] == "front and web:1"


def test_the_longest_request_fits_under_a_seal() -> None:
    longest = request(run="\u00e9" * LONGEST_NAME, objects=("\u00e9" * LONGEST_NAME,) * MOST_OBJECTS)

    assert len(canonical(longest)) <= MAX_BODY
    for wrong in ({"objects": ("x",) * (MOST_OBJECTS + 1)}, {"objects": ("",)}, {"run": "x" * 600}):
        with pytest.raises(ValidationError):
            request(**wrong)
