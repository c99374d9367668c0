"""The way back, on a real engine with a real registry: what a run removed is there again as it was."""

import base64
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Never

import pytest

from tests.docker.worker_host import ANA, WorkerHost
from tests.stage import images
from tests.stage.engine import DisposableEngine
from tests.stage.fixtures import RegistryFactory
from tests.stage.kinds import EngineKind
from tests.stage.registry import LOGIN, Registry
from tests.stage.slow_door import SlowDoor
from tests.stage.small_disk import mount_small_disk
from workers.contract import (
    FromDescription,
    Restored,
    RestoreOrder,
    RestorePlan,
    RestoreReport,
    RestoreStep,
    Status,
)
from workers.engine import Engine
from workers.errors import LedgerError, NotFound, RefusedError, UsageError
from workers.host import Host
from workers.reasons import Code
from workers.restore import networks
from workers.restore.restorer import Restorer
from workers.restore.returning import Returning, is_back
from workers.signing import digest

ROOT = Path(__file__).parents[2]
SMALL, MEGABYTES = 160_000_000, 32
FRONT = {
    "driver": "bridge",
    "internal": True,
    "attachable": True,
    "options": {"com.docker.network.bridge.name": "front0", "com.docker.network.driver.mtu": "1400"},
    "labels": {"team": "shop"},
    "ipam": {
        "Driver": "default",
        "Config": [
            {
                "Subnet": "10.77.0.0/24",
                "IPRange": "10.77.0.128/25",
                "Gateway": "10.77.0.254",
                "AuxiliaryAddresses": {"printer": "10.77.0.9"},
            }
        ],
    },
}


@pytest.fixture
def registry(host: WorkerHost, fresh_registry: RegistryFactory) -> Registry:
    host.policy(probe_registry="true")
    return fresh_registry(host.engine)


@pytest.fixture
def door(registry: Registry) -> Iterator[SlowDoor]:
    with SlowDoor(registry) as door:
        yield door


def shared(host: WorkerHost, registry: Registry, *names: str) -> tuple[str, str]:
    """An image that came from the registry under all these names: its id, and its digest there."""
    made = host.image(names[0])
    digests = [registry.push(made, name) for name in names]
    host.engine.client.remove_image(made, force=True)
    ids = {registry.pull(name) for name in names}
    assert len(ids) == len(set(digests)) == 1
    if len(names) > 1:
        have_forgotten(host, registry)
    return ids.pop(), digests[0]


def have_forgotten(host: WorkerHost, registry: Registry) -> None:
    """A tag that was touched a moment ago is left alone for a minute, which no new engine remembers."""
    registry.stop()
    host.engine.restart()
    registry.start()


def plan_of(host: WorkerHost, *objects: str, run: str = "") -> RestorePlan:
    with host.opened() as opened:
        text = run or opened.ledger.past_runs()[-1].order.id
        return Restorer(opened).plan(text, objects, request_id="request-2")


def restore(host: WorkerHost, plan: RestorePlan, **options: Any) -> RestoreReport:
    options = {"told_to_stop": lambda: False, **options}
    with host.opened() as opened:
        return Restorer(opened).restore(order_for(plan), **options)


def order_for(plan: RestorePlan, **claims: Any) -> RestoreOrder:
    return RestoreOrder.model_validate(
        {
            "key_id": "key-1",
            "id": f"restore-{digest(plan)[7:19]}",
            "host": plan.host,
            "issued_at": plan.made_at,
            "expires_at": plan.expires_at,
            "request_id": plan.request_id,
            "reply_to": "",
            "requester": ANA,
            "approver": ANA,
            "engine_id": plan.engine.id,
            "plan_digest": digest(plan),
            **claims,
        }
    )


def ends(report: RestoreReport) -> dict[str, Restored]:
    return {one.object.id: one.outcome for one in report.outcomes}


def state(host: WorkerHost) -> tuple[set[str], dict[str, str], set[str], list[Any]]:
    """Every image id, tag, digest, and network by its description."""
    client = host.engine.client
    listed = client.images(all=True)
    digests = {found for image in listed for found in image["RepoDigests"] or () if "<none>" not in found}
    described = [networks.described(client.inspect_network(one["Id"])) for one in client.networks()]
    return {one["Id"] for one in listed}, tags(host), digests, sorted(described, key=lambda one: one.name)


