"""The faulty door is the engine itself for whoever asks, and what goes wrong there harms nothing."""

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from tests.docker import changes
from tests.docker.changes import Prepare
from tests.docker.observed import READS, Observed, observed, settled
from tests.docker.test_recovery import standing_still
from tests.docker.worker_host import WorkerHost, codes, ended, on, order_for, outcome_of, why
from tests.stage import faulty, recording
from tests.stage.faulty import Fault, Faulty
from tests.stage.fixtures import EngineFactory, RegistryFactory
from tests.stage.images import build_classic, build_with_cache, image_id
from tests.stage.wire import Wire, overheard
from workers.contract import Kind, Outcome, Plan, Report, Status, Store
from workers.engine import Engine
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound, RefusedError
from workers.execution.run import BATCH
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.planning.activity import MEMORY
from workers.reasons import Code, Reason, reason

# How long a worker waits for an answer that does not come.
PATIENCE = 3
REMOVALS = {
    Kind.CONTAINER: "DELETE /containers/",
    Kind.IMAGE: "DELETE /images/sha256:",
    Kind.NETWORK: "DELETE /networks/",
    Kind.BUILD_CACHE: "POST /build/prune",
}
ALWAYS = 1_000_000


@pytest.fixture
def door(host: WorkerHost, stage_place: Callable[[], Path]) -> Iterator[Faulty]:
    path = stage_place()
    with Faulty(path, host.engine.socket) as door:
        yield door


def executed(host: WorkerHost, door: Faulty, plan: Plan) -> Report:
    with (
        closing(Ledger(host.place.ledger_file)) as ledger,
        closing(Engine(door.url, timeout=PATIENCE)) as engine,
    ):
        return Host(host.place, ledger, engine).execute(order_for(plan), told_to_stop=lambda: False)


# One suite against both: the bare engine, and the engine behind the door

MISTAKES: dict[str, tuple[Callable[[Engine, WorkerHost], object], type[EngineError]]] = {
    "no such container": (lambda engine, host: engine.inspect_container("0" * 64), NotFound),
    "no such image": (lambda engine, host: engine.remove_image(f"sha256:{'0' * 64}"), NotFound),
    "no such network": (lambda engine, host: engine.remove_network("0" * 64), NotFound),
    "image in use": (
        lambda engine, host: engine.remove_image(image_id(host.engine.client, "app:2")),
        Conflict,
    ),
    "archive that is none": (
        lambda engine, host: engine.load(iter([bytes(range(256)) * 4096] * 4), within=timedelta(minutes=1)),
        EngineError,
    ),
    "container that runs": (
        lambda engine, host: engine.remove_container(host.engine.client.inspect_container("web")["Id"]),
        Conflict,
    ),
}


def test_the_door_answers_as_the_engine_does(host: WorkerHost, door: Faulty) -> None:
    recording.furnish(host.engine)
    with closing(Engine(host.engine.url)) as bare, closing(Engine(door.url)) as behind:
        for name, read in READS.items():
            assert settled(read(behind)) == settled(read(bare)), name
        for name, (mistake, kind) in MISTAKES.items():
            told = [_told(mistake, engine, host) for engine in (bare, behind)]
            assert told[0] == told[1], name
            assert told[0][0] is kind, name


def _told(
    mistake: Callable[[Engine, WorkerHost], object], engine: Engine, host: WorkerHost
) -> tuple[type, str]:
    with pytest.raises(EngineError) as refused:
        mistake(engine, host)
    return type(refused.value), str(refused.value)


CHANGES = [
    *changes.ANYWHERE,
    pytest.param(
        changes.untag_by_image,
        marks=pytest.mark.only_on(Store.CONTAINERD, because="no other store compares a name with its image"),
    ),
]


class MadeAtBoth(Protocol):
    """Returns what was observed at the engine, and at that behind the door."""

    def __call__(self, prepare: Prepare, *, by_fault: int) -> tuple[Observed, Observed]: ...


