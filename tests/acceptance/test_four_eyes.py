"""Two people by rule: who asked cannot confirm, somebody else of the user group can, and the host agrees."""

from collections.abc import Callable
from pathlib import Path

from tests.acceptance.small_host import NO_WAITING, WASTE, small_host
from tests.stage.company import Company
from tests.workspace.people import TEAM_ID, id_for

RULES = """
[group.web]
hosts = ["web-*"]
four_eyes = "always"
[[group.web.allow]]
channels = ["{ops}"]
execute = ["S01DOCKERADMINS"]
"""
BO_ALONE = f'approvers = ["{TEAM_ID}/{id_for("U", "bo")}"]\n'


def test_s12_with_four_eyes_one_asks_and_another_confirms(stage_place: Callable[[], Path]) -> None:
    hosts = {"web-1": small_host}
    with Company(stage_place(), hosts, rules=RULES, policy=NO_WAITING + BO_ALONE) as company:
        web, root = company.members["web-1"], company.ready("web-1")
        alone = company.answer("ana", lambda: company.confirm(root, user="ana"))
        stranger = company.answer("dee", lambda: company.confirm(root, user="dee"))
        untouched = web.names()

        company.confirm(root, user="bo")
        ended = company.ended(root)
        (report,) = web.reports()

        assert "Takes two people. May confirm: @docker-admins, but not @ana, who asked." in root.plain
        assert alone.startswith("This takes two people, and you asked for it. This click did nothing.")
        assert stranger.startswith("Only @docker-admins may do this.")
        assert untouched >= WASTE
        assert ended.first_line.startswith("Pruned")
        assert (report.requester.user, [one.user for one in report.agreed]) == (
            company.slack.user_id("ana"),
            [company.slack.user_id("bo")],
        )
        assert not web.names() & WASTE
        assert company.slack.violations == ()
