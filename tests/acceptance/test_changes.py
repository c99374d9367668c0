"""What changed after the preview is refused and named, what came after it stays, the rest goes (S3, S7)."""

from tests.acceptance.small_host import IDLE, litter
from tests.stage import images
from tests.stage.company import Company
from tests.stage.member import Member
from workers.contract import Outcome, Report, Status


def outcomes(report: Report) -> dict[str, Outcome]:
    return {one.object.name: one.outcome for one in report.outcomes}


def test_s7_what_changed_is_refused_and_named_and_the_rest_goes_on(fresh_company: Company) -> None:
    company, web = fresh_company, fresh_company.members["web-1"]
    client, tags = web.engine.client, web.tags()
    root = company.ready("web-1")

    client.tag(tags["old/site:1"], "old/site", "stable")  # a tag moved onto it
    client.tag(tags["shop/web:2"], "old/job", "1")  # its only tag moved off it
    client.start("job-1")  # ran again
    client.create_container("old/api:1", ["sh", "-c", IDLE], name="newcomer")  # uses it now
    client.create_container("shop/web:2", ["true"], name="guest")
    client.connect_container_to_network("guest", "attic")  # needs it now
    client.remove_container("job-2")  # somebody was faster
    company.confirm(root)
    ended, (report,) = company.ended(root), web.reports()

    assert report.status is Status.PARTIAL
    assert outcomes(report) == {
        "job-1": Outcome.REFUSED,
        "job-2": Outcome.GONE,
        "old/api:1": Outcome.REFUSED,
        "old/job:1": Outcome.REFUSED,
        "old/site:1": Outcome.REFUSED,
        "attic": Outcome.REFUSED,
        "cellar": Outcome.REMOVED,
    }
    assert "but not everything was removed" in ended.first_line
    told = company.reply(root, "Refused:").plain
    assert [
        name for name, how in outcomes(report).items() if how is Outcome.REFUSED and name not in told
    ] == []
    assert web.names() >= {"job-1", "newcomer", "old/api:1", "old/site:1", "old/site:stable", "attic"}
    assert web.tags()["old/job:1"] == tags["shop/web:2"]


def test_s3_what_came_after_the_preview_stays(company: Company, web: Member) -> None:
    root = company.ready("web-1")

    litter(web, "arrived-later")
    web.engine.client.create_container("shop/web:2", ["true"], name="made-later")
    layers = (images.base_layer(), images.layer({"later": b"later"}))
    images.load(web.engine.client, [images.Archived(tags=("later/one:1",), layers=layers)])
    company.confirm(root)
    company.becomes(root, "Pruned")

    assert web.names() >= {"arrived-later", "made-later", "later/one:1"}


def test_s9_the_way_back_stays_even_where_nothing_else_has_any_grace(company: Company, web: Member) -> None:
    litter(web, "anything")
    company.confirm(root := company.ready("web-1"))
    company.becomes(root, "Pruned")

    assert web.filled.lost() == []


def test_s3_a_policy_that_changed_after_the_preview_refuses_the_run(company: Company, web: Member) -> None:
    litter(web, "under-old-rules")
    root, text = company.ready("web-1"), web.policy.read_text()

    web.policy.write_text(text + 'protected_networks = ["under-old-rules"]\n')
    company.confirm(root)
    ended = company.becomes(root, "web-1 refused, nothing was removed.")
    web.policy.write_text(text)

    assert "policy changed after the plan was made" in ended.plain
    assert "under-old-rules" in web.names()