@pytest.fixture
def made_at_both(
    fresh_engine: EngineFactory,
    fresh_registry: RegistryFactory,
    stage_place: Callable[[], Path],
    tmp_path: Path,
) -> MadeAtBoth:
    """Makes a change at the socket of an engine, and through a door at another that has equal objects, since
    what is changed is not there twice. So many calls meet a fault that does nothing but ask.
    """

    def make(prepare: Prepare, *, by_fault: int) -> tuple[Observed, Observed]:
        bare, behind = (WorkerHost(fresh_engine(), tmp_path) for _ in range(2))
        expected = observed(bare, bare.engine.url, prepare(bare, fresh_registry))
        change = prepare(behind, fresh_registry)
        with (
            Faulty(stage_place(), behind.engine.socket) as door,
            door.at("", faulty.around(), times=by_fault),
        ):
            return expected, observed(behind, door.url, change)

    return make


@pytest.mark.parametrize("prepare", CHANGES)
def test_a_change_through_the_door_is_that_of_the_engine(made_at_both: MadeAtBoth, prepare: Prepare) -> None:
    bare, behind = made_at_both(prepare, by_fault=0)

    assert behind == bare
    assert (bare.before == bare.after) is (prepare is changes.save_image)


@pytest.mark.parametrize("prepare", CHANGES)
def test_a_fault_has_the_engine_do_what_it_was_asked(made_at_both: MadeAtBoth, prepare: Prepare) -> None:
    """So what is done to its answer is done to that of a real change; only the connection ends with it."""
    bare, behind = made_at_both(prepare, by_fault=ALWAYS)

    assert behind == replace(bare, answers=[answer | {"Connection": "close"} for answer in bare.answers])


@pytest.mark.parametrize("prepare", CHANGES)
def test_what_passes_the_door_is_the_same_on_both_sides_to_the_byte(
    host: WorkerHost, fresh_registry: RegistryFactory, stage_place: Callable[[], Path], prepare: Prepare
) -> None:
    change = prepare(host, fresh_registry)
    with (
        Wire(stage_place(), host.engine.socket) as wire,
        Faulty(stage_place(), wire.path) as door,
        overheard() as exchanges,
        closing(Engine(door.url)) as engine,
    ):
        change(engine)

    assert b"".join(one.asked for one in exchanges) == wire.asked
    assert b"".join(one.answered for one in exchanges) == wire.answered


def test_a_plan_and_a_run_through_the_door_are_those_of_the_engine(host: WorkerHost, door: Faulty) -> None:
    fill(host)
    plan = host.plan()
    report = executed(host, door, plan)

    assert (report.status, set(ended(report).values())) == (Status.DONE, {Outcome.REMOVED})
    assert not host.plan().steps


# The worst moments


TWIN = ("twin:1", "twin:2")


def fill(host: WorkerHost) -> dict[Kind, str]:
    """One object of each kind; the image has two names. Returns their ids, but for the cache's."""
    host.image("base:1")
    build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one", "app:1")
    return {
        Kind.IMAGE: host.image(*TWIN),
        Kind.CONTAINER: host.spent("spent", "base:1"),
        Kind.NETWORK: host.network("loose"),
    }


def removal_of(kind: Kind, ids: dict[Kind, str], plan: Plan) -> tuple[str, str]:
    """The object of a kind that is looked at, and the call that removes it."""
    leaf = next(step.object.id for step in plan.steps if step.object.kind is Kind.BUILD_CACHE)
    return ids.get(kind, leaf), REMOVALS[kind] + ids.get(kind, "").removeprefix("sha256:")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("fault", "outcome", "code"),
    [
        (faulty.unanswered, Outcome.REMOVED, None),
        (faulty.unasked, Outcome.FAILED, Code.STATE_UNKNOWN),
        (faulty.cut(0), Outcome.REMOVED, None),
        (faulty.cut(0.5), Outcome.REMOVED, None),
        (faulty.refused(409), Outcome.REFUSED, Code.ENGINE_SAYS_IN_USE),
        (faulty.refused(500, b"[]"), Outcome.FAILED, Code.ENGINE_ERROR),
        (faulty.refused(500, b"<html>"), Outcome.FAILED, Code.ENGINE_ERROR),
    ],
)
def test_s4_a_removal_that_goes_wrong_is_told_as_what_became_of_it(
    host: WorkerHost, door: Faulty, kind: Kind, fault: Fault, outcome: Outcome, code: Code | None
) -> None:
    ids = fill(host)
    plan = host.plan()
    looked_at, call = removal_of(kind, ids, plan)
    with door.at(call, fault):
        report = executed(host, door, plan)

    assert (outcome_of(report, looked_at).outcome, why(report, looked_at)) == (outcome, code)
    # An image that stays has its names, also those that were taken off before.
    stays = kind is Kind.IMAGE and outcome in (Outcome.REFUSED, Outcome.FAILED)
    assert set(host.tags()) & set(TWIN) == (set(TWIN) if stays else set())


