"""What is owed to people for what they did, and the record of who was turned away."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from bot import render
from bot.access import Denied
from bot.arrivals import Call, Click, Filled
from bot.marks import mark
from bot.memory.audit import Audit, What
from bot.memory.posts import Note, Posts
from bot.render.blocks import Message

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NoCount:
    """Why a press does not count, in a word for the record and in words for who pressed."""

    why: str
    message: Message


@dataclass(frozen=True)
class Answering:
    """Writes answers down; the desk gives them."""

    posts: Posts
    audit: Audit
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    def together(self) -> AbstractContextManager[object]:
        """A transaction for a decision and its answer."""
        return self.audit.together()

    def reply(self, click: Click, message: Message) -> bool:
        """Answer a press, in place of the message where only its presser sees it; False if it was before."""
        return self._owe(click, message, replaces=click.is_private)

    def answer(self, call: Call, message: Message) -> bool:
        """Answer a command that had to wait."""
        return self._owe(call, message)

    def refuse(self, click: Click, answer: NoCount, *, wanted: str, request_id: str = "") -> None:
        """Answer a press that does not count, and note it, once however often it is delivered."""
        with self.together():
            if self.reply(click, answer.message):
                self.note_turned_away(click, answer.why, wanted=wanted, request_id=request_id)

    def note_turned_away(self, who: Call | Click, why: str, *, wanted: str, request_id: str = "") -> None:
        """Record that somebody did not get what they wanted."""
        self.audit.note(
            What.TURNED_AWAY,
            at=self.clock(),
            by=who.person,
            request_id=request_id,
            why=why,
            wanted=wanted,
            channel=who.channel,
        )

    def _owe(self, to: Call | Click, message: Message, *, replaces: bool = False) -> bool:
        about = (self.clock(), to.channel, to.response_url, message)
        note = Note(to.trigger_id, *about, is_public=False, replaces=replaces)
        is_new = self.posts.owe(note)
        self.wake()
        return is_new


def turned_down(denied: Denied, who: Call | Click | Filled) -> Message:
    """Say no; where that is Slack's trouble, the log tells it under the mark that the person reads."""
    sign = mark(who.trigger_id)
    if denied.error:
        logger.warning("[%s] %s may not, for Slack did not say: %s", sign, who.person.user, denied.error)
    return render.not_allowed(denied, sign)
