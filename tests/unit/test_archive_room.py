"""Which images are saved before they go, for how many there is room, and what leaves to make some."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.facts_drawn import cases
from tests.unit.facts_host import (
    NOW,
    a_case,
    a_container,
    a_network,
    a_plan,
    a_policy,
    an_image,
    an_image_id,
    names,
)
from workers.contract import Kind, Plan, Restorable
from workers.planning import stock
from workers.planning.archiving import with_copies
from workers.planning.facts import Case
from workers.planning.judgement import judge
from workers.planning.order import closure, needs
from workers.planning.restorable import Answer
from workers.planning.stock import Archived, Stock
from workers.reasons import Code, reason
from workers.references import ImageName

ALL = tuple(Kind)
DIGEST = f"app@sha256:{'1' * 64}"
TROUBLE = reason(Code.ARCHIVE_UNUSABLE, folder="/mnt", detail="no such folder")
BIG, MIDDLE, LITTLE = (
    an_image(f"{n}:1", size=size) for n, size in (("big", 50), ("middle", 30), ("little", 9))
)


def with_room(room: int, *things: object, held: tuple[str, ...] = (), **keys: object) -> Case:
    case = a_case(*things, policy=a_policy(**keys))  # type: ignore[arg-type]
    return replace(case, archive=Stock(held=frozenset(held), room=room))


def marks(plan: Plan) -> dict[str, Restorable]:
    return {step.object.name: step.restorable for step in plan.steps if step.object.kind is Kind.IMAGE}


def kept_for(plan: Plan) -> dict[str, Code]:
    return {v.object.name: v.reasons[0].code for v in plan.verdicts if v.keep}


def test_without_an_archive_everything_is_as_it_was() -> None:
    plan = a_plan(a_case(BIG))

    assert marks(plan) == {"big:1": Restorable.NO}
    assert Code.UNRESTORABLE_COUNT in [why.code for why in plan.notices]


def test_what_no_registry_gives_back_is_saved_and_counts_as_restorable() -> None:
    plan = a_plan(with_room(100, BIG, LITTLE))
    told = {why.code: why.params for why in plan.notices}

    assert marks(plan) == {"big:1": Restorable.ARCHIVED, "little:1": Restorable.ARCHIVED}
    assert told[Code.ARCHIVED_FIRST] == {"count": 2, "size": 59}
    assert told.keys().isdisjoint({Code.UNRESTORABLE_COUNT, Code.ARCHIVE_TOO_SMALL})


def test_what_a_registry_gives_back_takes_no_room() -> None:
    image = an_image("app:1", digests=names(DIGEST), size=50)
    case = with_room(0, image)
    given_back = replace(case, answers={ImageName.parse(DIGEST): Answer(given=True)})
    silent = replace(case, answers={ImageName.parse(DIGEST): Answer(given=False, silence="no answer")})

    assert marks(a_plan(given_back)) == {"app:1": Restorable.YES}
    assert (marks(a_plan(case)), kept_for(a_plan(case))) == ({}, {"app:1": Code.ARCHIVE_FULL})
    assert kept_for(a_plan(silent)) == {"app:1": Code.ARCHIVE_FULL}


def test_room_goes_to_the_largest_first_and_what_does_not_fit_stays() -> None:
    plan = a_plan(with_room(60, LITTLE, MIDDLE, BIG))
    told = {why.code: why.params for why in plan.notices}

    assert (set(marks(plan)), kept_for(plan)) == ({"big:1", "little:1"}, {"middle:1": Code.ARCHIVE_FULL})
    assert told[Code.ARCHIVE_TOO_SMALL] == {"count": 1, "size": 30, "room": 60}


def test_what_lies_there_already_takes_no_room() -> None:
    plan = a_plan(with_room(30, MIDDLE, BIG, held=(an_image_id("big:1"),)))

    told = {why.code: why.params for why in plan.notices}

    assert set(marks(plan)) == {"big:1", "middle:1"}
    assert told[Code.ARCHIVED_FIRST] == {"count": 1, "size": 30}


def test_where_all_lies_there_already_nothing_is_said_to_be_saved() -> None:
    plan = a_plan(with_room(0, BIG, held=(an_image_id("big:1"),)))

    assert marks(plan) == {"big:1": Restorable.ARCHIVED}
    assert Code.ARCHIVED_FIRST not in [why.code for why in plan.notices]


def test_a_parent_stays_where_its_child_cannot_be_saved() -> None:
    base = an_image("base:1", size=5)
    child = an_image("app:1", parent=base.id, size=50)

    assert kept_for(a_plan(with_room(20, base, child))) == {
        "app:1": Code.ARCHIVE_FULL,
        "base:1": Code.NEEDS_KEPT,
    }


def test_a_container_goes_where_its_image_cannot_be_saved() -> None:
    spent = a_container("spent", of="big:1", image_id=BIG.id)
    plan = a_plan(with_room(0, BIG, spent, a_network("front")))

    assert {step.object.name for step in plan.steps} == {"spent", "front"}


def test_where_nothing_can_be_saved_only_such_images_stay_and_it_is_said() -> None:
    case = replace(a_case(BIG, a_network("front")), archive=Stock(trouble=TROUBLE))
    plan = a_plan(case)

    assert kept_for(plan) == {"big:1": Code.ARCHIVE_UNUSABLE}
    assert [step.object.name for step in plan.steps] == ["front"]
    assert TROUBLE in plan.notices


def test_with_an_archive_an_image_is_not_kept_for_being_unrestorable() -> None:
    assert marks(a_plan(with_room(50, BIG, unrestorable_images="keep"))) == {"big:1": Restorable.ARCHIVED}
    assert kept_for(a_plan(with_room(0, BIG, unrestorable_images="keep"))) == {"big:1": Code.ARCHIVE_FULL}


@given(cases(), st.integers(0, 3_000_000_000), st.booleans())
def test_whatever_is_on_a_host_what_goes_fits_or_is_held_and_nothing_waits_for_what_stays(
    drawn: Case, room: int, holds: bool
) -> None:
    held = frozenset(image.id for image in drawn.inventory.images[:1]) if holds else frozenset[str]()
    case = replace(drawn, archive=Stock(held=held, room=room))
    before = judge(case, ALL)
    going = {v.object.id for v in before if not v.keep}
    needed = needs(case, frozenset(going))
    after = {v.object.id: v for v in with_copies(case, before, needed)}
    left = {id_ for id_, verdict in after.items() if not verdict.keep}
    images = {image.id: image for image in case.inventory.images}
    saved = [images[id_] for id_ in left & images.keys() - held]

    # Without answers no registry is known to give anything back.
    assert sum(image.size for image in saved if not drawn.answers) <= room
    assert left <= going
    assert all(closure(id_, needed) & going <= left for id_ in left)
    assert all(verdict == after[verdict.object.id] for verdict in before if verdict.keep)


# What leaves


def saved(image: str, size: int, ago: int) -> Archived:
    return Archived(image, f"{image}.tar.zst", size, "", "o1", 0, NOW - timedelta(days=ago))


# By their names they stand the other way round.
A, B, C = saved("h", 10, 3), saved("g", 20, 2), saved("f", 30, 1)


def test_the_oldest_goes_first_and_no_more_than_makes_room() -> None:
    assert stock.leaving([C, A, B], (), lacking=0) == []
    assert stock.leaving([C, A, B], (), lacking=10) == [A]
    assert stock.leaving([C, A, B], (), lacking=11) == [A, B]
    assert stock.leaving([C, A, B], {"h"}, lacking=11) == [B]


def test_what_is_needed_never_goes_and_nothing_goes_in_vain() -> None:
    assert stock.leaving([A, B, C], {"f", "g", "h"}, lacking=1) is None
    assert stock.leaving([A, B, C], {"f"}, lacking=31) is None


ITEMS = st.lists(
    st.builds(saved, st.sampled_from("abcdefgh"), st.integers(0, 50), st.integers(0, 400)),
    max_size=8,
    unique_by=lambda one: one.image,
)


@given(ITEMS, st.sets(st.sampled_from("abcdefgh")), st.integers(-5, 300))
@example([A, B, C], {"g"}, 40)
@example([A, B, C], set(), 10)
def test_whatever_leaves_is_enough_oldest_first_and_nobodys(
    every: list[Archived], needed: set[str], lacking: int
) -> None:
    found = stock.leaving(every, needed, lacking=lacking)
    free = [one for one in sorted(every, key=lambda one: (one.at, one.image)) if one.image not in needed]

    if found is None:
        assert sum(one.size for one in free) < lacking
    else:
        assert list(found) == free[: len(found)]
        assert sum(one.size for one in found) >= lacking
        assert not found or sum(one.size for one in found[:-1]) < lacking


@given(
    ITEMS, st.sets(st.sampled_from("abcdefgh")), st.integers(0, 300), st.integers(0, 300), st.integers(0, 400)
)
def test_the_room_that_a_plan_counts_on_can_be_made(
    every: list[Archived], needed: set[str], most: int, free: int, beside: int
) -> None:
    used = sum(one.size for one in every) + beside
    size = stock.room(every, needed, most=most, used=used, free=free)

    if size:
        found = stock.leaving(every, needed, lacking=size - min(most - used, free))
        assert found is not None
        after = sum(one.size for one in found)
        assert min(most - used, free) + after >= size
