"""Who the bot is in Slack and what it may do there: asked at start, and by the doctor."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

from bot.checks import Finding
from bot.errors import AccessLost, SettingsError, SlackError
from bot.scopes import FOR_USER_GROUPS, NEXT_STEP, SCOPES, lacking, missing
from bot.slack.answers import INVITE, UNARCHIVE, named_errors


@dataclass(frozen=True)
class Identity:
    """Who the bot is in Slack, and what it may do there; `workspace`: the address of that place."""

    team: str
    team_name: str
    user: str
    bot_id: str
    scopes: frozenset[str]
    workspace: str = ""


def identity(client: WebClient) -> Identity:
    """Ask Slack who we are.

    Raises:
        SettingsError: Slack does not know the token.
        SlackError: Slack did not answer.
    """
    try:
        with named_errors("auth.test"):
            answer = client.auth_test()
    except AccessLost as error:
        raise SettingsError(f"SLACK_BOT_TOKEN is not taken by Slack ({error}); {error.remedy}.") from error
    scopes = str(answer.headers.get("x-oauth-scopes", ""))
    return Identity(
        team=str(answer["team_id"]),
        team_name=str(answer.get("team", "")),
        user=str(answer["user_id"]),
        bot_id=str(answer.get("bot_id", "")),
        scopes=frozenset(scope.strip() for scope in scopes.split(",")),
        workspace=str(answer.get("url", "")),
    )


def refuse_missing_scopes(who: Identity) -> None:
    """Name each scope without which the bot cannot work, and what it is for.

    Raises:
        SettingsError: one is missing.
    """
    if lost := missing(who.scopes, user_groups=False):
        named = ", ".join(map(lacking, lost))
        raise SettingsError(f"the Slack app lacks these scopes: {named}; {NEXT_STEP}.")


def scope_findings(scopes: frozenset[str], *, user_groups: Sequence[str]) -> Iterator[Finding]:
    """Each scope, and what it is needed for; the one for user groups where the rules name some."""
    lost = missing(scopes, user_groups=bool(user_groups))
    for scope, why in SCOPES.items():
        if user_groups or scope != FOR_USER_GROUPS:
            says = f"missing, needed {why}; {NEXT_STEP}" if scope in lost else "granted"
            yield Finding(f"scope {scope}", scope not in lost, says)


def slack_findings(
    client: WebClient, channels: Sequence[str], *, user_groups: Sequence[str] = ()
) -> Iterator[Finding]:
    """Token, scopes, the channels the bot is to work in, and the user groups that the rules name."""
    try:
        who = identity(client)
    except (SettingsError, SlackError) as error:
        yield Finding("Slack token", is_good=False, says=str(error))
        return
    yield Finding("Slack token", is_good=True, says=f"{who.user} in {who.team_name} ({who.team})")
    yield from scope_findings(who.scopes, user_groups=user_groups)
    for channel in channels:
        yield _channel(client, channel)
    for group in user_groups:
        yield _user_group(client, group)


def _channel(client: WebClient, channel: str) -> Finding:
    """Whether the bot can write there; one that is private and without the bot does not exist for it."""
    name = f"channel {channel}"
    try:
        with named_errors("conversations.info"):
            told: Mapping[str, Any] = client.conversations_info(channel=channel)["channel"]
    except SlackError as error:
        return Finding(name, is_good=False, says=error.told)
    if told.get("is_archived"):
        return Finding(name, is_good=False, says=f"archived; {UNARCHIVE}")
    is_in = told.get("is_member") is True
    return Finding(name, is_in, "joined" if is_in else f"the bot is not in it; {INVITE}")


def _user_group(client: WebClient, group: str) -> Finding:
    name = f"user group {group}"
    try:
        with named_errors("usergroups.users.list"):
            members = client.usergroups_users_list(usergroup=group).get("users") or ()
    except SlackError as error:
        says = f"{error.told}; nobody is let in by it (it needs a paid plan, and the scope {FOR_USER_GROUPS})"
        return Finding(name, is_good=False, says=says)
    return Finding(name, is_good=bool(members), says=f"{len(members)} members")


def app_token_finding(client: WebClient, app_token: str) -> Finding:
    """Whether Slack gives us a connection; it is not opened."""
    try:
        with named_errors("apps.connections.open"):
            client.apps_connections_open(app_token=app_token)
    except SlackError as error:
        return Finding("Socket Mode", is_good=False, says=f"SLACK_APP_TOKEN is not taken ({error.told})")
    return Finding("Socket Mode", is_good=True, says="SLACK_APP_TOKEN is taken")
