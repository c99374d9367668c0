"""What went wrong can be found in the log, by the mark that people read of it."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.edits import KINDS
from bot.memory.database import Database
from bot.render import EDIT, EXECUTE
from tests.service.bot_stage import Stage
from tests.workspace import View

FAILED = re.compile(
    r"The bot failed at this; it may not have been begun\.[^`]*In the bot's log: `?([0-9a-f]{6})"
)


@pytest.fixture
def broken(stage: Stage) -> Iterator[Stage]:
    """A bot at a plan, whose memory then holds what no version of it has written."""
    with stage.bot():
        stage.slack.command("ana", "ops", "/prune preview web-1")
        stage.host().answer_with_plan()
        root = stage.ready_root()
        stage.slack.click("ana", root, EDIT)
        stage.slack.wait_for(lambda: stage.slack.view("ana"), what="a form")
        with closing(Database(stage.wiring().database)) as memory, memory.transaction() as db:
            db.execute("UPDATE requests SET kinds = '[\"nonsense\"]', revision = revision + 1")
        yield stage


def test_what_a_message_calls_its_request_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with stage.bot():
        stage.slack.command("ana", "ops", "/prune preview web-1")
        [found] = re.findall(r"Request ([0-9a-f]{8})$", stage.root().plain, re.MULTILINE)

    assert f"request {found}" in caplog.text


def mark(text: str, log: str) -> str:
    """The mark in what somebody reads, which the log has too."""
    found = FAILED.search(text)
    assert found, text
    assert f"[{found[1]}] what somebody pressed or typed failed" in log
    return found[1]


def test_a_command_is_answered(broken: Stage, caplog: pytest.LogCaptureFixture) -> None:
    delivery = broken.slack.command("ana", "ops", "/prune status")

    assert delivery.outcome == "acked"
    assert mark(broken.told("ana", "The bot failed").plain, caplog.text)


def test_a_press_is_answered_and_the_message_stays(broken: Stage, caplog: pytest.LogCaptureFixture) -> None:
    root = broken.roots()[-1]
    delivery = broken.slack.click("bo", root, EXECUTE)

    assert delivery
    assert delivery.outcome == "acked"
    assert mark(broken.told("bo", "The bot failed").plain, caplog.text)
    assert broken.roots()[-1].controls == root.controls
    assert broken.host().queued == 0


def test_a_form_that_is_handed_in_is_answered_in_its_place(
    broken: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    form = broken.slack.view("ana")
    assert form
    delivery = broken.slack.submit("ana", form, {KINDS: ["image"]})

    view = broken.slack.view("ana")
    assert isinstance(view, View)
    assert delivery.outcome == "acked"
    assert mark(view.plain, caplog.text)


def test_what_fails_after_its_acknowledgement_is_answered_all_the_same(
    broken: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    broken.slack.click("bo", broken.roots()[-1], EDIT)

    assert mark(broken.told("bo", "The bot failed").plain, caplog.text)
