"""Verdicts are total and stubborn; plans are closed, ordered, of bounded size, and named by their content."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_drawn import CONTAINERS, NETWORKS, TAGS, cases
from tests.unit.facts_host import (
    NOW,
    a_case,
    a_container,
    a_network,
    a_plan,
    a_policy,
    a_record,
    an_id,
    an_image,
    an_image_id,
    days,
    going,
    names,
    running,
    step_names,
    verdicts,
    why,
)
from workers.contract import Bytes, Filesystem, Kind, Plan, PlanRequest, Restorable, Verdict
from workers.planning.ages import uses
from workers.planning.facts import Case
from workers.planning.judgement import judge
from workers.planning.order import STAGES
from workers.planning.planner import make_plan, requested_kinds
from workers.planning.policy import Policy
from workers.planning.reclaim import Reckoning
from workers.reasons import Code, reason
from workers.signing import digest

ALL = tuple(Kind)
KINDS = st.lists(st.sampled_from(Kind), unique=True).map(tuple)


def ids(case: Case) -> list[str]:
    found = case.inventory
    return [thing.id for thing in (*found.containers, *found.images, *found.networks, *found.cache)]


def removed(found: tuple[Verdict, ...]) -> set[str]:
    return {verdict.object.id for verdict in found if not verdict.keep}


def shuffled(case: Case, data: st.DataObject) -> Case:
    found = case.inventory
    mixed = {
        field: tuple(data.draw(st.permutations(getattr(found, field))))
        for field in ("containers", "images", "networks", "cache")
    }
    return replace(case, inventory=replace(found, **mixed))


def with_keys(policy: Policy, **keys: object) -> Policy:
    return policy.model_copy(update=keys)


# Verdicts


@given(cases(), KINDS)
def test_every_object_gets_one_verdict_with_at_least_one_reason(case: Case, kinds: tuple[Kind, ...]) -> None:
    found = judge(case, kinds)

    assert sorted(v.object.id for v in found) == sorted(ids(case))
    assert all(v.reasons for v in found)


@given(cases(), st.data())
def test_the_order_of_what_is_listed_does_not_matter(case: Case, data: st.DataObject) -> None:
    assert removed(judge(shuffled(case, data), ALL)) == removed(judge(case, ALL))


@given(cases())
def test_nothing_that_a_staying_container_needs_goes(case: Case) -> None:
    gone = removed(judge(case, ALL))
    staying = [c for c in case.inventory.containers if c.id not in gone]

    for container in staying:
        assert not [i for i in case.inventory.images if i.id in gone and uses(container, i)]
        assert not [
            n for n in case.inventory.networks if n.id in gone and container.networks & {n.id, n.name}
        ]
        assert f"container:{container.id}" not in {m for c in staying for m in c.networks if m in gone}


@given(cases())
def test_nothing_that_runs_or_cannot_be_read_goes(case: Case) -> None:
    gone = removed(judge(case, ALL))

    assert all(c.stopped and c.readable for c in case.inventory.containers if c.id in gone)
    assert all(i.readable for i in case.inventory.images if i.id in gone)
    assert not any(r.in_use for r in case.inventory.cache if r.id in gone)


@given(cases())
def test_nothing_goes_from_under_what_is_built_on_it(case: Case) -> None:
    gone = removed(judge(case, ALL))
    layered = [
        *((i.id, (i.parent,)) for i in case.inventory.images),
        *((r.id, r.parents) for r in case.inventory.cache),
    ]

    assert not [id_ for id_, parents in layered if id_ not in gone and gone & set(parents)]


@given(cases())
def test_s4_s10_what_has_no_age_or_one_in_the_future_stays(case: Case) -> None:
    gone = removed(judge(case, ALL))

    assert all(n.created_at and n.created_at <= NOW for n in case.inventory.networks if n.id in gone)
    assert all(
        (r.last_used_at or r.created_at or days(-9)) <= NOW for r in case.inventory.cache if r.id in gone
    )
    for container in (c for c in case.inventory.containers if c.id in gone):
        assert container.finished_at or container.state in {"created", "dead"}
        assert (container.finished_at or container.created_at or days(-9)) <= NOW


PROTECTIONS = st.one_of(
    st.tuples(st.just("protected_images"), st.sampled_from([*TAGS, "*"])),
    st.tuples(st.just("protected_containers"), st.sampled_from([*CONTAINERS, "*"])),
    st.tuples(st.just("critical_containers"), st.sampled_from(CONTAINERS)),
    st.tuples(st.just("protected_networks"), st.sampled_from([*NETWORKS, "*"])),
    st.tuples(
        st.just("protected_labels"), st.sampled_from(["com.docker.compose.project", "safe-prune.keep"])
    ),
)


@given(cases(), PROTECTIONS)
def test_s8_adding_a_protection_never_adds_a_removal(case: Case, protection: tuple[str, str]) -> None:
    key, text = protection
    more = with_keys(case.policy, **{key: (*getattr(case.policy, key), text)})

    assert removed(judge(replace(case, policy=more), ALL)) <= removed(judge(case, ALL))


@given(cases(), st.integers(0, 2))
def test_s9_keeping_more_previous_versions_never_adds_a_removal(case: Case, keep: int) -> None:
    more = with_keys(case.policy, keep_previous=max(keep, case.policy.keep_previous))

    assert removed(judge(replace(case, policy=more), ALL)) <= removed(judge(case, ALL))


@given(cases(), st.sampled_from(CONTAINERS))
def test_a_container_that_runs_again_never_adds_a_removal(case: Case, name: str) -> None:
    fresh = tuple(
        replace(c, state="running", readable=True) if c.name == name else c for c in case.inventory.containers
    )
    again = replace(case, inventory=replace(case.inventory, containers=fresh))
    runs = {c.image_id for c in fresh if c.name == name}
    versions = {i.id for i in case.inventory.images}

    # The images of its repository are judged by another newest version then; everything else may only stay.
    assert removed(judge(again, ALL)) - versions <= removed(judge(case, ALL))
    assert not removed(judge(again, ALL)) & runs


@given(cases(), KINDS)
def test_kinds_left_out_are_kept_and_say_so(case: Case, kinds: tuple[Kind, ...]) -> None:
    found = judge(case, kinds)

    assert {v.object.kind for v in found if not v.keep} <= set(kinds)
    assert removed(found) <= removed(judge(case, ALL))


def test_a_kind_left_out_is_the_reason_only_where_it_is_one() -> None:
    case = a_case(a_container("spent"), running("web"))
    found = {v.object.name: v.reasons[0].code for v in judge(case, (Kind.IMAGE,))}

    assert found == {"spent": Code.KIND_LEFT_OUT, "web": Code.NOT_STOPPED}


# Plans


@given(cases(), KINDS)
def test_steps_are_what_goes_stage_by_stage_and_after_what_they_need(
    case: Case, kinds: tuple[Kind, ...]
) -> None:
    plan = a_plan(case, kinds)

    assert {step.object.id for step in plan.steps} == removed(plan.verdicts)
    assert [step.index for step in plan.steps] == list(range(len(plan.steps)))
    assert all(need < step.index for step in plan.steps for need in step.needs)
    stages = [STAGES.index(step.object.kind) for step in plan.steps]
    assert stages == sorted(stages)


@given(cases(max_objects=2))
def test_a_plan_within_its_size_is_closed_and_counts_what_is_left(case: Case) -> None:
    plan, whole = a_plan(case), removed(judge(case, ALL))
    part = [notice.params["left"] for notice in plan.notices if notice.code is Code.PART_OF]

    assert len(plan.steps) <= 2
    assert {step.object.id for step in plan.steps} <= whole
    assert sum(int(left) for left in part) == len(whole) - len(plan.steps)


@given(cases(max_objects=2), st.data())
def test_s9_a_part_of_a_plan_takes_nothing_that_what_it_leaves_would_keep(
    case: Case, data: st.DataObject
) -> None:
    """Judged again with what the part left out in place, all of the part still goes."""
    plan = a_plan(case)
    left = [c.name for c in case.inventory.containers if c.id not in {s.object.id for s in plan.steps}]
    rest = replace(case, policy=with_keys(case.policy, protected_containers=tuple(left)))

    assert {step.object.id for step in plan.steps} <= removed(judge(rest, ALL))


def test_s4_what_is_said_to_lie_below_itself_stays_with_all_that_waits_for_it() -> None:
    circle = [
        an_image("a:1", parent=an_image_id("b:1")),
        an_image("b:1", parent=an_image_id("a:1")),
        an_image("root:1"),
        an_image("self:1", parent=an_image_id("self:1")),
        an_image("lone:1"),
    ]
    records = [a_record("x", "y"), a_record("y", "x", "z"), a_record("z"), a_record("w")]
    plan = a_plan(a_case(*circle, *records))

    assert set(step_names(plan)) == {"root:1", "lone:1", "w"}
    assert [v.reasons[0].code for v in plan.verdicts if v.keep] == [Code.NEEDS_KEPT] * 6


def test_a_part_is_filled_largest_first() -> None:
    images = [an_image(f"it:{size}", size=size) for size in (1, 30, 20, 10)]
    case = a_case(*images, policy=a_policy(max_objects=2))

    assert step_names(a_plan(case)) == ["it:30", "it:20"]
    assert [v.reasons[0].code for v in a_plan(case).verdicts if v.keep] == [Code.OVER_SIZE] * 2


def test_an_object_that_does_not_fit_with_what_it_needs_leaves_room_for_others() -> None:
    chain = [an_image("base:1", size=99), an_image("app:1", size=98, parent=an_image_id("base:1"))]
    case = a_case(*chain, an_image("lone:1", size=1), policy=a_policy(max_objects=1))

    assert step_names(a_plan(case)) == ["app:1"]


@pytest.mark.parametrize(
    ("most", "expected"),
    [(0, []), (10, ["it:10"]), (59, ["it:30", "it:20"]), (61, ["it:30", "it:20", "it:10"])],
)
def test_a_plan_holds_no_more_bytes_than_the_policy_says(most: int, expected: list[str]) -> None:
    images = [an_image(f"it:{size}", size=size) for size in (10, 30, 20)]

    assert step_names(a_plan(a_case(*images, policy=a_policy(max_bytes=most)))) == expected


def test_what_no_plan_may_hold_is_not_promised_for_the_next() -> None:
    images = [an_image(f"it:{size}", size=size) for size in (2, 3, 11, 12)]
    plan = a_plan(a_case(*images, policy=a_policy(max_bytes=4)))
    told = {notice.code: notice.params for notice in plan.notices}

    assert step_names(plan) == ["it:3"]
    assert {v.object.name: v.reasons[0].code for v in plan.verdicts if v.keep} == {
        "it:2": Code.OVER_SIZE,
        "it:11": Code.LARGER_THAN_A_PLAN,
        "it:12": Code.LARGER_THAN_A_PLAN,
    }
    assert told[Code.PART_OF] == {"left": 1}
    assert told[Code.PLAN_TOO_SMALL] == {"count": 2, "size": 23, "limit": 4}


def test_what_could_only_go_after_something_larger_than_a_plan_stays_for_that() -> None:
    chain = [an_image("base:1", size=1), an_image("app:1", size=9, parent=an_image_id("base:1"))]
    plan = a_plan(a_case(*chain, an_image("lone:1", size=1), policy=a_policy(max_bytes=4)))

    assert step_names(plan) == ["lone:1"]
    assert {v.object.name: v.reasons[0] for v in plan.verdicts if v.keep} == {
        "base:1": reason(Code.NEEDS_KEPT, object="app:1"),
        "app:1": reason(Code.LARGER_THAN_A_PLAN, size=9, limit=4),
    }


@given(cases(max_bytes=900, max_objects=3))
def test_a_plan_that_promises_more_begins_with_something(case: Case) -> None:
    plan = a_plan(case)

    assert plan.steps or Code.PART_OF not in {notice.code for notice in plan.notices}
    assert sum(v.size or 0 for v in plan.verdicts if not v.keep) <= 900


def test_a_step_carries_what_must_still_hold_and_what_it_leaves_behind() -> None:
    spent = a_container("spent", volumes=("shop-data",), of="app:1")
    image = an_image("app:1", "app:old", digests=names(f"app@sha256:{'ab' * 32}"))
    steps = {s.object.id: s for s in a_plan(a_case(spent, image, a_network("loose"), a_record("step"))).steps}

    assert (steps[spent.id].leaves, steps[spent.id].fingerprint["state"]) == (("shop-data",), "exited")
    assert steps[image.id].untags == ("app:1", "app:old")
    assert (steps[image.id].needs, steps[image.id].restorable) == ((0,), Restorable.NOT_PROBED)
    assert steps[an_id("loose")].restorable is Restorable.RECREATED


@given(cases())
def test_s3_a_plan_is_named_by_its_content_and_survives_json(case: Case) -> None:
    plan = a_plan(case)
    again = Plan.model_validate_json(plan.model_dump_json())

    assert (again, digest(again)) == (plan, digest(plan))


@given(cases(), st.data())
def test_s3_the_same_host_makes_the_same_steps(case: Case, data: st.DataObject) -> None:
    assert a_plan(shuffled(case, data)).steps == a_plan(case).steps


def test_s3_another_step_or_fingerprint_is_another_digest() -> None:
    plans = [a_plan(a_case(a_container("spent", ended=ago))) for ago in (40, 41)]
    plans.append(a_plan(a_case(a_container("other"))))

    assert len({digest(plan) for plan in plans}) == 3


def test_a_plan_says_what_it_was_made_of() -> None:
    case = a_case(an_image("app:1"), policy=a_policy(kinds=["image", "network"]))
    plan = a_plan(case, (Kind.CONTAINER, Kind.IMAGE))

    assert (plan.kinds, plan.policy_digest, plan.made_at) == ((Kind.IMAGE,), digest(case.policy), NOW)


def test_s4_a_plan_of_what_could_not_be_read_whole_cannot_be_confirmed() -> None:
    plan = a_plan(a_case(an_image("app:1"), an_image("app:2", readable=False)))

    assert (plan.complete, plan.applicable, len(plan.steps)) == (False, False, 1)


def test_an_empty_plan_cannot_be_confirmed() -> None:
    assert not a_plan(a_case(running("web"))).applicable


@pytest.mark.parametrize(("kinds", "expected"), [(None, ALL), ((), ALL), ((Kind.IMAGE,), (Kind.IMAGE,))])
def test_a_request_without_kinds_means_all(
    kinds: tuple[Kind, ...] | None, expected: tuple[Kind, ...]
) -> None:
    request = PlanRequest.model_construct(kinds=kinds)

    assert requested_kinds(request) == expected
    assert requested_kinds(None) == ALL


def test_containers_that_leave_free_their_images_and_networks_in_the_same_plan() -> None:
    user = a_container("user", of="app:1", networks=frozenset({"front"}))
    case = a_case(user, an_image("app:1"), a_network("front"))

    assert step_names(a_plan(case)) == ["user", "app:1", "front"]
    assert (going(case), verdicts(case)["app:1"].keep, why(case, "front")) == (
        {"user", "app:1", "front"},
        False,
        [Code.NETWORK_UNUSED],
    )


# A disk without room


def a_disk(
    *, total: int = 100_000_000_000, free: int, inodes: int = 1000, inodes_free: int = 900
) -> Filesystem:
    return Filesystem(path="/docker", total=total, free=free, inodes=inodes, inodes_free=inodes_free)


def a_full_host(disk: Filesystem) -> Case:
    case = a_case(
        a_container("spent", of="app:1"),
        an_image("app:1"),
        a_network("loose"),
        a_record("leaf", "root"),
        a_record("root"),
    )
    usage = case.inventory.usage.model_copy(update={"filesystems": (disk,)})
    return replace(case, inventory=replace(case.inventory, usage=usage))


USUAL = [Kind.CONTAINER, Kind.IMAGE, Kind.NETWORK, Kind.BUILD_CACHE, Kind.BUILD_CACHE]
WITHOUT_ROOM = [Kind.CONTAINER, Kind.BUILD_CACHE, Kind.BUILD_CACHE, Kind.IMAGE, Kind.NETWORK]


@pytest.mark.parametrize(
    ("disk", "expected"),
    [
        (a_disk(free=50_000_000_000), USUAL),
        (a_disk(free=3_000_000_000), USUAL),
        (a_disk(free=2_999_999_999), WITHOUT_ROOM),
        (a_disk(free=0), WITHOUT_ROOM),
        (a_disk(total=500_000_000, free=64_000_000), USUAL),
        (a_disk(total=500_000_000, free=63_999_999), WITHOUT_ROOM),
        (a_disk(free=50_000_000_000, inodes_free=9), WITHOUT_ROOM),
        (a_disk(free=50_000_000_000, inodes=0, inodes_free=0), USUAL),
    ],
)
def test_on_a_full_disk_what_needs_no_room_goes_first(disk: Filesystem, expected: list[Kind]) -> None:
    plan = a_plan(a_full_host(disk))

    assert [step.object.kind for step in plan.steps] == expected
    assert all(need < step.index for step in plan.steps for need in step.needs)
    said = [one.code for one in plan.notices if one.code in (Code.SHORT_OF_ROOM, Code.SHORT_OF_INODES)]
    assert len(said) == (expected != USUAL)


@pytest.mark.parametrize("inodes_free", [0, 900])
def test_a_disk_without_room_is_said_to_have_none(inodes_free: int) -> None:
    plan = a_plan(a_full_host(a_disk(free=7, inodes_free=inodes_free)))

    assert reason(Code.SHORT_OF_ROOM, path="/docker", free=7) in plan.notices


def test_a_disk_with_room_and_without_inodes_is_said_to_lack_inodes() -> None:
    plan = a_plan(a_full_host(a_disk(free=50_000_000_000, inodes_free=9)))

    assert reason(Code.SHORT_OF_INODES, path="/docker", free=9, total=1000) in plan.notices
    assert Code.SHORT_OF_ROOM not in [one.code for one in plan.notices]


@pytest.mark.parametrize(
    ("free", "expected"), [(50_000_000_000, ["fat:1", "own:1"]), (0, ["own:1", "fat:1"])]
)
def test_on_a_full_disk_what_frees_most_goes_before_what_is_largest(free: int, expected: list[str]) -> None:
    fat, own = an_image("fat:1", size=5000), an_image("own:1", size=2000)
    frees = {fat.id: Bytes(low=1, high=5000), own.id: Bytes(low=2000, high=2000)}
    case = a_case(fat, own)
    usage = case.inventory.usage.model_copy(update={"filesystems": (a_disk(free=free),)})
    plan = make_plan(
        replace(case, inventory=replace(case.inventory, usage=usage)),
        host="web-1",
        request_id="r",
        kinds=ALL,
        freed=lambda _, order: Reckoning({id_: frees[id_] for id_ in order}),
    )

    assert step_names(plan) == expected


def test_of_several_filesystems_one_without_room_is_enough() -> None:
    case = a_full_host(a_disk(free=50_000_000_000))
    disks = (*case.inventory.usage.filesystems, a_disk(free=0))
    usage = case.inventory.usage.model_copy(update={"filesystems": disks})
    full = replace(case, inventory=replace(case.inventory, usage=usage))

    assert [step.object.kind for step in a_plan(full).steps] == WITHOUT_ROOM
