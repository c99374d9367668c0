"""What the rest frees where steps are left out or refused is reckoned anew, not summed."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.bot_values import plan as a_plan
from tests.unit.test_reclaim import (
    TRUTHS,
    C,
    G,
    Truth,
    exactly,
    image,
    really_freed,
    record,
    stack,
    told,
)
from workers.contract import Bytes, Kind, Outcome, Plan, Reference, Step, StepOutcome
from workers.exclusions import closed, expected, expected_of_removed
from workers.planning.inventory import CacheRecord
from workers.planning.layers import LayeredImage
from workers.planning.reclaim import freed, reckoned


def planned(
    order: Sequence[str],
    images: Sequence[LayeredImage],
    cache: Sequence[CacheRecord] = (),
    *,
    store: object = G,
) -> Plan:
    """A plan of removals in this order."""
    kinds = {one.id: Kind.IMAGE for one in images}
    found = reckoned(order, images, cache, store=store)
    steps = tuple(
        Step(
            index=index,
            object=Reference(kind=kinds.get(id_, Kind.BUILD_CACHE), id=id_, name=id_),
            reasons=(),
            fingerprint={},
            expected=found.bytes[id_],
        )
        for index, id_ in enumerate(order)
    )
    return a_plan().model_copy(update={"steps": steps, "layers": found.layers, "unplaced": found.unplaced})


BASE = image("base", "b", "100 ADD base")
APP = image("app", "b a", "100 ADD base", "10 RUN app")
OLD = image("old", "b o", "100 ADD base", "1 RUN old")


def test_an_image_that_stays_keeps_the_layers_that_it_shares() -> None:
    plan = planned(("app", "old", "base"), (APP, OLD, BASE))

    assert plan.expected() == exactly(111)
    assert [expected(plan, {out}) for out in (0, 1, 2)] == [exactly(1), exactly(10), exactly(11)]
    assert expected(plan, {0, 1, 2}) == exactly(0)


def test_what_is_shared_and_goes_with_the_last_is_not_taken_off_twice() -> None:
    plan = planned(("app", "old"), (APP, OLD))

    assert expected(plan, {1}) == exactly(10)
    assert expected(plan, {0}) == exactly(1)


def test_of_a_run_that_refused_an_image_what_went_is_reckoned_without_its_layers() -> None:
    plan = planned(("app", "old", "base"), (APP, OLD, BASE))
    outcomes = [
        StepOutcome(index=step.index, object=step.object, outcome=outcome, expected=step.expected)
        for step, outcome in zip(plan.steps, (Outcome.REFUSED, Outcome.REMOVED, Outcome.REMOVED), strict=True)
    ]

    assert expected_of_removed(plan, outcomes) == exactly(1)


def test_what_went_by_itself_leaves_its_layers_to_the_last_that_is_removed() -> None:
    plan = planned(("app", "old"), (APP, OLD))
    outcomes = [
        StepOutcome(index=step.index, object=step.object, outcome=outcome, expected=step.expected)
        for step, outcome in zip(plan.steps, (Outcome.REMOVED, Outcome.GONE), strict=True)
    ]

    assert [step.expected for step in plan.steps] == [exactly(10), exactly(101)]
    assert expected_of_removed(plan, outcomes) == exactly(110)


@given(TRUTHS, st.data())
def test_with_some_gone_by_themselves_the_rest_frees_what_nobody_else_holds(
    truths: list[Truth], data: st.DataObject
) -> None:
    tops = data.draw(st.sets(st.sampled_from(range(len(truths))), min_size=1))
    order = data.draw(st.permutations(sorted(tops)))
    plan = planned([f"image{top}" for top in order], of(truths, tops, spares=0))
    ends = {top: data.draw(st.sampled_from(("removed", "gone", "stays"))) for top in tops}
    by = {end: {top for top in tops if ends[top] == end} for end in ("removed", "gone", "stays")}
    places = {end: {order.index(top) for top in found} for end, found in by.items()}

    really = really_freed(truths, by["stays"], by["removed"])
    assert exactly(really) == expected(plan, places["stays"], places["gone"])


def test_of_two_look_alikes_the_one_that_goes_may_be_the_one_that_the_build_cache_does_not_hold() -> None:
    twins = [image(name, f"b {name}", "100 ADD base", "10 RUN app") for name in ("one", "two")]
    cache = [
        record("r0", "100 mount / from exec ADD base"),
        record("r1", "10 mount / from exec RUN app", on="r0"),
    ]
    plan = planned(("one", "two"), twins, cache)

    assert plan.expected() == exactly(10)
    assert [expected(plan, {out}) for out in (0, 1)] == [Bytes(low=0, high=10)] * 2


def of(truths: list[Truth], tops: set[int], *, spares: int) -> list[LayeredImage]:
    return [told(truths, top, spares=spares) for top in sorted(tops)]


@given(TRUTHS, st.data())
def test_what_is_left_out_leaves_exactly_what_a_plan_without_it_frees(
    truths: list[Truth], data: st.DataObject
) -> None:
    tops = data.draw(st.sets(st.sampled_from(range(len(truths))), min_size=1))
    gone = data.draw(st.permutations(sorted(data.draw(st.sets(st.sampled_from(sorted(tops)))))))
    images = of(truths, tops, spares=0)
    plan = planned([f"image{top}" for top in gone], images)
    out = data.draw(st.sets(st.sampled_from(range(len(gone)))) if gone else st.just(set[int]()))
    rest = {top for index, top in enumerate(gone) if index not in out}

    assert exactly(really_freed(truths, tops - rest, rest)) == expected(plan, out)


@given(TRUTHS, st.data())
def test_the_truth_stays_within_the_bounds_whatever_is_left_out(
    truths: list[Truth], data: st.DataObject
) -> None:
    tops = data.draw(st.sets(st.sampled_from(range(len(truths))), min_size=1))
    gone = sorted(data.draw(st.sets(st.sampled_from(sorted(tops)), min_size=1)))
    images = of(truths, tops, spares=data.draw(st.integers(0, 2)))
    cached = data.draw(st.sampled_from(sorted(tops)))
    nodes = stack(truths, cached)
    cache = [
        record(f"r{node}", f"{truths[node].size} mount / from exec {truths[node].command}", on=f"r{lower}")
        for lower, node in zip((-1, *nodes), nodes, strict=False)
    ]
    # Children first, as records go; the images before or after them.
    records = [one.id for one in reversed(cache)] if data.draw(st.booleans()) else []
    names = [f"image{top}" for top in gone]
    order = [*names, *records] if data.draw(st.booleans()) else [*records, *names]
    plan = planned(order, images, cache)
    out = data.draw(st.sets(st.sampled_from(range(len(order)))))
    left = {order[index] for index in out}
    lowest_kept = [index for index, one in enumerate(cache) if one.id not in records or one.id in left]
    held = set(nodes[: max(lowest_kept) + 1]) if lowest_kept else set[int]()
    rest = {top for top in gone if f"image{top}" not in left}
    freed_really = _freed(truths, tops - rest, rest, held=held)
    found = expected(plan, out)

    assert found.low <= freed_really <= found.high
    of_kinds = [expected(plan, out, kind=kind) for kind in Kind]
    assert sum(of.low for of in of_kinds) <= freed_really <= sum(of.high for of in of_kinds)


def _freed(truths: list[Truth], kept: set[int], gone: set[int], *, held: set[int]) -> int:
    needed = {node for top in kept for node in stack(truths, top)} | held
    return sum(truths[node].size for node in {n for top in gone for n in stack(truths, top)} - needed)


@given(TRUTHS, st.data())
def test_no_bound_passes_the_other_on_either_store(truths: list[Truth], data: st.DataObject) -> None:
    images = of(truths, set(range(len(truths))), spares=2)
    order = data.draw(st.permutations([one.id for one in images]))
    out = data.draw(st.sets(st.sampled_from(range(len(order)))))
    for store in (G, C):
        plan = planned(order, images, store=store)
        found, whole = expected(plan, out), plan.expected()
        assert 0 <= found.low <= found.high <= whole.high
        assert expected(plan, ()) == whole == freed(set(order), images, store=store)


@given(st.data())
def test_what_needs_something_left_out_is_left_out_too(data: st.DataObject) -> None:
    needs = [data.draw(st.sets(st.integers(0, i - 1)) if i else st.just(set())) for i in range(8)]
    plan = a_plan(steps=len(needs))
    steps = [step.model_copy(update={"needs": tuple(needs[step.index])}) for step in plan.steps]
    out = data.draw(st.sets(st.integers(0, 7)))
    found = closed(plan.model_copy(update={"steps": tuple(steps)}), out)
    assert out <= found
    assert all((i in found) == (i in out or not found.isdisjoint(need)) for i, need in enumerate(needs))
