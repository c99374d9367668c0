"""The scopes that the bot asks for are those that what it does takes: none is missing, none is too much."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot import slack
from bot.errors import AccessLost
from bot.scopes import FOR_USER_GROUPS, SCOPES, lacking, missing, refused
from bot.slack.answers import of_answer
from tests.workspace import workspace
from tests.workspace.web_api import METHODS

FOLDER = Path(slack.__file__).parent
# How the SDK spells methods, and those that one call of it makes.
SPELLED = {name.replace(".", "_"): {name} for name in METHODS} | {
    "files_upload_v2": {"files.getUploadURLExternal", "files.completeUploadExternal"},
    # Bolt asks where to connect.
    "SocketModeHandler": {"apps.connections.open"},
}
# What a channel that the rules name can be.
KINDS = ("channels", "groups")
# What is no method: a slash command is Slack's own call.
OTHERWISE = {"commands"}


def spoken(tree: ast.AST) -> Iterator[str]:
    """Every word in code that could be a call of Slack."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (hasattr(WebClient, node.attr)):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.replace(".", "_")


def in_use() -> set[str]:
    """The methods of the Web API that the bot calls."""
    words = {word for path in FOLDER.glob("*.py") for word in spoken(ast.parse(path.read_text()))}
    return set().union(*(SPELLED[word] for word in words if word in SPELLED))


def test_the_workspace_grants_no_scope_that_the_bot_does_not_ask_for() -> None:
    assert set(workspace.SCOPES) == set(SCOPES)


def test_every_call_of_the_sdk_is_of_a_method_whose_scopes_are_known() -> None:
    called = {
        node.func.attr
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and hasattr(WebClient, node.func.attr)
        and "_" in node.func.attr
    }

    assert called - set(SPELLED) == set()
    assert {"views_open", "files_upload_v2", "users_info"} <= called


def test_the_scopes_are_those_that_the_methods_in_use_take() -> None:
    taken = set().union(*(METHODS[name].needed(*KINDS) for name in in_use()))

    assert {"chat.update", "conversations.replies", "usergroups.users.list"} <= in_use()
    assert taken | OTHERWISE == set(SCOPES)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_that_is_not_granted_is_missing(scope: str) -> None:
    granted = set(SCOPES) - {scope}

    assert missing(granted, user_groups=True) == (scope,)
    assert missing(granted, user_groups=False) == (() if scope == FOR_USER_GROUPS else (scope,))


@pytest.mark.parametrize(
    ("needed", "provided", "found"),
    [
        ("chat:write", "commands", ("chat:write",)),
        ("channels:read,groups:read,mpim:read,im:read", "channels:read,users:read", ("groups:read",)),
        ("im:read, mpim:read", "", ("im:read", "mpim:read")),
        ("", "", ()),
    ],
)
def test_of_what_slack_names_our_own_is_told(needed: str, provided: str, found: tuple[str, ...]) -> None:
    assert refused(needed, provided) == found


def test_a_refusal_for_a_scope_says_what_it_is_for_and_what_to_do() -> None:
    error = of_answer("files.upload", status=200, code="missing_scope", needed="files:write")

    assert isinstance(error, AccessLost)
    assert (error.scopes, error.certain) == (("files:write",), True)
    assert error.told == (
        "files.upload: missing_scope: files:write (to attach complete lists and pictures);"
        " add it to the Slack app, as deploy/slack-manifest.yaml has it, and install the app again"
    )


def test_a_scope_of_another_version_is_told_by_its_name() -> None:
    assert lacking("im:write") == "im:write"
