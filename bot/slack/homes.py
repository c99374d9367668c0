"""Home tabs, published for those who open them, one after the other and as often as Slack lets us."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slack_sdk import WebClient

from bot import render
from bot.access import Unsure
from bot.errors import MessageRefused, SlackAway, SlackError
from bot.facts import Lookup
from bot.home import Home
from bot.patience import Patience
from bot.render.blocks import Block
from bot.slack.answers import named_errors
from bot.slack.directory import Directory, Pause
from workers.contract import Person

logger = logging.getLogger(__name__)

STEP_SECONDS, IDLE_SECONDS = 1.0, 60.0
METHOD = "views.publish"
# Whoever waited longer has gone, or has opened it again.
WAITS = timedelta(minutes=1)
ROUNDS = 5


@dataclass(frozen=True)
class Reader:
    """Somebody who has the tab open, and since when they wait for it."""

    person: Person
    at: datetime


class Homes:
    """Publishes the tabs; it goes over the network, so Slack has its answer before."""

    def __init__(
        self,
        client: WebClient,
        home: Home,
        directory: Directory,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._client, self._home, self._directory = client, home, directory
        self._clock, self._wake = clock, wake
        self._lock = threading.Lock()
        self._readers: dict[str, Reader] = {}
        self._patience = Patience()

    def want(self, person: Person) -> None:
        """Somebody looks at their tab; who opens it again before it is drawn gets one, as new as can be."""
        with self._lock:
            self._readers[person.user] = Reader(person, self._clock())
        self._wake()

    def step(self) -> float:
        """Publish what can be published by now; returns how long to wait until the next step."""
        with self._lock:
            readers = tuple(self._readers.values())
        for reader in readers:
            if not self._patience.allows(METHOD, self._clock()):
                break
            self._take(reader)
        return STEP_SECONDS if self._readers else IDLE_SECONDS

    def _take(self, reader: Reader) -> None:
        user = reader.person.user
        try:
            self._publish(reader.person)
        except SlackAway as error:
            self._put_off(reader, error)
            return
        except SlackError as error:
            logger.warning("home of %s: %s; it is left as it was", user, error)
        except Exception:
            logger.exception("home of %s could not be drawn", user)
        else:
            self._patience.succeeded(METHOD)
        self._forget(reader)

    def _put_off(self, reader: Reader, error: SlackAway) -> None:
        """Slack asks to wait, or is broken: all tabs wait, as long as somebody may still look at theirs."""
        now = self._clock()
        if error.certain:
            self._patience.wait(METHOD, now + timedelta(seconds=error.seconds))
        else:
            self._patience.failed(METHOD, now, seconds=error.seconds)
        if now - reader.at > WAITS:
            logger.warning("home of %s: %s; it is left as it was", reader.person.user, error)
            self._forget(reader)

    def _forget(self, reader: Reader) -> None:
        """Let a reader go, unless they have opened their tab again meanwhile."""
        with self._lock:
            if self._readers.get(reader.person.user) == reader:
                del self._readers[reader.person.user]

    def _publish(self, person: Person) -> None:
        view = self._drawn(person)
        try:
            self._show(person, view)
        except MessageRefused as error:
            logger.error(
                "home of %s is shown in words, since Slack does not take it (%s)", person.user, error
            )
            self._show(person, render.undrawn_home(str(error), self._clock()))

    def _show(self, person: Person, view: Mapping[str, object]) -> None:
        with named_errors(METHOD):
            self._client.views_publish(user_id=person.user, view=dict(view))

    def _drawn(self, person: Person) -> Block:
        """The tab, once Slack has said what is to be known of its reader."""
        failed: dict[Lookup, str] = {}
        found = self._home.of(person, failed)
        for _ in range(ROUNDS):
            if not isinstance(found, Unsure):
                return found
            troubles = self._directory.look_up(found.needs)
            failed |= {what: why.why if isinstance(why, Pause) else why for what, why in troubles.items()}
            found = self._home.of(person, failed)
        return render.unsaid_home(self._clock()) if isinstance(found, Unsure) else found
