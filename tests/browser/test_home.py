"""The Home tab and the history as people use them on the page, with the bot that runs behind it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Page, chromium_page, found_chromium
from tests.browser.test_page import ARTEFACTS, says, send
from tests.service.bot_stage import Stage, bot_stage
from tests.service.past_runs import Past
from tests.unit.bot_values import SIZE, removed, usage
from workers.contract import DiskUsage, Filesystem, HealthChange, HealthLine, Status

HOME = "#rooms button:last-child"
REFRESH, OLDER, NEWER = (
    "[data-action=prune_refresh]",
    "[data-action=prune_older]",
    "[data-action=prune_newer]",
)
FELL = HealthLine(
    name="api", critical=True, before="healthy", after="unhealthy", change=HealthChange.REGRESSED
)
HEALTHY = FELL.model_copy(update={"name": "db", "after": "healthy", "change": HealthChange.SAME})

pytestmark = pytest.mark.skipif(found_chromium() is None, reason="chromium is not installed")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Four hosts, one of which is silent, and what they did in the last weeks."""
    with bot_stage(tmp_path, "web-1", "web-2", "web-3", "db-1") as stage:
        past(stage)
        for name in ("web-1", "web-2", "web-3"):
            stage.host(name).beat()
        with stage.bot():
            yield stage


def past(stage: Stage) -> None:
    runs, thread = Past(stage), stage.slack.say("ana", "ops", "Shall we clean up?").ts
    for day in range(24):
        host, at = f"web-{day % 3 + 1}", day + 0.2
        runs.ran(host, days=at, confirmed="bo" if day % 4 else "", thread=thread, **measured(day))
    stopped = {"status": Status.STOPPED, "health": (FELL, HEALTHY), "outcomes": (removed(0),)}
    runs.ran("db-1", days=0.1, by="bo", confirmed="ana", thread=thread, **stopped)
    runs.ran("db-1", days=1.5, by="root", status=Status.REFUSED, outcomes=(), usage_after=None, health=())
    runs.ran("web-2", days=2.5, by="dee", confirmed="bo", usage_after=None, thread=thread)


def measured(day: int) -> dict[str, DiskUsage]:
    """A disk that fills up, most of all that of web-3."""
    free = 9_000_000_000 if day % 3 == 2 else 40_000_000_000
    disk = Filesystem(path="/var/lib/docker", total=10**11, free=free, inodes=0, inodes_free=0)
    return {
        "usage_before": usage(60 * SIZE),
        "usage_after": usage((40 - day) * SIZE).model_copy(update={"filesystems": (disk,)}),
    }


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium_page() as page:
        page.size(1280, 1000)
        yield page


def become(page: Page, stage: Stage, user: str) -> None:
    page.open(f"{stage.slack.url}/?user={user}&channel=ops")
    page.wait_for(says("app connected"), "the page to be drawn")


def photographed(page: Page, name: str, top: Callable[[], object] | None = None) -> None:
    """One picture at a desk's width and one at a phone's, in which nothing is wider than the screen."""
    page.screenshot(ARTEFACTS / f"{name}.png")
    page.size(390, 844, phone=True)
    if top:
        top()
    page.screenshot(ARTEFACTS / f"{name}-phone.png")
    wider = page.evaluate(
        "document.documentElement.scrollWidth > innerWidth"
        " || [...document.querySelectorAll('.table')].some(one => one.scrollWidth > one.clientWidth)"
    )
    page.size(1280, 1000)
    assert not wider


def test_what_waits_is_seen_and_refreshed_on_the_home_tab(stage: Stage, page: Page) -> None:
    become(page, stage, "ana")
    page.click(HOME)
    page.wait_for(says("Nothing waits for a decision."), "the tab")
    stage.slack.command("bo", "ops", "/prune preview web-1 web-2")
    for name in ("web-1", "web-2"):
        stage.host(name).answer_with_plan()
    stage.ready_root()
    assert "waits for your decision" not in page.text()
    page.click(REFRESH)
    page.wait_for(says("1 plan waits for your decision"), "the refreshed tab")

    def top() -> None:
        page.evaluate("document.querySelector('#messages').scrollTop = 0")

    top()
    photographed(page, "home", top)
    text = page.text()
    assert text.index("1 plan waits") < text.index("4 hosts, 1 not answering") < text.index("Recent runs")
    assert text.index("db-1 has never answered") < text.index("91 % full") < text.index("web-1 answers")
    assert "27 runs" in text
    assert (page.problems, stage.slack.violations) == ([], ())


def test_the_history_is_leafed_through_and_leads_to_threads(stage: Stage, page: Page) -> None:
    become(page, stage, "ana")
    send(page, "/prune history")
    page.wait_for(says("Runs 1 to 10 of 27"), "the newest runs", 20)
    title = "[...document.querySelectorAll('strong')].find(one => one.innerText.startsWith('27 runs'))"
    photographed(page, "history", lambda: page.evaluate(f"{title}.scrollIntoView()"))
    page.click(OLDER)
    page.wait_for(says("Runs 11 to 20 of 27"), "older runs", 20)
    page.click(OLDER)
    page.wait_for(says("Runs 21 to 27 of 27"), "the oldest runs", 20)
    assert page.evaluate(f"document.querySelector({json.dumps(OLDER)})") is None
    page.click(NEWER)
    page.wait_for(says("Runs 11 to 20 of 27"), "newer runs", 20)
    links = page.evaluate("[...document.querySelectorAll('.table a')].map(one => one.href)")
    assert links
    assert all("/archives/C01OPS" in link for link in links)

    send(page, "/prune history db-* by @bo since 7d")
    page.wait_for(says("1 run, 200 MB freed"), "what was asked for", 20)
    page.screenshot(ARTEFACTS / "history-filtered.png")
    assert "Only visible to you" in page.text()
    assert (page.problems, stage.slack.violations) == ([], ())
