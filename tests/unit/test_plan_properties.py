"""What holds for every host: nothing needed goes, none out of turn, and a done plan leaves no other."""

from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from hypothesis import assume, example, given
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
    names,
)
from tests.unit.simulated_host import after, refusals, written_down
from workers.contract import Kind, Verdict
from workers.planning.facts import Case, Memory
from workers.planning.inventory import CacheRecord, Container, Image, Network
from workers.planning.judgement import judge
from workers.planning.protections import Protection
from workers.references import ImageName, Pattern

ALL = tuple(Kind)


def removed(found: tuple[Verdict, ...]) -> set[str]:
    return {verdict.object.id for verdict in found if not verdict.keep}


def gone_and_left(case: Case) -> tuple[set[str], list[Container]]:
    gone = removed(judge(case, ALL))
    return gone, [c for c in case.inventory.containers if c.id not in gone]


def called(image: Image) -> set[str]:
    return {name.full() for name in (*image.names, *image.digests)}


def is_old(since: datetime | None, grace: timedelta) -> bool:
    """Whether it is known since when, and that is long enough ago."""
    return since is not None and since <= NOW and NOW - since >= grace


# What drawing meets too rarely, so that each property is tried on it every time.
DIGEST = f"app@sha256:{'a' * 64}"
PINNED_IMAGE = a_case(an_image(digests=names(DIGEST)), policy=a_policy(protected_images=[DIGEST]))
SERVED_IMAGE = a_case(an_image("app:1"), service_images=frozenset(names("app:1")))
STILL_TO_COME = a_case(
    a_container(ended=-1), a_network(created_at=days(-1)), a_record(used=-1), an_image("app:1", arrived=-1)
)
JOINED = a_case(a_container("one"), a_container("two", joins=frozenset({"one"}), restart_policy="always"))
FROM_SLACK = a_case(
    a_container("one"),
    a_network("front"),
    an_image("app:1", digests=names(DIGEST)),
    protections=tuple(
        Protection(kind, pattern, by="U1")
        for kind, pattern in ((Kind.IMAGE, DIGEST), (Kind.CONTAINER, "[!a]ne"), (Kind.NETWORK, "fr*"))
    ),
)
PULLED_AGAIN = a_case(
    an_image("app:1"),
    an_image("db:16"),
    memory=Memory(arrivals={an_image_id("app:1"): days(0.5)}),
    arrivals={"docker.io/library/db:16": days(0.5)},
)
# Without a name it is no version of anything, which would keep it as well.
LATELY_USED = a_case(
    a_network("front"),
    an_image("app:1"),
    an_image(),
    memory=Memory(uses={an_image_id("app:1"): days(1), an_id("front"): days(1)}),
    built_upon={an_image_id("untagged"): days(1)},
)
CHAIN = a_case(
    an_image("base:1", size=9),
    an_image("app:1", parent=an_image_id("base:1"), size=1),
    an_image("top:1", parent=an_image_id("app:1"), size=5),
)
# Its own version is gone from the host; it goes now, and the others stay for what it ran lately.
ORPHAN = a_case(a_container("web", of="app:9", image_id="sha256:gone", ended=10), an_image("app:1"))

# A container ended just now that was made of a name which five repositories' image has taken over since.
OF_MANY_REPOSITORIES = a_case(
    a_container("one", of="app:1", image_id=an_image_id("app:1"), ended=15, started_at=days(15)),
    a_container("two", of="app:1", image_id=an_image_id("untagged"), ended=0),
    an_image("app:1", "app:2", "db:16", "host:5000/app:1", "web:1", arrived=15),
    an_image(arrived=15, digests=names(f"app@sha256:{'a' * 64}")),
    policy=a_policy(keep_previous=0, image_grace="0s", container_grace="0s", image_unused_for="0s"),
)


@given(cases())
def test_what_is_kept_and_what_goes_is_all_there_is(case: Case) -> None:
    found, plan = case.inventory, a_plan(case)
    every = [thing.id for thing in (*found.containers, *found.images, *found.networks, *found.cache)]
    kept = [verdict.object.id for verdict in plan.verdicts if verdict.keep]

    assert sorted([*kept, *(step.object.id for step in plan.steps)]) == sorted(every)


