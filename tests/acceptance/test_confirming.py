"""Nothing runs without a click; however often and by whomever it is pressed, it runs once."""

import pytest

from tests.acceptance.small_host import litter
from tests.stage.company import CANCEL, Company, to_decide
from tests.stage.member import Member, until
from tests.workspace import Message


def plan_with(company: Company, member: Member, name: str) -> Message:
    """A plan that removes at least the thing of this name."""
    litter(member, name)
    return company.ready("web-1")


def test_s13_execute_without_a_plan_posts_one_and_waits_for_the_click(company: Company, web: Member) -> None:
    litter(web, "unasked")
    root = company.asked("execute web-1")
    ready = company.root(lambda m: m.ts == root.ts and bool(m.controls), "the buttons")

    company.slack.click("ana", ready, CANCEL)
    ended = company.becomes(root, "Cancelled, nothing was removed on web-1.")

    assert ("unasked" in web.names(), web.reports(), to_decide(ended)) == (True, [], ())


def test_execute_takes_up_the_plan_that_is_shown_and_the_press_counts(company: Company, web: Member) -> None:
    root = plan_with(company, web, "taken-up")
    roots = len(company.roots())

    shown = company.answer("ana", lambda: company.command("execute web-1"))
    confirmation = company.slack.ephemerals("ana")[-1]
    company.slack.click("ana", confirmation, "prune_execute")
    ended = company.becomes(root, "Pruned")
    answer = company.slack.ephemerals("ana")[-1].plain

    assert shown.startswith("Prune")
    assert answer.startswith("Taken.")
    assert ended.controls == ()
    assert (len(company.roots()), "taken-up" in web.names(), len(web.reports())) == (roots, False, 1)


def test_execute_needs_to_be_told_where(company: Company) -> None:
    roots = company.roots()
    assert company.answer("ana", lambda: company.command("execute")).startswith(
        "Execute needs to know where: /prune execute web-1"
    )
    assert company.roots() == roots


def test_s11_two_people_press_at_once_and_it_runs_once(company: Company, web: Member) -> None:
    root, before = plan_with(company, web, "pressed-twice"), len(web.reports())
    refusals = web.refusals()
    known = {user: company.slack.ephemerals(user) for user in ("ana", "bo")}

    for user in known:
        company.slack.click(user, root, "prune_execute", wait=False)
    company.becomes(root, "Pruned")
    answers = company.slack.wait_for(
        lambda: [m.plain for user in known for m in company.slack.ephemerals(user)[len(known[user]) :]]
    )

    assert [answer.split(" by ")[0] for answer in answers] == ["Already confirmed"]
    assert (len(web.reports()), web.refusals()) == (before + 1, refusals)


def test_s11_a_click_delivered_again_is_the_same_click(company: Company, web: Member) -> None:
    root, before = plan_with(company, web, "redelivered"), len(web.reports())

    delivery = company.confirm(root)
    again = company.slack.redeliver(delivery)
    company.becomes(root, "Pruned")
    later = company.slack.redeliver(delivery)
    litter(web, "after-redelivery")
    company.confirm(company.ready("web-1"))
    until(lambda: "after-redelivery" not in web.names(), "the next run")

    assert {delivery.outcome, again.outcome, later.outcome} == {"acked"}
    assert until(lambda: web.reports()[before + 1 :], "its report") == web.reports()[-1:]


def test_a_command_delivered_again_makes_one_message(company: Company, web: Member) -> None:
    litter(web, "asked-twice")
    roots = len(company.roots())

    delivery = company.command("preview web-1")
    company.slack.redeliver(delivery)
    root = company.root(lambda m: bool(m.controls), "the plan")
    company.slack.redeliver(delivery)
    company.slack.click("ana", root, CANCEL)
    company.becomes(root, "Cancelled")
    company.command("preview web-1")
    company.root(lambda m: bool(m.controls) and m.ts != root.ts, "another plan")

    # The other one came after everything else: what the repetition could have posted would be there.
    assert len(company.roots()) == roots + 2


def test_a_click_on_a_message_that_was_settled_meanwhile_is_answered_with_why(
    company: Company, web: Member
) -> None:
    root = plan_with(company, web, "clicked-late")
    company.confirm(root)
    company.becomes(root, "Pruned")
    before = len(web.reports())

    assert company.answer("ana", lambda: company.confirm(root, user="ana")).startswith(
        "Already confirmed by @bo"
    )
    assert len(web.reports()) == before


def test_a_click_on_a_plan_that_a_newer_one_replaced_is_answered_with_why(
    company: Company, web: Member
) -> None:
    old = plan_with(company, web, "outdated")
    company.ready("web-1")
    company.becomes(old, "Replaced by a newer plan, nothing was removed on web-1.")

    answer = company.answer("bo", lambda: company.confirm(old))

    assert answer.startswith("A newer plan has replaced this one")
    assert "outdated" in web.names()


def test_cancelled_stays_cancelled(company: Company, web: Member) -> None:
    root, before = plan_with(company, web, "spared"), web.reports()

    company.slack.click("bo", root, CANCEL)
    ended = company.becomes(root, "Cancelled, nothing was removed on web-1.")
    answer = company.answer("ana", lambda: company.confirm(root, user="ana"))

    assert answer.startswith("Already cancelled by @bo")
    assert (to_decide(ended), "spared" in web.names(), web.reports()) == ((), True, before)


def looks(member: Member) -> int:
    """How often the engine was asked what it has; that it is there is asked all the time."""
    return sum("/json" in call for call in member.gate.calls)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("preview web-9", 'No host is called "web-9". There are: web-1.'),
        ("preview nosuch-*", 'No host is called "nosuch-*".'),
        ("execute web-9", 'No host is called "web-9".'),
        ("history web-9", 'No host is called "web-9".'),
        ("previw web-1", 'There is no command "previw". There are: /prune preview'),
        ("preview web-1 --force", 'There is no option "--force". There is: --only'),
        ("preview web-1 --only imags", 'There is no kind called "imags". There are: images'),
        ("preview web-1 --only volumes", "Volumes are never removed"),
        ("preview web-1 --volumes", "Volumes are never removed"),
    ],
)
def test_what_is_not_understood_is_told_to_the_asker_alone_and_nothing_is_queued(
    company: Company, web: Member, typed: str, answer: str
) -> None:
    roots, asked = company.roots(), looks(web)
    assert answer in company.answer("bo", lambda: company.command(typed, user="bo"))
    assert (company.roots(), company.queued("web-1"), looks(web)) == (roots, 0, asked)
