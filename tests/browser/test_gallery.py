"""Everything that Safe Prune draws is drawn by the page, and fits, at a desk and on a phone."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Page, chromium_page, found_chromium
from tests.browser.gallery import (
    FOLDER,
    SHOWN,
    WIDTHS,
    examples,
    file_of,
    gallery_page,
    is_message,
    post,
    posting,
    show,
)
from tests.browser.test_page import ARTEFACTS
from tests.workspace import Workspace

TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
CUT_OFF = """[...document.querySelectorAll('.message .content *, dialog *, .home *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.outerHTML.slice(0, 90))"""
UNKNOWN = "document.querySelectorAll('.unknown').length"

pytestmark = pytest.mark.skipif(found_chromium() is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium_page() as page:
        yield page


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace.start(rate_limits=False) as slack:
        yield slack


@pytest.mark.parametrize("width", WIDTHS)
def test_every_message_fits(page: Page, slack: Workspace, width: str) -> None:
    shown = examples(slack)
    messages = {name: one for name, one in shown.items() if is_message(one)}
    with posting(slack, shown) as client:
        for example in messages.values():
            post(client, slack, example)
        page.size(WIDTHS[width], 1000, phone=width == "phone")
        page.open(f"{slack.url}/?user=ana&channel=ops")
        count = "document.querySelectorAll('#messages .message').length"
        page.wait_for(f"{count} === {len(messages)}", "all of them", 30)
    assert [page.evaluate(fault) for fault in (TOO_WIDE, CUT_OFF, UNKNOWN)] == [False, [], 0]
    assert (page.problems, slack.violations) == ([], ())


@pytest.mark.parametrize("width", WIDTHS)
def test_every_form_and_tab_fits(page: Page, slack: Workspace, width: str) -> None:
    shown = examples(slack)
    page.size(WIDTHS[width], 1000, phone=width == "phone")
    with posting(slack, shown) as client:
        for name in (name for name, one in shown.items() if not is_message(one)):
            show(page, slack, client, name, shown[name])
            assert [page.evaluate(fault) for fault in (TOO_WIDE, CUT_OFF, UNKNOWN)] == [False, [], 0], name
            page.screenshot(ARTEFACTS / file_of(name, width))
            if slack.view("ana"):
                slack.close_view("ana")
    assert (page.problems, slack.violations) == ([], ())


def test_the_gallery_has_a_picture_of_each_state_and_names_it() -> None:
    wanted = {file_of(name, width) for name in SHOWN for width in WIDTHS}
    assert {file.name for file in FOLDER.glob("*.png")} == wanted
    assert (FOLDER.parent / "GALLERY.md").read_text(encoding="utf-8") == gallery_page()