@pytest.mark.parametrize("fault", [faulty.unanswered, faulty.unasked, faulty.cut(0), faulty.refused(500)])
def test_s2_a_name_whose_removal_went_wrong_is_there_afterwards(
    host: WorkerHost, door: Faulty, fault: Fault
) -> None:
    image = host.image(*TWIN)
    before = host.tags()
    with door.at("DELETE /images/docker.io", fault):
        report = executed(host, door, host.plan())

    assert (outcome_of(report, image).outcome, host.tags()) == (Outcome.FAILED, before)


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.BUILD_CACHE])
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[1]", b'{"CachesDeleted": 7}', b"{"])
def test_s4_a_reply_that_cannot_be_read_is_no_proof_either_way(
    host: WorkerHost, door: Faulty, kind: Kind, body: bytes
) -> None:
    ids = fill(host)
    plan = host.plan()
    looked_at, call = removal_of(kind, ids, plan)
    with door.at(call, faulty.garbled(body)):
        report = executed(host, door, plan)
    found = outcome_of(report, looked_at)

    # An object without a word of the record says that it was kept; everything else has to be looked up.
    says_nothing = kind is Kind.BUILD_CACHE and body == b"{}"
    assert found.outcome is (Outcome.REFUSED if says_nothing else Outcome.REMOVED)


@pytest.mark.parametrize("body", [b"{}", b'{"State": 7}', b'{"State": {"Status": "running", "Health": [1]}}'])
def test_s4_s5_a_service_whose_signs_of_life_cannot_be_read_stops_the_run(
    host: WorkerHost, door: Faulty, body: bytes
) -> None:
    waste = host.image("waste:1")
    host.image("app:1")
    web = host.running("web", "app:1")
    host.policy(critical_containers='["web"]')
    plan = host.plan()
    with door.at(f"GET /containers/{web}/json", faulty.garbled(body), times=99):
        report = executed(host, door, plan)

    assert (report.status, codes(report.stopped_by)) == (Status.REFUSED, [Code.ENGINE_ERROR])
    assert host.has(waste)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faulty.refused(500), reason(Code.ENGINE_ERROR, detail="list networks: said the door")),
        (faulty.unasked, reason(Code.ENGINE_UNREACHABLE, detail="list networks: no answer in time")),
    ],
)
def test_what_an_engine_says_is_told_apart_from_silence(
    host: WorkerHost, door: Faulty, fault: Fault, said: Reason
) -> None:
    host.image("waste:1")
    plan = host.plan()
    with door.at("GET /networks", fault, times=99):
        report = executed(host, door, plan)

    assert (report.status, report.stopped_by) == (Status.REFUSED, (said,))


LISTS = [
    "GET /containers/json",
    "GET /images/json",
    "GET /networks",
    "GET /system/df",
    "GET /info",
    "GET /events",
]


@pytest.mark.parametrize("call", LISTS)
def test_s4_a_look_that_breaks_off_makes_no_plan(host: WorkerHost, door: Faulty, call: str) -> None:
    fill(host)
    # With images that the accounting of a containerd store leaves out, so that it is asked for a list too.
    build_classic(host.engine.client, "FROM base:1\nENV A=1\nENV B=2", "built:1")
    host.engine.client.tag("base:1", "base", "2")
    host.plan()
    for fault in (faulty.cut(0), faulty.cut(0.6), faulty.refused(500), faulty.unasked):
        with (
            door.at(call, fault, times=99),
            closing(Ledger(host.place.ledger_file)) as ledger,
            closing(Engine(door.url, timeout=1)) as engine,
            pytest.raises(EngineError),
        ):
            Host(host.place, ledger, engine).plan(kinds=tuple(Kind), request_id="r")


