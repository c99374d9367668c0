"""A run ends in a report of what it did, whatever comes up on its way (S14)."""

from datetime import UTC, datetime
from http.client import HTTPException

import pytest

from tests.unit.replayed_host import UNFORESEEN, ReplayedHost, codes
from workers.contract import Kind, Outcome, Report, Status
from workers.errors import EngineError, EngineUnreachable, LedgerError
from workers.memory.ledger import Ledger
from workers.reasons import Code

FAILS = [*UNFORESEEN, EngineError("500"), EngineUnreachable("away")]


@pytest.fixture
def host(ledger: Ledger) -> ReplayedHost:
    return ReplayedHost(ledger)


def outcomes(report: Report) -> list[Outcome]:
    return [one.outcome for one in report.outcomes]


@pytest.mark.parametrize("kind", [Kind.CONTAINER, Kind.IMAGE, Kind.NETWORK])
def test_what_was_confirmed_goes(host: ReplayedHost, kind: Kind) -> None:
    plan = host.plan(kind)
    report = host.execute(plan)

    assert (report.status, report.findings) == (Status.DONE, ())
    assert host.engine.removed == [step.object.id for step in plan.steps] != []


@pytest.mark.parametrize("error", UNFORESEEN, ids=repr)
@pytest.mark.parametrize("call", ["containers", "images", "inspect_container", "inspect_network"])
def test_s14_whatever_comes_up_after_a_removal_is_told_in_a_report(
    host: ReplayedHost, ledger: Ledger, error: Exception, call: str
) -> None:
    plan = host.plan()
    host.engine.after = lambda: host.engine.breaks(error, call)
    report = host.execute(plan)

    assert (report.outcomes[0].outcome, report.usage_before is None) == (Outcome.REMOVED, False)
    assert report.status is not Status.DONE
    assert (ledger.open_runs(), ledger.reports()) == ([], [report])


def test_s4_what_was_asked_for_is_unknown_where_its_answer_is_one_that_nobody_foresaw(
    host: ReplayedHost,
) -> None:
    plan = host.plan(Kind.NETWORK)
    host.engine.breaks(HTTPException("no HTTP"), "remove_network")
    report = host.execute(plan)

    assert [(one.outcome, one.reason and one.reason.code) for one in report.outcomes] == [
        (Outcome.FAILED, Code.STATE_UNKNOWN)
    ]
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.UNREADABLE])


@pytest.mark.parametrize("error", FAILS, ids=repr)
@pytest.mark.parametrize("call", ["containers", "images", "inspect_container"])
def test_s6_what_cannot_be_seen_when_all_is_removed_is_found_and_stops_nothing(
    host: ReplayedHost, error: Exception, call: str
) -> None:
    plan = host.plan(Kind.IMAGE)
    gone = host.engine.removed
    host.engine.after = lambda: len(gone) == len(plan.steps) and host.engine.breaks(error, call)
    report = host.execute(plan)

    assert (report.status, report.stopped_by) == (Status.PARTIAL, ())
    assert codes(report.findings) == [Code.NOT_LOOKED_AT]
    assert set(outcomes(report)) == {Outcome.REMOVED}


@pytest.mark.parametrize("error", FAILS, ids=repr)
@pytest.mark.parametrize(
    ("broken", "lost", "status", "found"),
    [
        (["usage"], [], Status.DONE, [Code.NOT_MEASURED]),
        (["usage"], ["precious"], Status.PARTIAL, [Code.VOLUME_MISSING, Code.NOT_MEASURED]),
        (["usage", "volumes"], [], Status.PARTIAL, [Code.VOLUMES_NOT_SEEN]),
    ],
)
def test_s1_s6_where_only_the_figures_are_missing_all_is_done_if_the_volumes_were_seen(
    host: ReplayedHost,
    error: Exception,
    broken: list[str],
    lost: list[str],
    status: Status,
    found: list[Code],
) -> None:
    plan, engine = host.plan(Kind.NETWORK), host.engine

    def fail() -> None:
        engine.breaks(error, *broken)
        usage = engine.holds["usage"]
        usage["Volumes"] = [volume for volume in usage["Volumes"] if volume["Name"] not in lost]

    engine.after = fail
    report = host.execute(plan)

    assert (report.status, codes(report.findings)) == (status, found)
    assert (report.stopped_by, report.usage_before is None, report.usage_after) == ((), False, None)
    assert str(error) in str(report.findings[-1].params["detail"])


