"""Stopped is not garbage: every clause that keeps a container (S16, S17)."""

from typing import Any

import pytest

from tests.unit.facts_host import (
    BEFORE_DOCKER,
    a_case,
    a_container,
    a_network,
    a_plan,
    a_policy,
    an_id,
    an_image,
    days,
    going,
    running,
    step_names,
    why,
)
from workers.planning.containers import is_critical
from workers.planning.facts import ONE_OFF, PROJECT, ROLE, SERVICE, find_own
from workers.planning.inventory import Container
from workers.reasons import Code


def test_what_stopped_long_ago_and_is_nobodys_goes() -> None:
    unstarted = [a_container(state, state=state, ended=None) for state in ("created", "dead")]
    case = a_case(a_container("spent"), *unstarted)

    assert going(case) == {"spent", "created", "dead"}
    assert why(case, "spent") == [Code.STOPPED]
    assert why(case, "created") == why(case, "dead") == [Code.NEVER_STARTED]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"restart_policy": "always"}, Code.RESTART_POLICY),
        ({"restart_policy": "unless-stopped"}, Code.RESTART_POLICY),
        ({"restart_policy": "on-failure"}, Code.RESTART_POLICY),
        ({"restart_policy": None}, Code.RESTART_POLICY),
        ({"writable": 1_000_001}, Code.WRITABLE_LAYER),
        ({"writable": None}, Code.UNREADABLE),
        ({"writable": -1}, Code.UNREADABLE),
        ({"labels": {PROJECT: "shop"}}, Code.OWNED),
        ({"labels": {PROJECT: "shop", ONE_OFF: "False"}}, Code.OWNED),
        ({"labels": {"com.docker.swarm.task.id": "x"}}, Code.OWNED),
        ({"labels": {"com.docker.stack.namespace": "x"}}, Code.OWNED),
        ({"finished_at": days(6.99)}, Code.STOPPED_LATELY),
        ({"finished_at": days(-0.1)}, Code.AGE_UNKNOWN),
        *(({"finished_at": moment}, Code.AGE_UNKNOWN) for moment in BEFORE_DOCKER),
        ({"finished_at": None}, Code.AGE_UNKNOWN),
        ({"state": "dead", "finished_at": None, "started_at": days(50)}, Code.AGE_UNKNOWN),
        ({"state": "dead", "finished_at": None, "created_at": days(1)}, Code.YOUNG),
        ({"state": "dead", "finished_at": None, "created_at": None}, Code.AGE_UNKNOWN),
        ({"state": "created", "finished_at": None, "created_at": days(1)}, Code.YOUNG),
        ({"state": "created", "finished_at": None, "created_at": None}, Code.AGE_UNKNOWN),
        *(
            ({"state": "created", "finished_at": None, "created_at": moment}, Code.AGE_UNKNOWN)
            for moment in BEFORE_DOCKER
        ),
        ({"readable": False}, Code.UNREADABLE),
    ],
)
def test_s17_stopped_is_not_garbage(facts: dict[str, Any], code: Code) -> None:
    assert why(a_case(a_container("it", **facts)), "it") == [code]
    assert not going(a_case(a_container("it", **facts)))


def test_s17_a_one_off_run_of_compose_may_go() -> None:
    assert going(a_case(a_container("it", labels={PROJECT: "shop", ONE_OFF: "True"}))) == {"it"}


def test_s17_the_limits_are_those_of_the_policy() -> None:
    policy = a_policy(writable_limit=10, container_grace="30d")
    case = a_case(
        a_container("full", writable=11), a_container("young", ended=29), a_container("old"), policy=policy
    )

    assert going(case) == {"old"}


@pytest.mark.parametrize("state", ["running", "paused", "restarting", "removing", "something new"])
def test_only_what_has_stopped_may_go(state: str) -> None:
    assert why(a_case(a_container("it", state=state)), "it") == [Code.NOT_STOPPED]


def test_what_runs_and_is_protected_says_both() -> None:
    case = a_case(running("it"), policy=a_policy(critical_containers=["it"]))

    assert why(case, "it") == [Code.PROTECTED_NAME, Code.NOT_STOPPED]


