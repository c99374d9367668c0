"""Messages against a strict Slack that limits, breaks, forgets to answer, or is not there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ChannelClosed, MessageGone, MessageRefused, SlackAway
from bot.memory.database import Database
from bot.memory.posts import Note, Posts
from bot.render.blocks import Message, section
from bot.slack.threads import Attachment, Place, Threads, web_client
from tests.service.bot_stage import Clock
from tests.workspace import Workspace
from tests.workspace.tickets import ResponseUrl

HELLO = Message("Hello", (section("Hello, all"),))
BYE = Message("Bye", (section("Bye, all"),))
LIST = Attachment("list.txt", "The list", "one\ntwo\n")


class Desk:
    """Threads with a clock that a test moves; another one on the same folder is a restart."""

    def __init__(self, slack: Workspace, folder: Path) -> None:
        self.slack, self.clock = slack, Clock()
        self.posts = Posts(Database(folder / "bot.sqlite3"))
        client = web_client(slack.bot_token, slack.api_url)
        self.threads = Threads(client, self.posts, bot_user=slack.bot_user_id, clock=self.clock)

    def place(self, part: str = "root", *, thread_ts: str | None = None, channel: str = "ops") -> Place:
        return Place("r1", part, self.slack.channel_id(channel), thread_ts)

    def show(self, message: Message, part: str = "root") -> str:
        self.wait(3)
        return self.threads.show(self.place(part), message)

    def wait(self, seconds: float) -> None:
        self.clock.time = self.clock.time.fromtimestamp(
            self.clock.time.timestamp() + seconds, self.clock.time.tzinfo
        )
        self.slack.advance(seconds)


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace.start(channels=("ops", "dev"), private=("dev",)) as workspace:
        yield workspace


@pytest.fixture
def desk(slack: Workspace, tmp_path: Path) -> Desk:
    return Desk(slack, tmp_path)


def lines(slack: Workspace) -> list[str]:
    return [message.plain for message in slack.messages("ops")]


def test_a_message_is_posted_once_and_edited_in_place(slack: Workspace, desk: Desk) -> None:
    first = desk.show(HELLO)
    unchanged = desk.show(HELLO)
    changed = desk.show(BYE)

    assert first == unchanged == changed
    assert lines(slack) == ["Bye, all"]
    assert len(slack.calls("chat.update")) == 1


@pytest.mark.parametrize("status", [500, 503, "timeout"])
def test_a_message_whose_posting_was_in_doubt_is_found_again(
    slack: Workspace, desk: Desk, tmp_path: Path, status: int
) -> None:
    slack.fail_next("chat.postMessage", status=status, after_effect=True)
    with pytest.raises(SlackAway):
        desk.show(HELLO)

    restarted = Desk(slack, tmp_path)
    restarted.show(BYE)
    restarted.show(BYE)

    assert lines(slack) == ["Bye, all"]


def test_a_message_that_never_arrived_is_posted(slack: Workspace, desk: Desk) -> None:
    slack.fail_next("chat.postMessage", status=500)
    with pytest.raises(SlackAway):
        desk.show(HELLO)

    desk.show(HELLO)

    assert lines(slack) == ["Hello, all"]


def test_a_reply_whose_posting_was_in_doubt_is_found_in_its_thread(slack: Workspace, desk: Desk) -> None:
    root = desk.show(HELLO)
    reply = desk.place("reply", thread_ts=root)
    slack.fail_next("chat.postMessage", status=500, after_effect=True)
    desk.wait(3)
    with pytest.raises(SlackAway):
        desk.threads.show(reply, BYE)

    desk.wait(3)
    desk.threads.show(reply, BYE)

    assert len(slack.thread("ops", root)) == 2


def test_a_reply_for_the_channel_is_not_posted_again_though_nothing_is_remembered_of_it(
    slack: Workspace, desk: Desk
) -> None:
    root = desk.show(HELLO)
    place = replace(desk.place("call", thread_ts=root), in_channel=True)
    desk.wait(3)
    first = desk.threads.show(place, BYE)
    desk.posts.forget("r1", "call")
    desk.wait(3)

    assert desk.threads.show(place, BYE) == first
    assert lines(slack) == ["Hello, all", "Bye, all"]
    assert len(slack.thread("ops", root)) == 2


def test_a_reply_for_the_channel_that_is_refused_is_in_its_thread_in_words(
    slack: Workspace, desk: Desk
) -> None:
    root = desk.show(HELLO)
    place = replace(desk.place("call", thread_ts=root), in_channel=True)
    desk.wait(3)
    desk.threads.show(place, Message("Look at web-1", (section("x" * 3001),)))

    assert lines(slack) == ["Hello, all"]
    assert slack.thread("ops", root)[1].first_line == "Look at web-1"


def test_a_file_whose_upload_was_in_doubt_is_attached_once(slack: Workspace, desk: Desk) -> None:
    root = desk.show(HELLO)
    place = desk.place("file", thread_ts=root)
    slack.fail_next("files.completeUploadExternal", status=500, after_effect=True)
    desk.wait(3)
    with pytest.raises(SlackAway):
        desk.threads.attach(place, LIST)

    for _ in range(2):
        desk.wait(3)
        desk.threads.attach(place, LIST)

    assert [file.text for file in slack.files("ops")] == ["one\ntwo\n"]


def test_a_limit_is_obeyed_without_asking_again(slack: Workspace, desk: Desk) -> None:
    desk.show(HELLO)
    slack.fail_next("chat.update", status=429, retry_after=30)
    with pytest.raises(SlackAway) as limited:
        desk.show(BYE)
    with pytest.raises(SlackAway):
        desk.show(BYE)
    asked = len(slack.calls("chat.update"))
    desk.wait(30)

    desk.show(BYE)

    assert limited.value.seconds == 30
    assert asked == 1
    assert lines(slack) == ["Bye, all"]


def test_messages_of_a_channel_are_a_second_apart(slack: Workspace, desk: Desk) -> None:
    desk.show(HELLO)
    takes = [desk.threads.takes(slack.channel_id(name)) for name in ("ops", "dev")]
    with pytest.raises(SlackAway):
        desk.threads.show(desk.place("next"), BYE)

    desk.show(BYE, "next")

    assert takes == [False, True]
    assert len(slack.messages("ops")) == 2


def test_a_message_that_slack_refuses_is_shown_in_words(slack: Workspace, desk: Desk) -> None:
    too_long = Message("Prune 2 GB?", (section("x" * 3001),))

    desk.show(too_long)
    desk.show(BYE)
    desk.show(too_long)

    assert [line.splitlines()[0] for line in lines(slack)] == ["Prune 2 GB?"]


def test_a_message_that_somebody_removed_is_posted_anew(slack: Workspace, desk: Desk) -> None:
    ts = desk.show(HELLO)
    web_client(slack.bot_token, slack.api_url).chat_delete(channel=slack.channel_id("ops"), ts=ts)
    with pytest.raises(MessageGone):
        desk.show(BYE)

    desk.show(BYE)

    assert lines(slack) == ["Bye, all"]


def test_a_channel_without_the_bot_is_said_to_be_closed(slack: Workspace, desk: Desk) -> None:
    slack.remove_bot("dev")
    with pytest.raises(ChannelClosed):
        desk.threads.show(desk.place(channel="dev"), HELLO)

    slack.invite_bot("dev")
    desk.wait(3)
    desk.threads.show(desk.place(channel="dev"), HELLO)

    assert [m.plain for m in slack.messages("dev")] == ["Hello, all"]


def test_a_slack_that_is_away_is_waited_for(slack: Workspace, desk: Desk) -> None:
    slack.go_away()
    with pytest.raises(SlackAway):
        desk.show(HELLO)
    slack.come_back()

    desk.show(HELLO)

    assert lines(slack) == ["Hello, all"]


def test_an_answer_without_an_address_is_refused_and_not_tried_for_ever(desk: Desk) -> None:
    with pytest.raises(MessageRefused):
        desk.threads.answer(Note("n1", desk.clock(), "C1", "", HELLO))


def address(slack: Workspace) -> str:
    url = ResponseUrl(slack.user_id("ana"), slack.channel_id("ops"), slack.state.clock.now())
    return f"{slack.server.url}/hooks/{slack.server.tickets.new_response(url)}"


def test_s14_an_answer_that_slack_does_not_take_is_given_in_words(slack: Workspace, desk: Desk) -> None:
    too_long = Message("4 runs, 17.1 GB freed", (section("x" * 3001),))
    desk.threads.answer(Note("n1", desk.clock(), "C1", address(slack), too_long))
    assert slack.ephemerals("ana")[-1].plain.startswith(
        "4 runs, 17.1 GB freed\nSlack did not take the details"
    )

    with pytest.raises(MessageGone):
        desk.threads.answer(Note("n2", desk.clock(), "C1", f"{slack.url}/hooks/none", HELLO))