@pytest.mark.parametrize("body", [b"null", b"{}", b"7", b'"x"', b"<html>", b"[", b""])
def test_s4_a_list_that_is_none_is_an_error_that_says_which(
    host: WorkerHost, door: Faulty, body: bytes
) -> None:
    lists = {"containers/json": Engine.containers, "images/json": Engine.images, "networks": Engine.networks}
    for path, ask in lists.items():
        what = f"^list {path.removesuffix('/json')}: the engine"
        with (
            door.at(f"GET /{path}", faulty.garbled(body)),
            closing(Engine(door.url)) as engine,
            pytest.raises(EngineError, match=what),
        ):
            ask(engine)


def next_year(caller: socket.socket, ask: Callable[[], bytes]) -> None:
    """The engine's answer, with another year in its clock."""
    now = datetime.now(UTC).year
    caller.sendall(ask().replace(f'"SystemTime":"{now}'.encode(), f'"SystemTime":"{now + 1}'.encode()))


def test_s7_a_plan_says_what_its_order_is_refused_for_by_an_engines_clock(
    host: WorkerHost, door: Faulty
) -> None:
    host.image("waste:1")
    assert Code.ENGINE_CLOCK_OFF not in codes(host.plan().notices)
    with (
        door.at("GET /info", next_year, times=99),
        closing(Ledger(host.place.ledger_file)) as ledger,
        closing(Engine(door.url)) as engine,
    ):
        behind = Host(host.place, ledger, engine)
        plan = behind.plan(kinds=tuple(Kind), request_id="r")
        with pytest.raises(RefusedError) as refused:
            behind.execute(order_for(plan), told_to_stop=lambda: False)

    [why] = refused.value.reasons
    assert (why.code, why.params["way"]) == (Code.ENGINE_CLOCK_OFF, "ahead of")
    assert plan.notices[0].code is why.code


@pytest.mark.parametrize("call", ["GET /version", "GET /info"])
def test_s4_an_engine_that_does_not_say_who_it_is_is_not_worked_with(
    host: WorkerHost, door: Faulty, call: str
) -> None:
    def identify() -> None:
        with closing(Engine(door.url)) as engine:
            engine.identity()

    for body in (b"null", b"[]", b"{}", b'{"ID": 1, "ApiVersion": "newest"}'):
        with door.at(call, faulty.garbled(body)), pytest.raises(EngineError):
            identify()


def test_s14_an_engine_that_restarts_in_mid_run_is_worked_with_again(host: WorkerHost) -> None:
    ids = fill(host)
    report = host.execute(host.plan(), after=on("container", host.engine.restart))

    assert outcome_of(report, ids[Kind.CONTAINER]).outcome is Outcome.REMOVED
    assert report.status in (Status.DONE, Status.STOPPED)
    assert set(codes(report.stopped_by)) <= {Code.ENGINE_UNREACHABLE}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(faulty.unanswered, AnswerLost), (faulty.cut(0), EngineUnreachable), (faulty.refused(409), Conflict)],
)
def test_what_goes_wrong_has_a_name(
    host: WorkerHost, door: Faulty, fault: Fault, kind: type[EngineError]
) -> None:
    network = host.network("loose")
    with (
        door.at(REMOVALS[Kind.NETWORK], fault),
        closing(Engine(door.url, timeout=1)) as engine,
        pytest.raises(kind),
    ):
        engine.remove_network(network)


def test_a_record_whose_time_of_use_is_asked_for_is_looked_at_by_the_engine_once_more(
    host: WorkerHost, door: Faulty
) -> None:
    fill(host)
    record = host.engine.client.df()["BuildCache"][0]["ID"]
    with closing(Engine(door.url)) as engine:
        assert not engine.remove_cache_records([record], unused=timedelta(days=1))


def test_s11_a_look_that_fails_holds_up_no_report_and_no_later_run(host: WorkerHost, door: Faulty) -> None:
    web = host.running("web", host.image("app:1"))
    host.policy(critical_containers='["web"]')
    host.image("waste:1")
    with standing_still(host, host.plan((Kind.IMAGE,)), "after"):
        pass
    with (
        door.at(f"GET /containers/{web}/json", faulty.refused(500), times=99),
        closing(Ledger(host.place.ledger_file)) as ledger,
        closing(Engine(door.url, timeout=PATIENCE)) as engine,
    ):
        [report] = Host(host.place, ledger, engine).recover()

    assert (report.status, codes(report.findings)) == (Status.INTERRUPTED, [Code.NOT_LOOKED_AT])
    assert set(ended(report).values()) == {Outcome.REMOVED}


