"""A network goes only if no container in any state, no project and no engine of a swarm knows it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tests.unit.facts_host import (
    BEFORE_DOCKER,
    NOW,
    a_case,
    a_container,
    a_network,
    a_policy,
    an_id,
    days,
    going,
    running,
    verdicts,
    why,
)
from workers.contract import Kind
from workers.memory.sightings import Sighting
from workers.planning.facts import ONE_OFF, PROJECT, Memory
from workers.reasons import Code, reason

WITHOUT_CONTAINERS = (Kind.IMAGE, Kind.NETWORK)


def test_what_nothing_used_for_long_goes() -> None:
    assert going(a_case(a_network("loose"))) == {"loose"}
    assert why(a_case(a_network("loose")), "loose") == [Code.NETWORK_UNUSED]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"created_at": days(6.9)}, Code.YOUNG),
        ({"created_at": None}, Code.AGE_UNKNOWN),
        ({"created_at": days(-1)}, Code.AGE_UNKNOWN),
        *(({"created_at": moment}, Code.AGE_UNKNOWN) for moment in BEFORE_DOCKER),
        ({"scope": "swarm"}, Code.SWARM),
        ({"scope": "global"}, Code.SWARM),
        ({"ingress": True}, Code.SWARM),
        ({"labels": {"com.docker.stack.namespace": "x"}}, Code.SWARM),
        ({"config_only": True}, Code.CONFIG_ONLY),
        ({"labels": {"safe-prune.keep": "true"}}, Code.PROTECTED_LABEL),
    ],
)
def test_what_is_young_unknown_or_somebodys_stays(facts: dict[str, Any], code: Code) -> None:
    assert why(a_case(a_network("it", **facts)), "it") == [code]


@pytest.mark.parametrize("name", ["bridge", "host", "none", "docker_gwbridge", "ingress", "podman"])
def test_predefined_networks_stay(name: str) -> None:
    assert why(a_case(a_network(name)), name) == [Code.PREDEFINED]


def test_a_protected_name_is_a_glob_and_never_a_part_of_a_name() -> None:
    case = a_case(a_network("shop_a"), a_network("myshop_a"), policy=a_policy(protected_networks=["shop_*"]))

    assert going(case) == {"myshop_a"}


@pytest.mark.parametrize("known_as", ["front", an_id("front")])
@pytest.mark.parametrize("state", ["exited", "created", "running"])
def test_a_network_that_a_staying_container_names_stays(state: str, known_as: str) -> None:
    user = a_container("user", state=state, restart_policy="always", networks=frozenset({known_as}))

    assert going(a_case(a_network("front"), user)) == set()


def test_the_network_of_a_leaving_container_goes_with_it() -> None:
    case = a_case(a_network("front"), a_container("user", networks=frozenset({"front"})))

    assert going(case) == {"front", "user"}


def test_a_network_counts_from_the_end_of_what_used_it_last() -> None:
    user = a_container("user", ended=8, networks=frozenset({"front"}))
    case = a_case(a_network("front"), user, policy=a_policy(network_grace="10d"))

    assert (going(case), why(case, "front")) == ({"user"}, [Code.USED_LATELY])


def test_a_network_that_the_ledger_saw_in_use_lately_stays() -> None:
    memory = Memory(sightings={(Kind.NETWORK.value, an_id("front")): Sighting(days(50), NOW, days(3))})

    [told] = verdicts(a_case(a_network("front"), memory=memory))["front"].reasons
    assert told == reason(Code.USED_LATELY, since=days(3).isoformat(), until=days(-4).isoformat())


@pytest.mark.parametrize("created_at", [None, *BEFORE_DOCKER])
def test_s4_a_network_of_unknown_age_stays_whatever_is_known_of_its_use(created_at: datetime | None) -> None:
    memory = Memory(sightings={(Kind.NETWORK.value, an_id("front")): Sighting(days(50), NOW, days(30))})
    case = a_case(a_network("front", created_at=created_at), memory=memory)

    assert why(case, "front") == [Code.AGE_UNKNOWN]


def test_a_living_project_keeps_its_networks() -> None:
    spare = a_network("shop_spare", labels={PROJECT: "shop"})

    assert going(a_case(spare, running("web", labels={PROJECT: "shop"}))) == set()
    assert going(a_case(spare, running("web", labels={PROJECT: "myshop"}))) == {"shop_spare"}


def test_a_project_of_which_only_leaving_runs_are_left_does_not_live() -> None:
    job = a_container("job", labels={PROJECT: "shop", ONE_OFF: "True"})
    case = a_case(a_network("shop_spare", labels={PROJECT: "shop"}), job)

    assert going(case) == {"shop_spare", "job"}
    assert going(case, WITHOUT_CONTAINERS) == set()


def test_a_network_of_another_id_is_another_network() -> None:
    other = replace(a_network("front"), id=an_id("other"))
    user = running("user", networks=frozenset({an_id("front")}))

    assert going(a_case(other, user)) == {"front"}
