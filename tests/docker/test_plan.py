"""Plans made of real engines: what goes, what stays and why, and that looking changes nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.docker.worker_host import REQUIRED, STAY, WorkerHost, codes, step_ids
from tests.stage import images
from tests.stage.aging import AgePlan, Lifetime, age
from tests.stage.hosts import FilledHost
from tests.stage.objects import contents
from workers import survey
from workers.contract import Kind, Outcome, Plan, Store, Verdict
from workers.engine import Engine
from workers.host import Host, Place, opened
from workers.memory.ledger import Ledger
from workers.memory.sightings import Sightings
from workers.planning.facts import Case, Own
from workers.planning.judgement import judge
from workers.reasons import Code
from workers.signing import digest

OLD = timedelta(days=40)
# Images, networks, containers, disk usage, events, and whether this is a swarm.
LISTS = 6
# Where no worker follows the events: containers and events, so that it is known who came and went.
UNFOLLOWED = 2


@pytest.fixture(params=["web_host", "hazard_host"])
def filled(request: pytest.FixtureRequest) -> FilledHost:
    found: FilledHost = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def looked_at(filled: FilledHost, tmp_path: Path) -> Iterator[Host]:
    policy = tmp_path / "policy.toml"
    policy.write_text(filled.policy_toml)
    place = Place(host="web-1", address=filled.engine.url, policy_file=policy, state_dir=tmp_path)
    filled.hand_over_ledger(place.ledger_file)
    with closing(Ledger(place.ledger_file)) as ledger, opened(place, ledger) as host:
        yield host


def planned(host: Host, kinds: tuple[Kind, ...] = tuple(Kind)) -> Plan:
    return host.plan(kinds=kinds, request_id="request-1")


def test_s3_s8_s9_s10_s16_s17_the_default_policy_plans_all_waste_and_nothing_else(
    filled: FilledHost, looked_at: Host
) -> None:
    expected = {found.id: name for found, name in filled.waste.items()}

    assert {step.object.id: expected.get(step.object.id) for step in planned(looked_at).steps} == expected


def test_every_object_has_a_verdict_and_volumes_have_none(filled: FilledHost, looked_at: Host) -> None:
    predefined = {net["Id"] for net in filled.engine.client.networks(names=["bridge", "host", "none"])}
    there = {found.id for found in contents(filled.engine.client) if found.kind != "volume"}

    assert {v.object.id for v in planned(looked_at).verdicts} == there | predefined


def test_s3_looking_changes_nothing_and_finds_the_same_again(filled: FilledHost, looked_at: Host) -> None:
    before = contents(filled.engine.client)
    first, second = planned(looked_at), planned(looked_at)

    assert contents(filled.engine.client) == before
    assert (first.steps, first.policy_digest) == (second.steps, second.policy_digest)


def test_s3_a_plan_is_kept_under_its_digest(looked_at: Host) -> None:
    plan = planned(looked_at)

    assert looked_at.ledger.plan(digest(plan)) == plan


@pytest.mark.parametrize("kind", Kind)
def test_a_plan_of_one_kind_holds_that_kind_only(looked_at: Host, kind: Kind) -> None:
    assert {step.object.kind for step in planned(looked_at, (kind,)).steps} <= {kind}


# A host met for the first time, from where the engine's files cannot be read


def verdicts_from_afar(host: WorkerHost) -> dict[str, Verdict]:
    with host.opened() as opened_host:
        now = datetime.now(UTC)
        sightings = Sightings(opened_host.ledger, opened_host.identity.id)
        found = survey.take(opened_host.engine, sightings, opened_host.identity, local=False, now=now)
        memory = survey.remember(sightings, now, since=sightings.followed_since(now))
        case = Case(found, opened_host.policy, memory, Own(), now)
    return {verdict.object.id: verdict for verdict in judge(case, tuple(Kind))}


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store tells when an image arrived")
def test_s10_without_evidence_of_arrival_a_host_waits_out_the_grace(host: WorkerHost) -> None:
    host.policy(image_grace='"24h"')
    loaded = host.image("app:1")
    host.engine.restart()
    [reason] = verdicts_from_afar(host)[loaded].reasons

    assert (reason.code, reason.params["evidence"]) == (Code.YOUNG, "seen")


# What makes an old image new


@pytest.fixture
def old_image(host: WorkerHost) -> str:
    """An image that came long ago and that the ledger knows; by the default policy it goes."""
    host.keys = dict(REQUIRED)
    id_ = host.image("app:1", content="app")
    age(host.engine, AgePlan(images={id_: OLD}))
    assert step_ids(host.plan()) == {id_}
    return id_


def tag_again(host: WorkerHost) -> None:
    host.engine.client.tag("app:1", "app", "1")


def tag_anew(host: WorkerHost) -> None:
    host.engine.client.tag("app:1", "app", "2")


def load_again(host: WorkerHost) -> None:
    host.image("app:1", content="app")


def commit_a_child(host: WorkerHost) -> None:
    container = host.create("made-of", "app:1")
    host.engine.client.commit(container, "child", "1")
    host.engine.client.remove_container(container)


@pytest.mark.parametrize("happens", [tag_again, tag_anew, load_again])
def test_s10_what_is_tagged_or_loaded_again_is_new(
    host: WorkerHost, old_image: str, happens: Callable[[WorkerHost], None]
) -> None:
    happens(host)
    found = {v.object.id: v for v in host.plan().verdicts}[old_image]

    assert (found.keep, codes(found.reasons)) == (True, [Code.YOUNG])


def test_a_new_child_keeps_its_old_parent(host: WorkerHost, old_image: str) -> None:
    commit_a_child(host)

    assert step_ids(host.plan()) == set()


# What is asked of the engine


def calls_of_a_look(host: WorkerHost) -> int:
    with host.opened() as opened_host:
        before = opened_host.engine.calls
        opened_host.look()
        return opened_host.engine.calls - before


def test_images_are_asked_about_once_whatever_their_number(host: WorkerHost) -> None:
    for number in range(3):
        host.image(f"app:{number}")
    # It forgets the events of loading: what an event spoke of is asked about again.
    host.engine.restart()

    of_containerd = host.engine.kind.store is Store.CONTAINERD
    # Its accounting has the images as well, but of before a change perhaps: events are asked for instead of
    # a list, and tell whether there was one. Of each image it takes a history to know what it holds.
    usual = LISTS + UNFOLLOWED
    # Elsewhere the history of one tells, for the three stand on one base.
    looks = [calls_of_a_look(host) for _ in range(2)]
    assert looks == [usual + 3 + (3 if of_containerd else 1), usual]
    host.image("late:1")
    # What an event names is looked up, and then the image is asked about.
    assert calls_of_a_look(host) == usual + 2 + 2 * of_containerd


def test_a_name_given_again_is_no_surprise_to_the_plan_after_it(host: WorkerHost) -> None:
    image = host.image("app:1")
    host.plan()
    tag_again(host)
    report = host.execute(host.plan())

    assert (report.outcomes[0].outcome, host.has(image)) == (Outcome.REMOVED, False)


@pytest.mark.only_on(
    Store.GRAPH_DRIVER, because="a containerd store notes no time where a tag is given that is there already"
)
def test_s10_a_plan_of_what_was_tagged_behind_the_ledgers_back_corrects_itself(
    host: WorkerHost, old_image: str
) -> None:
    tag_again(host)
    # A restart loses the event; the time of tagging was read before.
    host.engine.restart()
    report = host.execute(host.plan())

    assert codes([one.reason for one in report.outcomes]) == [Code.CHANGED]
    assert step_ids(host.plan()) == set()


def test_s9_a_tag_that_moved_leaves_the_previous_version(host: WorkerHost, old_image: str) -> None:
    host.running("web", "app:1")
    host.plan()
    # By tag, not by load: on a containerd store of 26.1 that drops the image which had the name.
    newer = host.image(content="newer")
    host.engine.client.tag(newer, "app", "1")
    host.engine.client.kill("web")
    host.engine.client.remove_container("web")
    host.running("web", "app:1")
    age(host.engine, AgePlan(images={old_image: OLD, newer: OLD - timedelta(days=1)}))
    host.policy(image_unused_for='"0s"')
    found = {v.object.id: codes(v.reasons) for v in host.plan().verdicts}

    assert found[old_image] == [Code.PREVIOUS_VERSION]


# How engines list what somebody needs


def test_a_network_named_by_the_start_of_its_id_is_in_use(host: WorkerHost) -> None:
    host.image("app:1")
    network = host.network("front")
    host.create("waiting", "app:1", network=network[:8], host={"restart_policy": {"Name": "always"}})

    assert network not in step_ids(host.plan())


def test_a_container_whose_network_another_one_joined_by_name_stays(host: WorkerHost) -> None:
    host.image("app:1")
    holder = host.spent("holder", "app:1")
    always = {"restart_policy": {"Name": "always"}}
    host.create("guest", "app:1", network="container:holder", host=always)

    assert holder not in step_ids(host.plan())


def test_s17_a_container_whose_memory_a_running_one_has_joined_stays(host: WorkerHost) -> None:
    host.image("app:1")
    holder = host.running("holder", "app:1", host={"ipc_mode": "shareable"})
    host.running("guest", "app:1", host={"ipc_mode": "container:holder"})
    host.engine.client.stop(holder)

    assert holder not in step_ids(host.plan())


def test_s4_an_image_that_a_container_has_mounted_stays_when_its_name_has_moved(host: WorkerHost) -> None:
    host.image("app:1")
    mounted = host.image("data:latest", content="one")
    _mount(host, "data:latest", of="app:1")
    host.image("data:latest", content="two")
    host.image("data:latest", content="three")

    assert mounted not in step_ids(host.plan())


def _mount(host: WorkerHost, image: str, *, of: str) -> None:
    """Run a container with an image mounted, which docker-py cannot ask for."""
    client = host.engine.client
    server = client._url("").partition("/v1.")[0]
    mount = {"Type": "image", "Source": image, "Target": "/mounted"}
    config = {
        "Image": of,
        "Cmd": ["sh", "-c", STAY],
        "HostConfig": {"NetworkMode": "none", "Mounts": [mount]},
    }
    made = client.post(f"{server}/v1.48/containers/create?name=mounting", json=config)
    if made.status_code == 400:
        pytest.skip(f"images can be mounted from Docker 28 on: {made.json()['message']}")
    client.start(made.json()["Id"])


def test_s17_a_container_that_holds_the_volumes_of_a_running_one_stays(host: WorkerHost) -> None:
    host.image("app:1")
    holder = host.create("data-only", "app:1", volumes=["/data"])
    host.running("reader", "app:1", host={"volumes_from": ["data-only"]})
    guest = host.spent("backup", "app:1", host={"volumes_from": ["reader"]})

    assert step_ids(host.plan((Kind.CONTAINER,))) == {guest}
    assert holder not in step_ids(host.plan())


def test_s17_what_was_written_into_a_stopped_container_keeps_it(host: WorkerHost) -> None:
    host.image("app:1")
    filled, empty = (
        host.create("filled", "app:1", "head -c 2000000 /dev/zero > /x"),
        host.spent("empty", "app:1"),
    )
    host.engine.client.start(filled)
    host.engine.client.wait(filled)

    assert step_ids(host.plan((Kind.CONTAINER,))) == {empty}


def test_s17_a_spent_container_leaves_the_names_of_its_volumes(host: WorkerHost) -> None:
    host.image("app:1")
    host.spent("spent", "app:1", volumes=["/data"])
    [step] = host.plan((Kind.CONTAINER,)).steps

    assert set(step.leaves) == host.volumes()


def test_a_container_that_stopped_ages_from_its_exit(host: WorkerHost) -> None:
    host.keys = dict(REQUIRED)
    host.image("app:1")
    old, young = host.spent("old", "app:1"), host.spent("young", "app:1")
    lifetimes = {
        old: Lifetime(created=OLD, stopped=OLD),
        young: Lifetime(created=OLD, stopped=timedelta(days=1)),
    }
    age(host.engine, AgePlan(containers=lifetimes))

    assert step_ids(host.plan((Kind.CONTAINER,))) == {old}


def test_an_image_used_by_its_id_alone_stays(host: WorkerHost) -> None:
    used, unused = host.image(), host.image()
    host.running("web", used)

    assert step_ids(host.plan()) == {unused}


def test_an_import_is_read_like_any_image(host: WorkerHost) -> None:
    imported = images.import_layer(host.engine.client, images.base_layer(), "flat:1")

    assert step_ids(host.plan()) == {imported}


def test_others_who_ask_for_the_accounting_at_the_same_time_are_waited_for(filled: FilledHost) -> None:
    def ask(_: int) -> int:
        with closing(Engine(filled.engine.url)) as engine:
            return len([engine.usage() for _ in range(20)])

    # Engine 20.10 answers one of them with an error.
    with ThreadPoolExecutor(3) as askers:
        assert list(askers.map(ask, range(3))) == [20, 20, 20]
