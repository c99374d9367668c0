"""What the rest frees where steps are left out or refused is reckoned anew, not summed."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.bot_values import plan as a_plan
from tests.unit.facts_host import a_container, an_image, an_inventory
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
from workers.contract import Bytes, Kind, Outcome, Plan, Reference, Step, StepOutcome, Store
from workers.exclusions import closed, expected, expected_of_removed
from workers.planning.freed_bytes import freed_bytes
from workers.planning.inventory import CacheRecord
from workers.planning.layers import LayeredImage
from workers.planning.reclaim import freed, reckoned


def a_reference(kind: Kind, id_: str) -> Reference:
    return Reference(kind=kind, id=id_, name=id_)


def planned(
    order: Sequence[str],
    images: Sequence[LayeredImage],
    cache: Sequence[CacheRecord] = (),
    *,
    store: Store = G,
) -> Plan:
    """A plan of removals in this order."""
    kinds = {one.id: Kind.IMAGE for one in images} | {"network": Kind.NETWORK, "container": Kind.CONTAINER}
    found = reckoned(order, images, cache, store=store)
    host = a_plan()
    steps = tuple(
        Step(
            index=index,
            object=a_reference(kinds.get(id_, Kind.BUILD_CACHE), id_),
            reasons=(),
            fingerprint={},
            expected=found.bytes[id_],
        )
        for index, id_ in enumerate(order)
    )
    engine = host.engine.model_copy(update={"store": store})
    news = {"engine": engine, "steps": steps, "layers": found.layers, "unplaced": found.unplaced}
    return host.model_copy(update=news)


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


def test_what_holds_no_layers_can_be_left_out_without_a_doubt() -> None:
    twins = [image(name, f"b {name}", "100 ADD base", "10 RUN app") for name in ("one", "two")]
    cache = [
        record("r0", "100 mount / from exec ADD base"),
        record("r1", "10 mount / from exec RUN app", on="r0"),
    ]
    plan = planned(("container", "one", "two", "network"), twins, cache)

    assert [expected(plan, {out}) for out in (0, 3)] == [exactly(10)] * 2
    assert expected(plan, {1}, kind=Kind.NETWORK) == expected(plan, {1, 2}) == exactly(0)


def test_what_is_unplaced_counts_where_no_group_of_layers_goes_for_sure() -> None:
    bases = [
        image(name, name, f"{size} ADD {name}") for name, size in (("deb", 120), ("alp", 100), ("ubu", 80))
    ]
    cache = [record(f"r{name}", f"0 pulled from {name}") for name in ("ubu", "alp")]
    plan = planned(("deb", "alp"), bases, cache)

    assert plan.layers == ()
    # The cache holds the two others, or one of them and this.
    assert expected(plan, {1}) == Bytes(low=0, high=120)
    assert expected(plan, {0}) == Bytes(low=0, high=120)


def test_a_container_that_may_hold_anything_takes_what_it_holds_off_where_it_is_left_out() -> None:
    base, job = an_image("base:1", layers=("sha256:b",)), a_container(of="dropped:1", rootfs=607, writable=7)
    order = [job.id, base.id]
    found = freed_bytes(an_inventory(base, job), order)
    plan = a_plan(steps=2)
    sizes = [found.bytes[id_] for id_ in order]
    of_kinds = [a_reference(Kind.CONTAINER, job.id), a_reference(Kind.IMAGE, base.id)]
    steps = tuple(
        step.model_copy(update={"object": one, "expected": size})
        for step, one, size in zip(plan.steps, of_kinds, sizes, strict=True)
    )
    plan = plan.model_copy(update={"steps": steps, "layers": found.layers, "unplaced": found.unplaced})

    assert plan.expected() == Bytes(low=1007, high=1607)
    assert expected(plan, {0}).low == 400


def test_c_blobs_that_what_is_gone_leaves_to_the_rest_are_in_the_upper_bound() -> None:
    million = 10**6
    twins = [
        image(
            name, f"base {name}", f"{100 * million} ADD base", f"{million} RUN {name}", content=101 * million
        )
        for name in ("one", "two")
    ]
    plan = planned(("two", "one"), twins, store=C)
    found = expected(plan, (), {1})

    assert found.low == 101 * million
    assert found.high >= 202 * million


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
