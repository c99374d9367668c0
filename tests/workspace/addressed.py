"""What the parts of `Workspace` share: its state, its server, its addresses and secrets."""

import os

from tests.workspace.people import BOT_USER_ID, TEAM_ID
from tests.workspace.server import Server
from tests.workspace.state import State


class Addressed:
    """A workspace one can find and sign in to."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.server = Server(state)
        self.signing_secret = os.urandom(16).hex()

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self.server.tokens.bot

    @property
    def app_token(self) -> str:
        return self.server.tokens.app

    @property
    def team_id(self) -> str:
        return TEAM_ID

    @property
    def bot_user_id(self) -> str:
        return BOT_USER_ID

    def user_id(self, name: str) -> str:
        return self.state.directory.user(name).id

    def channel_id(self, name: str) -> str:
        return self.state.directory.channel(name).id

    def direct(self, user: str) -> str:
        """The channel between this person and the bot."""
        return self.state.directory.direct(self.user_id(user)).id

    def group_id(self, handle: str) -> str:
        return next(one.id for one in self.state.directory.groups.values() if one.handle == handle)

    def env(self, *, http: bool = False) -> dict[str, str]:
        """The environment of the app: for Socket Mode, or for signed HTTP."""
        common = {"SLACK_BOT_TOKEN": self.bot_token, "SLACK_API_URL": self.api_url}
        own = {"SLACK_SIGNING_SECRET": self.signing_secret} if http else {"SLACK_APP_TOKEN": self.app_token}
        return common | own
