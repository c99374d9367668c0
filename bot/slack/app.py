"""The Bolt app from its parts, and the two ways in which Slack reaches it: Socket Mode, or signed HTTP."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from waitress.server import create_server

from bot.errors import AccessLost, SettingsError
from bot.reception import Reception
from bot.slack.answers import named_errors
from bot.slack.forms import Forms
from bot.slack.gate import MOST_BYTES, Gate, say
from bot.slack.homes import Homes
from bot.slack.identity import Identity
from bot.slack.listeners import register

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

BoltApp = App
EVENTS_PATH = "/slack/events"
HEALTH_PATH = "/healthz"
CONNECT = "apps.connections.open"
UNHEARD = "What people type and press does not arrive until then; what is under way goes on and is shown"
LISTENERS = 8
HTTP_THREADS = 8
PING_SECONDS = 10.0
UNANSWERED = 6


def build(
    *,
    who: Identity,
    base_url: str,
    signing_secret: str,
    reception: Reception,
    forms: Forms,
    homes: Homes,
) -> App:
    """Make the app; it makes no call before it acknowledges, so who we are is asked beforehand."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=who.team, bot_user_id=who.user, bot_id=who.bot_id, bot_token=""
        )

    app = App(
        client=WebClient(base_url=base_url, retry_handlers=[]),
        authorize=authorize,
        logger=logging.getLogger("slack_bolt"),
        signing_secret=signing_secret,
        listener_executor=ThreadPoolExecutor(LISTENERS, thread_name_prefix="listener"),
    )
    register(app, reception, forms, homes)
    return app


class SocketMode:
    """The connection over which Slack calls us; the SDK renews it by itself once it stood and ended."""

    def __init__(
        self, app: App, *, app_token: str, base_url: str, ping_seconds: float = PING_SECONDS
    ) -> None:
        client = WebClient(base_url=base_url, timeout=10, retry_handlers=[])
        self._handler: Any = SocketModeHandler(
            app, app_token=app_token, web_client=client, ping_interval=ping_seconds
        )
        self._ping_seconds, self._heard = ping_seconds, time.monotonic()
        connection: Any = self._handler.client
        connection.on_message_listeners.append(self._hear)
        self._ask, connection.issue_new_wss_url = connection.issue_new_wss_url, self._address
        self._is_lost = False

    def _hear(self, _: str) -> None:
        self._heard = time.monotonic()

    @property
    def silent_for(self) -> float:
        """Seconds since anything came over it; Slack answers our pings."""
        ponged = getattr(self._handler.client.current_session, "last_ping_pong_time", None) or 0.0
        return max(0.0, min(time.monotonic() - self._heard, time.time() - ponged))

    def watch(self) -> float:
        """Give up a connection that stands and over which nothing comes (bolt-python#1529).

        The SDK does so only where a ping was answered before.
        """
        if self.is_connected and self.silent_for > UNANSWERED * self._ping_seconds:
            logger.warning("nothing comes over the connection to Slack; another one is made")
            self._handler.client.disconnect()
            self._heard = time.monotonic()
        return self._ping_seconds

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands."""
        return bool(self._handler.client.is_connected())

    def open(self) -> None:
        """Connect for the first time.

        Raises:
            SlackError: Slack did not let us.
        """
        with named_errors(CONNECT):
            self._handler.connect()

    def _address(self) -> str:
        """Where to connect; the SDK asks again and again, and cannot say what is to be done."""
        try:
            with named_errors(CONNECT):
                address = str(self._ask())
        except AccessLost as error:
            if not self._is_lost:
                logger.error("no connection to Slack (%s): %s. %s", error, error.remedy, UNHEARD)
            self._is_lost = True
            raise
        self._is_lost = False
        return address

    def close(self) -> None:
        """Take nothing more; what has been taken is finished."""
        try:
            self._handler.close()
        except AttributeError:
            # A thread of the SDK closed the socket after a check outside its lock; the rest is still to end.
            self._handler.close()


class HttpServer:
    """Serves Slack's requests, where Slack calls us, and says whether the bot works."""

    def __init__(self, application: "WSGIApplication", *, host: str, port: int) -> None:
        try:
            self._server: Any = create_server(
                *(application,),
                host=host,
                port=port,
                threads=HTTP_THREADS,
                max_request_body_size=MOST_BYTES,
            )
        except OSError as error:
            raise SettingsError(f"PORT {port} on {host} cannot be listened on: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    def open(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more; what has been taken is finished, and the listening socket ends with us."""
        self._server.task_dispatcher.shutdown()


def web_application(
    app: App | None, signing_secret: str, troubles: Callable[[], Iterator[str]]
) -> "WSGIApplication":
    """Slack's path, where Slack calls us, and the one for whoever watches."""
    slack = Gate(SlackRequestHandler(app, path=EVENTS_PATH), signing_secret) if app else None

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == HEALTH_PATH:
            return say(start_response, *_health(list(troubles())))
        if slack and path == EVENTS_PATH:
            return slack(environ, start_response)
        return say(start_response, "404 Not Found", "not found")

    return application


def _health(found: list[str]) -> tuple[str, str]:
    return ("503 Service Unavailable", "; ".join(found)) if found else ("200 OK", "ok")
