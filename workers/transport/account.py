"""What the worker itself tells through the ledger: jobs turned away, and work that ended without a word."""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workers.contract import (
    Claims,
    ExecutionOrder,
    NotAnswered,
    OrderRefused,
    PlanFailed,
    PlanRequest,
    Question,
    RestoreOrder,
    RestoreRequest,
)
from workers.errors import LedgerError
from workers.memory.ledger import Ledger
from workers.reasons import Code, Reason, reason
from workers.transport.child import OUT_OF_TIME, TOLD_TO_STOP
from workers.transport.stillness import Stillness
from workers.wording import sentence

logger = logging.getLogger(__name__)

WHY_IT_DIED = {TOLD_TO_STOP: Code.TERMINATED, OUT_OF_TIME: Code.DEADLINE}


@dataclass(frozen=True)
class Account:
    """Gives account to the ledger; where that cannot be written, the log has it."""

    host: str
    ledger_file: Path
    stillness: Stillness

    def refused(self, why: Reason, claims: Claims | None) -> None:
        """Record a job that was turned away, and tell who asked, where that is known for sure."""
        logger.warning("a job was turned away: %s", sentence(why))
        self._write(lambda ledger: self._refuse(ledger, why, claims))

    def kept(self, what: Callable[[Ledger], object]) -> bool:
        """Have something put on record; whether it is there."""
        return self._write(what)

    def died(self, claims: Claims, exit_code: int) -> None:
        """Tell of work whose process ended without doing so; a run that had begun gets its own report."""
        logger.error("the process of %s ended with exit code %d", claims.id, exit_code)
        why = reason(WHY_IT_DIED.get(exit_code, Code.INTERRUPTED))
        self._write(lambda ledger: self._tell_of_death(ledger, why, claims))

    def _tell_of_death(self, ledger: Ledger, why: Reason, claims: Claims) -> None:
        if isinstance(claims, PlanRequest | RestoreRequest):
            ledger.tell(PlanFailed(**self._told(claims), reason=why))
        elif isinstance(claims, Question):
            ledger.tell(NotAnswered(**self._told(claims), reason=why))
        elif not _is_begun(ledger, claims):
            self._refuse(ledger, why, claims)

    def _refuse(self, ledger: Ledger, why: Reason, claims: Claims | None) -> None:
        now, order_id, event = datetime.now(UTC), claims.id if claims else "", None
        if claims:
            event = OrderRefused(**self._told(claims), order_id=order_id, reasons=(why,))
        ledger.refuse((why,), order_id=order_id, event=event, now=now, claims=claims)

    def _told(self, claims: Claims) -> dict[str, object]:
        told = {"request_id": claims.request_id, "reply_to": claims.reply_to}
        return {**told, "host": self.host, "at": datetime.now(UTC)}

    def _write(self, what: Callable[[Ledger], object]) -> bool:
        try:
            with self.stillness.held(), closing(Ledger(self.ledger_file)) as ledger:
                what(ledger)
        except LedgerError as error:
            logger.error("that could not be put on record: %s", error)
            return False
        return True


def _is_begun(ledger: Ledger, claims: Claims) -> bool:
    """Whether this is an order that was consumed."""
    if isinstance(claims, RestoreOrder):
        return ledger.restore_used_by(claims.plan_digest) == claims.id
    return isinstance(claims, ExecutionOrder) and ledger.used_by(claims.plan_digest) == claims.id