# What never goes, said once more and in another way than the rules say it


@example(PINNED_IMAGE)
@given(cases())
def test_s8_nothing_protected_goes(case: Case) -> None:
    gone, _ = gone_and_left(case)
    wanted = case.policy.protected_labels
    patterns = [Pattern.parse(text) for text in case.policy.protected_images]

    for thing in (*case.inventory.containers, *case.inventory.images, *case.inventory.networks):
        said = {*thing.labels, *(f"{name}={value}" for name, value in thing.labels.items())}
        assert thing.id not in gone or not said & set(wanted)
    for image in (i for i in case.inventory.images if i.id in gone):
        assert not [p for p in patterns for n in (*image.names, *image.digests) if p.matches(n)]
        assert "safe-prune.role" not in image.labels
    named = {*case.policy.protected_containers, *case.policy.protected_networks}
    named |= set(case.policy.critical_containers)
    assert not [c for c in case.inventory.containers if c.id in gone and c.name in named]
    assert not gone & case.own.container_ids


@example(FROM_SLACK)
@given(cases())
def test_s8_nothing_protected_from_slack_goes(case: Case) -> None:
    gone, _ = gone_and_left(case)
    for one in case.protections:
        if one.kind is Kind.IMAGE:
            images, meant = case.inventory.images, Pattern.parse(one.pattern)
            assert not [i for i in images if i.id in gone and any(map(meant.matches, (*i.names, *i.digests)))]
        else:
            things: tuple[Container | Network, ...] = case.inventory.containers
            things = things if one.kind is Kind.CONTAINER else case.inventory.networks
            assert not [t for t in things if t.id in gone and fnmatchcase(t.name, one.pattern)]


@example(SERVED_IMAGE)
@example(JOINED)
@given(cases())
def test_nothing_in_use_goes(case: Case) -> None:
    gone, left = gone_and_left(case)
    names = {name.full() for container in left for name in container.references}
    mounts = {mount for container in left for mount in container.image_mounts}
    services = {name.full() for name in case.inventory.service_images}

    for image in (i for i in case.inventory.images if i.id in gone):
        assert image.id not in mounts | {container.image_id for container in left}
        assert not called(image) & (names | mounts | services)
    attached = {name for container in left for name in container.networks}
    assert not [n for n in case.inventory.networks if n.id in gone and {n.id, n.name} & attached]
    joined = {other for container in left for other in container.joins}
    for container in (c for c in case.inventory.containers if c.id in gone):
        assert not joined & {container.id, container.id[:12], container.name}


@example(STILL_TO_COME)
@example(PULLED_AGAIN)
@given(cases())
def test_s10_nothing_young_or_of_unknown_age_goes(case: Case) -> None:
    gone, _ = gone_and_left(case)
    policy, found = case.policy, case.inventory
    for container in (c for c in found.containers if c.id in gone):
        ended = container.finished_at or (container.created_at if container.state == "created" else None)
        assert is_old(ended, policy.container_grace)
    for image in (i for i in found.images if i.id in gone):
        heard = (case.inventory.arrivals, case.memory.arrivals)
        evidence = [image.tagged_at, image.written_at]
        evidence += [at[key] for at in heard for key in {image.id, *called(image)} & at.keys()]
        if not any(evidence):
            evidence = [case.memory.first_seen(Kind.IMAGE, image.id)]
        assert all(is_old(time, policy.image_grace) for time in evidence if time)
        assert any(evidence) or case.memory.names.get(image.id)
    assert all(is_old(n.created_at, policy.network_grace) for n in found.networks if n.id in gone)
    for record in (r for r in found.cache if r.id in gone):
        assert is_old(record.last_used_at or record.created_at, policy.cache_grace)


