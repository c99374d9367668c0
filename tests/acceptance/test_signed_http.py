"""Slack calling the bot: the main job over signed HTTP, and nobody else let in (S12)."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.acceptance.small_host import NO_WAITING, small_host
from tests.stage.company import Company
from tests.workspace.signature import signed_headers


@pytest.fixture(scope="module")
def company(stage_place: Callable[[], Path]) -> Iterator[Company]:
    with Company(stage_place(), {"web-1": small_host}, policy=NO_WAITING, over_http=True) as company:
        yield company
        assert company.slack.violations == ()


def status_of(company: Company, *, secret: str, at: float) -> int:
    """The answer to a command that somebody else sends."""
    slack = company.slack
    fields = {
        "command": "/prune",
        "text": "preview web-1",
        "team_id": slack.team_id,
        "user_id": slack.user_id("bo"),
        "channel_id": slack.channel_id("ops"),
        "trigger_id": "1.2.3",
        "response_url": f"{slack.url}/hooks/none",
    }
    body = urlencode(fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded", **signed_headers(secret, int(at), body)}
    url = f"http://127.0.0.1:{company.port}/slack/events"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_s12_a_request_that_slack_did_not_sign_is_refused(company: Company) -> None:
    roots = company.roots()
    assert status_of(company, secret="not the secret", at=time.time()) == 401
    assert (company.roots(), company.queued("web-1")) == (roots, 0)


def test_s12_a_signed_request_of_ten_minutes_ago_is_refused(company: Company) -> None:
    roots = company.roots()
    assert status_of(company, secret=company.slack.signing_secret, at=time.time() - 600) == 401
    assert (company.roots(), company.queued("web-1")) == (roots, 0)


def test_preview_confirm_report_and_the_home_tab_that_tells_of_it(company: Company) -> None:
    ended = company.pruned("web-1")
    member = company.members["web-1"]
    assert ended.first_line == "Pruned 1.00 MB on web-1. All 2 services still run."
    assert (member.filled.lost(), member.filled.left()) == ([], [])

    company.slack.open_home("ana")
    home = company.slack.wait_for(lambda: company.slack.home("ana"), 20, what="the tab")
    link = f"/archives/{ended.channel}/p{ended.ts.replace('.', '')})"
    for words in ("web-1 answers", " % full, ", "web-1 done, services ran on · 1.00 MB freed", link):
        assert words in home.plain
    assert {(one.via, one.outcome) for one in company.slack.deliveries} == {("http", "acked")}
