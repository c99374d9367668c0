"""What tests switch: where payloads go, what fails, who is a member, what time it is."""

from typing import Literal

from tests.workspace.addressed import Addressed
from tests.workspace.delivery import HttpTarget
from tests.workspace.failures import Failure
from tests.workspace.people import BOT_USER_ID


class Switches(Addressed):
    """Everything that is neither acting nor reading."""

    def deliver_to(self, url: str | None, signing_secret: str | None = None) -> None:
        secret = signing_secret or self.signing_secret
        self.server.courier.target = HttpTarget(url, secret) if url else None

    def fail_next(
        self,
        method: str,
        status: int | Literal["timeout"] = 500,
        times: int = 1,
        retry_after: int = 1,
        after_effect: bool = False,
    ) -> None:
        code = None if status == "timeout" else status
        self.server.failures.plan(method, Failure(code, retry_after, after_effect), times)

    def go_away(self) -> None:
        self.server.go_away()

    def come_back(self) -> None:
        self.server.come_back()

    def refresh_connections(self) -> None:
        self.server.run(self.server.sockets.refresh())

    def advance(self, seconds: float) -> None:
        with self.state.change():
            self.state.clock.advance(seconds)

    def user_groups_need_plan(self, needed: bool = True) -> None:
        with self.state.change():
            self.state.groups_need_plan = needed

    def grant_scope(self, scope: str) -> None:
        with self.state.change():
            self.state.scopes.add(scope)

    def revoke_scope(self, scope: str) -> None:
        with self.state.change():
            self.state.scopes.discard(scope)

    def join(self, channel: str, user: str) -> None:
        self._move(channel, self.user_id(user), joins=True)

    def leave(self, channel: str, user: str) -> None:
        self._move(channel, self.user_id(user), joins=False)

    def invite_bot(self, channel: str) -> None:
        self._move(channel, BOT_USER_ID, joins=True)

    def remove_bot(self, channel: str) -> None:
        self._move(channel, BOT_USER_ID, joins=False)

    def _move(self, name: str, user: str, *, joins: bool) -> None:
        with self.state.change():
            found = self.state.directory.channel(name)
            moved = found.with_member(user) if joins else found.without_member(user)
            self.state.directory.channels[found.id] = moved
