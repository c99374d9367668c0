"""What must not wait in the queue behind the run it is about: a stop of that run, and a freeze of the host.

A restore is stopped as a run is; what follows calls both a run.

Both are sealed, stand in Redis under a key of their own, and are read beside the run. Once they hold they are
put into the ledger, where the run looks between two objects: so it has one place to look, whoever speaks.
"""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from workers.contract import (
    STANDING,
    ExecutionOrder,
    FreezeOrder,
    RestoreOrder,
    StopOrder,
    freeze_key,
    stop_key,
)
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders
from workers.reasons import Code, Reason, reason
from workers.signing import SealError, unseal
from workers.transport.account import Account
from workers.transport.admission import MAX_TEXT
from workers.transport.stillness import Troubles

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
# A run that nobody could stop any more ends by itself. A restore goes on: it removes nothing.
UNREADABLE_SECONDS = 60.0
REMEMBERED = 16
InHand = ExecutionOrder | RestoreOrder
TROUBLE = "whether somebody stops the run cannot be read"


@dataclass
class Urgent:
    """Reads for the order in hand; `halt` is for when the ledger cannot be told."""

    host: str
    client: "redis.Redis"
    keys: Mapping[str, Ed25519PublicKey]
    account: Account
    troubles: Troubles
    in_hand: Callable[[], InHand | None]
    halt: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    _heard_of: str = ""
    _heard_at: float = 0.0
    _judged: deque[bytes] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, stopping: threading.Event) -> None:
        """Read until told to stop."""
        while not stopping.wait(EVERY_SECONDS):
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - the edge of a thread, which must not end
                self.troubles.met(TROUBLE, error)

    def step(self) -> None:
        """Read once, where a run is in hand."""
        order = self.in_hand()
        if order is None:
            return
        if order.id != self._heard_of:
            # What went unheard beside the work before says nothing of this one.
            self._heard_of, self._heard_at = order.id, self.clock()
        try:
            self.look(order)
        except redis.RedisError as error:
            self.troubles.met(TROUBLE, error)
            if isinstance(order, ExecutionOrder) and self.clock() - self._heard_at > UNREADABLE_SECONDS:
                with self.account.stillness.held():
                    self._end(order, reason(Code.STOP_UNREADABLE, seconds=int(UNREADABLE_SECONDS)))
        else:
            self.troubles.over(TROUBLE)
            self._heard_at = self.clock()

    def heed(self, order: InHand) -> None:
        """Read before a run begins; where Redis does not answer just then, the thread reads on."""
        with suppress(redis.RedisError):
            self.look(order)

    def look(self, order: InHand) -> None:
        """Read what there is for this order, and see to it once; raises redis.RedisError."""
        with self._lock:
            stop, freeze = self._read(order)
            self._once(stop, lambda: self._stop(stop, order))
            self._once(freeze, lambda: self._freeze(freeze))

    def _read(self, order: InHand) -> tuple[bytes, bytes]:
        """Read at a bounded cost: whoever can write to Redis could have put anything there."""
        pipeline: Any = self.client.pipeline(transaction=False)
        for key in (stop_key(self.host, order.id), freeze_key(self.host)):
            pipeline.getrange(key, 0, MAX_TEXT)
        stop, freeze = pipeline.execute()
        return stop, freeze

    def _once(self, text: bytes, judge: Callable[[], bool]) -> None:
        """See to a text that was not seen before; what does not hold is recorded once, not every second.

        What the ledger could not take is read again: for the next run it would be as if it had never come.
        """
        if not text or text in self._judged:
            return
        with self.account.stillness.held():
            try:
                is_done = judge()
            except SealError as refusal:
                self.account.refused(refusal.reason, refusal.claims)
                is_done = True
        if is_done:
            self._judged.append(text)

    def _stop(self, text: bytes, order: InHand) -> bool:
        told = unseal(_envelope(text), StopOrder, keys=self.keys, host=self.host, now=datetime.now(UTC))
        if told.order_id != order.id:
            raise SealError(reason(Code.OTHER_ORDER, order=told.order_id))
        code = Code.RESTORE_STOPPED if isinstance(order, RestoreOrder) else Code.STOP_ORDERED
        return self._end(order, reason(code, by=told.requester.spelled))

    def _freeze(self, text: bytes) -> bool:
        now = datetime.now(UTC)
        told = unseal(_envelope(text), STANDING, keys=self.keys, host=self.host, now=now)
        if not isinstance(told, FreezeOrder):
            raise SealError(reason(Code.OTHER_TYPE, type=type(told).__name__))
        return self._kept(lambda ledger: StandingOrders(ledger).take(told, now))

    def _end(self, order: InHand, why: Reason) -> bool:
        logger.warning("order %s: to end after the object in hand (%s)", order.id, why.code)
        now = datetime.now(UTC)
        return self._kept(lambda ledger: StandingOrders(ledger).stop(order.id, why, now))

    def _kept(self, what: Callable[[Ledger], object]) -> bool:
        """Whether the ledger has it, where the run looks; if not, the run is halted without."""
        is_kept = self.account.kept(what)
        if not is_kept:
            self.halt()
        return is_kept


def _envelope(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SealError(reason(Code.UNREADABLE_ORDER, detail="not JSON")) from None
