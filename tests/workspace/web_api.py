"""The Web API: the table of methods, and the checks before each (token, scopes, rates, failures on order)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.workspace import chat_methods, directory_methods, file_methods, validating, view_methods
from tests.workspace.arguments import Arguments
from tests.workspace.errors import ApiError
from tests.workspace.people import APP_ID
from tests.workspace.rates import Rates
from tests.workspace.records import Call
from tests.workspace.state import State
from tests.workspace.tickets import Tickets

Json = dict[str, Any]
SECRET_ARGUMENTS = frozenset(("token",))


@dataclass(frozen=True)
class Method:
    """What answers, which scopes it needs, and how often it may be called (Slack's tiers).

    `within`: the scope for the kind of channel it is called about, besides: channels:…, groups:… and so on.
    """

    answer: Callable[[Arguments], Json]
    scopes: tuple[str, ...] = ()
    tier: int | None = 4
    token: Literal["bot", "app", "any", "none"] = "bot"
    within: Literal["", "read", "history"] = ""

    def needed(self, *kinds: str) -> frozenset[str]:
        """All scopes that it needs in channels of these kinds."""
        return frozenset((*self.scopes, *(f"{kind}:{self.within}" for kind in kinds if self.within)))


def open_connection(call: Arguments) -> Json:
    """apps.connections.open: where to connect, with a ticket that is good for one connection."""
    base = call.base_url.replace("http", "ws", 1)
    return {"url": f"{base}/link/?ticket={call.tickets.new_socket()}&app_id={APP_ID}"}


METHODS: dict[str, Method] = {
    "apps.connections.open": Method(open_connection, tier=3, token="app"),
    "api.test": Method(directory_methods.api_test, token="any"),
    "auth.test": Method(directory_methods.auth_test, tier=None, token="any"),
    # "Special rate limits apply", and nothing says which.
    "blocks.validate": Method(validating.blocks_validate, tier=None, token="none"),
    "chat.postMessage": Method(chat_methods.post_message, ("chat:write",), tier=None),
    "chat.postEphemeral": Method(chat_methods.post_ephemeral, ("chat:write",)),
    "chat.update": Method(chat_methods.update, ("chat:write",), tier=3),
    "chat.delete": Method(chat_methods.delete, ("chat:write",), tier=3),
    "chat.getPermalink": Method(chat_methods.permalink),
    "conversations.info": Method(directory_methods.info, tier=3, within="read"),
    "conversations.list": Method(directory_methods.list_channels, ("channels:read",), tier=2),
    "conversations.members": Method(directory_methods.members, within="read"),
    "conversations.history": Method(directory_methods.history, tier=3, within="history"),
    "conversations.replies": Method(directory_methods.replies, tier=3, within="history"),
    "conversations.join": Method(directory_methods.join, ("channels:join",), tier=3),
    "files.getUploadURLExternal": Method(file_methods.get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(file_methods.complete_upload, ("files:write",)),
    "usergroups.list": Method(directory_methods.list_groups, ("usergroups:read",), tier=2),
    "usergroups.users.list": Method(directory_methods.group_users, ("usergroups:read",), tier=2),
    "users.info": Method(directory_methods.user_info, ("users:read",)),
    "users.list": Method(directory_methods.list_users, ("users:read",), tier=2),
    "views.open": Method(view_methods.open_view),
    "views.push": Method(view_methods.push_view),
    "views.update": Method(view_methods.update_view),
    "views.publish": Method(view_methods.publish_view),
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the Web API."""

    body: Json
    status: int = 200
    retry_after: int | None = None


@dataclass(frozen=True)
class Tokens:
    bot: str
    app: str


class WebApi:
    """Answers calls of methods that need no connection (apps.connections.open is added by the server)."""

    def __init__(self, state: State, tickets: Tickets, tokens: Tokens, base_url: Callable[[], str]) -> None:
        self.state = state
        self.tickets = tickets
        self.tokens = tokens
        self.rates = Rates()
        self.methods = dict(METHODS)
        self._base_url = base_url

    def answer(self, name: str, token: str, values: Mapping[str, Any]) -> Answer:
        """The whole of one call, recorded."""
        with self.state.changed:
            answer = self._answer(name, token, values)
        self.record(name, values, answer)
        return answer

    def record(self, name: str, values: Mapping[str, Any], answer: Answer) -> None:
        shown = {key: value for key, value in values.items() if key not in SECRET_ARGUMENTS}
        with self.state.change():
            call = Call(name, shown, answer.body, answer.status, self.state.clock.now())
            self.state.calls.append(call)

    def _answer(self, name: str, token: str, values: Mapping[str, Any]) -> Answer:
        try:
            method = self._method(name)
            self._check_token(method, token)
            self._check_scopes(method)
            wait = self._wait(name, method, values)
            return _limited(wait) if wait else Answer({"ok": True, **self._call(method, values)})
        except ApiError as refusal:
            return Answer({"ok": False, "error": refusal.name, **refusal.fields})

    def _call(self, method: Method, values: Mapping[str, Any]) -> Json:
        return method.answer(Arguments(values, self.state, self.tickets, self._base_url()))

    def _method(self, name: str) -> Method:
        if name not in self.methods:
            self.state.violate("unknown_method", name)
            raise ApiError("unknown_method", req_method=name)
        return self.methods[name]

    def _check_token(self, method: Method, token: str) -> None:
        if method.token == "none":
            return
        if not token:
            raise ApiError("not_authed")
        if token not in (self.tokens.bot, self.tokens.app):
            raise ApiError("invalid_auth")
        if token == self.tokens.bot and self.state.token_error:
            raise ApiError(self.state.token_error)
        if method.token != "any" and token != getattr(self.tokens, method.token):
            raise ApiError("not_allowed_token_type")

    def _check_scopes(self, method: Method) -> None:
        missing = [scope for scope in method.scopes if scope not in self.state.scopes]
        if missing:
            provided = ",".join(sorted(self.state.scopes))
            self.state.violate("scope", f"missing_scope: {missing[0]}")
            raise ApiError("missing_scope", needed=missing[0], provided=provided)

    def _wait(self, name: str, method: Method, values: Mapping[str, Any]) -> int:
        if not self.state.options.rate_limits:
            return 0
        target = f"{values.get('channel', '')} {values.get('ts', '')}".strip()
        wait = self.rates.retry_after(name, method.tier, target, self.state.clock.now())
        if wait:
            self.state.violate("rate", f"{name} {target}: called again {wait} s too early")
        return wait


def _limited(wait: int) -> Answer:
    return Answer({"ok": False, "error": "ratelimited"}, 429, wait)
