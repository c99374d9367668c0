"""The running bot: its parts put together, started in order, and stopped in the other."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot import dispatch
from bot.access import Rules
from bot.desk import Desk
from bot.dispatch import Dispatch
from bot.errors import SlackError
from bot.feed import SOCKET_TIMEOUT_SECONDS, Feed
from bot.health import Signs, troubles
from bot.keys import SigningKey
from bot.loop import Loop
from bot.memory.database import Database
from bot.memory.dossiers import Dossiers
from bot.memory.history import History
from bot.memory.posts import Posts
from bot.memory.store import Store
from bot.patience import Patience
from bot.reception import Reception
from bot.requests import Line
from bot.slack import app
from bot.slack.exhibits import Exhibits
from bot.slack.identity import Identity, identity, refuse_missing_scopes
from bot.slack.threads import Threads, web_client

logger = logging.getLogger(__name__)

STOP_SECONDS = 10.0
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Wiring:
    """Everything the running bot is told from outside."""

    database: Path
    key: SigningKey
    bot_token: str
    app_token: str
    signing_secret: str
    api_url: str
    redis_url: str
    channels: tuple[str, ...]
    approvers: tuple[str, ...]
    bind: str
    port: int | None


def now() -> datetime:
    """The bot's clock."""
    return datetime.now(UTC)


class Parts:
    """The parts of one bot, put together; nothing runs yet."""

    def __init__(self, wiring: Wiring, who: Identity, *, clock: Callable[[], datetime] = now) -> None:
        self.database = Database(wiring.database)
        store, posts, history = Store(self.database), Posts(self.database), History(self.database)
        dossiers = Dossiers(store, history)
        threads = Threads(web_client(wiring.bot_token, wiring.api_url), posts, bot_user=who.user, clock=clock)
        self.feed = Feed(
            dispatch.connect(wiring.redis_url, seconds=SOCKET_TIMEOUT_SECONDS),
            store=store,
            history=history,
            clock=clock,
            told=self._wake,
        )
        self.desk = Desk(
            store=store,
            dossiers=dossiers,
            dispatch=Dispatch(dispatch.connect(wiring.redis_url), wiring.key),
            exhibits=Exhibits(threads, posts, clock=clock),
            line=self._line,
            clock=clock,
        )
        self.reception = Reception(
            store=store,
            posts=posts,
            runs=history,
            dossiers=dossiers,
            rules=Rules.of(team=who.team, channels=wiring.channels, approvers=wiring.approvers),
            line=self._line,
            clock=clock,
            wake=self._wake,
        )
        self.loops = {"feed": Loop("feed", self.feed.step), "desk": Loop("desk", self.desk.step)}

    def _wake(self) -> None:
        self.loops["desk"].wake()

    def _line(self) -> Line:
        return self.feed.line


class Service:
    """One running bot, from its first step to its last."""

    def __init__(self, wiring: Wiring, who: Identity) -> None:
        self._wiring, self._parts = wiring, Parts(wiring, who)
        bolt = app.build(
            who=who,
            base_url=wiring.api_url,
            signing_secret=wiring.signing_secret,
            reception=self._parts.reception,
        )
        self._socket = _socket(bolt, wiring)
        self._http = _http(None if self._socket else bolt, wiring, self._troubles)

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
        for loop in self._parts.loops.values():
            loop.start()
        if self._http:
            self._http.open()
        if self._socket:
            patiently(self._socket.open, stopping)
        logger.info("ready: %s", "Socket Mode" if self._socket else f"HTTP on port {self._wiring.port}")
        stopping.wait()
        self._stop()

    def _stop(self) -> None:
        logger.info("stopping")
        for loop in self._parts.loops.values():
            loop.stop(0)
        if self._socket:
            self._socket.close()
        if self._http:
            self._http.close()
        ended = [loop.stop(STOP_SECONDS) for loop in self._parts.loops.values()]
        if all(ended):
            self._parts.database.close()

    def _troubles(self) -> Iterator[str]:
        signs = Signs(
            is_connected=self._socket.is_connected if self._socket else None,
            line=self._parts.feed.line,
            last_read=self._parts.feed.last_read,
            last_step=self._parts.desk.last_step,
        )
        return troubles(signs, now())


def _socket(bolt: app.BoltApp, wiring: Wiring) -> app.SocketMode | None:
    if not wiring.app_token:
        return None
    return app.SocketMode(bolt, app_token=wiring.app_token, base_url=wiring.api_url)


def _http(
    bolt: app.BoltApp | None, wiring: Wiring, found: Callable[[], Iterator[str]]
) -> app.HttpServer | None:
    if wiring.port is None:
        return None
    return app.HttpServer(app.web_application(bolt, found), host=wiring.bind, port=wiring.port)


def identified(wiring: Wiring, stopping: threading.Event) -> Identity | None:
    """Who the bot is in Slack; waits while Slack does not answer, fails where it cannot work as it is.

    Raises:
        SettingsError: a token or a scope is missing.
    """
    found: list[Identity] = []
    client = web_client(wiring.bot_token, wiring.api_url)
    patiently(lambda: found.append(identity(client)), stopping)
    if not found:
        return None
    refuse_missing_scopes(found[0])
    return found[0]


def patiently(work: Callable[[], None], stopping: threading.Event) -> None:
    """Do it as soon as Slack lets us, or until told to stop."""
    patience = Patience()
    while not stopping.is_set():
        if patience.allows(work, now()):
            try:
                work()
            except SlackError as error:
                logger.warning("Slack: %s; tried again", error)
                patience.failed(work, now())
            else:
                return
        stopping.wait(RETRY_SECONDS)
