"""Protections from Slack keep what they mean, beside those of the policy, in every judgement."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings

from tests.unit.facts_drawn import cases
from tests.unit.facts_host import (
    NOW,
    a_case,
    a_container,
    a_network,
    a_plan,
    an_image,
    days,
    going,
    names,
    why,
)
from workers.contract import Kind
from workers.planning.explain import explain
from workers.planning.facts import Case
from workers.planning.protections import Protection
from workers.reasons import Code
from workers.references import BadName
from workers.wording import fragment

DIGEST = f"sha256:{'ab' * 32}"
UNTIL = NOW + timedelta(days=30)
HOST = a_case(
    a_container("spent", of="app:1"),
    an_image("app:1"),
    an_image("web-app:1", "mirror.example/app:7"),
    an_image("other:1", digests=names(f"other@{DIGEST}")),
    a_network("front"),
)


def protecting(kind: Kind, pattern: str, case: Case = HOST) -> Case:
    return replace(case, protections=(*case.protections, Protection(kind, pattern, "UANA", UNTIL)))


@pytest.mark.parametrize(
    ("kind", "pattern", "kept"),
    [
        (Kind.IMAGE, "app", {"app:1"}),
        (Kind.IMAGE, "mirror.example/*", {"web-app:1"}),
        (Kind.IMAGE, f"other@{DIGEST}", {"other:1"}),
        (Kind.CONTAINER, "sp*", {"spent", "app:1"}),
        (Kind.NETWORK, "front", {"front"}),
        (Kind.NETWORK, "app", set()),
        (Kind.CONTAINER, "front", set()),
    ],
)
def test_s8_what_a_protection_means_stays(kind: Kind, pattern: str, kept: set[str]) -> None:
    assert going(HOST) - going(protecting(kind, pattern)) == kept


def test_an_explanation_says_who_protects_it_until_when() -> None:
    case = protecting(Kind.IMAGE, "other:1")
    (found,) = explain(case, a_plan(case), "other:1")

    assert found.keep
    assert fragment(found.reasons[0]) == (
        "it is protected from Slack by UANA until 2026-07-01 12:00 UTC (other:1)"
    )


def test_one_without_an_end_says_so() -> None:
    words = fragment(Protection(Kind.IMAGE, "app", "cli:root").reason)

    assert words == "it is protected from Slack by cli:root until somebody lifts that (app)"


def test_a_protected_image_does_not_count_as_the_way_back() -> None:
    case = a_case(
        a_container("web", of="app:3", ended=None, state="running", started_at=days(1)),
        an_image("app:3", arrived=20),
        an_image("app:2", arrived=30),
        an_image("app:1", arrived=40),
    )
    assert going(case) == {"app:1"}

    assert going(protecting(Kind.IMAGE, "app:2", case)) == set()
    assert Code.PROTECTED_FROM_SLACK in why(protecting(Kind.IMAGE, "app:2", case), "app:2")


@pytest.mark.parametrize(("kind", "pattern"), [(Kind.IMAGE, "app:[z-a]"), (Kind.CONTAINER, "a b")])
def test_a_pattern_that_could_mean_nothing_is_no_protection(kind: Kind, pattern: str) -> None:
    with pytest.raises(BadName):
        Protection(kind, pattern, "UANA")


@settings(max_examples=40)
@given(cases())
def test_a_protection_never_lets_anything_go(case: Case) -> None:
    everything = protecting(
        Kind.IMAGE, "*", protecting(Kind.CONTAINER, "*", protecting(Kind.NETWORK, "*", case))
    )

    before, after = ({v.object.id for v in a_plan(c).verdicts if not v.keep} for c in (case, everything))
    nameless = {image.id for image in case.inventory.images if not (image.names or image.digests)}
    records = {record.id for record in case.inventory.cache}
    assert after <= before & (nameless | records)
