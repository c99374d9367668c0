"""What a form or a box leaves out, and what it keeps for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.edits import (
    KEEP,
    KINDS,
    NAMED,
    OBJECTS,
    choice_of,
    is_called,
    kept,
    leaving_out,
    nobodys,
    protection,
    ticked,
)
from bot.requests import Choice, HostPart, Stage
from tests.unit.bot_values import plan
from workers.contract import Kind, Plan, Reference

NEEDY = plan(steps=4)
NEEDY = NEEDY.model_copy(
    update={
        "steps": tuple(s.model_copy(update={"needs": (s.index - 1,) if s.index else ()}) for s in NEEDY.steps)
    }
)


def of_kinds(*kinds: Kind) -> Plan:
    made = plan(steps=len(kinds))
    steps = [
        step.model_copy(update={"object": Reference(kind=kind, id=f"i{step.index}", name=f"n{step.index}")})
        for step, kind in zip(made.steps, kinds, strict=True)
    ]
    return made.model_copy(update={"steps": tuple(steps)})


MIXED = of_kinds(Kind.CONTAINER, Kind.IMAGE, Kind.IMAGE, Kind.NETWORK)


@pytest.mark.parametrize(
    ("values", "excluded"),
    [
        ({KINDS: ["container", "image", "network"]}, ()),
        ({KINDS: ["image"]}, (0, 3)),
        ({KINDS: ["container", "image", "network"], OBJECTS: ["2"]}, (2,)),
        ({KINDS: ["container", "image", "network"], OBJECTS: ["2"], KEEP: ["1"]}, (1, 2)),
        ({KINDS: ["image", "volume"], OBJECTS: ["77", "-1", "two", ""]}, (0, 3)),
        ({KINDS: ["container", "image", "network"], NAMED: ["n2, /n0"]}, (0, 2)),
        ({KINDS: ["container", "image", "network"], NAMED: ["n[12] i3"]}, (1, 2)),
        ({KINDS: ["image"], NAMED: ["  "]}, (0, 3)),
    ],
)
def test_a_form_leaves_out_kinds_and_objects_that_the_plan_has(
    values: dict[str, list[str]], excluded: tuple[int, ...]
) -> None:
    assert choice_of(MIXED, values) == Choice("web-1", excluded)


def test_an_image_is_meant_by_any_of_its_names_and_by_the_start_of_its_id() -> None:
    step = plan(steps=1).steps[0].model_copy(update={"untags": ("shop/app:1", "shop/app:old")})
    id_ = step.object.id.removeprefix("sha256:")
    meant = ["app:0", "shop/app:*", "shop/app:old", id_, id_[:12], f"sha256:{id_[:20]}"]
    assert [word for word in meant if not is_called(step, word)] == []
    assert not any(is_called(step, word) for word in ("app", "shop/app", id_[:11], "old", "sha256:"))


def test_what_names_nothing_is_told_apart() -> None:
    assert nobodys(MIXED, {NAMED: ["n1 n9 x*"]}) == ("n9", "x*")
    assert nobodys(MIXED, {}) == ()


@pytest.mark.parametrize("values", [{}, {KINDS: []}, {KINDS: ["image"], OBJECTS: ["1", "2"]}])
def test_where_nothing_is_left_the_host_is_left_out(values: dict[str, list[str]]) -> None:
    assert choice_of(MIXED, values) == Choice("web-1", is_left_out=True)


def test_what_needs_something_left_out_is_left_out_with_it() -> None:
    assert leaving_out(NEEDY, {2}) == Choice("web-1", (2, 3))
    assert leaving_out(NEEDY, {0}) == Choice("web-1", is_left_out=True)


@given(st.sets(st.sampled_from(["web-1", "web-2", "web-3", "elsewhere"])))
def test_boxes_leave_out_hosts_and_nothing_else(on: set[str]) -> None:
    parts = [HostPart(f"web-{n}", Stage.PLANNED, plan=NEEDY, excluded=(n,)) for n in (1, 2, 3)]
    assert ticked(parts, on) == tuple(Choice(p.host, p.excluded, p.host not in on) for p in parts)


def test_what_is_always_kept_is_named_as_a_policy_would() -> None:
    made = of_kinds(Kind.CONTAINER, Kind.IMAGE, Kind.BUILD_CACHE, Kind.NETWORK)
    tagged = made.steps[1].model_copy(update={"untags": ("registry.example/app:2", "registry.example/app:b")})
    untagged = made.steps[1].model_copy(
        update={"object": Reference(kind=Kind.IMAGE, id="sha256:" + "a" * 64, name="sha256:" + "a" * 64)}
    )
    short = made.steps[1].model_copy(
        update={"object": Reference(kind=Kind.IMAGE, id="sha256:" + "a" * 64, name="sha256:" + "a" * 12)}
    )
    assert [protection(step) for step in (*made.steps, tagged, untagged, short)] == [
        ("container", "n0"),
        ("image", "n1"),
        None,
        ("network", "n3"),
        ("image", "registry.example/app:2"),
        None,
        None,
    ]
    assert kept(made, {KEEP: ["0", "2", "9"]}) == [("container", "n0")]
