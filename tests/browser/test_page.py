"""The workspace's page, used in a real browser: typing, confirming, watching the message change."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk import WebClient

from tests.browser.chromium import Page, chromium_page, found_chromium
from tests.browser.small_app import running_small_app
from tests.workspace import Message, Workspace

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
CONFIRM = "#confirm-yes"
EXECUTE = "[data-action=execute]"

pytestmark = pytest.mark.skipif(found_chromium() is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium_page() as page:
        yield page


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace.start(channels=("ops", "dev"), private=("dev",)) as slack, running_small_app(slack):
        yield slack


def says(words: str) -> str:
    return f"document.body.innerText.includes({json.dumps(words)})"


def send(page: Page, text: str) -> None:
    page.click("#composer input")
    page.type(text)
    page.press_enter()


def preview(page: Page, slack: Workspace) -> None:
    page.size(1280, 860)
    page.open(f"{slack.url}/?user=ana&channel=ops")
    page.wait_for(says("app connected"), "the page to be drawn")
    send(page, "/prune preview web-*")
    page.wait_for(f"document.querySelector({json.dumps(EXECUTE)})", "the button")


def test_typed_command_confirmed_click_and_the_edited_message(page: Page, slack: Workspace) -> None:
    preview(page, slack)
    page.screenshot(ARTEFACTS / "page-preview.png")
    page.click(EXECUTE)
    page.wait_for(says("Volumes stay."), "the confirmation dialog")
    page.screenshot(ARTEFACTS / "page-confirm.png")
    page.click(CONFIRM)
    page.wait_for(says("Pruned 25.7 GB on 1 of 2 hosts"), "the edited message")
    page.click(".thread-link")
    page.wait_for(says("volumes untouched"), "the thread")
    page.screenshot(ARTEFACTS / "page-report.png")
    assert page.evaluate(f"document.querySelector({json.dumps(EXECUTE)})") is None
    assert page.problems == []
    assert slack.violations == ()


def test_a_denied_confirmation_sends_nothing(page: Page, slack: Workspace) -> None:
    preview(page, slack)
    page.click(EXECUTE)
    page.click("#confirm-no")
    page.wait_for("!document.querySelector('dialog')", "the dialog to go")
    assert [one.kind for one in slack.deliveries] == ["command"]


def test_a_modal_shows_its_error_and_takes_the_corrected_answer(page: Page, slack: Workspace) -> None:
    preview(page, slack)
    page.click("[data-action=edit]")
    page.click("#modal-submit")
    page.wait_for(says("Leave one out, or cancel."), "the error")
    page.screenshot(ARTEFACTS / "page-modal.png")
    page.click("dialog .tick:last-child input")
    page.click("#modal-submit")
    page.wait_for("!document.querySelector('dialog')", "the modal to close")
    assert slack.view("ana") is None


def test_ephemerals_are_seen_by_their_person_only(page: Page, slack: Workspace) -> None:
    page.open(f"{slack.url}/?user=ana&channel=ops")
    send(page, "/prune")
    page.wait_for(says("Usage:"), "the answer")
    page.screenshot(ARTEFACTS / "page-ephemeral.png")
    page.click("#people button:nth-child(2)")
    page.wait_for(says("you are bo"), "the other person")
    assert "Usage:" not in page.text()


def test_the_home_tab_is_published_and_drawn(page: Page, slack: Workspace) -> None:
    page.open(f"{slack.url}/?user=ana&channel=ops")
    page.click("#rooms button:last-child")
    page.wait_for(says("never pruned"), "the home tab")
    page.screenshot(ARTEFACTS / "page-home.png")


def test_of_two_buttons_alike_the_pressed_one_is_sent(page: Page, slack: Workspace) -> None:
    page.open(f"{slack.url}/?user=ana&channel=ops")
    page.click("#rooms button:last-child")
    page.wait_for(says("never pruned"), "the home tab")
    page.click(".home .section:last-child [data-action=look]")
    pressed = slack.wait_for(
        lambda: next((one for one in slack.deliveries if one.kind == "click"), None), what="the click"
    )
    assert pressed.payload["actions"][0]["block_id"] == "web-2"


def pruned(page: Page, slack: Workspace) -> Message:
    """The message of a prune, with a reply in its thread."""
    preview(page, slack)
    page.click(EXECUTE)
    page.wait_for(f"document.querySelector('{CONFIRM}')", "the confirmation dialog")
    page.click(CONFIRM)
    page.wait_for("document.querySelector('.thread-link')", "the reply")
    return slack.messages("ops")[0]


def test_a_link_to_a_thread_opens_it(page: Page, slack: Workspace) -> None:
    root = pruned(page, slack)
    for ts in (one.ts for one in slack.thread("ops", root.ts)):
        page.open(f"{slack.url}/archives/{root.channel}/p{ts.replace('.', '')}")
        page.wait_for(f"document.querySelector('#replies [data-ts=\"{root.ts}\"]')", "the thread")
        assert "volumes untouched" in page.text()
    page.open(f"{slack.url}/archives/{root.channel}/p1111111111111111")
    assert page.text() == "no such message"


def test_a_link_that_is_pressed_leads_there_as_the_same_person(page: Page, slack: Workspace) -> None:
    root = pruned(page, slack)
    client = WebClient(token=slack.bot_token, base_url=slack.api_url)
    link = client.chat_getPermalink(channel=root.channel, message_ts=root.ts)["permalink"]
    dev = slack.channel_id("dev")
    said = client.chat_postMessage(channel=dev, text=f"<{link}|the prune>")
    page.open(f"{slack.url}/?user=bo&channel=dev")
    page.wait_for(f"document.querySelector('[data-ts=\"{said['ts']}\"] a')", "the link")
    page.click(f"[data-ts='{said['ts']}'] a")
    page.wait_for(says("volumes untouched"), "the thread")
    assert "you are bo" in page.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_at_phone_width(page: Page, slack: Workspace, scheme: str) -> None:
    preview(page, slack)
    page.colours(scheme)
    page.size(390, 844, phone=True)
    page.screenshot(ARTEFACTS / f"page-phone-{scheme}.png")
    wider = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    page.colours("light")
    page.size(1280, 860)
    assert not wider


def test_another_site_cannot_press_buttons_here(page: Page, slack: Workspace) -> None:
    page.open("about:blank")
    attempt = {"act": "command", "user": "ana", "channel": "ops", "text": "/prune preview"}
    request = {"method": "POST", "mode": "no-cors", "body": json.dumps(attempt)}
    page.evaluate(f"fetch('{slack.url}/page/act', {json.dumps(request)}).then(() => true, () => true)")
    assert slack.deliveries == ()
