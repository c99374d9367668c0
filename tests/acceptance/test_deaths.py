"""Bot and worker killed at any point: one execution, one final state, nothing removed after a death."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.small_host import IMAGES, litter, litter_all_kinds
from tests.stage.company import Company
from tests.stage.member import Member, until
from workers.cli.command_line import Exit
from workers.contract import Kind, Outcome, Status
from workers.reasons import Code


@pytest.fixture
def company(module_company: Company) -> Iterator[Company]:
    """One that has just started does not know when it last edited: Slack may tell it to wait, and it does."""
    company, known = module_company, len(module_company.slack.violations)
    company.channel = next(one for one in company.channels if not company.slack.messages(one))
    yield company
    assert [one for one in company.slack.violations[known:] if one.rule != "rate"] == []


def reports_shown(company: Company, ts: str) -> int:
    thread = company.slack.thread(company.channel, ts)[1:]
    return sum("Confirmed by" in message.plain for message in thread)


def test_s14_a_bot_that_dies_right_after_a_command_still_does_it(company: Company, web: Member) -> None:
    litter(web, "asked-before-death")
    delivery = company.command("preview web-1")
    company.kill_bot()
    company.start_bot()
    company.root(lambda m: bool(m.controls), "the plan")

    assert delivery.outcome == "acked"
    assert len(company.roots()) == 1


def test_s11_s14_a_bot_that_dies_right_after_a_click_carries_it_out_once(
    company: Company, web: Member
) -> None:
    litter(web, "clicked-before-death")
    root, before = company.ready("web-1"), len(web.reports())
    delivery = company.confirm(root)
    company.kill_bot()
    company.start_bot()
    ended = company.ended(root)

    assert (delivery.outcome, ended.first_line[:6]) == ("acked", "Pruned")
    assert (len(web.reports()), reports_shown(company, root.ts)) == (before + 1, 1)


def test_s14_a_bot_that_dies_in_a_run_shows_its_end_once(company: Company, web: Member) -> None:
    litter_all_kinds(web, "bot-death")
    root, before = company.ready("web-1"), len(web.reports())
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        company.kill_bot()
    until(lambda: web.reports()[before:], "the report on the host")
    company.start_bot()
    company.ended(root)
    company.kill_bot()
    company.start_bot()
    company.reply(root, "Run on web-1")

    assert (len(web.reports()), reports_shown(company, root.ts), len(company.roots())) == (before + 1, 1, 1)


def test_s11_a_run_that_outlives_its_worker_still_holds_its_engine(company: Company, web: Member) -> None:
    litter_all_kinds(web, "orphan")
    root, before = company.ready("web-1"), len(web.reports())
    digest = json.loads(web.cli("preview", "--json").stdout)["digest"]
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        # The worker alone: its run has a process group of its own.
        web.worker.kill()
        web.worker.start()
        refused = web.cli("execute", "--confirm", digest)
    ended, (report,) = company.ended(root), web.reports()[before:]

    assert refused.returncode == Exit.REFUSED
    assert "Another run holds this engine, confirmed by T" in refused.stderr
    assert (report.status, [why.code for why in report.stopped_by]) == (Status.STOPPED, [Code.TERMINATED])
    assert ended.first_line.startswith("Stopped on web-1 after ")


@pytest.mark.parametrize("engine_did_it", [False, True])
def test_s11_a_worker_killed_in_a_run_reports_what_is_true_and_removes_nothing_more(
    fresh_company: Company, engine_did_it: bool
) -> None:
    company, web = fresh_company, fresh_company.members["web-1"]
    root, images = company.ready("web-1"), len(web.tags())
    with web.gate.held("DELETE /images/", answered=engine_did_it) as hold:
        company.confirm(root)
        hold.wait_until_reached()
        web.kill_worker()
        hold.forget()
    calls = len(web.gate.calls)
    web.worker.start()
    ended, (report,) = company.ended(root), web.reports()

    outcomes = {kind: [o.outcome for o in report.outcomes if o.object.kind is kind] for kind in Kind}
    in_hand = Outcome.REMOVED if engine_did_it else Outcome.FAILED
    assert report.status is Status.INTERRUPTED
    assert outcomes[Kind.CONTAINER] == [Outcome.REMOVED] * 2
    assert outcomes[Kind.IMAGE] == [in_hand, Outcome.NOT_ATTEMPTED, Outcome.NOT_ATTEMPTED]
    assert outcomes[Kind.NETWORK] == [Outcome.NOT_ATTEMPTED] * 2
    assert len(web.tags()) == images - engine_did_it
    assert ended.first_line.startswith("Interrupted on web-1 after ")
    assert [call for call in web.gate.calls[calls:] if not call.startswith("GET ")] == []
    company.ready("web-1")


def test_s11_a_worker_told_to_stop_in_a_run_finishes_the_object_in_hand_and_reports(
    fresh_company: Company,
) -> None:
    company, web = fresh_company, fresh_company.members["web-1"]
    root = company.ready("web-1")
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        os.kill(web.worker.pid, signal.SIGTERM)
    ended, (report,) = company.ended(root), web.reports()

    images = [o.outcome for o in report.outcomes if o.object.kind is Kind.IMAGE]
    assert report.status is Status.STOPPED
    assert images == [Outcome.REMOVED, Outcome.NOT_ATTEMPTED, Outcome.NOT_ATTEMPTED]
    assert ended.first_line.startswith("Stopped on web-1 after ")
    assert "The worker was told to stop" in ended.plain
    assert len(web.names() & set(IMAGES)) == 2
    assert web.worker.stop() == 0
