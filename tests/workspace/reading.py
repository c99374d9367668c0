"""Reading a workspace, and waiting until there is something to read."""

import time
from collections.abc import Callable, Container
from typing import TypeVar

from tests.workspace.addressed import Addressed
from tests.workspace.errors import WorkspaceError
from tests.workspace.people import User
from tests.workspace.records import Call, Delivery, File, Message, View, Violation
from tests.workspace.transcript import transcript_of

Found = TypeVar("Found")


class Reading(Addressed):
    """Snapshots of what there is."""

    def messages(self, channel: str) -> tuple[Message, ...]:
        return self.state.roots(self.channel_id(channel))

    def thread(self, channel: str, ts: str) -> tuple[Message, ...]:
        return self.state.thread(self.channel_id(channel), ts)

    def message(self, channel: str, ts: str) -> Message:
        found = self.state.messages.get((self.channel_id(channel), ts))
        if found is None:
            raise WorkspaceError(f"no message {ts} in {channel}")
        return found

    def ephemerals(self, user: str, channel: str | None = None) -> tuple[Message, ...]:
        wanted = self.channel_id(channel) if channel else None
        found = self.state.ephemerals(self.user_id(user))
        return tuple(one for one in found if wanted in (None, one.channel))

    def view(self, user: str) -> View | None:
        return self.state.top_view(self.user_id(user))

    def home(self, user: str) -> View | None:
        return self.state.homes.get(self.user_id(user))

    def files(self, channel: str | None = None) -> tuple[File, ...]:
        wanted = self.channel_id(channel) if channel else None
        with self.state.changed:
            return tuple(one for one in self.state.files.values() if wanted is None or wanted in one.channels)

    def everything(self, channel: str) -> tuple[Message, ...]:
        """What stands in the channel and in its threads for all to see, oldest first."""
        found = self.state.in_channel(self.channel_id(channel))
        return tuple(one for one in found if one.ephemeral_to is None)

    def transcript(
        self,
        channel: str,
        *,
        ts: str | None = None,
        viewer: str | None = None,
        read: Container[Message] = (),
    ) -> str:
        watcher = self.user_id(viewer) if viewer else None
        return transcript_of(self.state, self.channel_id(channel), ts, watcher, read)

    def calls(self, method: str | None = None) -> tuple[Call, ...]:
        with self.state.changed:
            return tuple(one for one in self.state.calls if method in (None, one.method))

    @property
    def violations(self) -> tuple[Violation, ...]:
        with self.state.changed:
            return tuple(self.state.violations)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        with self.state.changed:
            return tuple(self.state.deliveries.values())

    def wait_for(self, predicate: Callable[[], Found], timeout: float = 10, what: str = "a change") -> Found:
        """The first true value of the predicate, asked again after every change in the workspace."""
        deadline = time.monotonic() + timeout
        with self.state.changed:
            while not (found := predicate()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WorkspaceError(f"waited {timeout} s for {what}\n{self.describe()}")
                self.state.changed.wait(left)
            return found

    def wait_for_connection(self, timeout: float = 10, count: int = 1) -> None:
        self.wait_for(lambda: self.state.connections >= count, timeout, f"{count} socket connection(s)")

    def describe(self) -> str:
        """The state as a test's failure should show it."""
        rooms = [one for one in self.state.directory.channels.values() if not one.is_im]
        parts = [f"connections: {self.state.connections}"]
        parts += [f"#{room.name}\n{transcript_of(self.state, room.id, None, None)}" for room in rooms]
        parts += [
            f"only {one.name} sees: {note.plain}"
            for one in self._people()
            for note in self.ephemerals(one.id)
        ]
        parts += [f"delivery: {one.kind} {one.outcome} {one.error}" for one in self.deliveries[-5:]]
        parts += [f"violation: {one.rule}: {one.detail}" for one in self.violations[-5:]]
        return "\n".join(parts)

    def _people(self) -> list[User]:
        return [one for one in self.state.directory.users.values() if not one.is_bot]
