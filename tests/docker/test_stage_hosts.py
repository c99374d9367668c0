"""Hosts of the stage: every object is accounted for, and what became of them is told truly."""

import pytest

from tests.stage import hosts, images
from tests.stage.aging import NEVER
from tests.stage.catalogue import Life
from tests.stage.fixtures import SMALL, EngineFactory
from tests.stage.hosts import FilledHost
from tests.stage.objects import contents

HOSTS = pytest.mark.parametrize("host", ["web_host", "hazard_host"])


@pytest.fixture
def filled(request: pytest.FixtureRequest, host: str) -> FilledHost:
    found: FilledHost = request.getfixturevalue(host)
    return found


@HOSTS
def test_every_object_is_in_exactly_one_list(filled: FilledHost) -> None:
    assert contents(filled.engine.client) == filled.kept.keys() | filled.waste.keys()
    assert not filled.kept.keys() & filled.waste.keys()


@HOSTS
def test_volumes_are_never_waste(filled: FilledHost) -> None:
    volumes = {found for found in contents(filled.engine.client) if found.kind == "volume"}

    assert volumes
    assert volumes <= filled.kept.keys()


@HOSTS
def test_every_kind_of_waste_lies_there(filled: FilledHost) -> None:
    assert {found.kind for found in filled.waste} == {"container", "image", "network", "cache"}


@HOSTS
def test_nothing_is_lost_before_anybody_removed_anything(filled: FilledHost) -> None:
    assert filled.lost() == []
    assert len(filled.left()) == len(filled.waste)


@HOSTS
def test_containers_are_in_the_state_the_catalogue_says(filled: FilledHost) -> None:
    expected = {one.name: one.life.name.lower() for one in filled.catalogue.containers}
    listed = filled.engine.client.containers(all=True)
    found = {one["Names"][0].lstrip("/"): one["State"] for one in listed}
    crashing = {one.name for one in filled.catalogue.containers if one.life is Life.RESTARTING}
    # One that crashes in a loop reads running at times.
    assert {found[name] for name in crashing} <= {"running", "restarting"}
    assert {name: state for name, state in found.items() if name not in crashing} == {
        name: state for name, state in expected.items() if name not in crashing
    }


def test_services_with_a_health_check_are_healthy(web_host: FilledHost) -> None:
    names = ("shop-web", "shop-api", "shop-db", "edge-proxy")
    states = [web_host.engine.client.inspect_container(name)["State"]["Health"]["Status"] for name in names]

    assert states == ["healthy"] * len(names)


def test_no_image_is_younger_on_the_host_than_its_build(web_host: FilledHost) -> None:
    found = [images.inspect(web_host.engine.client, image) for image in web_host.references.values()]
    tagged = [one for one in found if one["Metadata"]["LastTagTime"] != NEVER]

    assert all(one["Created"] < one["Metadata"]["LastTagTime"] for one in tagged)


def test_a_wrong_removal_and_a_right_one_are_noticed(fresh_engine: EngineFactory) -> None:
    host = hosts.web_host(fresh_engine(), "web-1", scale=SMALL)
    client = host.engine.client
    client.remove_container("shop-worker")
    client.remove_container("debug-shell")
    client.remove_image("shop/api:stable")
    client.remove_network("mail")
    client.kill("edge-proxy")
    left = len(host.waste) - 1

    assert host.lost() == [
        "container shop-worker",
        "network mail",
        "service edge-proxy",
        "tag shop/api:stable",
    ]
    assert len(host.left()) == left


def test_the_policy_names_what_its_owners_guard(web_host: FilledHost) -> None:
    critical = [one.name for one in web_host.catalogue.containers if one.critical]

    assert all(one.life is Life.RUNNING for one in web_host.catalogue.containers if one.critical)
    assert all(f'"{name}"' in web_host.policy_toml for name in critical)