def test_a_container_that_ran_counts_from_its_exit_whatever_its_state_is_called() -> None:
    case = a_case(a_container("it", state="created", ended=2, created_at=days(60)))

    assert why(case, "it") == [Code.STOPPED_LATELY]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"protected_containers": ["keep-*"]}, Code.PROTECTED_NAME),
        ({"critical_containers": ["keep-me"]}, Code.PROTECTED_NAME),
        ({"protected_labels": ["team"]}, Code.PROTECTED_LABEL),
        ({"protected_labels": ["team=web"]}, Code.PROTECTED_LABEL),
    ],
)
def test_what_the_policy_protects_stays(keys: dict[str, Any], code: Code) -> None:
    labels = {"team": "web", PROJECT: "shop", SERVICE: "web", ONE_OFF: "True"}
    case = a_case(a_container("keep-me", labels=labels), a_container("keeper"), policy=a_policy(**keys))

    assert (going(case), why(case, "keep-me")) == ({"keeper"}, [code])


def test_a_service_that_the_policy_calls_critical_stays_and_its_one_off_runs_may_go() -> None:
    service = {PROJECT: "shop", SERVICE: "web"}
    case = a_case(
        a_container("shop-web-1", labels={**service, ONE_OFF: "False"}),
        a_container("shop-web-run-1", labels={**service, ONE_OFF: "True"}),
        policy=a_policy(critical_containers=["compose:shop/web"]),
    )

    assert going(case) == {"shop-web-run-1"}
    assert why(case, "shop-web-1") == [Code.PROTECTED_NAME, Code.OWNED]


@pytest.mark.parametrize("value", ["false", "untrue", ""])
def test_a_label_with_another_value_does_not_protect(value: str) -> None:
    assert going(a_case(a_container("it", labels={"safe-prune.keep": value}))) == {"it"}


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        ("web", True),
        ("we?", True),
        ("web-1", False),
        ("eb", False),
        ("compose:shop/web", True),
        ("compose:*/web", True),
        ("compose:shop/*", True),
        ("compose:shop/we", False),
        ("compose:hop/web", False),
    ],
)
def test_a_critical_entry_means_a_name_or_a_service_and_never_a_part_of_one(entry: str, meant: bool) -> None:
    assert is_critical(a_container("web", labels={PROJECT: "shop", SERVICE: "web"}), entry) is meant


@pytest.mark.parametrize(("entry", "meant"), [("compose:shop/web", False), ("shop-web-run-*", True)])
def test_s5_a_one_off_run_is_critical_by_its_name_alone(entry: str, meant: bool) -> None:
    job = a_container("shop-web-run-1", labels={PROJECT: "shop", SERVICE: "web", ONE_OFF: "True"})

    assert is_critical(job, entry) is meant


@pytest.mark.parametrize("mode", ["id", "name"])
def test_a_container_whose_network_another_one_joins_stays(mode: str) -> None:
    joined = {"id": an_id("holder"), "name": "holder"}[mode]
    case = a_case(a_container("holder"), running("guest", networks=frozenset({f"container:{joined}"})))

    assert why(case, "holder") == [Code.IN_USE]


JOINING = pytest.mark.parametrize(
    "facts",
    [
        {"networks": frozenset({"container:holder"})},
        {"joins": frozenset({"holder"})},
        {"joins": frozenset({an_id("holder")[:12]})},
    ],
)


@JOINING
def test_s17_what_a_container_that_stays_has_joined_stays(facts: dict[str, Any]) -> None:
    case = a_case(a_container("holder"), running("guest", **facts))

    assert (going(case), why(case, "holder")) == (set(), [Code.IN_USE])


@JOINING
def test_what_only_a_container_that_goes_has_joined_goes_after_it(facts: dict[str, Any]) -> None:
    case = a_case(a_container("holder"), a_container("guest", **facts))

    assert step_names(a_plan(case)) == ["guest", "holder"]
    assert [step.needs for step in a_plan(case).steps] == [(), (0,)]


def test_s17_what_a_container_that_stays_has_a_link_to_stays() -> None:
    linked = a_container("db", linked_by=frozenset({"web"}))

    assert going(a_case(linked, running("web"))) == set()
    assert step_names(a_plan(a_case(linked, a_container("web")))) == ["web", "db"]


@pytest.mark.parametrize(("joined", "expected"), [("db", {"spent"}), ("dbdb", {"db"})])
def test_what_reads_as_a_name_and_as_the_start_of_an_id_is_the_name(joined: str, expected: set[str]) -> None:
    alike = a_container("spent", id="db" * 32)
    case = a_case(alike, a_container("db"), running("guest", joins=frozenset({joined})))

    assert going(case) == expected


def test_a_container_waits_for_none_that_has_joined_another_of_its_ids_beginning() -> None:
    alike = a_container("spent", id="db" * 32)
    guest = a_container("guest", joins=frozenset({"db"}))
    steps = {s.object.name: s for s in a_plan(a_case(alike, a_container("db"), guest)).steps}

    assert (steps["spent"].needs, steps["db"].needs) == ((), (steps["guest"].index,))


