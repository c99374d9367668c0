"""Things Slack hands out for a short time: trigger ids, response urls, upload urls, socket tickets."""

import secrets
from dataclasses import dataclass, field

from tests.workspace import limits
from tests.workspace.errors import ApiError
from tests.workspace.people import APP_ID


@dataclass
class Trigger:
    user: str
    at: float
    used: bool = False


@dataclass
class ResponseUrl:
    """Where answers to one command or interaction go; `message_ts` only for interactions."""

    user: str
    channel: str
    at: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


@dataclass
class Upload:
    file_id: str
    name: str
    length: int
    alt: str = ""
    content: bytes | None = None


@dataclass
class Tickets:
    triggers: dict[str, Trigger] = field(default_factory=dict)
    responses: dict[str, ResponseUrl] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    sockets: set[str] = field(default_factory=set)

    def new_trigger(self, user: str, now: float) -> str:
        key = f"{int(now)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self.triggers[key] = Trigger(user, now)
        return key

    def exchange_trigger(self, key: str, now: float) -> str:
        """Whose trigger it was; once, within its seconds."""
        found = self.triggers.get(key)
        if found is None:
            raise ApiError("invalid_trigger_id")
        if found.used:
            raise ApiError("exchanged_trigger_id")
        if now - found.at > limits.rate("trigger_id.seconds"):
            raise ApiError("expired_trigger_id")
        found.used = True
        return found.user

    def new_response(self, url: ResponseUrl) -> str:
        kind = "actions" if url.message_ts else "commands"
        path = f"{kind}/{APP_ID}/{secrets.randbelow(10**12)}/{secrets.token_urlsafe(18)}"
        self.responses[path] = url
        return path

    def use_response(self, path: str, now: float) -> ResponseUrl:
        """The response url, counted; used up or expired ones are refused."""
        found = self.responses.get(path)
        if found is None:
            raise ApiError("no_such_url")
        if found.uses >= limits.most("response_url.uses"):
            raise ApiError("used_url")
        if now - found.at > limits.rate("response_url.seconds"):
            raise ApiError("expired_url")
        found.uses += 1
        return found

    def new_socket(self) -> str:
        ticket = secrets.token_hex(16)
        self.sockets.add(ticket)
        return ticket
