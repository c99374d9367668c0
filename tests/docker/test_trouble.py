"""A service that falls during a run: what the report tells those who are called, on a real engine."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.docker.test_recovery import recovered, standing_still
from tests.docker.test_safety import await_status, check
from tests.docker.worker_host import STAY, Busy, Hook, WorkerHost, codes, on, order_for
from tests.stage.gate import Gate
from tests.stage.member import until
from workers.contract import HealthChange, LogTail, Plan, Report, Status, Tie, Trouble, Worse
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.planning.facts import PROJECT
from workers.reasons import Code

CRITICAL = '["web"]'
LOUD = f"echo listening; echo no such host: db >&2; {STAY}"


def shop(host: WorkerHost, /, **web: Any) -> str:
    """A service of the newest version of three; the oldest is waste. Returns the id of that."""
    oldest = host.image("shop/app:1")
    host.image("shop/app:2")
    host.image("shop/app:3")
    host.running("web", "shop/app:3", **web)
    return oldest


def kill(host: WorkerHost, name: str = "web") -> Hook:
    return on("image", lambda: host.engine.client.kill(name))


def the_one(report: Report) -> tuple[Trouble, Worse]:
    assert report.trouble is not None
    [worse] = report.trouble.worse
    return report.trouble, worse


def test_a_service_whose_check_needs_what_the_run_removed(host: WorkerHost) -> None:
    host.image("app:1")
    spent = host.spent("spent", "app:1", labels={PROJECT: "shop", "com.docker.compose.oneoff": "True"})
    folder = f"{host.engine.client.info()['DockerRootDir']}/containers"
    host.running(
        "web",
        "app:1",
        labels={PROJECT: "shop"},
        healthcheck=check(f"test -e /engine/{spent}", interval=0.1),
        host={"binds": [f"{folder}:/engine:ro"]},
    )
    await_status(host, "healthy")
    host.policy(settle='"3s"', ping='["S0ONCALL"]')
    report = host.execute(host.plan())
    trouble, worse = the_one(report)

    assert (report.status, report.ping) == (Status.PARTIAL, ("S0ONCALL",))
    assert [line.change for line in report.health] == [HealthChange.REGRESSED]
    assert worse.now is not None
    assert (worse.before.health, worse.now.health, worse.now.restarts) == ("healthy", "unhealthy", 0)
    [gone] = trouble.removed
    assert gone.object.name == "spent"
    assert worse.ties == {gone.index: (Tie.PROJECT,)}
    # Its check has failed so often since that the engine has forgotten when that began.
    assert worse.now.since is not None
    assert worse.now.earlier or worse.now.since >= gone.at
    assert gone.at < worse.seen_at


def test_a_service_that_stops_between_two_stages(host: WorkerHost) -> None:
    oldest = shop(host)
    host.spent("spent", "shop/app:3")
    host.policy(critical_containers=CRITICAL, settle='"3s"')
    for network in ("attic", "cellar"):
        host.network(network)
    report = host.execute(host.plan(), after=kill(host))
    trouble, worse = the_one(report)

    assert codes(report.stopped_by) == [Code.HEALTH_REGRESSED]
    assert worse.now is not None
    assert (worse.now.state, worse.now.exit_code) == ("exited", 137)
    assert worse.now.since is not None
    assert [one.object.name for one in trouble.removed] == ["spent", "shop/app:1"]
    assert worse.ties == {trouble.removed[1].index: (Tie.REPOSITORY,)}
    assert (trouble.removed[1].object.id, trouble.removed[1].names) == (oldest, ("shop/app:1",))
    assert trouble.removed[-1].at <= worse.now.since <= worse.seen_at
    # Seen by the look that ended the run, not by the one after it.
    assert worse.seen_at < trouble.removed[-1].at + timedelta(seconds=3)


def test_a_service_that_was_removed_meanwhile_is_gone(host: WorkerHost) -> None:
    shop(host, command=LOUD)
    host.policy(show_logs="20")
    report = host.execute(
        host.plan(), after=on("image", lambda: host.engine.client.remove_container("web", force=True))
    )
    _, worse = the_one(report)

    assert (worse.now, worse.log) == (None, None)


def test_a_service_that_restarted_says_how_often(host: WorkerHost) -> None:
    command = "trap 'exit 3' USR1; while :; do sleep 0.05; done"
    shop(host, command=command, host={"restart_policy": {"Name": "always"}})
    host.policy(settle='"2s"')
    report = host.execute(
        host.plan(), after=on("image", lambda: host.engine.client.kill("web", signal="USR1"))
    )
    _, worse = the_one(report)

    assert worse.now is not None
    assert (worse.now.state, worse.now.restarts - worse.before.restarts) == ("running", 1)
    assert worse.now.since is not None


def test_where_nothing_is_worse_there_is_no_trouble_and_no_log_is_read(host: WorkerHost) -> None:
    shop(host, command=LOUD)
    host.policy(show_logs="20")

    assert host.execute(host.plan()).trouble is None


def test_s11_of_a_run_that_was_killed_the_recovery_tells_the_same(host: WorkerHost) -> None:
    oldest = shop(host, command=LOUD)
    host.network("attic")
    host.policy(show_logs="20", ping='["U0ANA"]')
    with standing_still(host, host.plan(), "after"):
        pass
    host.engine.client.kill("web")
    [report] = recovered(host)
    trouble, worse = the_one(report)

    assert (report.status, report.ping) == (Status.INTERRUPTED, ("U0ANA",))
    assert [one.object.id for one in trouble.removed] == [oldest]
    assert worse.ties == {trouble.removed[0].index: (Tie.REPOSITORY,)}
    assert worse.log is not None
    assert "no such host: db" in [line.text for line in worse.log.lines]


# Logs


@pytest.fixture
def gate(host: WorkerHost, stage_place: Callable[[], Path]) -> Iterator[Gate]:
    with Gate(stage_place(), host.engine.socket) as gate:
        yield gate


def through(gate: Gate, host: WorkerHost, plan: Plan) -> Report:
    """The report of a run through a gate, in which a service is killed."""
    with (
        closing(Ledger(host.place.ledger_file)) as ledger,
        closing(Busy(gate.url, after=kill(host))) as engine,
    ):
        return Host(host.place, ledger, engine).execute(order_for(plan), told_to_stop=lambda: False)


def asked_for_logs(gate: Gate) -> list[str]:
    return [call for call in gate.calls if "/logs" in call]


def logged(
    host: WorkerHost, gate: Gate, /, *, lines: int, command: str = LOUD, last: bytes = b"db", **web: Any
) -> LogTail | None:
    """What the report has of the log of a service that fell; the engine was asked once, or not at all.

    `last` is what the service has written when all is written; nothing where nobody can read it.
    """
    shop(host, command=command, **web)
    if last:
        until(lambda: last in host.engine.client.logs("web"), f"{last!r} in the log")
    host.policy(show_logs=str(lines))
    _, worse = the_one(through(gate, host, host.plan()))

    web_id = host.engine.client.inspect_container("web")["Id"]
    asked = f"GET /containers/{web_id}/logs?stdout=1&stderr=1&timestamps=1&tail={lines}"
    assert asked_for_logs(gate) == ([asked] if lines else [])
    return worse.log


def test_by_default_no_engine_is_asked_for_a_log(host: WorkerHost, gate: Gate) -> None:
    assert logged(host, gate, lines=0) is None


def test_the_last_lines_of_both_streams_are_read(host: WorkerHost, gate: Gate) -> None:
    began = datetime.now(UTC) - timedelta(seconds=5)
    log = logged(host, gate, lines=20)

    assert log is not None
    assert sorted(line.text for line in log.lines) == ["listening", "no such host: db"]
    assert all(line.at and began <= line.at <= datetime.now(UTC) for line in log.lines)
    assert (log.cut, log.unread) == (False, "")


def test_no_more_lines_are_read_than_the_policy_says(host: WorkerHost, gate: Gate) -> None:
    log = logged(
        host, gate, lines=2, last=b"line 4", command=f"for n in 1 2 3 4; do echo line $n; done; {STAY}"
    )

    assert log is not None
    assert [line.text for line in log.lines] == ["line 3", "line 4"]


def test_the_log_of_a_terminal_is_read(host: WorkerHost, gate: Gate) -> None:
    command = f"printf '\\033[31mred\\033[0m\\n'; echo plain; {STAY}"
    log = logged(host, gate, lines=20, last=b"plain", command=command, tty=True)

    assert log is not None
    assert [line.text for line in log.lines] == ["red", "plain"]


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_of_a_line_that_is_endless_the_beginning_of_its_end_is_read(
    host: WorkerHost, gate: Gate, driver: str
) -> None:
    command = f"head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last; {STAY}"
    log = logged(host, gate, lines=3, last=b"last", command=command, host={"log_config": {"type": driver}})

    assert log is not None
    assert log.lines[-1].text == "last"
    assert log.cut


def test_a_log_driver_that_cannot_be_read_is_said_to_be(host: WorkerHost, gate: Gate) -> None:
    log = logged(host, gate, lines=20, last=b"", host={"log_config": {"type": "none"}})

    assert log is not None
    assert (log.lines, "does not support reading" in log.unread) == ((), True)
