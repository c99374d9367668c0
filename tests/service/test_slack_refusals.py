"""What Slack may have against a request: who asked reads why, and the log says it under the same mark.

The table of it is in deploy/WHAT-IF.md, which names these tests.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.arrivals import Call
from bot.marks import mark
from bot.render import CANCEL, EDIT, EXECUTE
from bot.scopes import NEXT_STEP, SCOPES
from bot.slack.answers import ACCESS_SECONDS, LIMITED_SECONDS
from bot.slack.payloads import call_of
from tests.service.bot_stage import (
    Clock,
    HandDriven,
    Stage,
    answered,
    bot_process,
    bot_stage,
    terminated,
    wait_until,
)
from tests.stage.redis import free_port
from tests.unit.bot_values import started
from tests.workspace import Message
from workers.contract import Plan

MARK = re.compile(r"In the bot's log: `?(\w{6})`?")
Log = pytest.LogCaptureFixture


@pytest.fixture
def stage(tmp_path: Path, caplog: Log) -> Iterator[Stage]:
    caplog.set_level(logging.INFO)
    with bot_stage(tmp_path, "web-1") as made:
        yield made


@pytest.fixture
def running(stage: Stage) -> Iterator[None]:
    with stage.bot():
        yield


def typed(bot: HandDriven, text: str, *, user: str = "ana") -> Call:
    """A command as Slack brings it, with an address for answers."""
    payload = bot.stage.slack.command(user, "ops", f"/prune {text}").payload
    call = call_of(payload)
    bot.parts.reception.command(call)
    bot.parts.doorkeeper.step()
    return call


def told(stage: Stage, words: str, *, user: str = "ana") -> Message:
    return stage.told(user, words)


def lines(caplog: Log, sign: str) -> list[str]:
    return [line for line in caplog.messages if line.startswith(f"[{sign}] ")]


def mark_of(message: Message) -> str:
    """The mark that the person reads."""
    found = MARK.search(message.plain)
    assert found, message.plain
    return found[1]


def logged_as_told(caplog: Log, message: Message) -> str:
    """The first line of the log that bears it."""
    return lines(caplog, mark_of(message))[0]


def asked(stage: Stage, method: str) -> int:
    return len(stage.slack.calls(method))


def ready(stage: Stage, bot: HandDriven) -> tuple[Message, Plan]:
    """A plan in the channel that can be confirmed."""
    typed(bot, "preview web-1")
    bot.carry_on()
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(6)
    return stage.ready_root(), made


def executed(stage: Stage, bot: HandDriven, made: Plan) -> None:
    """The host tells of the whole run."""
    stage.host().execute(made)
    bot.hear()


def request_of(bot: HandDriven, root: Message) -> str:
    found = bot.posts.request_at(root.channel, root.ts)
    assert found
    return found


# Missing scope


def test_missing_scope_chat_write(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    stage.slack.revoke_scope("chat:write")
    typed(bot, "preview web-1")
    bot.carry_on(5)
    calls = asked(stage, "chat.postMessage")

    said = told(stage, "the app lacks the scope chat:write")
    assert f"({SCOPES['chat:write']})" in said.first_line
    assert NEXT_STEP in said.plain
    assert f"chat.postMessage: missing_scope: chat:write ({SCOPES['chat:write']}); {NEXT_STEP}" in (
        logged_as_told(caplog, said)
    )
    assert calls == 1

    stage.slack.grant_scope("chat:write")
    bot.wait(ACCESS_SECONDS)
    bot.carry_on(3)
    assert "web-1" in stage.roots()[-1].plain


def test_missing_scope_files_write(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    stage.slack.revoke_scope("files:write")
    root, _ = ready(stage, bot)
    bot.carry_on(4)

    (said,) = [m for m in stage.slack.thread("ops", root.ts) if "Slack did not take the file" in m.plain]
    assert f"the app lacks the scope files:write ({SCOPES['files:write']})" in said.plain
    assert f"Whoever runs the bot has to mend that: {NEXT_STEP}." in said.plain
    assert "files.upload: missing_scope: files:write" in logged_as_told(caplog, said)
    assert stage.slack.files("ops") == ()


@pytest.mark.parametrize(
    ("scope", "method"), [("users:read", "users.info"), ("channels:read", "conversations.info")]
)
def test_missing_scope_look_ups(stage: Stage, bot: HandDriven, caplog: Log, scope: str, method: str) -> None:
    stage.slack.revoke_scope(scope)
    typed(bot, "preview web-1")
    bot.carry_on()

    said = told(stage, "Slack did not say whether you may")
    assert f"{method}: missing_scope: {scope} ({SCOPES[scope]}); {NEXT_STEP}" in said.plain
    assert f"{method}: missing_scope: {scope}" in logged_as_told(caplog, said)
    assert (stage.roots(), stage.host().queued) == ((), 0)


def test_missing_scope_history(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    stage.slack.fail_next("chat.postMessage", 500, after_effect=True)
    stage.slack.revoke_scope("channels:history")
    typed(bot, "preview web-1")
    bot.carry_on(4)

    said = told(stage, "the app lacks the scope channels:history")
    assert "conversations.history: missing_scope" in lines(caplog, mark_of(said))[-1]

    stage.slack.grant_scope("channels:history")
    bot.wait(ACCESS_SECONDS)
    bot.carry_on(3)
    assert len(stage.roots()) == 1


# Channels


def test_not_in_channel(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    stage.slack.remove_bot("ops")
    typed(bot, "preview web-1")
    bot.carry_on(20)

    said = told(stage, "Safe Prune is not a member of this channel")
    assert "Invite it with /invite" in said.plain
    assert "chat.postMessage: not_in_channel; invite the bot there with /invite" in (
        logged_as_told(caplog, said)
    )
    assert [m for m in stage.slack.ephemerals("ana") if "not a member" in m.plain] == [said]

    stage.slack.invite_bot("ops")
    bot.wait(60)
    bot.carry_on(3)
    assert "web-1" in stage.roots()[-1].plain


def test_private_channel(tmp_path: Path, caplog: Log) -> None:
    with bot_stage(tmp_path, "web-1", private=("ops",)) as stage:
        stage.slack.remove_bot("ops")
        bot = HandDriven(stage, Clock())
        typed(bot, "preview web-1")
        bot.carry_on()
        bot.close()

        said = told(stage, "Safe Prune is not a member of this channel")
        assert "Invite it with /invite, then ask again." in said.plain
        assert "conversations.info: channel_not_found; invite the bot" in logged_as_told(caplog, said)


def test_archived_channel(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    root, made = ready(stage, bot)
    bot.click(EXECUTE, root=root)
    bot.carry_on()
    stage.slack.archive("ops")
    executed(stage, bot, made)
    bot.carry_on(40)
    sign = mark(request_of(bot, root))

    assert (
        "chat.update: is_inactive; unarchive the channel, or use another one; tried again"
        in (lines(caplog, sign)[0])
    )
    # Nobody can be told there; in two minutes Slack was asked a few times, and the log says it once.
    assert asked(stage, "chat.update") < 15
    assert len([line for line in lines(caplog, sign) if ", root: " in line]) == 1

    stage.slack.archive("ops", is_archived=False)
    bot.wait(60)
    bot.carry_on(8)
    assert stage.slack.message("ops", root.ts).first_line.startswith("Pruned 200 MB on web-1.")
    assert lines(caplog, sign)[-1].endswith("shown")


def test_archived_channel_before_the_first_message(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    call = typed(bot, "preview web-1")
    stage.slack.archive("ops")
    bot.carry_on(4)

    (request,) = bot.store.open_requests()
    line = lines(caplog, mark(request.asked.id))[0]
    assert "chat.postMessage: is_archived; unarchive the channel, or use another one" in line
    assert call.response_url
    assert any("response_url: channel_is_archived" in message for message in caplog.messages)


# Messages


def test_deleted_message(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    root, _ = ready(stage, bot)
    request = request_of(bot, root)
    stage.slack.remove(root)
    bot.click(CANCEL, user="ana", root=root)
    bot.carry_on(12)

    (again,) = stage.roots()
    first = stage.slack.thread("ops", again.ts)[1]
    assert "The message before this one was removed" in first.plain
    assert "chat.update: message_not_found; tried again" in logged_as_told(caplog, first)
    assert mark_of(first) == mark(request)
    assert request_of(bot, again) == request
    assert again.ts != root.ts


def test_deleted_message_keeps_its_decision_and_its_thread(stage: Stage, bot: HandDriven) -> None:
    root, made = ready(stage, bot)
    bot.click(EXECUTE, root=root)
    stage.slack.remove(root)
    bot.carry_on(4)
    executed(stage, bot, made)
    bot.carry_on(20)

    (again,) = stage.roots()
    thread = [m.plain for m in stage.slack.thread("ops", again.ts)]
    assert again.first_line.startswith("Pruned 200 MB on web-1.")
    assert any("Plan of web-1" in plain for plain in thread)
    assert any("Run on web-1" in plain for plain in thread)
    assert again.controls == ()


def test_expired_trigger(stage: Stage, running: None, caplog: Log) -> None:
    stage.slack.refuse_next("views.open", "expired_trigger_id")
    stage.slack.command("ana", "ops", "/prune")

    said = told(stage, "Slack did not open the form")
    assert "Press or type it again" in said.plain
    assert "a form is not opened: views.open: expired_trigger_id" in logged_as_told(caplog, said)
    assert stage.slack.view("ana") is None


def test_expired_trigger_of_a_press(stage: Stage, running: None, caplog: Log) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    stage.slack.refuse_next("views.open", "expired_trigger_id")
    stage.slack.click("bo", stage.ready_root(), EDIT)

    said = told(stage, "Slack did not open the form", user="bo")
    assert "a form is not opened: views.open: expired_trigger_id" in logged_as_told(caplog, said)
    stage.slack.click("bo", stage.ready_root(), EDIT)
    stage.slack.wait_for(lambda: stage.slack.view("bo"), 10, what="the form at the second press")


@pytest.mark.parametrize("error", ["msg_too_long", "invalid_blocks"])
def test_too_long_or_invalid(stage: Stage, bot: HandDriven, caplog: Log, error: str) -> None:
    root, _ = ready(stage, bot)
    stage.slack.refuse_next("chat.update", error)
    bot.click(CANCEL, user="ana", root=root)
    bot.carry_on(3)

    said = stage.slack.message("ops", root.ts)
    assert said.first_line.startswith("Cancelled")
    assert f"Slack did not take the details of this message (chat.update: {error})." in said.plain
    assert f"Slack does not take it (chat.update: {error})" in logged_as_told(caplog, said)


@pytest.mark.parametrize("error", ["msg_too_long", "invalid_blocks"])
def test_too_long_or_invalid_for_one_person(stage: Stage, running: None, caplog: Log, error: str) -> None:
    stage.slack.refuse_next("response_url", error)
    stage.slack.command("bo", "ops", "/prune doctor")

    said = told(stage, "Slack did not take the details", user="bo")
    assert re.match(r"\d+ of \d+ things to mend", said.first_line)
    assert f"Slack does not take it (response_url: {error})" in logged_as_told(caplog, said)


# 429


@pytest.mark.parametrize(("retry_after", "seconds"), [(45, 45), (None, LIMITED_SECONDS)])
def test_limited(stage: Stage, bot: HandDriven, caplog: Log, retry_after: int | None, seconds: float) -> None:
    stage.slack.fail_next("chat.postMessage", 429, retry_after=retry_after)
    typed(bot, "preview web-1")
    bot.carry_on(2)
    said = told(stage, f"Slack asks Safe Prune to wait {seconds:.0f} s")
    bot.wait(seconds - 7)
    bot.carry_on()
    before = asked(stage, "chat.postMessage")
    bot.wait(2)
    bot.carry_on()

    assert "chat.postMessage: ratelimited" in logged_as_told(caplog, said)
    assert before == 1
    assert len(stage.roots()) == 1


def test_limited_tells_everybody_who_waits(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    stage.slack.fail_next("chat.postMessage", 429, retry_after=45)
    for user in ("ana", "bo"):
        typed(bot, "preview web-1", user=user)
    bot.carry_on(2)

    signs = {mark_of(told(stage, "Slack asks Safe Prune to wait", user=user)) for user in ("ana", "bo")}
    assert [len(lines(caplog, sign)) for sign in signs] == [1, 1]
    assert asked(stage, "chat.postMessage") == 1


@pytest.mark.parametrize("retry_after", [45, None])
@pytest.mark.parametrize("method", ["chat.update", "files.completeUploadExternal", "response_url"])
def test_limited_loses_nothing(stage: Stage, bot: HandDriven, method: str, retry_after: int | None) -> None:
    """What is limited is asked for once, is left alone for as long as Slack says, and comes then."""
    seconds = retry_after or LIMITED_SECONDS
    if method != "chat.update":
        stage.slack.fail_next(method, 429, retry_after=retry_after)
    root, _ = ready(stage, bot)
    if method == "chat.update":
        stage.slack.fail_next(method, 429, retry_after=retry_after)
    bot.click(CANCEL, user="ana", root=root)
    bot.carry_on(2)
    bot.wait(seconds)
    bot.carry_on(8)

    (limited,) = [call for call in stage.slack.calls(method) if call.status == 429]
    after = [call.at for call in stage.slack.calls(method) if call.at > limited.at]
    assert min(after) - limited.at >= seconds
    assert stage.slack.message("ops", root.ts).first_line.startswith("Cancelled")
    assert len(stage.slack.files("ops")) == 1
    assert bot.posts.owed() == ()


# The token


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive", "invalid_auth"])
def test_token_revoked_at_the_start(stage: Stage, error: str) -> None:
    stage.slack.revoke_token(error)
    process = bot_process(stage)
    _, said = process.communicate(timeout=20)

    assert process.returncode == 2
    assert f"SLACK_BOT_TOKEN is not taken by Slack (auth.test: {error}); set SLACK_BOT_TOKEN to what" in said


def test_token_revoked_while_it_runs(stage: Stage, bot: HandDriven, caplog: Log) -> None:
    root, made = ready(stage, bot)
    bot.click(EXECUTE, root=root)
    bot.carry_on()
    bot.carry_on()
    stage.slack.revoke_token()
    typed(bot, "preview web-1", user="bo")
    stage.host().tell(started("o1", made, at=bot.clock()))
    bot.hear()
    bot.carry_on(19)
    calls = [c for c in stage.slack.calls() if c.answer.get("error") == "token_revoked"]

    for user in ("ana", "bo"):
        said = told(stage, "it does not take the bot's token any more (token_revoked)", user=user)
        assert "set SLACK_BOT_TOKEN to what the app has now" in said.plain
        assert "token_revoked; set SLACK_BOT_TOKEN to what the app has now" in logged_as_told(caplog, said)
    (summary,) = [m for m in caplog.messages if m.startswith("Slack does not take the bot's token")]
    assert "runs go on, and what hosts tell is kept" in summary
    assert f"[{mark(request_of(bot, root))}] request {request_of(bot, root)} executing (web-1 " in summary
    assert "planning (web-1 asked)" in summary
    # In a minute Slack was asked once.
    assert len(calls) == 1
    assert bot.parts.desk.lost.endswith("token_revoked")

    executed(stage, bot, made)
    stage.slack.restore_token()
    bot.wait(ACCESS_SECONDS)
    bot.carry_on(10)
    assert stage.slack.message("ops", root.ts).first_line.startswith("Pruned 200 MB on web-1.")
    assert "Slack takes the bot's token again" in caplog.messages
    assert bot.parts.desk.lost == ""


def test_token_revoked_is_no_good_health(stage: Stage) -> None:
    port = free_port()
    process = bot_process(stage, PORT=str(port))
    stage.slack.wait_for_connection(20)
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.root("web-1")
    stage.slack.revoke_token()
    stage.host().answer_with_plan()

    wait_until(
        lambda: "Slack does not take the bot's token" in answered(f"http://127.0.0.1:{port}/healthz")[1],
        what="bad health",
    )
    code, _, log = terminated(process)
    assert code == 0
    assert log.count("set SLACK_BOT_TOKEN to what the app has now") == 2


def test_token_revoked_of_the_app(stage: Stage) -> None:
    """The connection is another token's: without it nothing arrives, and everything is still shown."""
    log = stage.folder / "bot.log"
    process = bot_process(stage, log=log)
    stage.slack.wait_for_connection(20)
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.slack.refuse_next("apps.connections.open", "invalid_auth", times=1000)
    stage.slack.refresh_connections()
    stage.host().answer_with_plan()
    stage.ready_root()

    said = "no connection to Slack (apps.connections.open: invalid_auth): set SLACK_APP_TOKEN to what"
    wait_until(lambda: said in log.read_text(), what="what is to be done")
    terminated(process)
    assert log.read_text().count(said) == 1
