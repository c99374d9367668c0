"""A run whose machine is out of memory, or loses power: told as it is, nothing resumed, nothing twice."""

from collections.abc import Iterator

import pytest

from tests.stage.cgroups import NOBODY_NEEDS, MemoryGroup, cgroup_of
from tests.stage.company import Company
from tests.stage.errors import NotToBeHad
from tests.stage.faulty import endless
from tests.stage.member import Member, until
from tests.stage.objects import contents
from tests.workspace import Message
from workers.contract import HealthChange, Kind, Outcome, Report, Status
from workers.reasons import Code

# A recovery that fails, for want of memory too, is tried again after a minute.
REPORTED_WITHIN = 150
# Less than what the worker holds more than its run: by size alone it would be the worker that is killed.
LITTLE = 8_000_000


@pytest.fixture
def web(fresh_company: Company) -> Member:
    return fresh_company.members["web-1"]


@pytest.fixture
def memory(web: Member) -> Iterator[MemoryGroup]:
    """What the worker and its runs share, as they do under systemd."""
    try:
        with MemoryGroup(cgroup_of(web.worker.log)) as group:
            web.worker.stop()
            web.worker.entering = group.entering
            web.worker.start()
            yield group
    except NotToBeHad as reason:
        pytest.skip(f"this machine does not give {reason}")


def expect_the_truth(web: Member, report: Report, *, engine_did_it: bool) -> None:
    """Of each object what became of it, as the engine has it; all services have been looked at."""
    in_hand = Outcome.REMOVED if engine_did_it else Outcome.FAILED
    assert report.status is Status.INTERRUPTED
    assert [(one.object.kind, one.outcome) for one in report.outcomes] == [
        *[(Kind.CONTAINER, Outcome.REMOVED)] * 2,
        (Kind.IMAGE, in_hand),
        *[(Kind.IMAGE, Outcome.NOT_ATTEMPTED)] * 2,
        *[(Kind.NETWORK, Outcome.NOT_ATTEMPTED)] * 2,
    ]
    there = {found.id for found in contents(web.engine.client)}
    gone = [one.object.id not in there for one in report.outcomes]
    assert gone == [one.outcome is Outcome.REMOVED for one in report.outcomes]
    assert [(line.name, line.change) for line in report.health] == [
        ("helper", HealthChange.SAME),
        ("web", HealthChange.SAME),
    ]


def expect_its_thread_ends_so(company: Company, root: Message, *, engine_did_it: bool) -> None:
    what = "2 stopped containers and 1 image" if engine_did_it else "2 stopped containers"
    ended = company.ended(root, REPORTED_WITHIN)
    shown = [one.first_line for one in company.replies(root) if "Confirmed by" in one.plain]
    assert ended.first_line == f"Interrupted on web-1 after {what}. All 2 services still run."
    assert shown == [ended.first_line]


def expect_nothing_goes_on(company: Company, web: Member, report: Report, calls: int) -> None:
    """Nothing was asked for since, and what is left goes by a plan and a button of its own, once."""
    assert asked(web)[calls:] == []
    rest = company.pruned("web-1")
    gone = [one.object.id for one in report.outcomes if one.outcome is Outcome.REMOVED]
    assert rest.first_line.startswith("Pruned ")
    assert len(asked(web)[calls:]) == len(report.outcomes) - len(gone)
    assert [call for call in asked(web)[calls:] if any(id_ in call for id_ in gone)] == []


def asked(web: Member) -> list[str]:
    return [call for call in web.gate.calls if not call.startswith("GET ")]


@pytest.mark.parametrize("engine_did_it", [False, True])
def test_s11_a_run_that_is_killed_for_want_of_memory_dies_alone_and_is_reported(
    fresh_company: Company, web: Member, memory: MemoryGroup, engine_did_it: bool
) -> None:
    company, worker, runs = fresh_company, web.worker.pid, list[int]()
    root = company.ready("web-1")

    def run_short() -> None:
        runs.extend(web.children())
        memory.leave(LITTLE)

    with web.gate.at("DELETE /images/", endless(run_short, asked=engine_did_it)):
        company.confirm(root)
        until(lambda: memory.killed, "the kernel to kill somebody")
        memory.leave(NOBODY_NEEDS)
    calls = len(asked(web))
    expect_its_thread_ends_so(company, root, engine_did_it=engine_did_it)
    (run,), (report,) = runs, web.reports()

    assert (memory.killed, run in memory.members) == (1, False)
    assert (web.worker.is_running, web.worker.pid) == (True, worker)
    expect_the_truth(web, report, engine_did_it=engine_did_it)
    assert report.findings == ()
    expect_nothing_goes_on(company, web, report, calls)


@pytest.mark.parametrize("engine_did_it", [False, True])
def test_s11_a_run_whose_host_loses_power_is_reported_when_engine_and_worker_are_back(
    fresh_company: Company, web: Member, engine_did_it: bool
) -> None:
    company, root = fresh_company, fresh_company.ready("web-1")
    with web.gate.held("DELETE /images/", answered=engine_did_it) as hold:
        company.confirm(root)
        hold.wait_until_reached()
        web.lose_power()
        hold.forget()
    calls = len(asked(web))
    web.engine.start()
    web.worker.start()
    expect_its_thread_ends_so(company, root, engine_did_it=engine_did_it)
    (report,) = web.reports()

    expect_the_truth(web, report, engine_did_it=engine_did_it)
    assert [found.code for found in report.findings] == [Code.STARTED_ANEW]
    expect_nothing_goes_on(company, web, report, calls)
