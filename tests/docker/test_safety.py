"""Services come first, volumes never go, and nothing is asked of an engine that is not written down."""

import json
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.docker.worker_host import Hook, WorkerHost, codes, ended, on, order_for, outcome_of
from workers.contract import Doing, HealthChange, Kind, Outcome, Plan, Status
from workers.errors import LedgerError
from workers.execution.progress import Progress
from workers.execution.watch import Watch
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.reasons import Code

CRITICAL = '["web"]'
SECOND = 10**9


def check(
    command: str, *, interval: float = 0.2, retries: int = 1, start_period: float = 0
) -> dict[str, Any]:
    return {
        "test": ["CMD-SHELL", command],
        "interval": int(interval * SECOND),
        "timeout": SECOND,
        "retries": retries,
        "start_period": int(start_period * SECOND),
    }


def await_status(host: WorkerHost, status: str) -> None:
    """Wait for the engine's word that a container's own check has come to this."""
    events = host.engine.client.events(since=0, filters={"event": "health_status"}, decode=True)
    with closing(events):
        assert next(event for event in events if event["Action"] == f"health_status: {status}")


# Before the first removal (S5)


def running(host: WorkerHost) -> None:
    host.running("web", "app:1")


def created(host: WorkerHost) -> None:
    host.create("web", "app:1")


def exited(host: WorkerHost) -> None:
    host.spent("web", "app:1")


def paused(host: WorkerHost) -> None:
    running(host)
    host.engine.client.pause("web")


def crash_looping(host: WorkerHost) -> None:
    always = {"restart_policy": {"Name": "always"}}
    host.engine.client.start(host.create("web", "app:1", "sleep 0.3; exit 1", host=always))


def unhealthy(host: WorkerHost) -> None:
    host.running("web", "app:1", healthcheck=check("false"))
    await_status(host, "unhealthy")


def missing(_host: WorkerHost) -> None:
    pass


def look_alike(host: WorkerHost) -> None:
    host.running("web-2", "app:1")


@pytest.mark.parametrize(
    ("state", "codes_expected", "named"),
    [
        (created, {Code.CRITICAL_NOT_RUNNING}, {"container": "web", "state": "created"}),
        (exited, {Code.CRITICAL_NOT_RUNNING}, {"container": "web", "state": "exited"}),
        (paused, {Code.CRITICAL_NOT_RUNNING}, {"container": "web", "state": "paused"}),
        (unhealthy, {Code.CRITICAL_UNHEALTHY}, {"container": "web"}),
        (missing, {Code.CRITICAL_MATCHES_NOTHING}, {"entry": "web"}),
        (look_alike, {Code.CRITICAL_MATCHES_NOTHING}, {"entry": "web"}),
    ],
)
def test_s5_a_critical_container_that_is_not_well_refuses_the_run(
    host: WorkerHost, state: Callable[[WorkerHost], None], codes_expected: set[Code], named: dict[str, str]
) -> None:
    host.image("app:1")
    waste = host.image("waste:1")
    host.policy(critical_containers=CRITICAL)
    state(host)
    report = host.execute(host.plan())

    assert (report.status, host.has(waste)) == (Status.REFUSED, True)
    assert (set(codes(report.stopped_by)), report.stopped_by[0].params) == (codes_expected, named)
    assert set(ended(report).values()) == {Outcome.NOT_ATTEMPTED}


def test_s5_a_crash_looping_container_refuses_the_run_though_it_reads_running_at_times(
    host: WorkerHost,
) -> None:
    host.image("app:1")
    waste = host.image("waste:1")
    host.policy(critical_containers=CRITICAL, steady_for='"2s"')
    crash_looping(host)
    report = host.execute(host.plan())

    assert (report.status, host.has(waste)) == (Status.REFUSED, True)
    assert set(codes(report.stopped_by)) <= {Code.CRITICAL_UNSTEADY, Code.CRITICAL_NOT_RUNNING}
    assert report.stopped_by[0].params["container"] == "web"


def test_s5_a_container_that_is_still_starting_is_waited_for(host: WorkerHost) -> None:
    waste = host.image("waste:1")
    host.image("app:1")
    host.policy(critical_containers=CRITICAL)
    host.running("web", "app:1", healthcheck=check("test -e /ready", interval=0.2, start_period=600))
    plan = host.plan()
    ready = host.engine.client.exec_create("web", ["touch", "/ready"])["Id"]
    with host.opened() as opened:
        # Whoever waits lets the time pass in which it becomes ready.
        host.engine.client.exec_start(ready)
        report = opened.execute(order_for(plan), told_to_stop=lambda: False)

    assert (report.status, host.has(waste)) == (Status.DONE, False)


