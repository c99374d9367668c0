"""What a form or a box leaves out, and what it keeps for good."""

import fnmatch
from collections import Counter
from collections.abc import Collection
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.edits import (
    KEEP,
    KINDS,
    NAMED,
    OBJECTS,
    WORDS,
    beginnings,
    called,
    choice_of,
    following,
    kept,
    leaving_out,
    nobodys,
    protection,
    ticked,
)
from bot.requests import Choice, HostPart, Stage
from tests.unit.bot_values import chained, plan
from workers.contract import Kind, Plan, Reference, Step
from workers.exclusions import closed

NEEDY = chained(plan(steps=4))

# Two chains that do not touch.
EIGHT = chained(plan(steps=8), apart=2)


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
    assert called(of_steps(step), meant) == {word: {0} for word in meant}
    others = ("app", "shop/app", id_[:11], f"{id_[:12]}x", "old", "sha256:")
    assert called(of_steps(step), others) == {word: set() for word in others}


def of_steps(*steps: Step) -> Plan:
    return plan().model_copy(update={"steps": steps})


NAMES = st.text(st.sampled_from("ab/*?[]!1:"), min_size=1, max_size=5)


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3), min_size=1, max_size=4), st.lists(NAMES, max_size=4))
def test_a_name_means_what_is_called_so_and_a_glob_whatever_it_matches(
    names: list[list[str]], words: list[str]
) -> None:
    made = plan(steps=len(names))
    steps = [
        step.model_copy(
            update={"object": step.object.model_copy(update={"name": first}), "untags": tuple(rest)}
        )
        for step, (first, *rest) in zip(made.steps, names, strict=True)
    ]
    bare = [[name.removeprefix("/") for name in some] for some in names]

    assert called(of_steps(*steps), words) == {
        word: {
            n
            for n, some in enumerate(bare)
            for name in some
            if name == word.removeprefix("/") or fnmatchcase(name, word.removeprefix("/"))
        }
        for word in words
    }


def test_what_names_nothing_is_told_apart() -> None:
    assert nobodys(MIXED, {NAMED: ["n1 n9 x* n9"]}) == ("n9", "x*")
    assert nobodys(MIXED, {}) == ()


def test_however_much_is_typed_no_more_is_looked_for_than_a_form_has_time_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, matches = plan(steps=1000), Counter[str]()

    def counted(names: Collection[str], glob: str) -> list[str]:
        matches[glob] += len(names)
        return fnmatch.filter(names, glob)

    monkeypatch.setattr("bot.edits.matching", counted)
    names = " ".join(f"app:{n}" for n in range(WORDS))
    assert len(choice_of(made, {KINDS: ["image"], NAMED: [names]}).excluded) == WORDS
    assert nobodys(made, {NAMED: ["x " * 1499]}) == ("x",)
    assert not matches

    choice_of(made, {KINDS: ["image"], NAMED: ["app:* " * 500]})
    assert matches == {"app:*": 1000}

    matches.clear()
    choice_of(made, {KINDS: ["image"], NAMED: [" ".join(f"*{n}*" for n in range(1000))]})
    assert (len(matches), max(matches.values())) == (WORDS, 1000)


@pytest.mark.parametrize("values", [{}, {KINDS: []}, {KINDS: ["image"], OBJECTS: ["1", "2"]}])
def test_where_nothing_is_left_the_host_is_left_out(values: dict[str, list[str]]) -> None:
    assert choice_of(MIXED, values) == Choice("web-1", is_left_out=True)


def test_what_needs_something_left_out_is_left_out_with_it() -> None:
    assert leaving_out(NEEDY, {2}) == Choice("web-1", (2, 3))
    assert leaving_out(NEEDY, {0}) == Choice("web-1", is_left_out=True)


def test_what_is_left_out_with_something_else_is_told_with_it() -> None:
    def told(chosen: Collection[int]) -> list[tuple[int, int]]:
        return [(step.index, needed.index) for step, needed in following(NEEDY, chosen)]

    assert told({1}) == [(2, 1), (3, 2)]
    assert told({1, 2}) == [(3, 2)]
    assert told({3}) == told(()) == []
    assert following(MIXED, {0, 1}) == []


@given(st.sets(st.sampled_from(range(8))))
def test_of_what_was_left_out_before_the_beginnings_are_known(chosen: set[int]) -> None:
    left = closed(EIGHT, chosen)
    assert closed(EIGHT, beginnings(EIGHT, left)) == left
    follow = {step.index for step, _ in following(EIGHT, beginnings(EIGHT, left))}
    assert follow.isdisjoint(beginnings(EIGHT, left))
    assert follow <= left


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
