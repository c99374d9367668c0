"""Who the bot is in Slack and what it may do there: asked at start, and by the doctor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slack_sdk import WebClient

from bot.checks import Finding
from bot.errors import SettingsError, SlackError
from bot.slack.answers import named_errors

# deploy/slack-manifest.yaml asks for the same.
REQUIRED_SCOPES = {
    "commands": "to be asked with /prune",
    "chat:write": "to post and edit its messages",
    "files:write": "to attach complete lists",
    "channels:history": "to find a message again whose posting was in doubt",
    "groups:history": "the same in private channels",
    "users:read": "to tell members from guests",
    "channels:read": "to tell whether other organisations are in a channel",
    "groups:read": "the same of private channels",
}
# Without it only people named one by one are let in; the doctor says so where rules name user groups.
OPTIONAL_SCOPES = {"usergroups:read": "to know who is in a user group that the rules name"}
PERMANENT = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired")


@dataclass(frozen=True)
class Identity:
    """Who the bot is in Slack, and what it may do there; `workspace`: the address of that place."""

    team: str
    team_name: str
    user: str
    bot_id: str
    scopes: frozenset[str]
    workspace: str = ""

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """The scopes it lacks."""
        return tuple(scope for scope in REQUIRED_SCOPES if scope not in self.scopes)


def identity(client: WebClient) -> Identity:
    """Ask Slack who we are.

    Raises:
        SettingsError: Slack does not know the token.
        SlackError: Slack did not answer.
    """
    try:
        with named_errors("auth.test"):
            answer = client.auth_test()
    except SlackError as error:
        if str(error).rpartition(": ")[2] in PERMANENT:
            raise SettingsError(f"SLACK_BOT_TOKEN is not taken by Slack ({error})") from error
        raise
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
    """Name each scope that is missing, and what it is for."""
    if who.missing_scopes:
        missing = "; ".join(f"{scope} ({REQUIRED_SCOPES[scope]})" for scope in who.missing_scopes)
        raise SettingsError(f"the Slack app lacks scopes: {missing}. Add them and install the app again.")


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
    for scope, why in REQUIRED_SCOPES.items():
        has = scope in who.scopes
        yield Finding(f"scope {scope}", has, "granted" if has else f"missing: needed {why}")
    for channel in channels:
        yield _channel(client, channel)
    for group in user_groups:
        yield _user_group(client, group)


def _channel(client: WebClient, channel: str) -> Finding:
    name = f"channel {channel}"
    try:
        with named_errors("conversations.history"):
            client.conversations_history(channel=channel, limit=1)
    except SlackError as error:
        return Finding(name, is_good=False, says=f"{error}; invite the bot there with /invite")
    return Finding(name, is_good=True, says="joined")


def _user_group(client: WebClient, group: str) -> Finding:
    name = f"user group {group}"
    try:
        with named_errors("usergroups.users.list"):
            members = client.usergroups_users_list(usergroup=group).get("users") or ()
    except SlackError as error:
        says = f"{error}; nobody is let in by it (it needs the scope usergroups:read, and a paid plan)"
        return Finding(name, is_good=False, says=says)
    return Finding(name, is_good=bool(members), says=f"{len(members)} members")


def app_token_finding(client: WebClient, app_token: str) -> Finding:
    """Whether Slack gives us a connection; it is not opened."""
    try:
        with named_errors("apps.connections.open"):
            client.apps_connections_open(app_token=app_token)
    except SlackError as error:
        return Finding("Socket Mode", is_good=False, says=f"SLACK_APP_TOKEN is not taken ({error})")
    return Finding("Socket Mode", is_good=True, says="SLACK_APP_TOKEN is taken")