def test_s5_a_container_that_does_not_become_ready_refuses_the_run(host: WorkerHost) -> None:
    host.image("app:1")
    host.policy(critical_containers=CRITICAL)
    host.running("web", "app:1", healthcheck=check("false", start_period=600))
    waited: list[float] = []
    with host.opened() as opened:
        _, reasons = Watch(opened.engine, opened.policy, waited.append).pre_check()

    assert (codes(reasons), sum(waited)) == ([Code.CRITICAL_STARTING], 60)


def test_s5_a_probe_that_does_not_answer_refuses_the_run(host: WorkerHost) -> None:
    waste = host.image("waste:1")
    host.policy(probes='["tcp://127.0.0.1:1"]')
    report = host.execute(host.plan())

    assert (report.status, codes(report.stopped_by), host.has(waste)) == (
        Status.REFUSED,
        [Code.PROBE_FAILED],
        True,
    )


def test_s5_every_critical_container_that_is_not_well_is_named(host: WorkerHost) -> None:
    host.image("app:1")
    host.image("waste:1")
    host.policy(critical_containers='["web", "db", "cache"]')
    host.create("web", "app:1")
    host.running("db", "app:1")
    report = host.execute(host.plan())

    assert report.status is Status.REFUSED
    assert [(one.code, *one.params.values()) for one in report.stopped_by] == [
        (Code.CRITICAL_MATCHES_NOTHING, "cache"),
        (Code.CRITICAL_NOT_RUNNING, "web", "created"),
    ]


# Between the stages and after the last (S6)


def a_host_with_a_service(host: WorkerHost) -> Plan:
    """A critical service, and something to remove in each of two stages."""
    host.image("app:1")
    host.image("waste:1")
    host.spent("spent", "waste:1")
    host.running("web", "app:1")
    host.policy(critical_containers=CRITICAL)
    return host.plan()


@pytest.mark.parametrize("harm", ["kill", "pause", "restart"])
def test_s6_a_service_that_gets_worse_between_stages_ends_the_run(host: WorkerHost, harm: str) -> None:
    plan = a_host_with_a_service(host)
    report = host.execute(plan, after=on("container", lambda: getattr(host.engine.client, harm)("web")))

    assert ended(report) == {"spent": Outcome.REMOVED, "waste:1": Outcome.NOT_ATTEMPTED}
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.HEALTH_REGRESSED])
    assert "waste:1" in host.tags()


def test_s6_a_service_that_vanishes_between_stages_ends_the_run(host: WorkerHost) -> None:
    plan = a_host_with_a_service(host)
    remove = on("container", lambda: host.engine.client.remove_container("web", force=True))
    report = host.execute(plan, after=remove)

    assert (codes(report.stopped_by), "waste:1" in host.tags()) == ([Code.CONTAINER_LOST], True)


def test_s6_a_probe_that_stops_answering_between_stages_ends_the_run(host: WorkerHost) -> None:
    host.image("waste:1")
    host.spent("spent", "waste:1")
    with socket.create_server(("127.0.0.1", 0)) as service:
        host.policy(probes=f'["tcp://127.0.0.1:{service.getsockname()[1]}"]')
        report = host.execute(host.plan(), after=on("container", service.close))

    assert ended(report) == {"spent": Outcome.REMOVED, "waste:1": Outcome.NOT_ATTEMPTED}
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.PROBE_FAILED])


def test_s6_a_probe_that_stops_answering_after_the_last_removal_is_found(host: WorkerHost) -> None:
    host.image("waste:1")
    with socket.create_server(("127.0.0.1", 0)) as service:

        def ends_at_last(now: Progress) -> None:
            if now.doing is Doing.SETTLING:
                service.close()

        host.policy(probes=f'["tcp://127.0.0.1:{service.getsockname()[1]}"]')
        order = order_for(host.plan())
        with host.opened() as opened:
            report = opened.execute(order, told_to_stop=lambda: False, hear=ends_at_last)

    assert ended(report) == {"waste:1": Outcome.REMOVED}
    assert (report.status, codes(report.findings)) == (Status.PARTIAL, [Code.PROBE_FAILED])


