"""`Workspace`: a running workspace behind plain synchronous calls, described in the package's docstring."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from tests.workspace.acting import Acting
from tests.workspace.controls import Control
from tests.workspace.delivery import Errand
from tests.workspace.page_routes import PageRoutes
from tests.workspace.people import directory
from tests.workspace.reading import Reading
from tests.workspace.records import Delivery, Message, View
from tests.workspace.state import Options, State
from tests.workspace.switches import Switches

# What deploy/slack-manifest.yaml asks for.
SCOPES = (
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "usergroups:read",
    "users:read",
)


class Workspace(Reading, Switches):
    """Start it with `Workspace.start(...)`, best in a `with`."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._acting = Acting(self.server)
        self.server.routes = PageRoutes(self.server, self._acting).routes()

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        channels: Sequence[str] = ("ops",),
        private: Iterable[str] = (),
        bot_in: Iterable[str] | None = None,
        commands: Sequence[str] = ("/prune",),
        scopes: Iterable[str] = SCOPES,
        rate_limits: bool = True,
        ack_seconds: float = 3.0,
        event_retry_delays: Sequence[float] = (0, 60, 300),
        user_groups: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Self:
        groups = {"docker-admins": ("ana", "bo")} if user_groups is None else user_groups
        options = Options(
            commands=tuple(commands),
            scopes=frozenset(scopes),
            rate_limits=rate_limits,
            ack_seconds=ack_seconds,
            event_retry_delays=tuple(event_retry_delays),
        )
        workspace = cls(State(directory(channels, private, bot_in, groups), options))
        workspace.server.start(port)
        return workspace

    def stop(self) -> None:
        self.server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # acting as people

    def command(self, user: str, channel: str, text: str, *, wait: bool = True) -> Delivery:
        return self._carry(self._acting.command(user, channel, text), wait)

    def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Message:
        return self._acting.say(user, channel, text, thread_ts)

    def click(
        self,
        user: str,
        message: Message | View,
        control: str | Control,
        *,
        option: str | None = None,
        confirm: bool = True,
        wait: bool = True,
    ) -> Delivery | None:
        errand = self._acting.click(user, message, control, option)
        return self._carry(errand, wait) if confirm else None

    def choose(
        self,
        user: str,
        message: Message | View,
        control: str | Control,
        values: Any,
        *,
        wait: bool = True,
    ) -> Delivery:
        return self._carry(self._acting.choose(user, message, control, values), wait)

    def submit(
        self, user: str, view: View, values: Mapping[str, Any] | None = None, *, wait: bool = True
    ) -> Delivery:
        return self._carry(self._acting.submit(user, view, values or {}), wait)

    def close_view(self, user: str, *, wait: bool = True) -> Delivery | None:
        errand = self._acting.close(user)
        return self._carry(errand, wait) if errand else None

    def open_home(self, user: str, *, wait: bool = True) -> Delivery:
        return self._carry(self._acting.open_home(user), wait)

    def event(self, event: Mapping[str, Any], *, wait: bool = True) -> Delivery:
        return self._carry(self._acting.event(event), wait)

    def redeliver(self, delivery: Delivery, *, wait: bool = True) -> Delivery:
        return self._carry(self._acting.again(delivery), wait)

    def _carry(self, errand: Errand, wait: bool) -> Delivery:
        self.server.must_be_here()
        delivery = self.server.courier.begin(errand)
        work = self.server.begin(self.server.courier.carry(errand, delivery))
        return work.result() if wait else delivery