def tags(host: WorkerHost) -> dict[str, str]:
    """Every tag with its image, without the names by digest that one store lists beside them."""
    return {name: image for name, image in host.tags().items() if "@" not in name}


def away(plan: RestorePlan) -> dict[str, Code]:
    return {one.object.id: one.reason.code for one in plan.away}


def test_a_round_trip_brings_every_image_tag_digest_and_network_back(
    host: WorkerHost, registry: Registry
) -> None:
    several, _ = shared(host, registry, "shop/api:1", "shop/api:2", "mirror/api:1")
    single, _ = shared(host, registry, "web:1")
    front = str(host.engine.client.create_network("front", **FRONT)["Id"])
    plain = host.network("plain")
    six = {"Config": [{"Subnet": "fd00:77::/64", "Gateway": "fd00:77::1"}, {"Subnet": "10.78.0.0/24"}]}
    host.engine.client.create_network("six", enable_ipv6=True, ipam=six)
    before = state(host)
    report = host.execute(host.plan())
    assert report.status is Status.DONE
    assert not any(map(host.has, (several, single, front, plain)))

    plan = plan_of(host)
    done = restore(host, plan)

    assert (done.status, done.stopped_by, done.findings) == (Status.DONE, (), ())
    assert set(ends(done).values()) == {Restored.RESTORED}
    assert state(host) == before


def test_restored_twice_everything_is_there_already(host: WorkerHost, registry: Registry) -> None:
    image, _ = shared(host, registry, "web:1")
    network = host.network("front")
    host.execute(host.plan())
    first, second = plan_of(host), plan_of(host, "web:1")
    restore(host, first)
    before = state(host)

    assert set(ends(restore(host, second)).values()) == {Restored.ALREADY_THERE}
    with pytest.raises(RefusedError) as refused:
        restore(host, first)
    assert [why.code for why in refused.value.reasons] == [Code.RESTORE_PLAN_USED]
    again = plan_of(host)
    assert (again.steps, away(again)) == (
        (),
        {image: Code.ALREADY_THERE, network: Code.ALREADY_THERE},
    )
    assert state(host) == before


def test_what_came_back_can_go_and_come_back_again(host: WorkerHost, registry: Registry) -> None:
    shared(host, registry, "web:1", "web:2")
    before = state(host)
    for _ in range(2):
        have_forgotten(host, registry)
        done = host.execute(host.plan())
        assert done.status is Status.DONE, done.outcomes
        assert restore(host, plan_of(host)).status is Status.DONE

    assert state(host) == before


def test_a_tag_that_names_another_image_by_now_is_left_there(host: WorkerHost, registry: Registry) -> None:
    image, _ = shared(host, registry, "web:1", "web:2")
    host.execute(host.plan())
    other = host.image("other:1")
    host.engine.client.tag(other, f"{registry.address}/web", "1")
    plan = plan_of(host)
    [step] = plan.steps

    assert [(one.name, one.image) for one in step.taken] == [(f"{registry.address}/web:1", other)]
    assert step.tags == (f"{registry.address}/web:2",)
    restore(host, plan)
    assert tags(host) == {
        "other:1": other,
        f"{registry.address}/web:1": other,
        f"{registry.address}/web:2": image,
    }


def test_a_tag_that_is_taken_after_the_plan_is_left_there(host: WorkerHost, registry: Registry) -> None:
    image, _ = shared(host, registry, "web:1")
    host.execute(host.plan())
    plan = plan_of(host)
    other = host.image("other:1")
    host.engine.client.tag(other, f"{registry.address}/web", "1")
    report = restore(host, plan)

    assert [why.code for why in report.findings] == [Code.TAG_TAKEN]
    assert (tags(host)[f"{registry.address}/web:1"], host.has(image)) == (other, True)


