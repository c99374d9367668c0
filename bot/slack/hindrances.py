"""What keeps Slack from showing something, and until when it is left alone.

It is said once in the log, and once to who asked, under one mark.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot import render
from bot.errors import AccessLost, OutOfTurn, SlackAway, SlackError
from bot.marks import mark
from bot.memory.posts import Note, Posts
from bot.patience import Patience
from bot.slack.threads import Place

logger = logging.getLogger(__name__)

# What may be in trouble as a whole: Slack itself, and the bot's token there, without which answers still go.
SLACK, TOKEN = "Slack", "the bot's token"


class Hindrances:
    """Remembers what is hindered, and by what, until it is over."""

    def __init__(self, posts: Posts, clock: Callable[[], datetime]) -> None:
        self._posts, self._clock = posts, clock
        self._failures = Patience()
        self._met: dict[tuple[str, str], str] = {}
        self._lost: AccessLost | None = None

    @property
    def lost(self) -> AccessLost | None:
        """Slack's last word where it does not take the bot's token: then nothing can be shown at all."""
        return self._lost

    def allows(self, place: Place, *, by_token: bool = True) -> bool:
        """Whether it is time to try; an answer to one person goes without the bot's token."""
        return all(self._failures.allows(what, self._clock()) for what in _needed(place, by_token=by_token))

    def waits(self, place: Place, response_url: str = "") -> None:
        """It is not even tried: who asked is told all the same where nothing can be shown at all."""
        if self._lost:
            self._say(place, self._lost, response_url)

    def met(self, place: Place, error: SlackError, response_url: str = "") -> None:
        """Something is not shown, and is tried again."""
        self._say(place, error, response_url)
        now, what = self._clock(), (place.request_id, place.part)
        match error:
            case AccessLost(scopes=()):
                self._lost = error
                self._failures.wait(TOKEN, now + timedelta(seconds=error.seconds))
            case SlackAway(certain=True):
                self._failures.wait(what, now + timedelta(seconds=error.seconds))
            case SlackAway():
                self._failures.failed(SLACK, now, seconds=error.seconds)
            case _:
                self._failures.failed(what, now)

    def over(self, place: Place, *, by_token: bool = True) -> None:
        """It is shown."""
        for what in _needed(place, by_token=by_token):
            self._failures.succeeded(what)
        self._lost = None if by_token else self._lost
        if self._met.pop((place.request_id, place.part), ""):
            sign = mark(place.request_id)
            logger.info("[%s] request %s, %s: shown", sign, place.request_id, place.part)

    def forget(self, request_id: str) -> None:
        """Nothing more is shown of it; with nothing left to show, nothing is known of the token either."""
        for met in [met for met in self._met if met[0] == request_id]:
            del self._met[met]
        self._lost = self._lost if self._met else None

    def _say(self, place: Place, error: SlackError, response_url: str) -> None:
        """The same is not said twice, and our own pace never."""
        kind, what = error.code or type(error).__name__, (place.request_id, place.part)
        is_our_pace = isinstance(error, OutOfTurn) and not error.code
        if is_our_pace or self._met.get(what) == kind:
            return
        self._met[what] = kind
        sign = mark(place.request_id)
        logger.warning("[%s] request %s, %s: %s; tried again", sign, place.request_id, place.part, error.told)
        told = render.unshown(error, sign)
        if told and response_url:
            named = f"{place.request_id} {kind}"
            self._posts.owe(Note(named, self._clock(), place.channel, response_url, told))


def _needed(place: Place, *, by_token: bool) -> tuple[object, ...]:
    return (SLACK, (place.request_id, place.part), *((TOKEN,) if by_token else ()))