def test_s14_what_nobody_foresaw_in_an_answer_ends_in_a_report(host: WorkerHost, door: Faulty) -> None:
    ids = fill(host)
    plan = host.plan((Kind.CONTAINER,))
    bare = json.dumps({"Volumes": [{}], "BuildCache": {"a": 1}}).encode()
    with (
        contextlib.ExitStack() as later,
        door.at(
            REMOVALS[Kind.CONTAINER],
            faulty.around(
                after=lambda: later.enter_context(door.at("GET /system/df", faulty.garbled(bare), times=99))
            ),
        ),
    ):
        report = executed(host, door, plan)

    assert outcome_of(report, ids[Kind.CONTAINER]).outcome is Outcome.REMOVED


@pytest.mark.parametrize("loses", [False, True])
def test_s1_volumes_are_looked_for_where_the_disk_cannot_be_measured(
    host: WorkerHost, door: Faulty, loses: bool
) -> None:
    fill(host)
    client = host.engine.client
    client.create_volume("data")
    plan = host.plan((Kind.NETWORK,))
    with contextlib.ExitStack() as later:

        def after() -> None:
            later.enter_context(door.at("GET /system/df$", faulty.refused(500), times=99))
            if loses:
                client.remove_volume("data")

        later.enter_context(door.at(REMOVALS[Kind.NETWORK], faulty.around(after=after)))
        report = executed(host, door, plan)

    status = Status.PARTIAL if loses else Status.DONE
    missing = [reason(Code.VOLUME_MISSING, volume="data")] if loses else []
    unmeasured = reason(Code.NOT_MEASURED, detail="disk usage: said the door")
    assert (report.status, report.findings) == (status, (*missing, unmeasured))


def test_s7_s10_a_pull_is_heard_though_the_engine_forgets_it_before_its_images_turn(
    host: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    """What is there already is pulled in the container stage, and the engine's memory is flooded twice."""
    registry = fresh_registry(host.engine)
    image = host.image("app:1")
    registry.push("app:1", "app:1")
    name = f"{registry.address}/app:1"
    host.engine.client.pull(name)
    for number in range(BATCH + 1):
        host.create(f"spent-{number}", name)
    plan = host.plan()
    pulled: list[str] = []

    def pull(_kind: str, _id: str) -> None:
        pulled.append(_id)
        if len(pulled) == BATCH - 1:
            host.engine.client.pull(name)
        if len(pulled) in (BATCH, BATCH + 1):
            for number in range(MEMORY // 2 + 1):
                host.engine.client.create_volume(f"v{len(pulled)}-{number}")

    report = host.execute(plan, after=pull)

    # A containerd store notes the pull on the image itself.
    by_itself = host.engine.kind.store is Store.CONTAINERD
    seen = Code.CHANGED if by_itself else Code.RECENT_EVENT
    assert (outcome_of(report, image).outcome, why(report, image)) == (Outcome.REFUSED, seen)


def test_s4_what_the_engine_forgot_unheard_is_not_taken_for_silence(host: WorkerHost) -> None:
    image = host.image("waste:1")
    host.spent("spent", host.image("app:1"))
    report = host.execute(
        host.plan(),
        after=on("container", lambda: [host.engine.client.create_volume(f"v{n}") for n in range(MEMORY)]),
    )

    assert (outcome_of(report, image).outcome, why(report, image)) == (Outcome.REFUSED, Code.UNREADABLE)


def test_s5_a_stopped_container_that_cannot_be_inspected_stays_and_refuses_no_run(
    host: WorkerHost, door: Faulty
) -> None:
    host.image("app:1")
    host.running("web", "app:1")
    host.policy(critical_containers='["web"]')
    spent, waste = host.spent("spent", "app:1"), host.image("waste:1")
    plan = host.plan()
    with door.at(f"GET /containers/{spent}/json", faulty.refused(500), times=99):
        report = executed(host, door, plan)

    assert (outcome_of(report, spent).outcome, host.has(spent)) == (Outcome.REFUSED, True)
    assert outcome_of(report, waste).outcome is Outcome.REMOVED
