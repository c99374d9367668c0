"""The activity gate on a real engine: pulls, loads, tags, creations and builds postpone a cleanup."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.worker_host import WorkerHost, codes, ended, on, order_for
from tests.stage import images
from tests.stage.door import Hold
from tests.stage.engine import DisposableEngine
from tests.stage.fixtures import RegistryFactory
from tests.stage.gate import Gate
from tests.stage.netns import listen
from tests.stage.slow_door import SlowDoor
from workers.contract import Kind, Outcome, Plan, Status
from workers.engine import connected
from workers.errors import RefusedError
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.planning.activity import MEMORY
from workers.reasons import Code, Reason

BUILD_PORT = 6000
SLOW_BUILD = f"FROM base:1\nRUN wget -q -O /answer http://127.0.0.1:{BUILD_PORT}/\n"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"


def forget_events(host: WorkerHost) -> None:
    """A fresh boot: the engine remembers nothing of what the test put there."""
    host.engine.restart()


def refusal_of(host: WorkerHost, plan: Plan) -> Reason:
    with pytest.raises(RefusedError) as refused:
        host.execute(plan)
    [why] = refused.value.reasons
    return why


@contextlib.contextmanager
def a_build_held(engine: DisposableEngine) -> Iterator[None]:
    """A build in whose middle a command waits for the test's answer."""
    with listen(engine, BUILD_PORT) as door:
        arguments = ("build", "--network", "host", "--tag", "slow:1", "-")
        build = threading.Thread(target=engine.cli, args=arguments, kwargs={"stdin": SLOW_BUILD.encode()})
        build.start()
        caller, _ = door.accept()
        try:
            yield
        finally:
            with caller:
                caller.sendall(ANSWER)
            build.join()


@pytest.fixture
def quiet_host(host: WorkerHost) -> WorkerHost:
    """A host with waste of two kinds, on which nobody does anything."""
    host.image("base:1")
    host.image("waste:1")
    host.spent("job", "base:1")
    forget_events(host)
    host.policy(quiet_for='"2min"', protected_images='["base"]')
    return host


def load(host: WorkerHost) -> None:
    host.image("came:1")


def tag(host: WorkerHost) -> None:
    host.engine.client.tag("base:1", "came", "1")


def import_(host: WorkerHost) -> None:
    images.import_layer(host.engine.client, images.layer({"came": b"1"}), "came:1")


def create(host: WorkerHost) -> None:
    host.create("came", "base:1")


@pytest.mark.parametrize(
    ("act", "code", "what"),
    [
        (load, Code.IMAGE_ARRIVED, "loaded"),
        (tag, Code.IMAGE_ARRIVED, "tagged"),
        (import_, Code.IMAGE_ARRIVED, "imported"),
        (create, Code.CONTAINER_CREATED, None),
    ],
)
def test_what_somebody_just_did_postpones_and_the_plan_stays_good(
    quiet_host: WorkerHost, act: Callable[[WorkerHost], None], code: Code, what: str | None
) -> None:
    plan = quiet_host.plan()
    act(quiet_host)
    why = refusal_of(quiet_host, plan)

    assert (why.code, why.params.get("what")) == (code, what)
    assert quiet_host.tags()["waste:1"]
    forget_events(quiet_host)
    assert ended(quiet_host.execute(plan)) == {"job": Outcome.REMOVED, "waste:1": Outcome.REMOVED}


def test_a_pull_of_what_is_there_already_postpones(
    quiet_host: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    plan = quiet_host.plan()
    registry = fresh_registry(quiet_host.engine)
    registry.push("base:1", "app:1")
    registry.pull("app:1")
    why = refusal_of(quiet_host, plan)

    assert (why.params["image"], why.params["what"]) == (f"{registry.address}/app:1", "pulled")


def test_the_preview_says_what_goes_on(quiet_host: WorkerHost) -> None:
    tag(quiet_host)
    with a_build_held(quiet_host.engine):
        first, second = quiet_host.plan().notices[:2]

    assert (first.code, second.code) == (Code.BUILD_UNDER_WAY, Code.IMAGE_ARRIVED)
    assert second.params["image"] == "came:1"


def test_a_build_under_way_postpones_until_it_has_ended(host: WorkerHost) -> None:
    host.image("base:1")
    waste = host.image("waste:1")
    host.policy(protected_images='["base"]')
    plan = host.plan()
    with a_build_held(host.engine):
        assert refusal_of(host, plan).code is Code.BUILD_UNDER_WAY
        assert host.has(waste)

    assert host.execute(plan).status is Status.DONE
    assert not host.has(waste)


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.BUILD_CACHE])
def test_a_build_that_begins_during_the_run_stops_it_before_what_builds_need(
    host: WorkerHost, kind: Kind
) -> None:
    host.image("base:1")
    host.policy(protected_images='["base"]')
    images.build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one", "old:1")
    host.spent("job", "base:1")
    plan = host.plan(kinds=(Kind.CONTAINER, kind))
    with contextlib.ExitStack() as build:
        begin = on("container", lambda: build.enter_context(a_build_held(host.engine)))
        report = host.execute(plan, after=begin)

    outcomes = {one.object.kind: one.outcome for one in report.outcomes}
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.BUILD_BEGAN])
    assert outcomes == {Kind.CONTAINER: Outcome.REMOVED, kind: Outcome.NOT_ATTEMPTED}


