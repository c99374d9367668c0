"""What is sent for a request, kept back, or given up, and the record of that."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.dispatch import Dispatch
from bot.errors import QueueAnswerLost, QueueUnreachable
from bot.memory.dossiers import Dossier
from bot.memory.store import Store
from bot.orders import ORDERS, delivered, given_up, is_late, type_of, undelivered, unsent, withdrawn
from bot.patience import Patience
from bot.requests import Request, Sent
from bot.sealing import Sealing
from bot.withholding import Withholding
from workers.contract import Claims

logger = logging.getLogger(__name__)

QUEUE_PAUSE = timedelta(seconds=1)
NEVER_SENT = "the bot could not send it in time"


@dataclass(frozen=True)
class Errand:
    """The request that something is sent for, and what has come of that so far."""

    dossier: Dossier
    request: Request

    @property
    def id(self) -> str:
        """The request's."""
        return self.dossier.asked.id

    def before(self, message: Claims) -> Sent | None:
        """The last attempt to send this."""
        of = (message.host, type_of(message))
        return next((sent for sent in self.dossier.sent if (sent.host, sent.type) == of), None)

    def is_certain(self, message: Claims) -> bool:
        """Whether it is known that this is not on its queue."""
        before = self.before(message)
        return before is None or before.certain


@dataclass(frozen=True)
class Sending:
    """Puts on the queues what may go there."""

    store: Store
    dispatch: Dispatch
    sealing: Sealing
    withholding: Withholding
    clock: Callable[[], datetime]
    patience: Patience = field(default_factory=Patience)

    def send(self, dossier: Dossier, request: Request) -> None:
        """Send what is not sent, as far as that may be now."""
        errand = Errand(dossier, request)
        messages = unsent(request, dossier.sent, key_id=self.dispatch.key_id)
        permitted = self._permitted(errand, self._in_time(errand, messages))
        # Last of all: to look people up takes time, and a freeze that is typed meanwhile wins.
        free = self._not_withheld(errand, permitted)
        if free and self.patience.allows(Dispatch, self.clock()):
            self._put(errand, free)

    def _in_time(self, errand: Errand, messages: Sequence[Claims]) -> list[Claims]:
        """Give up what nobody expects any more."""
        now = self.clock()
        late = [m for m in messages if is_late(m, now) and errand.is_certain(m)]
        if late:
            self.patience.succeeded((Sealing, errand.id))
        self._keep_back(errand, [(m, _error(errand, m)) for m in late])
        return [m for m in messages if m not in late]

    def _permitted(self, errand: Errand, messages: list[Claims]) -> list[Claims]:
        """What may go out: an order only while enough of those who agreed still may (S12)."""
        if not any(isinstance(message, ORDERS) for message in messages):
            return messages
        if not self.patience.allows((Sealing, errand.id), self.clock()):
            return []
        objection = self.sealing.objection(errand.request)
        if objection is None:
            self.patience.succeeded((Sealing, errand.id))
            return messages
        logger.warning("request %s: no order is sealed: %s", errand.id, objection.why)
        if objection.until:
            self.patience.wait((Sealing, errand.id), objection.until)
        certain = [m for m in messages if errand.is_certain(m) and not objection.until]
        self._record(errand, [withdrawn(m, objection.why, now=self.clock()) for m in certain])
        self._keep_back(errand, [(m, objection.why) for m in messages if m not in certain])
        return []

    def _not_withheld(self, errand: Errand, messages: Sequence[Claims]) -> list[Claims]:
        """Keep back orders for hosts that could not obey them, or are about to be frozen."""
        orders = [message for message in messages if isinstance(message, ORDERS)]
        whys = self.withholding.now(removes=not errand.request.asked.is_restore) if orders else {}
        held = [order for order in orders if order.host in whys]
        lost = [o for o in held if whys[o.host].for_good and errand.is_certain(o)]
        self._record(errand, [given_up(order, whys[order.host].why) for order in lost])
        self._keep_back(errand, [(order, whys[order.host].why) for order in held if order not in lost])
        return [message for message in messages if message not in held]

    def _put(self, errand: Errand, messages: Sequence[Claims]) -> None:
        now = self.clock()
        try:
            self.dispatch.put(messages, now)
        except QueueUnreachable as error:
            self.patience.wait(Dispatch, now + QUEUE_PAUSE)
            is_lost = isinstance(error, QueueAnswerLost)
            self._keep_back(errand, [(message, str(error)) for message in messages], is_lost=is_lost)
        else:
            self._record(errand, [delivered(m, now) for m in messages])
            logger.info("request %s: sent to %s", errand.id, ", ".join(m.host for m in messages))

    def _keep_back(
        self, errand: Errand, messages: Sequence[tuple[Claims, str]], *, is_lost: bool = False
    ) -> None:
        """Record why these are not sent yet, or why they never will be; said once of each reason.

        What may be on its queue stays so, whatever is the matter now.
        """
        now = self.clock()
        tried = [
            (m, undelivered(m, why, certain=not is_lost and errand.is_certain(m), now=now))
            for m, why in messages
        ]
        self._record(errand, [sent for m, sent in tried if sent != errand.before(m)])

    def _record(self, errand: Errand, sent: list[Sent]) -> None:
        for attempt in sent:
            if attempt.error:
                end = "given up" if attempt.final else "tried again"
                logger.warning(
                    "request %s: %s not sent to %s (%s): %s",
                    *(errand.id, attempt.type, attempt.host, attempt.error, end),
                )
        if sent:
            self.store.record_sent(errand.id, sent)


def _error(errand: Errand, message: Claims) -> str:
    before = errand.before(message)
    return before.error if before and before.error else NEVER_SENT
