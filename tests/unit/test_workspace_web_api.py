"""The workspace's Web API, called with Slack's own client."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from tests.workspace import Workspace, WorkspaceError

Json = dict[str, Any]
NO_TEXT_WARNING = pytest.mark.filterwarnings("ignore:The top-level `text` argument")


@pytest.fixture
def slack() -> Iterator[Workspace]:
    options: Json = {"channels": ("ops", "dev", "secret"), "private": ("secret",), "bot_in": ("ops",)}
    with Workspace.start(**options) as slack:
        yield slack


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def error(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**arguments)
    return str(refused.value.response["error"])


def section(text: str = "x") -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def rules(slack: Workspace) -> list[str]:
    return [one.rule for one in slack.violations]


def test_auth_test_tells_who_and_with_which_scopes(slack: Workspace, client: WebClient) -> None:
    answer = client.auth_test()
    assert answer["user_id"] == slack.bot_user_id
    assert "chat:write" in str(answer.headers["x-oauth-scopes"]).split(",")


def test_a_wrong_token_is_refused(slack: Workspace) -> None:
    stranger = WebClient(token="xoxb-wrong", base_url=slack.api_url)
    assert error(stranger.auth_test) == "invalid_auth"


def test_an_app_token_does_not_post(slack: Workspace) -> None:
    wrong = WebClient(token=slack.app_token, base_url=slack.api_url)
    refusal = error(wrong.chat_postMessage, channel=slack.channel_id("ops"), text="x")
    assert refusal == "not_allowed_token_type"


def test_an_unknown_method_is_refused_and_a_violation(slack: Workspace, client: WebClient) -> None:
    assert error(client.api_call, api_method="chat.explode") == "unknown_method"
    assert rules(slack) == ["unknown_method"]


def test_a_missing_scope_is_named(slack: Workspace, client: WebClient) -> None:
    slack.revoke_scope("chat:write")
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=slack.channel_id("ops"), text="x")
    assert (refused.value.response["error"], refused.value.response["needed"]) == (
        "missing_scope",
        "chat:write",
    )


def test_posting_needs_membership(slack: Workspace, client: WebClient) -> None:
    assert error(client.chat_postMessage, channel=slack.channel_id("dev"), text="x") == "not_in_channel"
    assert error(client.chat_postMessage, channel=slack.channel_id("secret"), text="x") == "channel_not_found"


def test_an_overlong_section_is_refused_with_a_pointer(slack: Workspace, client: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=slack.channel_id("ops"), text="x", blocks=[section("x" * 3001)])
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == ["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]


@NO_TEXT_WARNING
def test_blocks_without_fallback_text_are_a_violation(slack: Workspace, client: WebClient) -> None:
    client.chat_postMessage(channel=slack.channel_id("ops"), text="", blocks=[section()])
    assert rules(slack) == ["fallback"]


@NO_TEXT_WARNING
def test_no_text_and_no_blocks_is_refused(slack: Workspace, client: WebClient) -> None:
    assert error(client.chat_postMessage, channel=slack.channel_id("ops"), text="") == "no_text"


def test_overlong_text_is_truncated_when_posted(slack: Workspace, client: WebClient) -> None:
    client.chat_postMessage(channel=slack.channel_id("ops"), text="x" * 40_001)
    assert len(slack.messages("ops")[0].text) == 40_000


def test_overlong_text_is_refused_when_updated(slack: Workspace, client: WebClient) -> None:
    posted = client.chat_postMessage(channel=slack.channel_id("ops"), text="x")
    arguments = {"channel": slack.channel_id("ops"), "ts": posted["ts"]}
    client.chat_update(**arguments, text="x" * 4_000)
    assert error(client.chat_update, **arguments, text="x" * 4_001) == "msg_too_long"


def test_a_reply_may_be_shown_in_the_channel_as_well(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    root = client.chat_postMessage(channel=ops, text="root")["ts"]
    client.chat_postMessage(channel=ops, text="in the thread", thread_ts=root)
    client.chat_postMessage(channel=ops, text="in both", thread_ts=root, reply_broadcast=True)

    assert [one.text for one in slack.messages("ops")] == ["root", "in both"]
    assert [one.text for one in slack.thread("ops", root)] == ["root", "in the thread", "in both"]
    shown = client.conversations_replies(channel=ops, ts=root)["messages"]
    assert [one.get("subtype") for one in shown] == [None, None, "thread_broadcast"]
    assert slack.transcript("ops").count("(also shown in the channel)") == 1


def test_an_update_changes_what_people_read(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    posted = client.chat_postMessage(channel=ops, text="before", blocks=[section("before")])
    client.chat_update(channel=ops, ts=posted["ts"], text="after", blocks=[section("after")])
    assert [one.plain for one in slack.messages("ops")] == ["after"]


def test_an_update_without_blocks_keeps_them(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    posted = client.chat_postMessage(channel=ops, text="a", blocks=[section("shown")])
    client.chat_update(channel=ops, ts=posted["ts"], text="b")
    assert slack.messages("ops")[0].plain == "shown"


def test_messages_of_others_are_not_updated(slack: Workspace, client: WebClient) -> None:
    said = slack.say("ana", "ops", "hello")
    refusal = error(client.chat_update, channel=said.channel, ts=said.ts, text="x")
    assert refusal == "cant_update_message"


def test_ephemerals_do_not_exist_for_update(slack: Workspace, client: WebClient) -> None:
    ops, ana = slack.channel_id("ops"), slack.user_id("ana")
    posted = client.chat_postEphemeral(channel=ops, user=ana, text="psst")
    assert [one.text for one in slack.ephemerals("ana")] == ["psst"]
    assert error(client.chat_update, channel=ops, ts=posted["message_ts"], text="x") == "message_not_found"


def test_a_thread_on_a_reply_is_a_violation(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    root = client.chat_postMessage(channel=ops, text="root")["ts"]
    reply = client.chat_postMessage(channel=ops, text="reply", thread_ts=root)["ts"]
    client.chat_postMessage(channel=ops, text="late", thread_ts=reply)
    assert [one.text for one in slack.thread("ops", root)] == ["root", "reply", "late"]
    assert rules(slack) == ["thread"]


def test_metadata_is_kept_and_found_again(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    metadata = {"event_type": "prune_plan", "event_payload": {"plan": "7f3a"}}
    client.chat_postMessage(channel=ops, text="x", metadata=metadata)
    found = client.conversations_history(channel=ops, include_all_metadata=True)
    assert found["messages"][0]["metadata"] == metadata


def test_channels_members_and_groups_are_told(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    assert client.conversations_info(channel=ops)["channel"]["is_member"] is True
    assert slack.user_id("cy") in client.conversations_members(channel=ops)["members"]
    group = client.usergroups_list()["usergroups"][0]
    assert client.usergroups_users_list(usergroup=group["id"])["users"] == [
        slack.user_id("ana"),
        slack.user_id("bo"),
    ]
    assert client.users_info(user=slack.user_id("cy"))["user"]["is_restricted"] is True


def test_user_groups_may_need_a_plan(slack: Workspace, client: WebClient) -> None:
    slack.user_groups_need_plan()
    assert error(client.usergroups_list) == "plan_upgrade_required"


def test_a_file_arrives_in_the_thread(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    root = client.chat_postMessage(channel=ops, text="root")["ts"]
    client.files_upload_v2(
        channel=ops, thread_ts=root, content="all of it", filename="plan.txt", title="Plan"
    )
    assert [(one.name, one.text) for one in slack.files("ops")] == [("plan.txt", "all of it")]
    assert slack.thread("ops", root)[1].plain == "[file] Plan (plan.txt)"


PNG = b"\x89PNG\r\n\x1a\n and so on"


def test_a_picture_arrives_with_what_is_said_in_its_place(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    client.files_upload_v2(channel=ops, content=PNG, filename="disk.png", title="Disk", alt_txt="It is full.")
    (file,) = slack.files("ops")
    assert (file.content, file.mimetype, file.alt) == (PNG, "image/png", "It is full.")
    assert slack.messages("ops")[-1].plain == "[picture] Disk (disk.png)\n  It is full."


def test_what_is_said_in_place_of_a_picture_has_its_limit(slack: Workspace, client: WebClient) -> None:
    def upload(letters: int) -> None:
        client.files_upload_v2(
            channel=slack.channel_id("ops"), content=PNG, filename="disk.png", alt_txt="x" * letters
        )

    upload(1000)
    with pytest.raises(SlackApiError, match="alt_txt_too_large"):
        upload(1001)


def test_what_is_no_picture_and_has_such_words_is_shared_nowhere(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    client.files_upload_v2(channel=ops, content="all of it", filename="plan.txt", alt_txt="A plan.")
    assert slack.files("ops") == ()
    assert [violation.rule for violation in slack.violations] == ["upload"]


def test_a_sixth_post_in_a_row_is_told_when_to_come_back(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    for number in range(5):
        client.chat_postMessage(channel=ops, text=str(number))
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=ops, text="6")
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "1")
    slack.advance(1)
    assert client.chat_postMessage(channel=ops, text="6")["ok"]


def test_a_failure_on_order_happens_once(slack: Workspace, client: WebClient) -> None:
    slack.fail_next("chat.postMessage", status=429, retry_after=0)
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    client.chat_postMessage(channel=slack.channel_id("ops"), text="x")
    assert [one.status for one in slack.calls("chat.postMessage")] == [429, 200]


def test_an_answer_can_be_lost_after_its_effect(slack: Workspace) -> None:
    impatient = WebClient(token=slack.bot_token, base_url=slack.api_url, timeout=1, retry_handlers=[])
    slack.fail_next("chat.postMessage", status="timeout", after_effect=True)
    with pytest.raises((TimeoutError, SlackRequestError)):
        impatient.chat_postMessage(channel=slack.channel_id("ops"), text="there all the same")
    assert [one.text for one in slack.messages("ops")] == ["there all the same"]


def test_it_goes_away_and_comes_back_with_its_state(slack: Workspace, client: WebClient) -> None:
    client.chat_postMessage(channel=slack.channel_id("ops"), text="kept")
    slack.go_away()
    with pytest.raises(OSError):  # noqa: PT011 - any refusal of the connection
        client.auth_test()
    with pytest.raises(WorkspaceError):
        slack.command("ana", "ops", "/prune help")
    slack.come_back()
    assert client.auth_test()["ok"]
    assert [one.text for one in slack.messages("ops")] == ["kept"]


def test_a_commands_response_url_posts_but_never_replaces(slack: Workspace) -> None:
    delivery = slack.command("ana", "ops", "/prune x")
    hook = WebhookClient(delivery.payload["response_url"])
    assert hook.send(text="first").status_code == 200
    hook.send(text="second", replace_original=True)
    assert [one.text for one in slack.ephemerals("ana")][-2:] == ["first", "second"]
    assert "response_url" in rules(slack)


def test_a_sixth_use_of_a_response_url_is_refused(slack: Workspace) -> None:
    hook = WebhookClient(slack.command("ana", "ops", "/prune x").payload["response_url"])
    assert [hook.send(text=str(number)).status_code for number in range(6)] == [200] * 5 + [404]


def test_nobody_connected_is_said_to_the_person(slack: Workspace) -> None:
    assert slack.command("ana", "ops", "/prune x").outcome == "failed"
    assert slack.ephemerals("ana")[0].text == (
        "/prune failed because the app could not be reached (dispatch_failed)."
    )


def test_waiting_in_vain_shows_the_state(slack: Workspace) -> None:
    slack.say("ana", "ops", "hello there")
    with pytest.raises(WorkspaceError, match=r"(?s)waited 0 s for a miracle.*hello there"):
        slack.wait_for(lambda: False, timeout=0, what="a miracle")


def test_a_transcript_leaves_out_what_stands_as_it_was_read(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    root = client.chat_postMessage(channel=ops, text="question")["ts"]
    client.chat_postMessage(channel=ops, text="details", thread_ts=root)
    read = slack.everything("ops")
    client.chat_postMessage(channel=ops, text="report", thread_ts=root)
    told = slack.transcript("ops", read=read)
    client.chat_update(channel=ops, ts=root, text="answer")

    assert told.count("\n") == 2
    assert "report" in told
    assert "answer" in slack.transcript("ops", read=read)
    assert "details" not in slack.transcript("ops", read=read)


def test_a_transcript_keeps_ephemerals_to_their_reader(slack: Workspace, client: WebClient) -> None:
    client.chat_postEphemeral(channel=slack.channel_id("ops"), user=slack.user_id("ana"), text="psst")
    assert "psst" not in slack.transcript("ops")
    assert "psst" not in slack.transcript("ops", viewer="bo")
    assert "(only visible to ana)\n  psst" in slack.transcript("ops", viewer="ana")
