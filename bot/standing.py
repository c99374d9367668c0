"""Carries what people decided to each host, again and again until the host has it, and tells the channel.

A decision is sealed anew each time it is sent, so none grows too old; `decided_at` alone says which is later.
Until a host has said that it keeps a freeze, the bot sends it no order.
"""

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from bot import render
from bot.decisions import Decided, State, Told, Verb
from bot.dispatch import Dispatch
from bot.errors import QueueUnreachable
from bot.memory.decisions import Decisions
from bot.memory.dossiers import Dossiers
from bot.memory.history import History
from bot.memory.posts import Note, Posts
from bot.memory.store import Store
from bot.orders import NAMES
from bot.requests import SETTLED_STAGES
from workers.contract import (
    EVENT,
    Claims,
    FreezeOrder,
    OrderRefused,
    ProtectOrder,
    StandingTaken,
    StopOrder,
    UnfreezeOrder,
    UnprotectOrder,
    freeze_key,
    stop_key,
)
from workers.reasons import Code

logger = logging.getLogger(__name__)

STEP_SECONDS = 1.0
AGAIN_AFTER = timedelta(seconds=60)
LIFE = timedelta(minutes=5)
STOP_FOR = timedelta(minutes=15)
WAITED = timedelta(seconds=60)
# A host that says no for anything else may say yes to the next one.
FINAL = frozenset({Code.BAD_PATTERN, Code.NOT_PROTECTED, Code.APPROVER_NOT_ACCEPTED, Code.OTHER_TYPE})
TYPES: Mapping[Verb, type[Claims]] = {
    Verb.STOP: StopOrder,
    Verb.FREEZE: FreezeOrder,
    Verb.UNFREEZE: UnfreezeOrder,
    Verb.PROTECT: ProtectOrder,
    Verb.UNPROTECT: UnprotectOrder,
}


class Standing:
    """Takes up every decision that is not at its host yet."""

    def __init__(
        self,
        *,
        decisions: Decisions,
        store: Store,
        dossiers: Dossiers,
        history: History,
        posts: Posts,
        dispatch: Dispatch,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._decisions, self._store, self._dossiers = decisions, store, dossiers
        self._history, self._posts, self._dispatch = history, posts, dispatch
        self._clock, self._wake = clock, wake

    def step(self) -> float:
        """Carry everything on a little; returns how long to wait until the next step."""
        waiting = self._decisions.unsettled()
        admitted = frozenset(self._store.hosts())
        for _, group in groupby(waiting, key=lambda one: one.id):
            self._tell([self._carry_on(one, admitted) for one in group])
        return STEP_SECONDS

    def _carry_on(self, one: Decided, admitted: frozenset[str]) -> Decided:
        if one.state is not State.OPEN:
            return one
        state, reasons = self._ended(one, admitted)
        if state is not State.OPEN:
            logger.info("%s at %s: %s", one.verb, one.host, state)
            return self._decisions.settle(one, state, reasons)
        now = self._clock()
        if one.sent_at is None or now - one.sent_at > AGAIN_AFTER:
            self._send(one, now)
        return one

    def _ended(self, one: Decided, admitted: frozenset[str]) -> tuple[State, Sequence[Any]]:
        if one.host not in admitted:
            return State.DISMISSED, ()
        if one.verb is Verb.STOP:
            return self._run_ended(one), ()
        heard = self._heard(one)
        if heard[0] is State.OPEN and self._decisions.is_overtaken(one):
            return State.OVERTAKEN, ()
        return heard

    def _heard(self, one: Decided) -> tuple[State, Sequence[Any]]:
        """What the host has said; that it keeps it outranks all that it said of other copies."""
        told = [EVENT.validate_json(found.body) for found in self._history.events(one.id)]
        mine = [event for event in told if event.host == one.host]
        taken = [event for event in mine if isinstance(event, StandingTaken)]
        refused = [event.reasons for event in mine if isinstance(event, OrderRefused)]
        final = [reasons for reasons in refused if any(why.code in FINAL for why in reasons)]
        if taken:
            return _kept(taken[-1]), ()
        return (State.REFUSED, final[-1]) if final else (State.OPEN, ())

    def _run_ended(self, one: Decided) -> State:
        dossier = self._dossiers.find(one.run)
        parts = dossier.request.parts if dossier else ()
        if any(part.host == one.host and part.stage in SETTLED_STAGES for part in parts):
            return State.ENDED
        # One that never went out, as over a restart, is still sent however late.
        was_sent = one.sent_at is not None
        return State.LAPSED if was_sent and self._clock() - one.at > STOP_FOR else State.OPEN

    def _send(self, one: Decided, now: datetime) -> None:
        message = sealed_as(one, now)
        try:
            if one.verb is Verb.STOP:
                self._dispatch.leave(stop_key(one.host, one.order_id), message, now)
            else:
                if one.verb is Verb.FREEZE:
                    self._dispatch.leave(freeze_key(one.host), message, now)
                self._dispatch.put([message], now)
        except QueueUnreachable as error:
            logger.warning("%s not sent to %s: %s; tried again", one.verb, one.host, error)
            return
        self._decisions.sent(one, now)
        logger.info("%s sent to %s", one.verb, one.host)

    def _tell(self, group: Sequence[Decided]) -> None:
        """Tell the channel once all hosts have it, and before that once when some keep it waiting."""
        first = group[0]
        is_over = all(one.state is not State.OPEN for one in group)
        if first.told is Told.ALL or (not is_over and (first.told or self._clock() - first.at < WAITED)):
            return
        told = Told.ALL if is_over else Told.WAITING
        drawn = render.decision(group)
        name, now = f"{first.id} {told}", self._clock()
        self._posts.owe(Note(name, now, first.channel, first.response_url, drawn, is_public=True))
        self._decisions.tell(first.id, told)
        self._wake()


def _kept(told: StandingTaken) -> State:
    if not told.in_force:
        return State.OVERTAKEN
    return State.NOT_FROZEN if told.was_frozen is False else State.KEPT


def sealed_as(one: Decided, now: datetime) -> Claims:
    """What goes to the host; each time it is another message about the same decision."""
    made = {
        "key_id": "",
        "id": uuid.uuid5(NAMES, f"{one.verb} {one.host} {one.id} {now.isoformat()}").hex,
        "host": one.host,
        "issued_at": now,
        "expires_at": now + LIFE,
        "request_id": one.run or one.id,
        "reply_to": one.channel,
        "requester": one.by,
    }
    return TYPES[one.verb].model_validate(made | _particulars(one))


def _particulars(one: Decided) -> dict[str, object]:
    match one.verb:
        case Verb.STOP:
            return {"order_id": one.order_id}
        case Verb.FREEZE | Verb.UNFREEZE:
            return {"decided_at": one.at, "why": one.why}
        case Verb.PROTECT:
            return {"decided_at": one.at, "kind": one.kind, "pattern": one.pattern, "until": one.until}
        case Verb.UNPROTECT:
            return {"decided_at": one.at, "kind": one.kind, "pattern": one.pattern}
