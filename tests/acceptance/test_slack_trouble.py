"""Slack that limits, fails, stays silent or is away during a run: the final state still appears, once."""

from tests.acceptance.small_host import litter_all_kinds
from tests.stage.company import Company
from tests.stage.member import Member, until
from tests.workspace import Message


def reports_shown(company: Company, root: Message) -> int:
    return sum("Found: nothing unexpected" in message.plain for message in company.replies(root))


def held_run(company: Company, web: Member, stem: str) -> Message:
    litter_all_kinds(web, stem)
    root = company.ready("web-1")
    company.reply(root, "Plan of web-1")
    return root


def test_s14_the_end_appears_once_though_slack_limits_and_fails(company: Company, web: Member) -> None:
    root = held_run(company, web, "limited")
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        company.becomes(root, "Pruning web-1…")
        company.slack.fail_next("chat.update", 429, times=2, retry_after=1)
        company.slack.fail_next("chat.update", 500)
        company.slack.fail_next("chat.postMessage", 500, after_effect=True)
        company.slack.fail_next("chat.postMessage", 429, retry_after=1)
    company.ended(root)
    company.reply(root, "Run on web-1")

    assert reports_shown(company, root) == 1
    assert len(company.roots()) == 1


def test_s14_the_end_appears_once_though_slack_does_not_answer(company: Company, web: Member) -> None:
    root = held_run(company, web, "silent")
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        company.becomes(root, "Pruning web-1…")
        company.slack.fail_next("chat.postMessage", "timeout", after_effect=True)
    company.ended(root)
    company.reply(root, "Run on web-1")

    assert reports_shown(company, root) == 1


def test_s14_the_end_appears_once_though_slack_was_away(company: Company, web: Member) -> None:
    root, before = held_run(company, web, "away"), len(web.reports())
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        company.slack.go_away()
    until(lambda: web.reports()[before:], "the report on the host")
    until(lambda: _all_acknowledged(web), "the bot's note of it")
    company.slack.come_back()
    company.ended(root)
    company.reply(root, "Run on web-1")

    assert reports_shown(company, root) == 1
    company.slack.wait_for_connection(60)
    assert "web-1" in company.answer("ana", lambda: company.command("hosts"))


def _all_acknowledged(web: Member) -> bool:
    with web.ledger() as ledger:
        return ledger.outbox(after=0) == []