def test_an_image_that_is_here_gets_the_tags_it_lacks(host: WorkerHost, registry: Registry) -> None:
    image, known = shared(host, registry, "web:1", "web:2")
    host.execute(host.plan())
    assert registry.pull(f"web@{known}") == image
    registry.stop()
    plan = plan_of(host)
    [step] = plan.steps

    assert (step.sources, plan.needs.high) == ((), 0)
    assert restore(host, plan).status is Status.DONE
    assert set(tags(host).values()) == {image}
    assert len(tags(host)) == 2


# Faults


def test_s4_a_registry_that_is_away_gives_nothing_back(host: WorkerHost, registry: Registry) -> None:
    image, _ = shared(host, registry, "web:1")
    host.execute(host.plan())
    registry.stop()
    plan = plan_of(host)

    assert (plan.applicable, away(plan)) == (False, {image: Code.REGISTRY_SILENT})


def test_a_registry_that_goes_away_after_the_plan_fails_the_image_and_the_rest_comes_back(
    host: WorkerHost, registry: Registry
) -> None:
    image, _ = shared(host, registry, "web:1")
    network = host.network("front")
    host.execute(host.plan())
    plan = plan_of(host)
    registry.stop()
    report = restore(host, plan)

    assert ends(report) == {image: Restored.FAILED, network: Restored.RESTORED}
    assert report.status is Status.PARTIAL
    assert "connection refused" in str(report.outcomes[1].reason)


def test_a_digest_that_was_deleted_there_is_not_restorable(host: WorkerHost, registry: Registry) -> None:
    image, known = shared(host, registry, "web:1")
    local = host.image("local:1")
    host.execute(host.plan())
    before = plan_of(host, image)
    registry.delete_manifest("web", known)
    plan = plan_of(host)

    assert away(plan)[image] is Code.NOT_GIVEN_BACK
    assert away(plan)[local] in (Code.NO_SOURCE, Code.NOT_GIVEN_BACK, Code.REGISTRY_SILENT)
    report = restore(host, before)
    assert (ends(report), report.status) == ({image: Restored.FAILED}, Status.FAILED)
    assert report.outcomes[0].reason is not None


def log_in(folder: Path, registry: Registry, password: str) -> None:
    """What `docker login` leaves behind."""
    pair = base64.b64encode(f"{LOGIN['username']}:{password}".encode()).decode()
    folder.joinpath("config.json").write_text(json.dumps({"auths": {registry.address: {"auth": pair}}}))


@pytest.mark.parametrize("password", [None, "wrong"])
def test_without_the_right_credentials_nothing_comes_and_it_is_told(
    host: WorkerHost,
    fresh_registry: RegistryFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    password: str | None,
) -> None:
    locked = fresh_registry(host.engine, private=True)
    image, _ = shared(host, locked, "web:1")
    host.execute(host.plan())
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    if password:
        log_in(tmp_path, locked, password)
    unasked = plan_of(host)
    host.policy(probe_registry="true")
    asked = plan_of(host)

    assert [why.code for why in unasked.notices] == [Code.REGISTRIES_NOT_ASKED]
    assert away(asked) == {image: Code.REGISTRY_SILENT}
    report = restore(host, unasked)
    assert (ends(report), host.has(image)) == ({image: Restored.FAILED}, False)
    assert "auth" in str(report.outcomes[0].reason)


def test_the_hosts_own_docker_configuration_logs_in(
    host: WorkerHost, fresh_registry: RegistryFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.policy(probe_registry="true")
    locked = fresh_registry(host.engine, private=True)
    image, _ = shared(host, locked, "web:1")
    before = state(host)
    host.execute(host.plan())
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    log_in(tmp_path, locked, LOGIN["password"])

    assert restore(host, plan_of(host)).status is Status.DONE
    assert (host.has(image), state(host)) == (True, before)


@pytest.fixture
def small(stage_place: Callable[[], Path], tmp_path: Path, engine_kind: EngineKind) -> Iterator[WorkerHost]:
    """A host whose engine keeps its data on a small filesystem that nothing else writes to."""
    engine = DisposableEngine(stage_place(), engine_kind)
    mount_small_disk(engine.folder / "disk", engine.data_root, size=SMALL)
    with engine:
        host = WorkerHost(engine, tmp_path)
        host.policy(probe_registry="true")
        yield host


def leave(host: WorkerHost, size: int) -> None:
    """Fill the engine's disk with somebody else's data, up to about so many bytes."""
    with (host.engine.data_root / "filler").open("wb") as file:
        disk = os.statvfs(host.engine.data_root)
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - size)