def test_s17_what_is_joined_by_way_of_another_stays() -> None:
    case = a_case(
        a_container("data"),
        a_container("holder", joins=frozenset({"data"})),
        running("guest", joins=frozenset({"holder"})),
    )

    assert going(case) == set()


def test_containers_that_have_joined_one_another_are_planned_in_some_order() -> None:
    ring = {"one": "two", "two": "three", "three": "one", "four": "four"}
    case = a_case(*(a_container(name, joins=frozenset({other})) for name, other in ring.items()))
    steps = a_plan(case).steps

    assert {step.object.name for step in steps} == set(ring)
    assert all(need < step.index for step in steps for need in step.needs)


def test_a_container_that_only_leaving_ones_join_goes_after_them() -> None:
    chain = [
        a_container(name, networks=frozenset({f"container:{joined}"}))
        for name, joined in (("upper", "middle"), ("middle", "lower"), ("lower", "none"))
    ]

    assert step_names(a_plan(a_case(*chain[::-1]))) == ["upper", "middle", "lower"]
    assert going(a_case(*chain, running("d", networks=frozenset({f"container:{an_id('middle')}"})))) == {
        "upper"
    }


def owned(*containers: Container, hostname: str = "host", redis_host: str = "") -> set[str]:
    own = find_own(containers, hostname=hostname, redis_host=redis_host)
    case = a_case(*containers, an_image("gone:1"), an_image("other:1"), own=own)
    return {name for name in ("it", "mate", "other") if Code.OWN in why(case, name)}


def fleet(**facts: Any) -> tuple[Container, ...]:
    """A container in question, another of its compose project, and one of another project."""
    it = a_container("it", **{"labels": {PROJECT: "prune"}, **facts})
    return it, a_container("mate", labels={PROJECT: "prune"}), a_container("other", labels={PROJECT: "shop"})


def test_s16_what_is_labelled_with_a_role_stays_with_its_compose_project() -> None:
    assert owned(*fleet(labels={PROJECT: "prune", ROLE: "bot"})) == {"it", "mate"}


def test_s16_its_own_container_stays_with_its_compose_project() -> None:
    assert owned(*fleet(), hostname=an_id("it")[:12]) == {"it", "mate"}


@pytest.mark.parametrize("name", ["it", "redis"])
def test_s16_its_redis_stays_with_its_compose_project(name: str) -> None:
    assert owned(*fleet(labels={PROJECT: "prune", SERVICE: "redis"}), redis_host=name) == {"it", "mate"}


@pytest.mark.parametrize("facts", [{"labels": {PROJECT: "prune", ROLE: "worker"}}, {"id": "a" * 64}])
@pytest.mark.parametrize(
    ("service", "expected"), [("redis", {"it", "mate"}), ("store", {"it", "mate", "other"})]
)
def test_s16_a_service_called_as_its_redis_is_its_own_where_its_project_has_none(
    facts: dict[str, Any], service: str, expected: set[str]
) -> None:
    it = a_container("it", **{"labels": {PROJECT: "prune"}, **facts})
    mate = a_container("mate", labels={PROJECT: "prune", SERVICE: service})
    other = a_container("other", labels={PROJECT: "shop", SERVICE: "redis"})

    assert owned(it, mate, other, hostname="a" * 12, redis_host="redis") == expected


def test_s16_a_short_hostname_is_no_containers_id() -> None:
    assert owned(*fleet(), hostname=an_id("it")[:4]) == set()


def test_s16_its_images_stay_with_the_version_before_even_with_keep_previous_0() -> None:
    worker = running("worker", of="prune:3", labels={ROLE: "worker"})
    images = [an_image(f"prune:{n}", arrived=50 - n) for n in (1, 2, 3)]
    own = find_own((worker,), hostname="host", redis_host="")
    case = a_case(worker, *images, policy=a_policy(keep_previous=0), own=own)

    assert going(case) == {"prune:1"}
    assert why(case, "prune:3")[0] is Code.OWN


def test_s16_an_image_that_is_labelled_with_a_role_stays_though_nothing_runs_of_it() -> None:
    case = a_case(an_image("safe-prune:1", labels={ROLE: "worker"}), an_image("other:1", labels={"role": ""}))

    assert (going(case), why(case, "safe-prune:1")) == ({"other:1"}, [Code.OWN])


def test_s16_the_networks_of_its_compose_project_stay() -> None:
    worker = running("worker", labels={ROLE: "worker", PROJECT: "prune"})
    own = find_own((worker,), hostname="host", redis_host="")

    assert going(a_case(worker, a_network("prune_default", labels={PROJECT: "prune"}), own=own)) == set()
