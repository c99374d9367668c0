"""A host is asked how services are now that were worse after a run: told by the judge of the post-check."""

import pytest

from tests.docker.test_questions import told
from tests.docker.test_trouble import CRITICAL, kill, shop
from tests.docker.worker_host import WorkerHost
from workers.contract import Answered, CheckedService, HealthChange, NotAnswered, ServicesAnswer, Topic
from workers.reasons import Code

CRASHING = "sleep 0.3; exit 3"


@pytest.fixture
def run(host: WorkerHost) -> str:
    """The order of a run during which a service was killed."""
    shop(host)
    host.running("other", "shop/app:3")
    host.policy(critical_containers=CRITICAL, settle='"1s"', steady_for='"1s"')
    report = host.execute(host.plan(), after=kill(host))
    assert [line.name for line in report.health if line.change is HealthChange.REGRESSED] == ["web"]
    return report.order_id


def answer(host: WorkerHost, run: str) -> ServicesAnswer:
    event = told(host, Topic.SERVICES, run)
    assert isinstance(event, Answered)
    assert isinstance(event.answer, ServicesAnswer)
    assert event.answer.run == run
    return event.answer


def the_one(answer: ServicesAnswer) -> CheckedService:
    [one] = answer.services
    return one


def test_what_still_lies_down_is_worse_and_what_was_started_again_is_well(host: WorkerHost, run: str) -> None:
    found = answer(host, run)
    one = the_one(found)
    assert (found.worse, one.line.name, one.line.critical) == (1, "web", True)
    assert (one.line.before, one.was, one.line.after) == ("running", "exited", "exited")
    assert one.then is not None
    assert one.now is not None
    assert (one.then.exit_code, one.now.exit_code, one.now.since) == (137, 137, one.then.since)

    host.engine.client.start("web")
    found = answer(host, run)
    one = the_one(found)
    assert (found.worse, found.unchecked, one.line.change) == (0, 0, HealthChange.SAME)
    assert one.now is not None
    assert (one.now.state, one.now.exit_code, one.replaced) == ("running", None, False)


def test_what_was_removed_is_gone_and_another_one_in_its_place_is_looked_at(
    host: WorkerHost, run: str
) -> None:
    host.engine.client.remove_container("web")
    one = the_one(answer(host, run))
    assert (one.line.change, one.now) == (HealthChange.GONE, None)

    host.running("web", "shop/app:3")
    one = the_one(answer(host, run))
    assert (one.line.change, one.replaced) == (HealthChange.SAME, True)


def test_what_crashes_again_and_again_is_not_well_however_it_looks(host: WorkerHost, run: str) -> None:
    host.engine.client.remove_container("web")
    host.running("web", "shop/app:3", command=CRASHING, host={"restart_policy": {"Name": "always"}})
    found = answer(host, run)

    assert (found.worse, the_one(found).line.after) == (1, "restarting")


def test_a_run_that_the_host_does_not_know_is_said_to_be_unknown(host: WorkerHost, run: str) -> None:
    event = told(host, Topic.SERVICES, "ab" * 16)

    assert isinstance(event, NotAnswered)
    assert (event.reason.code, event.reason.params) == (Code.RUN_FORGOTTEN, {"run": "ab" * 16})


def test_s13_to_look_again_changes_nothing(host: WorkerHost, run: str) -> None:
    with host.opened() as opened:
        before = opened.ledger.report(run)
        plan = host.plan()
    answer(host, run)

    with host.opened() as opened:
        assert opened.ledger.report(run) == before
        assert opened.ledger.plan(before.plan_digest if before else "") is not None
    assert host.plan().steps == plan.steps
