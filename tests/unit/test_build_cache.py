"""The build cache goes leaf first; what a build uses, and mounts, never go."""

from typing import Any

import pytest

from tests.unit.facts_host import BEFORE_DOCKER, a_case, a_policy, a_record, days, going, verdicts, why
from workers.reasons import Code, reason


def test_what_no_build_used_for_long_goes() -> None:
    case = a_case(a_record("leaf", "root"), a_record("root"))

    assert going(case) == {"leaf", "root"}
    assert why(case, "leaf") == [Code.CACHE_UNUSED]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"in_use": True}, Code.CACHE_IN_USE),
        ({"type": "exec.cachemount"}, Code.CACHE_MOUNT),
        ({"last_used_at": days(0.9)}, Code.USED_LATELY),
        ({"last_used_at": days(-1)}, Code.AGE_UNKNOWN),
        *(({"last_used_at": moment}, Code.AGE_UNKNOWN) for moment in BEFORE_DOCKER),
        ({"last_used_at": None, "created_at": days(0.5)}, Code.YOUNG),
        ({"last_used_at": None, "created_at": None}, Code.AGE_UNKNOWN),
        *(({"last_used_at": None, "created_at": moment}, Code.AGE_UNKNOWN) for moment in BEFORE_DOCKER),
    ],
)
def test_what_is_in_use_a_mount_young_or_unknown_stays(facts: dict[str, Any], code: Code) -> None:
    assert why(a_case(a_record("it", **facts)), "it") == [code]


def test_every_ancestor_of_what_stays_stays() -> None:
    chain = [
        a_record("leaf", "middle", used=0),
        a_record("middle", "root", "side"),
        a_record("root"),
        a_record("side"),
    ]

    assert going(a_case(*chain, a_record("other"))) == {"other"}
    assert why(a_case(*chain), "root") == [Code.CACHE_PARENT]


def test_what_stays_for_itself_says_as_well_which_record_needs_it() -> None:
    chain = [a_record("leaf", "root", in_use=True), a_record("root", in_use=True), a_record("twig", "root")]
    [needed] = [one for one in verdicts(a_case(*chain))["root"].reasons if one.code is Code.CACHE_PARENT]

    assert why(a_case(*chain), "root") == [Code.CACHE_IN_USE, Code.CACHE_PARENT]
    assert needed.params == {"child": "leaf"}
    assert going(a_case(*chain)) == {"twig"}


def test_of_several_that_need_a_record_the_same_is_told_in_whatever_order_they_are_listed() -> None:
    chain = [a_record("a", "root", used=0), a_record("b", "root", used=0), a_record("root")]
    told = [verdicts(a_case(*listed))["root"].reasons for listed in (chain, chain[::-1])]

    assert told[0] == told[1] == (reason(Code.CACHE_PARENT, child="a"),)


def test_what_waits_only_for_its_age_says_nothing_of_what_waits_too() -> None:
    young = [a_record("leaf", "root", used=0), a_record("root", used=0)]
    in_use = a_record("tip", "leaf", in_use=True)

    assert why(a_case(*young), "root") == [Code.USED_LATELY]
    assert why(a_case(*young, in_use), "root") == [Code.USED_LATELY, Code.CACHE_PARENT]


def test_a_parent_that_is_not_listed_is_no_obstacle() -> None:
    assert going(a_case(a_record("leaf", "vanished"))) == {"leaf"}


@pytest.mark.parametrize(
    ("budget", "stays"),
    [(0, set()), (99, set()), (100, {"new"}), (250, {"new", "middle"}), (300, {"new", "middle", "old"})],
)
def test_the_newest_used_records_stay_up_to_a_size(budget: int, stays: set[str]) -> None:
    records = [a_record("old", used=30), a_record("new", used=10), a_record("middle", used=20)]
    case = a_case(*records, policy=a_policy(build_cache_keep_bytes=budget))

    assert {"old", "new", "middle"} - going(case) == stays


def test_what_stays_anyway_does_not_count_toward_the_size() -> None:
    policy = a_policy(build_cache_keep_bytes=100)

    assert going(a_case(a_record("mount", type="exec.cachemount"), a_record("it"), policy=policy)) == set()
