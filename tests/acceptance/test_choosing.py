"""What somebody left out stays on the real engine; what they always keep, the next plan keeps too (S3)."""

from bot.edits import KEEP, KINDS, OBJECTS
from tests.acceptance.small_host import litter, litter_all_kinds
from tests.stage.company import Company
from tests.stage.member import Member, until
from tests.workspace import Message
from tests.workspace.records import View
from workers.contract import Outcome


def cleared(company: Company, member: Member) -> None:
    """Leave nothing on the host that a plan would remove."""
    litter(member, "before")
    company.pruned("web-1")


def edited(company: Company, root: Message, values: dict[str, list[str]], words: str) -> Message:
    """The plan when ana has edited it in its form."""
    company.slack.click("ana", root, "prune_edit")
    view = company.slack.wait_for(lambda: company.slack.view("ana"), what="the form")
    assert isinstance(view, View)
    named = {name: [value(view, name, one) for one in chosen] for name, chosen in values.items()}
    company.slack.submit("ana", view, named)
    return company.becomes(root, words)


def value(view: View, field: str, words: str) -> str:
    """The option of a field that says so."""
    control = next(one for one in view.controls if one.action_id == field)
    return next(str(o["value"]) for o in control.options if words in o["text"]["text"])


def test_a_run_removes_what_is_left_of_the_plan_and_nothing_else(company: Company, web: Member) -> None:
    cleared(company, web)
    names = litter_all_kinds(web, "choosy")
    root = company.ready("web-1")

    changed = edited(
        company, root, {KINDS: ["container", "image"], OBJECTS: ["choosy-1-job"]}, "2 images, 1 stopped"
    )
    company.confirm(changed)
    ended = company.ended(changed)

    assert "Left out: 2 unused networks and 1 stopped container." in changed.plain
    assert names - web.names() == {"choosy-2-job"}
    assert ended.first_line.startswith("Pruned")
    report = web.reports()[-1]
    left = [one.reason.code for one in report.outcomes if one.outcome is Outcome.NOT_ATTEMPTED]
    assert left == ["excluded"] * 3


def test_what_is_always_kept_is_kept_by_the_next_plan_as_well(company: Company, web: Member) -> None:
    cleared(company, web)
    litter(web, "goes")
    litter(web, "stays")
    changed = edited(company, company.ready("web-1"), {KEEP: ["stays"]}, "Prune 1 unused network")
    until(lambda: "stays" in web.cli("standing").stdout, "the protection on the host")
    company.confirm(changed)
    company.ended(changed)
    litter(web, "more")
    company.pruned("web-1")

    assert {"goes", "stays", "more"} & web.names() == {"stays"}
    company.command("unprotect web-1 network:stays")
    until(lambda: "stays" not in web.cli("standing").stdout, "the end of the protection")