def test_s6_health_is_looked_at_inside_a_stage_as_well(host: WorkerHost) -> None:
    host.image("app:1")
    host.running("web", "app:1")
    host.policy(critical_containers=CRITICAL)
    for number in range(25):
        host.network(f"waste-{number}")
    report = host.execute(host.plan(), after=on("network", lambda: host.engine.client.kill("web")))

    assert [list(ended(report).values()).count(o) for o in (Outcome.REMOVED, Outcome.NOT_ATTEMPTED)] == [
        20,
        5,
    ]


def test_s6_after_the_run_everything_that_ran_is_compared(host: WorkerHost) -> None:
    host.image("app:1")
    waste = host.image("waste:1")
    for name in ("web", "batch", "other"):
        host.running(name, "app:1")
    kill = on("image", lambda: host.engine.client.kill("batch"))
    report = host.execute(host.plan(), after=kill)

    assert not host.has(waste)
    assert {line.name: line.change for line in report.health} == {
        "web": HealthChange.SAME,
        "batch": HealthChange.REGRESSED,
        "other": HealthChange.SAME,
    }
    assert codes(report.findings) == [Code.HEALTH_REGRESSED]


def test_s6_a_check_that_has_not_run_since_is_not_called_healthy(host: WorkerHost) -> None:
    host.image("app:1")
    host.image("waste:1")
    host.running("web", "app:1", healthcheck=check("true", interval=0.2))
    host.running("slow", "app:1", healthcheck=check("true", interval=600))
    await_status(host, "healthy")
    host.policy(settle='"2s"')
    found = {line.name: line.change for line in host.execute(host.plan()).health}

    assert found == {"web": HealthChange.SAME, "slow": HealthChange.NOT_RECHECKED}


def test_s6_what_crashed_in_a_loop_before_is_not_blamed_on_the_run(host: WorkerHost) -> None:
    host.image("app:1")
    host.image("waste:1")
    host.running("steady", "app:1")
    crash_looping(host)
    host.policy(critical_containers='["steady"]', steady_for='"2s"', settle='"1s"')
    report = host.execute(host.plan())

    assert (report.status, report.findings) == (Status.DONE, ())


# Volumes never go


def test_s1_volumes_stay_named_or_not_used_or_not(host: WorkerHost) -> None:
    host.engine.client.create_volume("precious")
    host.image("app:1")
    host.spent("spent", "app:1", volumes=["/data"])
    before = host.volumes()
    report = host.execute(host.plan())

    assert (report.status, len(before), host.volumes()) == (Status.DONE, 2, before)


def test_s1_a_volume_that_somebody_else_removed_meanwhile_is_a_finding(host: WorkerHost) -> None:
    host.engine.client.create_volume("precious")
    host.image("waste:1")
    report = host.execute(
        host.plan(), after=on("image", lambda: host.engine.client.remove_volume("precious"))
    )

    assert [(one.code, one.params) for one in report.findings] == [
        (Code.VOLUME_MISSING, {"volume": "precious"})
    ]


# Races that are lost (S7)


def container_that_got_through(host: WorkerHost) -> Hook:
    """What is left of a lost race: a container whose image went in the moment it was made."""

    def race() -> None:
        id_ = host.image("app:1")
        host.spent("web", "app:1")
        host.engine.client.remove_image(id_, force=True)

    return on("image", race)


def test_s7_a_container_made_of_an_image_in_the_moment_it_went_is_an_alarm(host: WorkerHost) -> None:
    host.image("app:1")
    plan = host.plan()
    report = host.execute(plan, after=container_that_got_through(host))

    assert codes(report.findings) == [Code.LOST_RACE, Code.NOT_BROUGHT_BACK]
    assert report.findings[0].params == {"container": "web", "image": "app:1"}
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.LOST_RACE])


def test_s7_an_alarm_ends_the_run_before_the_next_stage(host: WorkerHost) -> None:
    host.image("app:1")
    network = host.network("waste")
    report = host.execute(host.plan(), after=container_that_got_through(host))

    assert (outcome_of(report, network).outcome, host.has(network)) == (Outcome.NOT_ATTEMPTED, True)