def test_a_disk_that_is_too_small_bars_the_plan_the_step_and_at_last_the_pull(
    small: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    registry = fresh_registry(small.engine)
    image = small.image("big:1", content=images.noise("big", MEGABYTES / 2).hex())
    registry.push(image, "big:1")
    small.engine.client.remove_image(image, force=True)
    registry.pull("big:1")
    small.execute(small.plan())
    before = plan_of(small)
    assert before.free is not None
    assert MEGABYTES * 1_000_000 <= before.needs.low <= before.needs.high < before.free

    leave(small, before.needs.low // 2)
    full = plan_of(small)
    assert (full.fits, full.applicable) == (False, False)
    assert Code.NO_ROOM in [why.code for why in full.notices]
    with pytest.raises(RefusedError):
        restore(small, full)
    report = restore(small, before)
    assert (ends(report), report.status) == ({image: Restored.REFUSED}, Status.REFUSED)
    assert report.outcomes[0].reason is not None
    assert report.outcomes[0].reason.code is Code.NO_ROOM

    # Room for the image, and none for what is fetched to make it; root may write a little more than is left.
    leave(small, before.needs.low + 200_000)
    tight = plan_of(small)
    assert (tight.fits, [why.code for why in tight.notices]) == (True, [Code.MAY_NOT_FIT])
    report = restore(small, tight)
    assert (ends(report), small.has(image)) == ({image: Restored.FAILED}, False)
    assert "no space left" in str(report.outcomes[0].reason)

    (small.engine.data_root / "filler").unlink()
    assert restore(small, plan_of(small)).status is Status.DONE
    assert small.has(image)


# Networks


def test_a_network_whose_place_is_taken_is_said_and_left(host: WorkerHost) -> None:
    config = FRONT["ipam"]
    named, placed, twin = (
        str(host.engine.client.create_network(name, **options)["Id"])
        for name, options in (("named", {}), ("placed", {"ipam": config}), ("twin", {"internal": True}))
    )
    host.execute(host.plan())
    before = plan_of(host)
    client = host.engine.client
    client.create_network("named", internal=True)
    client.create_network("other", ipam={"Config": [{"Subnet": "10.77.0.64/26"}]})
    plan = plan_of(host)

    assert away(plan)[named] is Code.NAME_TAKEN
    assert away(plan)[placed] is Code.ADDRESSES_TAKEN
    assert twin in {step.object.id for step in plan.steps} or away(plan)[twin] is Code.ADDRESSES_TAKEN
    report = restore(host, before)
    assert (ends(report)[named], ends(report)[placed]) == (Restored.REFUSED, Restored.REFUSED)
    assert [n["Name"] for n in client.networks(names=["named"])] == ["named"]


def unloadable(*_: object) -> Never:
    raise AssertionError("nothing is loaded for a network")


@pytest.mark.parametrize("told", [None, True], ids=["by-an-older-engine", "by-a-newer-one"])
def test_a_network_that_another_engine_described_is_back_when_it_was_made(
    host: WorkerHost, told: bool | None
) -> None:
    network = host.network("front")
    host.execute(host.plan())
    (step,) = plan_of(host).steps
    (source,) = step.sources
    assert isinstance(source, FromDescription)
    # Engines before 28 did not tell.
    source = FromDescription(network=source.network.model_copy(update={"ipv4": told}))
    step = step.model_copy(update={"sources": (source,)})
    asked: list[RestoreStep] = []
    with host.opened() as opened:
        returning = Returning(
            opened.engine, asked.append, lambda: None, lambda: timedelta(hours=1), unloadable
        )

        assert not is_back(step, opened.engine)
        assert (returning.bring(step).outcome, asked) == (Restored.RESTORED, [step])
        assert is_back(step, opened.engine)
        assert returning.bring(step).outcome is Restored.ALREADY_THERE
    assert [n["Id"] == network for n in host.engine.client.networks(names=["front"])] == [False]


# Containers, and what is not known


def test_a_container_is_shown_as_a_command_and_not_created(host: WorkerHost, registry: Registry) -> None:
    shared(host, registry, "web:1")
    spent = host.spent("job", f"{registry.address}/web:1", environment={"TOKEN": "secret"})
    host.execute(host.plan())
    plan = plan_of(host)
    [shown] = [one for one in plan.away if one.object.id == spent]

    assert shown.command.startswith("docker create --name job ")
    assert "--env TOKEN=FILL_IN" in shown.command
    assert "secret" not in plan.model_dump_json()
    assert restore(host, plan).status is Status.DONE
    assert host.engine.client.containers(all=True) == []


def test_unknown_runs_and_objects_name_the_nearest(host: WorkerHost) -> None:
    host.image("web:1")
    report = host.execute(host.plan())

    with pytest.raises(UsageError, match=report.order_id):
        plan_of(host, run=f"{report.order_id[:10]}zz")
    with pytest.raises(UsageError, match="most alike are web:1"):
        plan_of(host, "wbe:1")


def test_of_a_run_older_than_its_ways_back_its_names_are_known(host: WorkerHost) -> None:
    image = host.image("web:1")
    host.execute(host.plan())
    host.policy(restore_for='"0s"')
    plan = plan_of(host)

    [one] = plan.away
    assert (one.object.id, one.object.name, one.reason.code) == (image, "web:1", Code.WAY_BACK_FORGOTTEN)


def test_another_run_holds_the_engine(host: WorkerHost, registry: Registry) -> None:
    shared(host, registry, "web:1")
    host.execute(host.plan())
    plan = plan_of(host)
    inside: list[list[Code]] = []

    def at_once(_: object) -> None:
        with pytest.raises(RefusedError) as refused:
            restore(host, plan)
        inside.append([why.code for why in refused.value.reasons])

    restore(host, plan, hear=at_once)
    assert inside == [[Code.BUSY]]


def test_told_to_stop_it_ends_after_the_object_in_hand(host: WorkerHost, registry: Registry) -> None:
    image, _ = shared(host, registry, "web:1")
    network = host.network("front")
    host.execute(host.plan())
    heard: list[object] = []
    report = restore(host, plan_of(host), told_to_stop=lambda: bool(heard), hear=heard.append)

    assert ends(report) == {network: Restored.RESTORED, image: Restored.NOT_ATTEMPTED}
    assert (report.status, [why.code for why in report.stopped_by]) == (
        Status.STOPPED,
        [Code.RESTORE_TERMINATED],
    )


def test_a_slow_registry_is_given_up_and_the_engine_is_as_it_was(
    host: WorkerHost, door: SlowDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared(host, door.registry, "web:1")
    image = door.pull("web:1")
    host.engine.client.remove_image(f"{door.registry.address}/web:1")
    host.execute(host.plan())
    plan = plan_of(host)
    monkeypatch.setattr("workers.engine.PULL_SILENCE", 1)
    with door.held("GET /v2/web/blobs/"):
        report = restore(host, plan)

    assert (ends(report), host.has(image)) == ({image: Restored.FAILED}, False)
    assert restore(host, plan_of(host)).status is Status.DONE
    assert host.has(image)


# The worker's process dies


@contextmanager
def standing_still(host: WorkerHost, plan: RestorePlan, when: str) -> Iterator[str]:
    """A process that restores and stands still at its first pull; killed at the end."""
    order = order_for(plan).model_dump_json()
    command = [sys.executable, "-m", "tests.docker.interrupted_restore"]
    command += [host.engine.url, str(host.folder), order, when]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.mark.parametrize(("when", "came"), [("before", Restored.FAILED), ("after", Restored.RESTORED)])
def test_s11_killed_on_the_way_it_does_not_go_on_and_is_reported_on_return(
    host: WorkerHost, registry: Registry, when: str, came: Restored
) -> None:
    first, _ = shared(host, registry, "web:1")
    second, _ = shared(host, registry, "api:1")
    network = host.network("front")
    before = state(host)
    host.execute(host.plan())
    plan = plan_of(host)
    with standing_still(host, plan, when) as digest_in_hand:
        assert digest_in_hand
    with host.opened() as opened:
        opened.recover()
        [report] = opened.ledger.restore_reports()
        assert opened.ledger.open_restores() == []

    in_hand, left = (step.object.id for step in plan.steps[1:])
    assert {first, second} == {in_hand, left}
    assert ends(report) == {network: Restored.RESTORED, in_hand: came, left: Restored.NOT_ATTEMPTED}
    assert (report.status, host.has(left)) == (Status.INTERRUPTED, False)
    # What had ended is told as it was told then; of the rest it is said that nobody saw it end.
    reasons = [one.reason.code if one.reason else None for one in report.outcomes]
    assert reasons == [None, Code.RESTORE_INTERRUPTED, Code.RESTORE_ENDED]
    with pytest.raises(RefusedError):
        restore(host, plan)
    assert restore(host, plan_of(host)).status is Status.DONE
    assert state(host) == before


class GoesOn(Engine):
    """An engine that ends what a dead restore asked for just after somebody looked for it."""

    ends: Callable[[], object] = staticmethod(lambda: None)

    def inspect_image(self, name: str) -> Mapping[str, Any]:
        try:
            return super().inspect_image(name)
        except NotFound:
            self.ends()
            raise


def test_s14_what_the_engine_ends_after_the_worker_died_is_told_as_it_is(
    host: WorkerHost, registry: Registry
) -> None:
    image, _ = shared(host, registry, "web:1")
    host.execute(host.plan())
    with standing_still(host, plan_of(host), "before") as digest_in_hand:
        assert digest_in_hand
    with host.opened() as opened, closing(GoesOn(host.engine.url)) as engine:
        engine.ends = lambda: registry.pull("web:1")
        Host(host.place, opened.ledger, engine).recover()
        [report] = opened.ledger.restore_reports()

    assert host.has(image)
    assert (report.status, ends(report)) == (Status.INTERRUPTED, {image: Restored.RESTORED})


def test_s15_nothing_is_asked_of_the_engine_that_is_not_written_down(
    host: WorkerHost, registry: Registry
) -> None:
    image, _ = shared(host, registry, "web:1")
    network = host.network("front")
    host.execute(host.plan())
    plan = plan_of(host)
    with host.opened() as opened:
        full = "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        opened.ledger.rows(f"CREATE TEMP TRIGGER full BEFORE INSERT ON main.restore_journal {full}")
        with pytest.raises(LedgerError, match="disk is full"):
            Restorer(opened).restore(order_for(plan), told_to_stop=lambda: False)

    assert (host.has(image), [n["Name"] for n in host.engine.client.networks(names=["front"])]) == (False, [])
    assert network


# Any plan


@pytest.mark.parametrize("seed", range(3))
def test_a_random_pool_comes_back_as_it_was(host: WorkerHost, registry: Registry, seed: int) -> None:
    pick = random.Random(seed)
    names = [f"{repository}:{tag}" for repository in ("shop/api", "web", "mirror/web") for tag in (1, 2)]
    pick.shuffle(names)
    while names:
        count = pick.randint(1, 3)
        shared(host, registry, *names[:count])
        del names[:count]
    for number in range(pick.randint(0, 3)):
        internal, attachable = pick.random() < 0.5, pick.random() < 0.5
        host.engine.client.create_network(f"net-{number}", internal=internal, attachable=attachable)
    have_forgotten(host, registry)
    before = state(host)
    made = host.plan()
    excluded = tuple(step.index for step in made.steps if pick.random() < 0.3)
    host.execute(made, excluded=excluded)
    after_run = state(host)
    wanted = [step.object.id for step in made.steps if step.index not in excluded]
    some = pick.sample(wanted, pick.randint(0, len(wanted)))
    if some:
        restore(host, plan_of(host, *some))
        assert after_run[0] | {one for one in some if one.startswith("sha256:")} <= state(host)[0]
    if plan_of(host).steps:
        assert restore(host, plan_of(host)).status is Status.DONE

    assert state(host) == before
