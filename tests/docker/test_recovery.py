"""Whatever dies on the way, what was done and what was not is told, and nothing goes on by itself."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from tests.docker.test_command_line import command
from tests.docker.test_safety import check
from tests.docker.worker_host import Busy, WorkerHost, codes, ended, on, order_for, outcome_of, why
from tests.stage.member import until
from tests.stage.objects import connect, contents
from workers import jobs
from workers.cli.command_line import Exit
from workers.contract import (
    EVENT,
    Event,
    ExecutionFinished,
    HealthChange,
    Kind,
    OrderRefused,
    Outcome,
    Plan,
    PlanFailed,
    PlanRequest,
    Report,
    Status,
)
from workers.errors import EngineUnreachable, RefusedError
from workers.execution import recovery
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.planning.facts import Case
from workers.planning.inventory import Inventory
from workers.reasons import Code

ROOT = Path(__file__).parents[2]
REMOVED, FAILED, UNTOUCHED = Outcome.REMOVED, Outcome.FAILED, Outcome.NOT_ATTEMPTED


@contextmanager
def standing_still(
    host: WorkerHost, plan: Plan, when: str, kind: str = "image", nth: int = 1
) -> Iterator[str]:
    """A process that executes the plan and stands still; killed at the end. Gives the object in hand."""
    order = order_for(plan).model_dump_json()
    arguments = [host.engine.url, str(host.folder), order, when, kind, str(nth)]
    command = [sys.executable, "-m", "tests.docker.interrupted_run", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def recovered(host: WorkerHost) -> list[Report]:
    with host.opened() as opened:
        return opened.recover()


def events(host: WorkerHost) -> list[Event]:
    with closing(Ledger(host.place.ledger_file)) as ledger:
        return [EVENT.validate_json(text) for _, text in ledger.outbox(after=0)]


def three_images(host: WorkerHost) -> Plan:
    for number in range(3):
        host.image(f"waste:{number}")
    return host.plan((Kind.IMAGE,))


# The worker's process dies


@pytest.mark.parametrize(
    ("when", "second", "code"), [("before", FAILED, Code.INTERRUPTED), ("after", REMOVED, None)]
)
def test_s11_a_killed_run_is_reported_with_what_became_of_each_object(
    host: WorkerHost, when: str, second: Outcome, code: Code | None
) -> None:
    plan = three_images(host)
    with standing_still(host, plan, when, nth=2) as in_hand:
        pass
    there = contents(host.engine.client)
    [report] = recovered(host)

    assert list(ended(report).values()) == [REMOVED, second, UNTOUCHED]
    assert (report.status, why(report, in_hand)) == (Status.INTERRUPTED, code)
    assert contents(host.engine.client) == there


def test_s11_a_killed_run_is_reported_once_and_its_plan_is_used(host: WorkerHost) -> None:
    plan = three_images(host)
    with standing_still(host, plan, "before"):
        pass
    [report] = recovered(host)

    assert recovered(host) == []
    assert [e.report for e in events(host) if isinstance(e, ExecutionFinished)] == [report]
    with pytest.raises(RefusedError, match="plan_used"):
        host.execute(plan)


def test_s11_the_next_run_first_reports_the_one_that_was_killed(host: WorkerHost) -> None:
    with standing_still(host, three_images(host), "before"):
        pass
    report = host.execute(host.plan())
    with closing(Ledger(host.place.ledger_file)) as ledger:
        statuses = [kept.status for kept in ledger.reports()]

    assert statuses == [Status.INTERRUPTED, Status.DONE]
    assert set(ended(report).values()) == {REMOVED}


def test_s14_a_killed_run_is_told_until_somebody_has_it_reported(host: WorkerHost) -> None:
    with standing_still(host, three_images(host), "before"):
        under_way = command(host, "preview")[1], command(host, "doctor")[1]
    _, shown = command(host, "preview")
    _, examined = command(host, "doctor")
    done, told = command(host, "recover")
    _, after = command(host, "preview")

    assert not any("cut off" in line for line in (*under_way[0], *under_way[1]))
    assert any(line.endswith("ledger.db, 1 run under way") for line in under_way[1])
    assert any("was cut off and is not reported yet" in line for line in shown)
    assert any("1 run cut off and not reported" in line and "workers recover" in line for line in examined)
    assert (done, told[0].startswith("web-1: interrupted.")) == (Exit.DONE, True)
    assert not any("cut off" in line for line in after)
    assert command(host, "recover")[1] == ["No run was cut off: every one has its report."]


def test_s11_a_run_of_another_process_is_neither_reported_nor_joined(host: WorkerHost) -> None:
    plan = three_images(host)
    with standing_still(host, plan, "before"):
        with pytest.raises(RefusedError, match="held"):
            recovered(host)
        with pytest.raises(RefusedError, match="held"):
            host.execute(host.plan())

    assert len(host.tags()) == 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_s2_an_image_that_was_left_without_some_of_its_names_has_them_back(
    host: WorkerHost, when: str
) -> None:
    image = host.image("app:1", "app:2", "app:3")
    before = host.tags()
    with standing_still(host, host.plan(), when, kind="name", nth=2):
        pass
    [report] = recovered(host)

    assert (why(report, image), host.tags()) == (Code.INTERRUPTED, before)


def test_s6_a_recovery_makes_the_post_check_without_waiting_for_anything(host: WorkerHost) -> None:
    looks: list[str] = []

    class Counted(Busy):
        def containers(self) -> list[dict[str, Any]]:
            looks.append("containers")
            return super().containers()

    host.image("app:1")
    plan = three_images(host)
    with standing_still(host, plan, "before"):
        host.running("web", "app:1", healthcheck=check("false", start_period=600))
    host.policy(critical_containers='["web"]')
    with host.opened() as opened, closing(Counted(host.engine.url)) as engine:
        [report] = Host(host.place, opened.ledger, engine).recover()

    assert (codes(report.findings), len(looks)) == ([Code.CRITICAL_STARTING], 1)


def test_s6_a_recovery_compares_with_what_ran_before_the_first_removal(host: WorkerHost) -> None:
    host.image("app:1")
    for name in ("web", "helper", "other"):
        host.running(name, "app:1")
    with standing_still(host, three_images(host), "before"):
        host.engine.client.kill("helper")
        host.engine.client.remove_container("other", force=True)
    [report] = recovered(host)

    assert {line.name: line.change for line in report.health} == {
        "web": HealthChange.SAME,
        "helper": HealthChange.REGRESSED,
        "other": HealthChange.GONE,
    }
    assert set(codes(report.findings)) == {Code.HEALTH_REGRESSED, Code.CONTAINER_LOST}


def test_s11_what_another_version_wrote_down_holds_up_no_report(host: WorkerHost) -> None:
    with standing_still(host, three_images(host), "after"):
        pass
    with closing(Ledger(host.place.ledger_file)) as ledger:
        ledger.write("UPDATE baselines SET body = ?", [('[{"id": "c1"}]',)])
    [report] = recovered(host)

    assert (report.status, codes(report.findings)) == (Status.INTERRUPTED, [Code.NOT_LOOKED_AT])


def test_s7_a_race_that_was_lost_before_the_worker_died_is_found(host: WorkerHost) -> None:
    plan = three_images(host)
    with standing_still(host, plan, "after", nth=2) as in_hand:
        pass
    lost = next(step.object for step in plan.steps if step.object.id == in_hand)
    # What is left of a lost race: a container whose image went in the moment it was made.
    again = host.image(lost.name)
    host.create("web", lost.name)
    host.engine.client.remove_image(again, force=True)
    [report] = recovered(host)

    assert (again, report.status) == (lost.id, Status.INTERRUPTED)
    assert codes(report.findings) == [Code.LOST_RACE, Code.NOT_BROUGHT_BACK]
    assert report.findings[0].params == {"container": "web", "image": lost.name}


def test_s4_what_another_engine_has_or_has_not_says_nothing(host: WorkerHost, fresh_engine: Any) -> None:
    host.image("app:1")
    plan = three_images(host)
    host.running("web", "app:1")
    host.policy(critical_containers='["web"]')
    with standing_still(host, host.plan(plan.kinds), "before") as in_hand:
        pass
    host.engine = fresh_engine()
    [report] = recovered(host)

    assert (outcome_of(report, in_hand).outcome, why(report, in_hand)) == (FAILED, Code.STATE_UNKNOWN)
    assert (report.health, codes(report.findings)) == ((), [Code.NOT_LOOKED_AT])


def test_s11_what_is_there_again_is_not_told_as_removed(host: WorkerHost) -> None:
    """So it is on an engine that lost power before all it did was on its disk."""
    with standing_still(host, three_images(host), "after", nth=2):
        pass
    three_images(host)
    [report] = recovered(host)

    assert [one.outcome for one in report.outcomes] == [FAILED, FAILED, UNTOUCHED]
    assert len(host.tags()) == 3


MANY_FILES = "mkdir /many; cd /many; i=0; while [ $i -lt 40000 ]; do : >$i; i=$((i+1)); done"


def test_s11_what_the_engine_is_still_at_is_told_of_when_it_has_ended(host: WorkerHost) -> None:
    """It does not notice that whoever asked is dead, and a container of many files takes it a while."""
    host.image("app:1")
    host.policy(writable_limit='"1GB"')
    many, client = host.create("many", "app:1", MANY_FILES), host.engine.client
    client.start(many)
    client.wait(many)
    with standing_still(host, host.plan((Kind.CONTAINER,)), "before", kind="container"):
        pass
    with ThreadPoolExecutor(1) as beside, closing(connect(host.engine.url)) as other:
        removal = beside.submit(other.remove_container, many)
        until(lambda: removal.done() or is_being_removed(host, many), "the removal to begin")
        [report] = recovered(host)
        removal.result()

    assert (ended(report), host.has(many)) == ({"many": REMOVED}, False)


def is_being_removed(host: WorkerHost, id_: str) -> bool:
    with suppress(NotFound):
        return str(host.engine.client.inspect_container(id_)["State"]["Status"]) == "removing"
    return False


def test_s11_what_the_engine_does_not_end_with_is_unknown(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AtIt(Busy):
        def inspect_container(self, id_: str) -> dict[str, Any]:
            found = super().inspect_container(id_)
            return {**found, "State": {**found["State"], "Status": "removing"}}

    monkeypatch.setattr(recovery, "GOES_ON_AT_MOST", timedelta(seconds=2))
    host.image("app:1")
    spent = host.spent("spent", "app:1")
    with standing_still(host, host.plan((Kind.CONTAINER,)), "before", kind="container"):
        pass
    with host.opened() as opened, closing(AtIt(host.engine.url)) as engine:
        [report] = Host(host.place, opened.ledger, engine).recover()

    assert (outcome_of(report, spent).outcome, why(report, spent)) == (FAILED, Code.STATE_UNKNOWN)


# The engine dies


@pytest.mark.parametrize("when", ["before", "after"])
def test_s14_an_engine_that_dies_during_a_run_ends_it_with_a_report(host: WorkerHost, when: str) -> None:
    hooks: dict[str, Any] = {when: on("image", host.engine.kill)}
    report = host.execute(three_images(host), **hooks)
    first = FAILED if when == "before" else REMOVED

    assert list(ended(report).values()) == [first, UNTOUCHED, UNTOUCHED]
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.ENGINE_UNREACHABLE])
    assert (report.usage_after, report.freed) == (None, None)


def test_s14_when_the_engine_is_back_the_next_run_works(host: WorkerHost) -> None:
    host.execute(three_images(host), before=on("image", host.engine.kill))
    host.engine.start()

    assert (host.execute(host.plan()).status, host.tags()) == (Status.DONE, {})


def test_s14_an_engine_that_is_away_refuses_the_run_before_it_begins(host: WorkerHost) -> None:
    plan = three_images(host)
    host.engine.stop()

    with pytest.raises(EngineUnreachable):
        host.execute(plan)
    host.engine.start()
    assert (host.execute(plan).status, host.tags()) == (Status.DONE, {})


def test_s14_an_engine_that_dies_before_the_first_removal_refuses_the_run(host: WorkerHost) -> None:
    plan = three_images(host)

    class LastLook(Host):
        def look(self, *, asking: bool = False) -> tuple[Inventory, Case]:
            found = super().look(asking=asking)
            host.engine.kill()
            return found

    with host.opened() as opened:
        dying = LastLook(host.place, opened.ledger, opened.engine)
        report = dying.execute(order_for(plan), told_to_stop=lambda: False)

    assert (report.status, set(ended(report).values())) == (Status.REFUSED, {UNTOUCHED})


# What a bot is told (jobs)


def a_request(plan: Plan) -> PlanRequest:
    shared = set(PlanRequest.model_fields) - {"type"}
    return PlanRequest.model_validate(order_for(plan).model_dump(include=shared))


@pytest.mark.parametrize("trouble", ["engine", "policy"])
def test_s4_s14_where_no_plan_can_be_made_it_is_told_why(host: WorkerHost, trouble: str) -> None:
    plan = three_images(host)
    if trouble == "engine":
        host.engine.stop()
    else:
        host.place.policy_file.write_text("protected_images = [")
    jobs.plan(a_request(plan), host.place)
    jobs.execute(order_for(plan), host.place, told_to_stop=lambda: False)
    failed, refused = events(host)[-2:]

    assert isinstance(failed, PlanFailed)
    assert isinstance(refused, OrderRefused)
    assert refused.reasons == (failed.reason,)
    assert failed.reason.code is {"engine": Code.ENGINE_UNREACHABLE, "policy": Code.POLICY_INVALID}[trouble]


def test_s14_a_refused_order_is_on_record(host: WorkerHost) -> None:
    plan = three_images(host)
    for _ in range(2):
        jobs.execute(order_for(plan), host.place, told_to_stop=lambda: False)
    with closing(Ledger(host.place.ledger_file)) as ledger:
        [(_, reasons)] = ledger.refusals()

    assert codes(reasons) == [Code.PLAN_USED]
    assert isinstance(events(host)[-1], OrderRefused)
