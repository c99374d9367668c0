"""Carries what people ask of hosts there, and the answer, or why there is none, back to who asked.

An answer is for who asked alone: it tells no deed, and a channel is no better for a hundred names of volumes.
What is asked in a thread that has called people is answered there, for all of them.
Whoever is told that a host is silent still gets its answer, should it come in time.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from bot import render
from bot.dispatch import Dispatch
from bot.errors import QueueUnreachable
from bot.memory.history import History
from bot.memory.inquiries import Inquiries
from bot.memory.posts import Note, Posts
from bot.memory.store import Store
from bot.orders import ANSWER, claims_id, question
from bot.patience import Patience
from bot.progress import heard
from bot.questions import Inquiry, Said, Unanswered, Why
from bot.render.blocks import Message
from bot.requests import PLAN_WITHIN, SENT_WITHIN, SILENT_AFTER, Contact, HostPart, Line, Stage
from workers.contract import EVENT, Answered, Event, NotAnswered, OrderRefused, Topic

logger = logging.getLogger(__name__)

STEP_SECONDS = 1.0
WHYS = {Stage.SILENT: Why.SILENT, Stage.UNREACHABLE: Why.LINE_DOWN, Stage.PLAN_FAILED: Why.CANNOT}


class Inquirer:
    """Takes up every question that is not answered yet."""

    def __init__(
        self,
        *,
        inquiries: Inquiries,
        store: Store,
        history: History,
        posts: Posts,
        dispatch: Dispatch,
        line: Callable[[], Line],
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._inquiries, self._store, self._history = inquiries, store, history
        self._posts, self._dispatch, self._line = posts, dispatch, line
        self._clock, self._wake = clock, wake
        self._patience = Patience()

    def step(self) -> float:
        """Carry everything on a little; returns how long to wait until the next step."""
        waiting = self._inquiries.open()
        contacts = {contact.host: contact for contact in self._store.contacts()} if waiting else {}
        for asked in waiting:
            if self._patience.allows(asked.id, self._clock()):
                self._alone(asked, contacts.get(asked.host))
        return STEP_SECONDS

    def _alone(self, asked: Inquiry, contact: Contact | None) -> None:
        """Keep one question's trouble from the others, and from filling the log."""
        try:
            self._carry_on(asked, contact)
        except Exception:
            logger.exception("question %s could not be carried on", asked.id)
            self._patience.failed(asked.id, self._clock())
        else:
            self._patience.succeeded(asked.id)

    def _carry_on(self, asked: Inquiry, contact: Contact | None) -> None:
        now = self._clock()
        event = answer(asked, self._events(asked))
        if event is not None:
            run = self._history.report(asked.host, asked.object) if asked.topic is Topic.SERVICES else None
            self._tell(asked, render.answered(asked, event, now, run), Said.ALL)
        elif contact is None:
            self._give_up(asked, Unanswered(Why.DISMISSED))
        elif asked.sent_at is None and not asked.given_up:
            self._send(asked, now)
        elif missing := unanswered(asked, contact, self._line(), now):
            self._give_up(asked, missing)

    def _events(self, asked: Inquiry) -> list[Event]:
        told = (EVENT.validate_json(found.body) for found in self._history.events(asked.id))
        return [event for event in told if event.host == asked.host]

    def _send(self, asked: Inquiry, now: datetime) -> None:
        try:
            self._dispatch.put([question(asked, key_id=self._dispatch.key_id)], now)
        except QueueUnreachable as error:
            given_up = now - asked.at > SENT_WITHIN
            if given_up or str(error) != asked.error:
                logger.warning("question %s not sent to %s: %s", asked.id, asked.host, error)
            self._inquiries.not_sent(asked, str(error), given_up=given_up)
            return
        self._inquiries.sent(asked, now)
        logger.info("question %s: sent to %s", asked.id, asked.host)

    def _give_up(self, asked: Inquiry, missing: Unanswered) -> None:
        """Say it once; what may still come is waited for."""
        now = self._clock()
        is_over = missing.why is Why.DISMISSED or now - asked.at > PLAN_WITHIN
        said = Said.ALL if is_over else Said.WAITING
        if asked.said is Said.NOTHING:
            self._tell(asked, render.unanswered(asked, missing, now), said)
        elif is_over:
            self._inquiries.say(asked, said)

    def _tell(self, asked: Inquiry, drawn: Message, said: Said) -> None:
        name = f"{asked.id} {said}"
        about = (name, self._clock(), asked.channel, asked.response_url, drawn)
        self._posts.owe(Note(*about, is_public=bool(asked.thread), thread=asked.thread))
        self._inquiries.say(asked, said)
        self._wake()


def answer(asked: Inquiry, events: Sequence[Event]) -> Answered | NotAnswered | OrderRefused | None:
    """What the host said to this: of several answers the first, and any of them before a refusal.

    A second copy of a question is refused for being one.
    """
    mine = (claims_id(asked.id, asked.host, ANSWER), "")
    answers = [e for e in events if isinstance(e, Answered) and e.answer.topic is asked.topic]
    failures = [event for event in events if isinstance(event, NotAnswered)]
    refusals = [e for e in events if isinstance(e, OrderRefused) and e.order_id in mine]
    found: list[Answered | NotAnswered | OrderRefused] = [*answers, *failures, *refusals]
    return found[0] if found else None


def unanswered(asked: Inquiry, contact: Contact, line: Line, now: datetime) -> Unanswered | None:
    """Why nothing has come by now, as it is judged of a plan that was asked for; None while it may come."""
    if asked.given_up:
        return Unanswered(Why.NOT_SENT, error=asked.error)
    found = heard(HostPart(asked.host, Stage.ASKED, since=asked.sent_at), contact, line, now)
    if found.stage not in WHYS:
        return None
    is_heard = contact.last_seen is not None and now - contact.last_seen <= SILENT_AFTER
    why = Why.SLOW if found.stage is Stage.SILENT and is_heard else WHYS[found.stage]
    return Unanswered(why, contact.last_seen, found.error, found.reasons)
