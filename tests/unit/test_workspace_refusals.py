"""What Slack refuses by where and by whom: archived channels, a dead token, and what a test orders."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from tests.workspace import Workspace, WorkspaceError
from tests.workspace.web_api import METHODS

Json = dict[str, Any]
TEXT = {"type": "plain_text", "text": "Hello"}
SECTION = {"type": "section", "text": TEXT}
WRONG = {"type": "section", "text": {"type": "invalid", "text": "Hello"}}


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace.start(channels=("ops", "secret"), private=("secret",)) as slack:
        yield slack


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def refusal(call: Any, **arguments: Any) -> Json:
    with pytest.raises(SlackApiError) as refused:
        call(**arguments)
    found: Json = refused.value.response.data
    return found


# Archived channels


def test_in_an_archived_channel_there_is_only_to_read(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    ts = str(client.chat_postMessage(channel=ops, text="x")["ts"])
    hook = WebhookClient(slack.command("ana", "ops", "/prune x").payload["response_url"])
    slack.archive("ops")

    assert refusal(client.chat_postMessage, channel=ops, text="y")["error"] == "is_archived"
    assert refusal(client.chat_update, channel=ops, ts=ts, text="y")["error"] == "is_inactive"
    upload: Json = {"channel": ops, "content": "x", "filename": "x.txt"}
    assert refusal(client.files_upload_v2, **upload)["error"] == "posting_to_channel_denied"
    assert hook.send(text="y").status_code == 410
    assert client.conversations_info(channel=ops)["channel"]["is_archived"] is True
    assert client.conversations_history(channel=ops)["messages"][0]["text"] == "x"


def test_nobody_types_in_an_archived_channel_until_it_is_back(slack: Workspace) -> None:
    slack.archive("ops")
    with pytest.raises(WorkspaceError, match="archived"):
        slack.command("ana", "ops", "/prune x")
    slack.archive("ops", is_archived=False)
    assert slack.say("ana", "ops", "hello").text == "hello"


# Tokens and scopes


def test_a_revoked_token_is_taken_nowhere_and_the_app_token_still_is(
    slack: Workspace, client: WebClient
) -> None:
    slack.revoke_token()
    assert refusal(client.auth_test)["error"] == "token_revoked"
    assert client.apps_connections_open(app_token=slack.app_token)["ok"]
    slack.restore_token()
    assert client.auth_test()["ok"]


def test_without_the_scope_for_it_there_is_no_command(slack: Workspace) -> None:
    slack.revoke_scope("commands")
    with pytest.raises(WorkspaceError, match="not a valid command"):
        slack.command("ana", "ops", "/prune help")


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.within])
@pytest.mark.parametrize(("channel", "kind"), [("ops", "channels"), ("secret", "groups")])
def test_within_a_channel_the_scope_of_its_kind_is_needed(
    slack: Workspace, client: WebClient, name: str, channel: str, kind: str
) -> None:
    scope = f"{kind}:{METHODS[name].within}"
    slack.revoke_scope(scope)
    told = refusal(client.api_call, api_method=name, params={"channel": slack.channel_id(channel)})
    assert (told["error"], told["needed"]) == ("missing_scope", scope)
    assert scope in METHODS[name].needed("channels", "groups")


# What a test orders


def test_a_refusal_on_order_comes_once_and_by_its_name(slack: Workspace, client: WebClient) -> None:
    slack.refuse_next("chat.postMessage", "msg_too_long")
    ops = slack.channel_id("ops")
    assert refusal(client.chat_postMessage, channel=ops, text="x")["error"] == "msg_too_long"
    assert client.chat_postMessage(channel=ops, text="x")["ok"]


@pytest.mark.parametrize(("given", "header"), [(7, "7"), (None, None)])
def test_a_limit_says_how_long_or_does_not(
    slack: Workspace, client: WebClient, given: int | None, header: str | None
) -> None:
    slack.fail_next("auth.test", 429, retry_after=given)
    with pytest.raises(SlackApiError) as limited:
        client.auth_test()
    assert limited.value.response.headers.get("Retry-After") == header


def test_a_message_that_somebody_removes_is_gone(slack: Workspace, client: WebClient) -> None:
    ops = slack.channel_id("ops")
    ts = str(client.chat_postMessage(channel=ops, text="x")["ts"])
    slack.remove(slack.message("ops", ts))
    assert refusal(client.chat_update, channel=ops, ts=ts, text="y")["error"] == "message_not_found"


# blocks.validate


@pytest.mark.parametrize(
    "payload",
    [
        {"blocks": [SECTION]},
        {"message": {"blocks": [SECTION]}},
        {"view": {"type": "modal", "title": TEXT, "blocks": [SECTION]}},
        {"view": {"type": "home", "blocks": [SECTION]}},
    ],
)
def test_what_is_valid_passes_without_a_token(slack: Workspace, payload: Json) -> None:
    assert WebClient(base_url=slack.api_url).blocks_validate(**payload)["ok"]
    assert slack.violations == ()


@pytest.mark.parametrize(
    ("payload", "error", "pointer"),
    [
        ({"blocks": [WRONG]}, "invalid_blocks", "/0/text/type"),
        ({"message": {"blocks": [SECTION, WRONG]}}, "invalid_message", "/blocks/1/text/type"),
        (
            {"view": {"type": "modal", "title": TEXT, "blocks": [WRONG]}},
            "invalid_view",
            "/blocks/0/text/type",
        ),
        ({"view": {"type": "home", "blocks": [{"type": "alert"}]}}, "invalid_view", "/blocks/0/type"),
    ],
)
def test_a_fault_is_told_by_code_words_and_pointer(
    client: WebClient, payload: Json, error: str, pointer: str
) -> None:
    told = refusal(client.blocks_validate, **payload)
    assert (told["error"], told["errors"][0]["pointer"]) == (error, pointer)
    assert told["errors"][0]["code"] == "failed_constraint"
    assert told["errors"][0]["message"].startswith("unsupported type:")


def test_the_text_of_a_message_is_no_part_of_what_is_validated(client: WebClient) -> None:
    told = refusal(client.blocks_validate, message={"text": "Hello", "blocks": [SECTION]})
    assert [one["message"] for one in told["errors"]] == ["invalid additional property: text"]


@pytest.mark.parametrize("payload", [{}, {"blocks": [SECTION], "message": {"blocks": [SECTION]}}])
def test_one_thing_is_validated_at_a_time(client: WebClient, payload: Json) -> None:
    told = refusal(client.blocks_validate, **payload)
    assert told["error"] == "invalid_arguments"
    assert told["response_metadata"]["messages"] == [
        "must provide exactly one of `blocks`, `view`, or `message`"
    ]