def test_s1_volumes_that_were_seen_beside_figures_that_make_no_sense_were_seen(host: ReplayedHost) -> None:
    plan, engine = host.plan(Kind.NETWORK), host.engine

    def garble() -> None:
        engine.breaks(EngineError("500"), "volumes")
        engine.holds["usage"]["BuildCache"] = {"a": 1}

    engine.after = garble
    report = host.execute(plan)

    assert (report.status, codes(report.findings)) == (Status.DONE, [Code.NOT_MEASURED])


@pytest.mark.parametrize(
    ("critical", "exit_code", "status", "found"),
    [
        ([], "0", Status.DONE, []),
        ([], "1", Status.PARTIAL, [Code.CONTAINER_LOST]),
        (["web"], "0", Status.STOPPED, [Code.CONTAINER_LOST]),
    ],
)
def test_s6_a_job_that_removes_itself_when_it_ends_well_is_not_lost(
    ledger: Ledger, critical: list[str], exit_code: str, status: Status, found: list[Code]
) -> None:
    host = ReplayedHost(ledger, critical_containers=critical)
    [job] = [raw["Id"] for raw in host.engine.holds["containers"] if raw["Names"] == ["/web"]]
    host.engine.holds["container"][job]["HostConfig"]["AutoRemove"] = True
    plan = host.plan(Kind.NETWORK)
    host.engine.deaths = [{"Actor": {"ID": job, "Attributes": {"exitCode": exit_code}}}]
    host.engine.after = lambda: host.engine.lose("containers", job)
    report = host.execute(plan)

    assert (report.status, codes(report.findings)) == (status, found)


def test_s6_what_crashed_a_moment_ago_is_not_blamed_on_a_run_that_looks_once(host: ReplayedHost) -> None:
    [web] = [raw["Id"] for raw in host.engine.holds["containers"] if raw["Names"] == ["/web"]]
    inspected = host.engine.holds["container"][web]

    def crash() -> None:
        inspected["RestartCount"] += 1
        inspected["State"]["StartedAt"] = datetime.now(UTC).isoformat()

    crash()
    plan = host.plan(Kind.NETWORK)
    host.engine.after = crash
    report = host.execute(plan)

    assert (report.status, report.findings) == (Status.DONE, ())


@pytest.mark.parametrize(("removals", "answers"), [(1, True), (1, False), (4, False)])
def test_s14_an_engine_that_goes_away_with_something_left_or_in_hand_stops_the_run(
    host: ReplayedHost, removals: int, answers: bool
) -> None:
    plan, gone = host.plan(Kind.IMAGE), host.engine.removed
    host.engine.after = lambda: len(gone) == removals and host.engine.goes_away(answers=answers)
    report = host.execute(plan)

    left = [Outcome.NOT_ATTEMPTED] * (len(plan.steps) - removals)
    before = [Outcome.REMOVED] * (removals - 1)
    assert outcomes(report) == [*before, Outcome.REMOVED if answers else Outcome.FAILED, *left]
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.ENGINE_UNREACHABLE])
    assert (report.usage_after, codes(report.findings)) == (None, [Code.VOLUMES_NOT_SEEN])


def test_s15_a_run_whose_ledger_failed_once_is_for_the_recovery_to_tell(
    host: ReplayedHost, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = host.plan()

    def full(*_: object) -> None:
        monkeypatch.undo()
        raise LedgerError("disk full")

    monkeypatch.setattr(ledger, "end_step", full)

    with pytest.raises(LedgerError, match="disk full"):
        host.execute(plan)
    assert len(host.engine.removed) == 1
    assert [report.status for report in host.recover()] == [Status.INTERRUPTED]


def test_s15_a_run_whose_ledger_takes_no_more_tells_nothing(host: ReplayedHost, ledger: Ledger) -> None:
    plan = host.plan()
    host.engine.after = lambda: ledger.write("DROP TABLE journal", [()])

    with pytest.raises(LedgerError):
        host.execute(plan)
    assert len(host.engine.removed) == 1
