"""The way back from Slack, on a real engine with a real registry: what a run removed is there again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.small_host import NO_GRACE, NO_WAITING
from tests.stage.company import CANCEL, EXECUTE, Company
from tests.stage.member import Member, finished
from tests.stage.processes import MINIMAL
from tests.stage.registry import Registry
from tests.workspace import Message
from workers.contract import Restored, RestoreReport, Status

TAG = "shop/gone:1"


@pytest.fixture(scope="module")
def module_policy() -> str:
    return f"{NO_WAITING}{NO_GRACE}probe_registry = true\n"


@pytest.fixture(scope="module")
def registry(module_company: Company, stage_place: Callable[[], Path]) -> Iterator[Registry]:
    with Registry(module_company.members["web-1"].engine, stage_place()) as registry:
        yield registry


@pytest.fixture
def image(company: Company, web: Member, registry: Registry) -> str:
    """An image that came from the registry; its id."""
    client = web.engine.client
    made = client.images(name="old/site:1")[0]["Id"]
    registry.push(made, TAG)
    client.remove_image("old/site:1", noprune=True)
    client.remove_image(made, force=True)
    return registry.pull(TAG)


def restores(web: Member) -> list[RestoreReport]:
    with web.ledger() as ledger:
        return ledger.restore_reports()


def plan_of_restore(company: Company, text: str) -> Message:
    before = {message.ts for message in company.roots()}
    company.command(text)
    return company.root(lambda m: m.ts not in before and bool(m.controls), "a plan of a restore")


def test_run_then_restore_by_button_brings_image_tags_and_network_back(
    company: Company, web: Member, image: str
) -> None:
    client = web.engine.client
    tags = {tag: id_ for tag, id_ in web.tags().items() if id_ == image}
    company.pruned("web-1")
    assert image not in web.tags().values()
    assert not client.networks(names=["attic"])
    run = web.reports()[-1].order_id

    listed = company.answer("ana", lambda: company.command("restore"))
    assert run[:12] in listed
    cancelled = plan_of_restore(company, f"restore web-1 {run[:8]} attic")
    company.slack.click("ana", cancelled, CANCEL)
    company.becomes(cancelled, "Cancelled, nothing was brought back on web-1.")
    root = plan_of_restore(company, f"restore web-1 {run[:8]}")
    assert "container job-1" in root.plain
    before = web.names()
    company.slack.click("bo", root, EXECUTE)
    company.becomes(root, "Brought back")

    assert {tag: id_ for tag, id_ in web.tags().items() if id_ == image} == tags
    assert {"attic", "cellar"} <= {network["Name"] for network in client.networks()}
    assert before <= web.names()
    [report] = restores(web)
    assert (report.status, report.run) == (Status.DONE, run)
    assert {one.outcome for one in report.outcomes} == {Restored.RESTORED}
    assert report.approver.user == company.slack.user_id("bo")
    company.reply(root, "Restore on web-1")


def test_the_copies_of_bot_and_host_say_the_same_of_the_restore(
    company: Company, web: Member, tmp_path: Path
) -> None:
    brought = restores(web)
    file = tmp_path / "web-1.jsonl"
    file.write_text(web.cli("audit", "--json").stdout)
    verify = finished("bot", ["audit", "verify", str(file)], {**MINIMAL, **company.environment})

    assert brought
    assert verify.stdout.splitlines() == ["same        web-1"]
    assert verify.returncode == 0
