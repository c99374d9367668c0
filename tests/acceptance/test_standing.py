"""People stop, freeze and protect from Slack: the real bot and worker, with their least rights in Redis."""

from tests.acceptance.small_host import litter, litter_all_kinds
from tests.stage.company import Company, to_decide
from tests.stage.member import Member, until
from workers.contract import Outcome, Plan, Status
from workers.reasons import Code


def says(company: Company, words: str) -> None:
    company.root(lambda message: words in message.plain, repr(words))


def test_s13_a_frozen_host_has_no_button_until_it_is_unfrozen(company: Company, web: Member) -> None:
    net = litter(web, "frozen")
    root = company.ready("web-1")
    assert "Freezing" in company.answer("bo", lambda: company.command("freeze web-1 disk swap", user="bo"))
    says(company, "web-1: done")

    frozen = "Nothing can be confirmed for web-1: it is frozen."
    closed = [company.becomes(root, frozen), company.becomes(company.asked("preview web-1"), frozen)]
    assert [("disk swap" in one.plain, to_decide(one)) for one in closed] == [(True, ()), (True, ())]
    assert net in web.names()

    company.command("unfreeze web-1", user="bo")
    says(company, "unfroze")
    until(lambda: "frozen" not in company.answer("ana", lambda: company.command("hosts")), "the thaw")
    assert company.pruned("web-1").first_line.startswith("Pruned")
    assert net not in web.names()


def test_s13_a_stop_ends_the_run_and_the_report_says_who_said_so(company: Company, web: Member) -> None:
    litter_all_kinds(web, "stopped")
    root, known = company.ready("web-1"), len(web.reports())
    with web.gate.held("DELETE /containers/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        company.command("stop web-1", user="bo")
        until(lambda: stops(web), "the stop at the host")
    company.reply(root, "The run was stopped by @bo")

    (report,) = until(lambda: web.reports()[known:], "the report")
    outcomes = [one.outcome for one in report.outcomes]
    assert report.status is Status.STOPPED
    assert (outcomes.count(Outcome.REMOVED), set(outcomes[1:])) == (1, {Outcome.NOT_ATTEMPTED})
    says(company, "web-1: it is over")


def stops(web: Member) -> bool:
    with web.ledger() as ledger:
        return bool(ledger.rows("SELECT 1 FROM stops"))


def test_s8_what_is_protected_from_slack_is_not_planned(company: Company, web: Member) -> None:
    network = litter(web, "kept-net")
    company.command("protect web-1 network:kept-* --for 30d", user="bo")
    says(company, "web-1: done")
    litter(web, "other-net")
    company.ready("web-1")

    with web.ledger() as ledger:
        (row,) = ledger.rows("SELECT body FROM plans ORDER BY made_at DESC LIMIT 1")
    verdicts = {one.object.name: one for one in Plan.model_validate_json(row[0]).verdicts}
    assert [why.code for why in verdicts[network].reasons] == [Code.PROTECTED_FROM_SLACK]
    assert "kept-*" in company.answer("ana", lambda: company.command("protections"))
