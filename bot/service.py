"""The running bot: started in order, and stopped in the other."""

import logging
import threading
from collections.abc import Callable, Iterator

from bot.errors import SlackAway, SlackError
from bot.health import Signs, troubles
from bot.loop import Loop
from bot.parts import Parts, Wiring, now
from bot.patience import Patience
from bot.slack import app
from bot.slack.identity import Identity, identity, refuse_missing_scopes
from bot.slack.threads import web_client

logger = logging.getLogger(__name__)

STOP_SECONDS = 10.0
RETRY_SECONDS = 1.0


class Service:
    """One running bot, from its first step to its last."""

    def __init__(self, wiring: Wiring, who: Identity) -> None:
        self._wiring, self._parts = wiring, Parts(wiring, who)
        bolt = app.build(
            who=who,
            base_url=wiring.api_url,
            signing_secret=wiring.signing_secret,
            reception=self._parts.reception,
            forms=self._parts.forms,
            homes=self._parts.homes,
        )
        self._socket = _socket(bolt, wiring)
        self._http = _http(None if self._socket else bolt, wiring, self._troubles)
        self._loops = [*self._parts.loops.values(), *self._watching()]

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
        for loop in self._loops:
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
        for loop in self._loops:
            loop.stop(0)
        if self._socket:
            self._socket.close()
        if self._http:
            self._http.close()
        ended = [loop.stop(STOP_SECONDS) for loop in self._loops]
        if all(ended):
            self._parts.easel.close()
            self._parts.database.close()

    def _watching(self) -> list[Loop]:
        return [Loop("socket", self._socket.watch)] if self._socket else []

    def _troubles(self) -> Iterator[str]:
        signs = Signs(
            is_connected=self._socket.is_connected if self._socket else None,
            silent_for=self._socket.silent_for if self._socket else None,
            line=self._parts.feed.line,
            last_read=self._parts.feed.last_read,
            last_step=self._parts.desk.last_step,
            lost=self._parts.desk.lost,
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
    return app.HttpServer(
        app.web_application(bolt, wiring.signing_secret, found), host=wiring.bind, port=wiring.port
    )


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
                logger.warning("Slack: %s; tried again", error.told)
                patience.failed(work, now(), seconds=error.seconds if isinstance(error, SlackAway) else 0.0)
            else:
                return
        stopping.wait(RETRY_SECONDS)