@example(LATELY_USED)
@given(cases())
def test_s9_nothing_used_or_built_upon_lately_goes(case: Case) -> None:
    gone, _ = gone_and_left(case)
    policy, told = case.policy, (case.memory.uses, case.inventory.built_upon)
    for image in (i for i in case.inventory.images if i.id in gone):
        assert all(NOW - at[image.id] >= policy.image_unused_for for at in told if image.id in at)
    for network in (n for n in case.inventory.networks if n.id in gone):
        used = case.memory.uses.get(network.id)
        assert used is None or is_old(used, policy.network_grace)


@given(cases())
def test_s4_nothing_unreadable_goes(case: Case) -> None:
    gone, _ = gone_and_left(case)
    things = (
        *case.inventory.containers,
        *case.inventory.images,
        *case.inventory.networks,
        *case.inventory.cache,
    )

    assert not [thing for thing in things if thing.id in gone and not thing.readable]


@given(cases(), st.sampled_from([Container, Image, Network, CacheRecord]), st.integers(0, 7))
def test_s4_an_object_that_becomes_unreadable_adds_no_removal_of_another(
    case: Case, kind: type, number: int
) -> None:
    fields = {Container: "containers", Image: "images", Network: "networks", CacheRecord: "cache"}
    things = list(getattr(case.inventory, fields[kind]))
    assume(number < len(things))
    things[number] = replace(things[number], readable=False)
    less = replace(case, inventory=replace(case.inventory, **{fields[kind]: tuple(things)}))

    assert removed(judge(less, ALL)) <= removed(judge(case, ALL)) - {things[number].id}
    assert not a_plan(less).applicable


@given(cases())
def test_s9_of_a_repository_that_a_running_container_uses_the_way_back_stays(case: Case) -> None:
    gone, left = gone_and_left(case)
    for container in (c for c in left if c.state == "running"):
        for repository in {name.registry + "/" + name.repository for name in container.references}:
            versions = [i for i in case.inventory.images if _is_of(i, repository, case)]
            assert len([i for i in versions if i.id not in gone]) >= min(
                len(versions), case.policy.keep_previous
            )


def _is_of(image: Image, repository: str, case: Case) -> bool:
    had = map(ImageName.parse, case.memory.names.get(image.id, {}))
    return any(f"{n.registry}/{n.repository}" == repository for n in (*image.names, *image.digests, *had))


PROTECTIONS = st.one_of(
    st.tuples(st.just("protected_images"), st.sampled_from([*TAGS, "*", "host:5000/*"])),
    st.tuples(st.just("protected_containers"), st.sampled_from([*CONTAINERS, "*"])),
    st.tuples(st.just("critical_containers"), st.sampled_from([*CONTAINERS, "compose:shop/*"])),
    st.tuples(st.just("protected_networks"), st.sampled_from([*NETWORKS, "*"])),
    st.tuples(
        st.just("protected_labels"), st.sampled_from(["com.docker.compose.project", "safe-prune.keep"])
    ),
)


@given(cases(), PROTECTIONS)
def test_s8_a_further_protection_never_removes_more(case: Case, protection: tuple[str, str]) -> None:
    key, text = protection
    more = case.policy.model_copy(update={key: (*getattr(case.policy, key), text)})

    assert removed(judge(replace(case, policy=more), ALL)) <= removed(judge(case, ALL))


# Time


@given(cases(), st.floats(0, 90))
def test_s10_what_is_old_enough_to_go_is_so_later_as_well(case: Case, days: float) -> None:
    later = replace(case, now=case.now + timedelta(days=days))

    assert removed(judge(case, ALL)) <= removed(judge(later, ALL))


# Order


@example(CHAIN)
@given(cases())
def test_steps_in_their_order_take_nothing_that_something_left_still_needs(case: Case) -> None:
    assert refusals(case, a_plan(case)) == []


@given(cases(max_objects=3))
def test_a_part_of_a_plan_breaks_nothing_either(case: Case) -> None:
    assert refusals(case, a_plan(case)) == []


@example(ORPHAN)
@example(OF_MANY_REPOSITORIES)
@given(cases())
def test_s9_when_a_plan_is_done_there_is_nothing_more_to_plan(case: Case) -> None:
    known = written_down(case)

    assert a_plan(after(known, a_plan(known))).steps == ()
