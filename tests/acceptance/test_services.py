"""Critical services come first (S5), and their health decides at every step (S6)."""

from collections.abc import Iterator

import pytest

from tests.acceptance.small_host import IDLE, IMAGES, NO_GRACE, WASTE, litter_all_kinds
from tests.stage.company import Company
from tests.stage.member import Member
from tests.workspace import Message
from workers.contract import Kind, Outcome, Status
from workers.reasons import Code

SECOND = 10**9
POLICY = 'settle = "1s"\nsteady_for = "1s"\nquiet_for = "0s"\n' + NO_GRACE


@pytest.fixture(scope="module")
def module_policy() -> str:
    return POLICY


@pytest.fixture
def question(company: Company, web: Member) -> Iterator[Message]:
    """A plan of everything that lies there, made while all is well; the service runs again afterwards."""
    yield company.ready("web-1")
    web.engine.client.start("web")


def critical(web: Member, *names: str) -> None:
    host = web.filled.policy_toml.replace('["web"]', str(["web", *names]).replace("'", '"'))
    web.policy.write_text(host + POLICY)


def service(web: Member, name: str, command: str, *, restart: str = "no", check: str = "") -> None:
    """One more service, which the policy calls critical."""
    client = web.engine.client
    client.create_container(
        "shop/web:2",
        ["sh", "-c", command],
        name=name,
        stop_signal="SIGKILL",
        host_config=client.create_host_config(network_mode="none", restart_policy={"Name": restart}),
        healthcheck={"test": ["CMD-SHELL", check], "interval": SECOND // 5, "retries": 1} if check else None,
    )
    client.start(name)
    critical(web, name)


@pytest.fixture
def troubled(company: Company, web: Member) -> Iterator[str]:
    """The name of a service of the test's own."""
    yield "troubled"
    web.engine.client.remove_container("troubled", force=True)
    critical(web)


def refused(company: Company, web: Member, root: Message) -> str:
    """The run was refused, nothing was removed; what people read of it."""
    before = web.names()
    company.confirm(root)
    ended = company.becomes(root, "Nothing was removed on web-1: the host refused.")
    assert web.names() == before >= WASTE
    assert web.reports()[-1].status is Status.REFUSED
    return f"{ended.plain}\n{company.reply(root, 'Nothing of the plan was touched.').plain}"


def test_s5_a_stopped_critical_container_refuses_the_run(
    company: Company, web: Member, question: Message
) -> None:
    web.engine.client.kill("web")
    assert "Critical container web is not running (exited)" in refused(company, web, question)


def test_s5_a_paused_critical_container_refuses_the_run(
    company: Company, web: Member, question: Message
) -> None:
    web.engine.client.pause("web")
    told = refused(company, web, question)
    web.engine.client.unpause("web")
    assert "Critical container web is not running (paused)" in told


def test_s5_an_unhealthy_critical_container_refuses_the_run(
    company: Company, web: Member, troubled: str
) -> None:
    service(web, troubled, IDLE, check="false")
    root = company.ready("web-1")
    assert "Critical container troubled is unhealthy" in refused(company, web, root)


def test_s5_a_crash_looping_critical_container_refuses_the_run(
    company: Company, web: Member, troubled: str
) -> None:
    service(web, troubled, "sleep 0.2", restart="always")
    root = company.ready("web-1")
    assert "Critical container troubled " in refused(company, web, root)


def test_s5_an_entry_that_matches_nothing_is_said_in_the_preview_and_refuses_the_run(
    company: Company, web: Member
) -> None:
    critical(web, "databse")
    root = company.ready("web-1")
    told = refused(company, web, root)
    critical(web)

    assert "databse" in root.plain
    assert "The critical entry databse matches no container" in told


def test_s6_a_critical_container_that_stops_during_the_run_stops_it(
    company: Company, web: Member, question: Message
) -> None:
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(question)
        hold.wait_until_reached()
        web.engine.client.kill("web")
    ended = company.ended(question)
    report, told = web.reports()[-1], company.reply(question, "Not attempted:").plain

    outcomes = {kind: {o.outcome for o in report.outcomes if o.object.kind is kind} for kind in Kind}
    assert report.status is Status.STOPPED
    assert [why.code for why in report.stopped_by] == [Code.HEALTH_REGRESSED]
    assert outcomes == {
        Kind.CONTAINER: {Outcome.REMOVED},
        Kind.IMAGE: {Outcome.REMOVED},
        Kind.NETWORK: {Outcome.NOT_ATTEMPTED},
        Kind.BUILD_CACHE: set(),
    }
    assert ended.first_line.startswith("Stopped on web-1 after ")
    assert "1 of 2 services does not run as before: web." in ended.first_line
    assert "Container web was running before and is exited now." in told
    assert "Not attempted: 2 unused networks" in told
    assert "attic: the run stopped before its turn" in told
    assert web.names() & {*IMAGES, "attic", "cellar"} == {"attic", "cellar"}


def test_a_service_that_falls_after_the_last_removal_is_said_to_have(company: Company, web: Member) -> None:
    litter_all_kinds(web, "late")
    root = company.ready("web-1")
    with web.gate.held("DELETE /networks/", answered=True) as hold:
        company.confirm(root)
        hold.wait_until_reached()
        web.engine.client.kill("helper")
    ended = company.ended(root)
    web.engine.client.start("helper")

    assert "1 of 2 services does not run as before: helper." in ended.first_line
    assert Code.HEALTH_REGRESSED in [found.code for found in web.reports()[-1].findings]
