"""The way back from Slack, on a real engine with a real registry: what a run removed is there again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.render import STOP
from tests.acceptance.small_host import NO_GRACE, NO_WAITING
from tests.stage import images
from tests.stage.company import CANCEL, EXECUTE, Company
from tests.stage.member import Member, finished, until
from tests.stage.processes import MINIMAL
from tests.stage.registry import Registry
from tests.stage.slow_door import SlowDoor
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
    told = company.answer("ana", lambda: company.command("history web-1"))
    assert "1 run, " in told
    assert "1 restore" in told
    assert f"restored, {len(report.outcomes)} objects there again" in told


def drawn(company: Company, root: Message, words: str) -> Message:
    """The message once it says so, in whatever line."""
    return company.root(lambda m: m.ts == root.ts and words in m.plain, repr(words))


def stopped(web: Member) -> bool:
    with web.ledger() as ledger:
        return bool(ledger.rows("SELECT 1 FROM stops"))


def test_s14_stop_under_a_restore_ends_it_after_the_image_that_comes(
    company: Company, web: Member, registry: Registry
) -> None:
    with SlowDoor(registry) as door:
        pulled = {pushed(web, registry, name, door.pull) for name in ("shop/first:1", "shop/second:1")}
        company.pruned("web-1")
        root = plan_of_restore(company, "restore web-1 last")
        with door.held("GET /v2/.*/blobs/") as hold:
            company.slack.click("bo", root, EXECUTE)
            hold.wait_until_reached()
            under_way = drawn(company, root, "brings back image")
            assert [control.action_id for control in under_way.controls] == [STOP]
            company.slack.click("ana", under_way, STOP)
            assert drawn(company, root, "Stopped by @ana").controls == ()
            until(lambda: stopped(web), "the stop at the host")
            hold.let_through()
        ended = company.becomes(root, "Stopped on web-1")

        assert "The restore was stopped by @ana" in ended.plain
        assert "not attempted: the restore ended before its turn" in ended.plain
        report = restores(web)[-1]
        assert report.status is Status.STOPPED
        ends = {one.object.id: one.outcome for one in report.outcomes if one.object.id in pulled}
        assert sorted(ends.values()) == [Restored.NOT_ATTEMPTED, Restored.RESTORED]
        there = pulled & set(web.tags().values())
        assert there == {id_ for id_, end in ends.items() if end is Restored.RESTORED}

        again = plan_of_restore(company, "restore web-1 last")
        company.slack.click("bo", again, EXECUTE)
        company.becomes(again, "Brought back")
        assert pulled <= set(web.tags().values())


def pushed(web: Member, registry: Registry, name: str, pull: Callable[[str], str]) -> str:
    """An image of its own that came from the registry; its id."""
    client = web.engine.client
    layers = (images.base_layer(), images.layer({"own": images.noise(name, 0.1)}))
    [made] = images.load(client, [images.Archived(layers=layers)])
    registry.push(made, name)
    client.remove_image(made, force=True)
    return pull(name)


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
