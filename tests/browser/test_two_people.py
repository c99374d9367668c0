"""Two people have to agree: from the form of a bare command to the run that they watch, as they see it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.small_host import WASTE, small_host
from tests.browser.chromium import Page, chromium_page, found_chromium
from tests.browser.test_page import ARTEFACTS, CONFIRM, says, send
from tests.stage.company import Company
from tests.workspace.people import id_for

RULES = f"""
[group.web]
hosts = ["web-*"]
approvals = 2
[[group.web.allow]]
channels = ["{{ops}}"]
execute = ["{id_for("U", "ana")}", "{id_for("U", "bo")}", "{id_for("U", "dee")}"]
"""
# Long enough to be seen at it, also where much else is under way.
POLICY = 'settle = "20s"\nsteady_for = "0s"\nquiet_for = "0s"\n'
EXECUTE, STOP = "[data-action=prune_execute]", "[data-action=prune_stop]"

pytestmark = pytest.mark.skipif(found_chromium() is None, reason="chromium is not installed")


@pytest.fixture
def company(stage_place: Callable[[], Path]) -> Iterator[Company]:
    with Company(stage_place(), {"web-1": small_host}, rules=RULES, policy=POLICY) as company:
        yield company


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium_page() as page:
        page.size(1280, 1000)
        yield page


def become(page: Page, company: Company, user: str) -> None:
    page.open(f"{company.slack.url}/?user={user}&channel=ops")
    page.wait_for(says("app connected"), "the page to be drawn")


def there(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)})"


def photographed(page: Page, name: str) -> None:
    """At a desk's width and at a phone's."""
    page.screenshot(ARTEFACTS / f"{name}.png")
    page.size(390, 844, phone=True)
    page.screenshot(ARTEFACTS / f"{name}-phone.png")
    page.size(1280, 1000)


def press(page: Page) -> None:
    page.click(EXECUTE)
    page.click(CONFIRM)


def test_a_form_asks_two_agree_and_all_watch_the_run(company: Company, page: Page) -> None:
    become(page, company, "ana")
    send(page, "/prune")
    page.wait_for(there("dialog"), "the form")
    photographed(page, "start")
    page.click("#modal-submit")
    page.wait_for(there(EXECUTE), "the plan", 40)
    press(page)
    page.wait_for(says("This takes two people, and you asked for it."), "why that does not count", 20)
    photographed(page, "own-approval")

    become(page, company, "bo")
    press(page)
    page.wait_for(says("Approvals: 1 of 2: @bo."), "that one has agreed", 20)
    photographed(page, "one-of-two")

    become(page, company, "dee")
    press(page)
    page.wait_for(there(STOP), "the run", 20)
    page.wait_for(says("Watching web-1"), "the services to be watched", 40)
    photographed(page, "watch")
    page.wait_for(says("Pruned web-1"), "the result", 60)
    page.wait_for(f"!{there(STOP)}", "nothing left to press")
    photographed(page, "watched")

    assert not company.members["web-1"].names() & WASTE
    assert (page.problems, company.slack.violations) == ([], ())
