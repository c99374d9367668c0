"""The arguments of a Web API call, from either kind of body, with the checks every method needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.workspace.errors import ApiError, WorkspaceError
from tests.workspace.people import BOT_USER_ID, Channel, User
from tests.workspace.state import State
from tests.workspace.tickets import Tickets

Json = dict[str, Any]
EMPTY = (None, "")
FALSE = ("false", "0", "False")


@dataclass(frozen=True)
class Arguments:
    """One call: its values and the workspace it is about."""

    values: Mapping[str, Any]
    state: State
    tickets: Tickets
    base_url: str

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def needed(self, name: str, error: str = "invalid_arguments") -> str:
        value = self.values.get(name)
        if value in EMPTY:
            raise ApiError(error, response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
        return str(value)

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        return bool(value) and value not in FALSE

    def number(self, name: str, default: int) -> int:
        value = self.values.get(name)
        return default if value in EMPTY else int(str(value))

    def decoded(self, name: str, error: str = "invalid_arguments") -> Any:
        """A value that may come as JSON text (forms) or already decoded (JSON bodies)."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as cause:
            raise ApiError(error) from cause

    def require_scope(self, scope: str) -> None:
        if scope not in self.state.scopes:
            raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(self.state.scopes)))

    def user(self, name: str = "user") -> User:
        found = self.state.directory.users.get(self.needed(name, "user_not_found"))
        if found is None:
            raise ApiError("user_not_found")
        return found

    def channel(self) -> Channel:
        """A channel the bot may know of; private ones it is not in do not exist for it."""
        found = self._find(self.needed("channel", "channel_not_found"))
        if found.is_private and BOT_USER_ID not in found.members:
            raise ApiError("channel_not_found")
        return found

    def readable_channel(self, kind: str) -> Channel:
        """For conversations.*: also the scope that fits the channel's kind."""
        found = self.channel()
        prefix = "im" if found.is_im else "groups" if found.is_private else "channels"
        self.require_scope(f"{prefix}:{kind}")
        return found

    def postable_channel(self) -> Channel:
        found = self.channel()
        if found.is_archived:
            raise ApiError("is_archived")
        if BOT_USER_ID not in found.members and "chat:write.public" not in self.state.scopes:
            raise ApiError("not_in_channel")
        return found

    def _find(self, name: str) -> Channel:
        if name in self.state.directory.users:
            return self.state.directory.direct(name)
        try:
            return self.state.directory.channel(name)
        except WorkspaceError as cause:
            raise ApiError("channel_not_found") from cause