def test_s7_a_new_image_of_the_same_name_is_no_alarm(host: WorkerHost) -> None:
    old = host.image("app:1")

    def deploy() -> None:
        host.image("app:1", content="newer")
        host.running("web", "app:1")

    report = host.execute(host.plan(), after=on("image", deploy))
    assert (report.status, report.findings, host.has(old)) == (Status.DONE, (), False)
    assert "app:1" in host.tags()


# The journal (S15)


def journal(host: WorkerHost) -> list[tuple[str, str | None]]:
    """What stands in the ledger's file as another process sees it: the step's JSON, and its outcome."""
    with closing(sqlite3.connect(f"file:{host.place.ledger_file}?mode=ro", uri=True)) as other:
        return other.execute("SELECT body, outcome FROM journal ORDER BY rowid").fetchall()


def test_s15_each_removal_is_on_disk_before_the_engine_is_asked(host: WorkerHost) -> None:
    host.image("base:1")
    host.built("FROM base:1\nRUN echo 1 > /one", "app:1")
    host.spent("spent", "app:1")
    host.network("loose")
    unwritten: list[str] = []

    def look(_kind: str, id_: str) -> None:
        # Records are asked for together, so an entry need not be the last.
        written = [outcome for body, outcome in journal(host) if json.loads(body)["object"]["id"] == id_]
        unwritten.extend([id_] if written != [None] else [])

    report = host.execute(host.plan(), before=look)
    assert (report.status, unwritten) == (Status.DONE, [])
    assert {one.object.kind for one in report.outcomes} == set(Kind)


def test_s15_the_way_back_is_in_the_journal_and_secrets_are_not(host: WorkerHost) -> None:
    host.image("app:1")
    host.spent("spent", "app:1", environment={"PASSWORD": "correct horse"}, volumes=["/data"])
    [volume] = host.volumes()
    report = host.execute(host.plan())
    with closing(Ledger(host.place.ledger_file)) as ledger:
        [container, image] = [way for _, way, _ in ledger.ways_back(report.order_id)]

    assert (volume in container, "app:1" in image) == (True, True)
    assert b"correct horse" not in host.place.ledger_file.read_bytes()


def is_full(opened: Host, table: str) -> None:
    """From now on this table takes nothing more."""
    full = "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
    opened.ledger.rows(f"CREATE TEMP TRIGGER full BEFORE INSERT ON main.{table} {full}")


@pytest.mark.parametrize("table", ["outbox", "journal"])
def test_s15_what_cannot_be_written_down_is_not_removed(host: WorkerHost, table: str) -> None:
    image = host.image("waste:1")
    plan = host.plan()
    with host.opened() as opened:
        is_full(opened, table)
        with pytest.raises(LedgerError, match="disk is full"):
            opened.execute(order_for(plan), told_to_stop=lambda: False)

    assert host.has(image)


def test_s11_an_order_that_cannot_be_used_up_is_not_begun(host: WorkerHost) -> None:
    image = host.image("waste:1")
    plan = host.plan()
    with host.opened() as opened:
        opened.ledger.rows("PRAGMA query_only = ON")
        with pytest.raises(LedgerError, match="readonly"):
            opened.execute(order_for(plan), told_to_stop=lambda: False)

    assert host.has(image)


def test_s15_a_ledger_that_fills_up_during_a_run_ends_it(host: WorkerHost) -> None:
    images = [host.image(f"waste:{number}") for number in range(3)]
    plan = host.plan()
    there: list[Host] = []
    with host.opened(after=on("image", lambda: is_full(there[0], "journal"))) as opened:
        there.append(opened)
        with pytest.raises(LedgerError, match="disk is full"):
            opened.execute(order_for(plan), told_to_stop=lambda: False)

    assert [host.has(image) for image in images].count(False) == 1


def test_s4_a_ledger_that_cannot_be_opened_begins_nothing(host: WorkerHost) -> None:
    image = host.image("waste:1")
    plan = host.plan()
    host.place.ledger_file.write_bytes(b"not a database" * 100)

    with pytest.raises(LedgerError):
        host.execute(plan)
    assert host.has(image)


def test_reports_say_what_was_and_what_was_not_done(host: WorkerHost) -> None:
    report = host.execute(
        a_host_with_a_service(host), after=on("container", lambda: host.engine.client.kill("web"))
    )
    with closing(Ledger(host.place.ledger_file)) as ledger:
        [kept] = ledger.reports()

    assert kept == report
    assert report.usage_after is not None
