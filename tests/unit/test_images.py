"""An image goes if nobody uses it, nobody protects it, and it is neither new here nor the way back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_drawn import TAGS, cases
from tests.unit.facts_host import (
    BEFORE_DOCKER,
    NOW,
    a_case,
    a_container,
    a_policy,
    an_image,
    an_image_id,
    days,
    going,
    names,
    running,
    seen,
    verdicts,
    why,
)
from workers.contract import Kind, Restorable, Store
from workers.planning.ages import arrival, last_used, ran_of
from workers.planning.facts import Case, Memory
from workers.planning.inventory import Image
from workers.planning.mentions import arrivals, service_images
from workers.planning.restorable import restorable
from workers.reasons import Code, reason

DIGEST = f"sha256:{'ab' * 32}"


def test_what_came_long_ago_and_nobody_uses_goes() -> None:
    assert going(a_case(an_image("app:1"))) == {"app:1"}
    assert why(a_case(an_image("app:1")), "app:1") == [Code.UNUSED]
    assert why(a_case(an_image(id="sha256:0123")), "sha256:0123") == [Code.UNTAGGED]


def test_s4_what_cannot_be_read_stays() -> None:
    assert why(a_case(an_image("app:1", readable=False)), "app:1") == [Code.UNREADABLE]


# In use


@pytest.mark.parametrize("state", ["running", "paused", "exited", "created", "dead"])
@pytest.mark.parametrize(
    "facts",
    [
        {"image_id": an_image_id("app:1"), "references": ()},
        {"image_id": "sha256:moved", "references": names("docker.io/library/app:1")},
        {"image_id": "sha256:moved", "references": names(f"app@{DIGEST}")},
        {"image_id": "sha256:moved", "references": (), "image_mounts": (an_image_id("app:1"),)},
        {"image_id": "sha256:moved", "references": (), "image_mounts": ("docker.io/library/app:1",)},
    ],
)
def test_an_image_in_use_stays_whatever_the_state_of_its_container(state: str, facts: dict[str, Any]) -> None:
    user = a_container("user", state=state, restart_policy="always", **facts)
    case = a_case(an_image("app:1", digests=names(f"app@{DIGEST}")), user)

    assert Code.IN_USE in why(case, "app:1")
    assert going(case) == set()


def test_a_container_that_an_image_has_only_its_name_from_is_not_said_to_run_it() -> None:
    user = running("user", image_id=an_image_id("before"), references=names("app:1"))
    case = a_case(an_image("app:1"), an_image(id=an_image_id("before")), user)

    [old] = [v for v in verdicts(case).values() if v.object.id == an_image_id("before")]
    assert old.reasons[0] == reason(Code.IN_USE, container="user", state="running")
    assert verdicts(case)["app:1"].reasons[0] == reason(
        Code.IN_USE, container="user", state="by its name alone"
    )


def test_the_image_of_a_leaving_container_goes_with_it_unless_containers_are_left_out() -> None:
    case = a_case(an_image("app:1"), a_container("user", of="app:1"))

    assert going(case) == {"app:1", "user"}
    assert going(case, (Kind.IMAGE,)) == set()


@pytest.mark.parametrize(
    "spec", ["app:1", f"app:1@{DIGEST}", f"app@{DIGEST}", f"docker.io/library/app:1@{DIGEST}"]
)
def test_an_image_that_a_service_of_a_swarm_names_stays(spec: str) -> None:
    image = an_image("app:1", digests=names(f"app@{DIGEST}"))
    service = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": spec}}}}
    case = a_case(image, an_image("app:10"), service_images=service_images([service]))

    assert going(case) == {"app:10"}
    assert why(case, "app:1") == [Code.SWARM]


def test_s9_an_image_that_a_service_can_be_rolled_back_to_stays() -> None:
    now, before = ({"TaskTemplate": {"ContainerSpec": {"Image": f"app:{n}"}}} for n in (3, 2))
    case = a_case(
        *(an_image(f"app:{n}") for n in (1, 2, 3)),
        service_images=service_images([{"Spec": now, "PreviousSpec": before}]),
    )

    assert going(case) == {"app:1"}
    assert why(case, "app:2") == [Code.SWARM]


def test_every_ancestor_of_an_image_that_stays_stays() -> None:
    root, base = an_image("base:1"), an_image("mid:1", parent=an_image_id("base:1"))
    case = a_case(root, base, an_image("app:1", parent=base.id), running("user", of="app:1"))

    assert going(case) == set()
    assert (why(case, "mid:1"), why(case, "base:1")) == ([Code.PARENT], [Code.PARENT])


def test_a_parent_names_its_child_also_where_it_stays_for_other_reasons() -> None:
    root = an_image("base:1", arrived=0.5)
    mid, app = an_image("mid:1", parent=root.id, arrived=0.5), an_image("app:1", parent=an_image_id("mid:1"))
    used = a_case(root, mid, app, running("user", of="app:1"))
    case = a_case(root, mid)

    assert [why(used, name) for name in ("mid:1", "base:1")] == [[Code.YOUNG, Code.PARENT]] * 2
    assert verdicts(used)["base:1"].reasons[-1] == reason(Code.PARENT, child="mid:1")
    # What only waits for its age keeps nothing that waits as well.
    assert [why(case, name) for name in ("mid:1", "base:1")] == [[Code.YOUNG], [Code.YOUNG]]


# Protected: a reference, its content, a label


@pytest.mark.parametrize(
    "pattern",
    ["postgres:16", "docker.io/library/postgres:16", "library/postgres:*", "postgres", "*:16", "p*:16"],
)
def test_s8_names_are_compared_as_normalised_references(pattern: str) -> None:
    case = a_case(an_image("postgres:16"), policy=a_policy(protected_images=[pattern]))

    assert why(case, "postgres:16") == [Code.PROTECTED_REFERENCE]


@pytest.mark.parametrize(
    "tag", ["mypostgres:16", "postgres:160", "mirror/postgres:16", "postgres-exporter:16"]
)
def test_s8_what_only_looks_like_a_protected_name_is_not_protected(tag: str) -> None:
    assert going(a_case(an_image(tag), policy=a_policy(protected_images=["postgres:16"]))) == {tag}


def test_s8_protected_tag_protects_its_content() -> None:
    image = an_image("mirror/app:old", "app:1", "elsewhere.example/app:1")
    case = a_case(image, policy=a_policy(protected_images=["docker.io/library/app:1"]))

    assert why(case, image.shown) == [Code.PROTECTED_REFERENCE]


def test_s8_a_protected_digest_protects_an_image_without_tags() -> None:
    image = an_image(digests=names(f"app@{DIGEST}"))
    case = a_case(image, policy=a_policy(protected_images=[f"app@{DIGEST}"]))

    assert why(case, image.shown) == [Code.PROTECTED_REFERENCE]


def test_s8_what_a_protected_image_was_built_on_stays() -> None:
    base = an_image("base:1")
    case = a_case(base, an_image("app:1", parent=base.id), policy=a_policy(protected_images=["app:1"]))

    assert going(case) == set()


def test_a_protected_label_protects() -> None:
    assert why(a_case(an_image("app:1", labels={"safe-prune.keep": "true"})), "app:1") == [
        Code.PROTECTED_LABEL
    ]


@given(cases(), st.sampled_from(TAGS))
def test_s8_nothing_outvotes_a_protected_reference(case: Case, tag: str) -> None:
    protecting = Case(case.inventory, a_policy(protected_images=[tag]), case.memory, case.own, case.now)
    pointed_at = [i for i in case.inventory.images if names(tag)[0] in i.names]

    assert all(verdicts(protecting)[image.shown].keep for image in pointed_at)


# New here (S10)


@pytest.mark.parametrize("ago", [0, 0.5, 0.99])
@pytest.mark.parametrize("evidence", ["tagged_at", "written_at"])
def test_s10_what_came_within_the_grace_stays_whatever_else_says_it_is_old(evidence: str, ago: float) -> None:
    old: dict[str, Any] = {"tagged_at": days(50), "written_at": days(50), "built_at": days(900)}

    assert why(a_case(an_image("app:1", **(old | {evidence: days(ago)}))), "app:1") == [Code.YOUNG]


@pytest.mark.parametrize("key", ["docker.io/library/app:1", an_image_id("app:1")])
def test_s10_a_pull_of_what_is_there_makes_it_new(key: str) -> None:
    assert why(a_case(an_image("app:1"), arrivals={key: days(0.1)}), "app:1") == [Code.YOUNG]
    forgotten_by_the_engine = Memory(arrivals={key: days(0.1)})
    assert why(a_case(an_image("app:1"), memory=forgotten_by_the_engine), "app:1") == [Code.YOUNG]


@pytest.mark.parametrize("time", [{}, {"time": "noon"}, {"time": 0}, {"timeNano": -1}])
def test_s10_an_arrival_at_a_time_that_cannot_be_read_leaves_its_image_of_unknown_age(time: Any) -> None:
    event = {"Type": "image", "Action": "pull", "Actor": {"ID": "app:1", "Attributes": {}}, **time}
    case = a_case(an_image("app:1"), arrivals=arrivals([event]))

    assert why(case, "app:1") == [Code.AGE_UNKNOWN]


def test_s10_a_tag_that_appeared_on_an_old_image_makes_it_new() -> None:
    memory = seen({"app:1": 60}, named={"app:1": {"docker.io/library/app:1": 0.5}})

    assert why(a_case(an_image("app:1"), memory=memory), "app:1") == [Code.YOUNG]


def test_s10_a_name_known_since_first_sight_is_no_news() -> None:
    memory = seen({"app:1": 0.5}, named={"app:1": {"docker.io/library/app:1": 0.5}})

    assert going(a_case(an_image("app:1"), memory=memory)) == {"app:1"}


@pytest.mark.parametrize(("first_seen", "code"), [(0.5, Code.YOUNG), (2, Code.UNUSED)])
def test_s10_first_sight_counts_where_nothing_else_is_known(first_seen: float, code: Code) -> None:
    assert why(a_case(an_image("app:1", arrived=None), memory=seen({"app:1": first_seen})), "app:1") == [code]


def test_s10_what_nothing_is_known_of_stays() -> None:
    assert why(a_case(an_image("app:1", arrived=None, built_at=days(900))), "app:1") == [Code.AGE_UNKNOWN]


@pytest.mark.parametrize("evidence", ["tagged_at", "written_at"])
def test_s10_a_time_in_the_future_is_unknown(evidence: str) -> None:
    assert why(a_case(an_image("app:1", **{evidence: days(-1)})), "app:1") == [Code.AGE_UNKNOWN]


@pytest.mark.parametrize("moment", BEFORE_DOCKER)
@pytest.mark.parametrize("evidence", ["tagged_at", "written_at"])
def test_s10_a_time_before_there_was_docker_is_unknown(evidence: str, moment: datetime) -> None:
    case = a_case(an_image("app:1", arrived=None, **{evidence: moment}))

    assert why(case, "app:1") == [Code.AGE_UNKNOWN]


def test_s10_what_is_as_old_as_its_grace_is_no_younger_than_that() -> None:
    assert going(a_case(an_image("app:1", arrived=1))) == {"app:1"}


MOMENTS = st.one_of(st.none(), st.floats(0, 60).map(days))


@given(MOMENTS, MOMENTS, MOMENTS)
def test_s10_arrival_is_the_latest_of_all_evidence(tagged: Any, written: Any, told: Any) -> None:
    image = an_image("app:1", tagged_at=tagged, written_at=written)
    found = arrival(image, Memory(), {} if told is None else {image.id: told})

    assert found.at == max((at for at in (tagged, written, told) if at), default=None)


@given(cases(), st.one_of(st.none(), st.floats(-10, 900)))
def test_s10_the_build_date_never_counts(case: Case, ago: float | None) -> None:
    built = None if ago is None else days(ago)
    images = tuple(Image(**{**vars(image), "built_at": built}) for image in case.inventory.images)
    other = type(case.inventory)(**{**vars(case.inventory), "images": images})

    assert verdicts(replace(case, inventory=other)) == verdicts(case)


# Used not long ago


@pytest.mark.parametrize(("used", "code"), [(13.99, Code.RECENTLY_USED), (14.01, Code.SUPERSEDED)])
def test_an_image_that_the_ledger_saw_in_use_lately_stays(used: float, code: Code) -> None:
    newer = [an_image("app:2", arrived=10), an_image("app:3", arrived=9)]
    memory = seen(used={"app:1": used, "app:3": 1, "app:2": 2})

    assert code in why(a_case(an_image("app:1"), *newer, memory=memory), "app:1")


def test_s9_removing_a_container_does_not_make_its_image_unused() -> None:
    case = a_case(an_image("app:1"), a_container("spent", of="app:1", ended=10))

    assert going(case) == {"spent"}
    assert Code.RECENTLY_USED in why(case, "app:1")


LATEST = "docker.io/library/data:latest"


@pytest.mark.parametrize(
    ("image", "memory"),
    [
        (an_image(id=an_image_id("before"), arrived=70), Memory()),
        (an_image(id=an_image_id("before"), arrived=70), seen(named={"before": {LATEST: 70}})),
        (an_image("data:1", arrived=70), Memory()),
        (an_image("other:1", arrived=70), seen(named={"other:1": {LATEST: 70}})),
    ],
)
@pytest.mark.parametrize("moved", [0, 2])
def test_s4_whichever_image_a_mounted_name_had_stays(image: Image, memory: Memory, moved: int) -> None:
    newer = [an_image(id=an_image_id(f"newer {number}"), arrived=30) for number in range(moved)]
    case = a_case(
        running("user", image_mounts=(LATEST,)), an_image("data:latest"), image, *newer, memory=memory
    )

    assert image.shown not in going(case)
    assert going(a_case(image, *newer, memory=memory)) == {one.shown for one in (image, *newer)}


@pytest.mark.parametrize(
    ("mount", "facts"),
    [
        (f"docker.io/library/data@{DIGEST}", {}),
        ("/var/lib/docker/overlay2/merged", {}),
        ("docker.io/library/elsewhere:1", {"names": names("data:1")}),
        (LATEST, {"written_at": days(1)}),
    ],
)
def test_what_no_mounted_name_can_have_had_goes(mount: str, facts: dict[str, Any]) -> None:
    image = an_image(id=an_image_id("before"), **facts)
    policy = a_policy(image_grace="0s")

    assert image.shown in going(a_case(running("user", image_mounts=(mount,)), image, policy=policy))


@pytest.mark.parametrize(("seconds", "goes"), [(0, False), (0.999, False), (1, True)])
def test_s4_an_image_of_the_second_in_which_a_container_was_made_may_be_its_mount(
    seconds: float, goes: bool
) -> None:
    user = running("user", image_mounts=(LATEST,))
    assert user.created_at
    image = an_image(
        id=an_image_id("before"), written_at=user.created_at + timedelta(seconds=seconds), arrived=None
    )

    assert (image.shown in going(a_case(user, an_image("data:latest"), image))) is goes


def test_s4_a_container_made_at_the_end_of_all_time_is_no_traceback() -> None:
    user = running("user", image_mounts=(LATEST,), created_at=datetime.max.replace(tzinfo=UTC))
    image = an_image(id=an_image_id("before"), written_at=days(1), arrived=None)

    assert image.shown not in going(a_case(user, an_image("data:latest"), image))


@pytest.mark.parametrize(("named", "goes"), [(70, True), (50, False)])
def test_a_name_that_meant_one_image_since_before_the_container_is_no_riddle(
    named: float, goes: bool
) -> None:
    image = an_image(id=an_image_id("before"), arrived=70)
    memory = seen(named={"data:latest": {LATEST: named}})
    case = a_case(running("user", image_mounts=(LATEST,)), an_image("data:latest"), image, memory=memory)

    assert (image.shown in going(case)) is goes


def test_s4_a_mount_may_name_a_part_of_an_id() -> None:
    image = an_image("app:1", arrived=70)
    mount = f"docker.io/library/{image.id.removeprefix('sha256:')[:12]}:latest"

    assert why(a_case(running("user", image_mounts=(mount,)), image), "app:1") == [Code.IN_USE]


@pytest.mark.parametrize("mount", ["docker.io/library/app:1", an_image_id("app:1")])
def test_s9_a_container_ran_of_the_images_that_it_mounts(mount: str) -> None:
    mounts = a_container("mounts", of="other:1", image_mounts=(mount,))
    made_of_its_name = a_container("named", of="app:1", image_id=an_image_id("before"))

    assert ran_of(an_image("app:1"), [mounts, made_of_its_name]) == [mounts]


# What the engine would only remove by force


@pytest.mark.parametrize(
    ("tags", "digests", "goes"),
    [
        (("app:1",), ("app",), True),
        (("app:1", "other:1"), ("app", "other"), True),
        ((), ("app",), True),
        (("app:1",), ("mirror",), True),
        (("app:1", "other:1"), ("app", "mirror"), True),
        ((), ("app", "mirror"), False),
        (("app:1",), ("app", "mirror", "other"), False),
    ],
)
def test_s2_an_image_with_digests_of_several_repositories_stays(
    tags: tuple[str, ...], digests: tuple[str, ...], goes: bool
) -> None:
    image = an_image(*tags, digests=names(*(f"{repository}@{DIGEST}" for repository in digests)))
    case = a_case(image)

    assert (going(case) == {image.shown}) is goes
    assert goes or why(case, image.shown) == [Code.SEVERAL_REPOSITORIES]


# What cannot be had again


@pytest.mark.parametrize(
    ("store", "digests", "expected"),
    [
        (Store.GRAPH_DRIVER, (), Restorable.NO),
        (Store.GRAPH_DRIVER, names(f"app@{DIGEST}"), Restorable.NOT_PROBED),
        # There, images that were never pushed carry digests as well.
        (Store.CONTAINERD, names(f"app@{DIGEST}"), Restorable.NOT_PROBED),
        (Store.CONTAINERD, (), Restorable.NOT_PROBED),
    ],
)
def test_a_digest_alone_is_no_promise(store: Store, digests: Any, expected: Restorable) -> None:
    assert restorable(an_image("app:1", digests=digests), store, {}) is expected


def test_what_no_registry_is_known_to_have_can_be_kept() -> None:
    case = a_case(an_image("app:1"), policy=a_policy(unrestorable_images="keep"))

    assert why(case, "app:1") == [Code.NOT_RESTORABLE]


def test_s10_an_exit_far_in_the_future_is_a_clock_gone_wrong_and_counts_as_a_use_just_now() -> None:
    user = a_container("user", of="app:1", finished_at=datetime(9999, 12, 31, tzinfo=UTC))
    case = a_case(an_image("app:1"), an_image("app:2"), user)

    assert going(case, (Kind.IMAGE,)) == set()
    assert last_used(case.inventory.images[0], case, [user]) == NOW
