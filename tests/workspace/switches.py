"""What tests switch: where payloads go, what fails, who is a member, what time it is."""

from dataclasses import replace
from typing import Any, Literal

from tests.workspace.addressed import Addressed
from tests.workspace.delivery import HttpTarget
from tests.workspace.failures import Failure
from tests.workspace.people import BOT_USER_ID, UserGroup, id_for
from tests.workspace.records import Message


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
        retry_after: int | None = 1,
        after_effect: bool = False,
    ) -> None:
        code = None if status == "timeout" else status
        self.server.failures.plan(method, Failure(code, retry_after, after_effect), times)

    def refuse_next(self, method: str, error: str, times: int = 1) -> None:
        """Answer as Slack does that has understood and does not do it."""
        self.server.failures.plan(
            method, Failure(400 if method == "response_url" else 200, error=error), times
        )

    def revoke_token(self, error: str = "token_revoked") -> None:
        """Take the bot's token no more."""
        with self.state.change():
            self.state.token_error = error

    def restore_token(self) -> None:
        self.revoke_token("")

    def go_away(self) -> None:
        self.server.go_away()

    def come_back(self) -> None:
        self.server.come_back()

    def fall_silent(self) -> None:
        """Take every call and answer none, as a service does that hangs."""
        self.fail_next("*", "timeout", times=10_000)

    def speak_again(self) -> None:
        """Answer again; calls that still wait for an answer are cut off."""
        self.server.failures.planned.pop("*", None)
        self.server.end_silence()

    def refresh_connections(self) -> None:
        self.server.run(self.server.sockets.refresh())

    def deafen_connections(self, *, new_ones: bool = False) -> None:
        """Hear nothing over the connections that stand, nor over new ones until this is said again."""
        self.server.run(self.server.sockets.deafen(new_ones=new_ones))

    def advance(self, seconds: float) -> None:
        with self.state.change():
            self.state.clock.advance(seconds)

    def user_groups_need_plan(self, needed: bool = True) -> None:
        with self.state.change():
            self.state.groups_need_plan = needed

    def set_user_group(self, handle: str, *members: str) -> None:
        with self.state.change():
            users = tuple(self.user_id(member) for member in members)
            group = UserGroup(id_for("S", handle), handle, users)
            self.state.directory.groups[group.id] = group

    def make_guest(self, user: str, is_guest: bool = True) -> None:
        self._change(user, is_guest=is_guest)

    def deactivate(self, user: str) -> None:
        self._change(user, is_deleted=True)

    def set_clock_of(self, user: str, ahead: int) -> None:
        """Let a person's clock be so many seconds ahead of UTC."""
        self._change(user, utc_offset=ahead)

    def _change(self, user: str, **fields: Any) -> None:
        with self.state.change():
            changed = replace(self.state.directory.user(user), **fields)
            self.state.directory.users[changed.id] = changed

    def share_channel(self, name: str) -> None:
        with self.state.change():
            shared = replace(self.state.directory.channel(name), is_shared=True)
            self.state.directory.channels[shared.id] = shared

    def archive(self, name: str, is_archived: bool = True) -> None:
        with self.state.change():
            archived = replace(self.state.directory.channel(name), is_archived=is_archived)
            self.state.directory.channels[archived.id] = archived

    def remove(self, message: Message) -> None:
        """As an owner of the workspace removes a message of somebody else's."""
        self.state.drop(message)

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
