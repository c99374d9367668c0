"""The main job as two people see it, on the page: a real bot, worker and engine behind it."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.browser.chromium import Page, chromium_page, found_chromium
from tests.browser.test_page import ARTEFACTS, CONFIRM, says, send
from tests.stage import hosts
from tests.stage.company import Company

EXECUTE, EDIT = "[data-action=prune_execute]", "[data-action=prune_edit]"
OUT = "3 images, 1 stopped container and 1 unused network"
OBJECTS = "select[id$=edit_objects]"
PICTURE = "document.querySelector('#thread .picture img')"
# Long enough for the services' own checks to have run once more.
POLICY = 'settle = "5s"\nsteady_for = "0s"\n'

pytestmark = pytest.mark.skipif(found_chromium() is None, reason="chromium is not installed")


@pytest.fixture
def company(stage_place: Callable[[], Path]) -> Iterator[Company]:
    fill = partial(hosts.web_host, name="web-1", scale=0.1)
    with Company(stage_place(), {"web-1": fill}, policy=POLICY) as company:
        yield company


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium_page() as page:
        page.size(1400, 1100)
        yield page


def become(page: Page, company: Company, user: str) -> None:
    page.open(f"{company.slack.url}/?user={user}&channel=ops")
    page.wait_for(says("app connected"), "the page to be drawn")


def edit(page: Page) -> None:
    """Open the form of the one host."""
    page.click(EDIT)
    page.wait_for(f"document.querySelector({json.dumps(OBJECTS)})", "the form", 20)


def leave_out(page: Page, words: str, picked: int | None) -> None:
    """Pick one object, or none, to be left out, see what that comes to, and hand the form in."""
    field = f"document.querySelector({json.dumps(OBJECTS)})"
    choose = f"[...{field}.options].forEach((one, n) => one.selected = n === {json.dumps(picked)})"
    page.evaluate(f"{choose}; {field}.dispatchEvent(new Event('change', {{bubbles: true}}))")
    wanted = f"Left out: {words}." if words else "would free"
    page.wait_for(f"document.querySelector('dialog').innerText.includes({json.dumps(wanted)})", wanted, 20)
    if words:
        page.screenshot(ARTEFACTS / "edit.png")
    page.click("#modal-submit")


def test_ana_asks_bo_confirms_and_both_read_the_report(company: Company, page: Page) -> None:
    become(page, company, "ana")
    send(page, "/prune preview web-1")
    page.wait_for(f"document.querySelector({json.dumps(EXECUTE)})", "the button", 30)
    page.click(".thread-link")
    page.wait_for(says("Plan of web-1"), "the whole plan in the thread", 30)
    page.screenshot(ARTEFACTS / "preview.png")

    edit(page)
    # The container's images and its network cannot go without it.
    leave_out(page, OUT, 0)
    page.wait_for("!document.querySelector('dialog')", "the form to close")
    page.wait_for(says(f"Left out: {OUT}."), "the plan without it", 30)
    page.screenshot(ARTEFACTS / "edited.png")
    edit(page)
    leave_out(page, "", None)
    page.wait_for(f"!({says('Left out:')})", "the whole plan again", 30)

    become(page, company, "bo")
    page.click(EXECUTE)
    page.wait_for(says("Volumes stay."), "the confirmation dialog")
    page.screenshot(ARTEFACTS / "confirm.png")
    page.click(CONFIRM)
    page.wait_for(says("All 4 services still run."), "the outcome", 40)
    page.click(".thread-link")
    page.wait_for(says("Run on web-1"), "the report in the thread", 40)
    page.screenshot(ARTEFACTS / "report.png")
    company.slack.wait_for(
        lambda: any(f.is_image for f in company.slack.files("ops")), 180, what="the picture"
    )
    page.wait_for(PICTURE, "the picture on the page")
    assert page.evaluate(f"{PICTURE}.decode().then(() => {PICTURE}.naturalWidth)") == 1080
    page.evaluate(f"{PICTURE}.scrollIntoView({{block: 'end'}})")
    page.screenshot(ARTEFACTS / "picture.png")

    assert str(page.evaluate(f"{PICTURE}.alt")).startswith("Pruned ")
    assert page.evaluate(f"document.querySelector({json.dumps(EXECUTE)})") is None
    assert (page.problems, company.slack.violations) == ([], ())
    assert (company.members["web-1"].filled.lost(), company.members["web-1"].filled.left()) == ([], [])