def test_what_a_run_itself_did_does_not_postpone_the_next(host: WorkerHost) -> None:
    host.image("two:1", "two:2")
    host.image("other:1")
    forget_events(host)
    host.policy(quiet_for='"2min"')
    plan = host.plan()
    [other] = [step.index for step in plan.steps if step.object.name == "other:1"]

    first = host.execute(plan, excluded=(other,))
    second = host.execute(host.plan())

    assert (first.status, second.status) == (Status.DONE, Status.DONE)
    assert host.tags() == {}


# What cannot be known


@contextlib.contextmanager
def gated(host: WorkerHost, folder: Path) -> Iterator[tuple[Gate, Host]]:
    """The host's worker, with a door between it and its engine."""
    with host.opened(), Gate(folder / "gate.sock", host.engine.socket) as gate:
        place = replace(host.place, address=gate.url)
        with (
            contextlib.closing(Ledger(place.ledger_file)) as ledger,
            contextlib.closing(connected(place.address)()) as engine,
        ):
            yield gate, Host(place, ledger, engine)


def flood(host: WorkerHost) -> None:
    """As much as an engine remembers, of what is no activity."""
    for number in range(MEMORY):
        host.engine.client.create_volume(f"v{number}")


@contextlib.contextmanager
def meanwhile(hold: Hold, act: Callable[[], object]) -> Iterator[None]:
    """While the block waits for a held call, this is done."""

    def wait_and_act() -> None:
        hold.wait_until_reached()
        act()
        hold.let_through()

    other = threading.Thread(target=wait_and_act)
    other.start()
    yield
    other.join()


def refused_by(host: Host, plan: Plan) -> list[Code]:
    with pytest.raises(RefusedError) as refused:
        host.execute(order_for(plan), told_to_stop=lambda: False)
    return codes(refused.value.reasons)


@pytest.fixture
def short(stage_place: Callable[[], Path]) -> Path:
    folder = stage_place()
    folder.mkdir()
    return folder


def test_s4_events_that_cannot_be_read_refuse(quiet_host: WorkerHost, short: Path) -> None:
    plan = quiet_host.plan()
    with (
        gated(quiet_host, short) as (gate, host),
        # Twice: what breaks off on a connection that was idle is asked once more.
        gate.held("GET /events") as first,
        gate.held("GET /events") as second,
        meanwhile(first, first.forget),
        meanwhile(second, second.forget),
    ):
        assert refused_by(host, plan) == [Code.ACTIVITY_UNKNOWN]

    assert quiet_host.tags()["waste:1"]


def test_s4_what_the_engine_has_forgotten_is_watched_instead(quiet_host: WorkerHost, short: Path) -> None:
    quiet_host.policy(quiet_for='"1min"')
    plan = quiet_host.plan()
    flood(quiet_host)
    with (
        gated(quiet_host, short) as (gate, host),
        gate.held("GET /events.*create") as hold,
        meanwhile(hold, lambda: tag(quiet_host)),
    ):
        assert refused_by(host, plan) == [Code.IMAGE_ARRIVED]


def test_a_busy_memory_alone_only_delays(quiet_host: WorkerHost) -> None:
    quiet_host.policy(quiet_for='"5s"')
    plan = quiet_host.plan()
    flood(quiet_host)

    assert quiet_host.execute(plan).status is Status.DONE


# A pull under way is in no API


def layer(name: str) -> bytes:
    return images.layer({name: images.noise(name, 0.5)})


@pytest.fixture
def door(host: WorkerHost, fresh_registry: RegistryFactory) -> Iterator[SlowDoor]:
    with SlowDoor(fresh_registry(host.engine)) as door:
        yield door


@pytest.mark.parametrize("held", [1, 2], ids=["base shared", "all but the last shared"])
def test_a_removal_by_id_does_not_break_a_pull_under_way(host: WorkerHost, door: SlowDoor, held: int) -> None:
    client = host.engine.client
    layers = (images.base_layer(), layer("middle"), layer("top"))
    pushed = images.load(client, [images.Archived(tags=("new:1",), layers=layers)])[0]
    blobs = door.registry.blobs("app", door.registry.push(pushed, "app:1"))
    client.remove_image(pushed, force=True)
    # Shares what the pull needs and has not to fetch: with it go the last names of these layers.
    shared = images.load(client, [images.Archived(tags=("old:1",), layers=layers[:held])])[0]
    plan = host.plan()

    with door.held(f"GET /v2/app/blobs/{blobs[held]}") as hold:
        pull = threading.Thread(target=door.pull, args=("app:1",))
        pull.start()
        hold.wait_until_reached()
        report = host.execute(plan)
        assert (report.status, host.has(shared)) == (Status.DONE, False)
        assert not [asked for asked in door.requests if asked.endswith(blobs[0])]
    pull.join()

    assert images.image_id(client, f"{door.address}/app:1") == pushed
    client.start(host.create("reader", pushed, "cat /middle /top > /dev/null"))
    assert client.wait("reader")["StatusCode"] == 0
