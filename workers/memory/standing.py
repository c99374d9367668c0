"""What a host was told to keep to: freezes, protections from Slack, and which runs are to end.

Orders are never changed, only followed by others about the same; the one that was decided last holds, however
late an older one arrives. Of two decided at once the one that keeps more holds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workers.contract import (
    STANDING,
    FreezeOrder,
    ProtectOrder,
    StandingOrder,
    StandingTaken,
    UnfreezeOrder,
    UnprotectOrder,
)
from workers.errors import LedgerError, RefusedError, StandingError
from workers.memory.sightings import spelled
from workers.planning.protections import Protection
from workers.reasons import Code, Reason, reason
from workers.references import BadName

if TYPE_CHECKING:
    from workers.memory.ledger import Ledger

SCHEMA = """
CREATE TABLE standing (
  request_id TEXT PRIMARY KEY, about TEXT NOT NULL, decided_at TEXT NOT NULL, keeps INTEGER NOT NULL,
  taken_at TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX newest_standing ON standing (about, decided_at, keeps);
CREATE TABLE stops (order_id TEXT PRIMARY KEY, taken_at TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
"""
HOST = "host"
NEWEST = "SELECT body FROM standing WHERE about = ? ORDER BY decided_at DESC, keeps DESC, rowid DESC LIMIT 1"
# Of what was decided before, the same order aside: it may come twice.
KEPT_BEFORE = (
    "SELECT keeps FROM standing WHERE about = ? AND decided_at <= ? AND request_id != ?"
    " ORDER BY decided_at DESC, keeps DESC, rowid DESC LIMIT 1"
)
A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class StandingOrders:
    """The part of a ledger that holds them.

    Raises:
        StandingError: they cannot be read, so nothing may be removed.
    """

    ledger: "Ledger"

    def take(self, order: StandingOrder, now: datetime) -> bool:
        """Keep an order, and tell that it is kept; whether it is in force. The same one is kept once.

        Raises:
            RefusedError: it means nothing here.
        """
        self._refuse_nonsense(order)
        row = (order.request_id, _about(order), spelled(order.decided_at), _keeps(order))
        with self.ledger.transaction():
            self.ledger.write(
                "INSERT OR IGNORE INTO standing VALUES (?, ?, ?, ?, ?, ?)",
                [(*row, spelled(now), order.model_dump_json())],
            )
            newest = self._newest(_about(order))
            in_force = newest is not None and newest.request_id == order.request_id
            told = {"request_id": order.request_id, "reply_to": order.reply_to}
            found = {"in_force": in_force, "was_frozen": self._was_frozen(order)}
            self.ledger.tell(StandingTaken(host=order.host, at=now, order=order, **found, **told))
        return in_force

    def _was_frozen(self, order: StandingOrder) -> bool | None:
        """Whether an unfreeze lifts anything; None of what is none."""
        if not isinstance(order, UnfreezeOrder):
            return None
        rows = self._rows(KEPT_BEFORE, HOST, spelled(order.decided_at), order.request_id)
        return bool(rows and rows[0][0])

    def _refuse_nonsense(self, order: StandingOrder) -> None:
        if isinstance(order, ProtectOrder):
            try:
                Protection(order.kind, order.pattern, "")
            except BadName as error:
                detail = " ".join(str(error).split())
                raise RefusedError(reason(Code.BAD_PATTERN, pattern=order.pattern, detail=detail)) from None
        if isinstance(order, UnprotectOrder) and self._newest(_about(order)) is None:
            raise RefusedError(reason(Code.NOT_PROTECTED, pattern=order.pattern))

    # What holds now

    def frozen(self) -> Reason | None:
        """Who froze the host, when and why; None where it is not frozen."""
        newest = self._newest(HOST)
        if not isinstance(newest, FreezeOrder):
            return None
        at, by = newest.decided_at.isoformat(), newest.requester.spelled
        return reason(Code.FROZEN, by=by, at=at, why=newest.why)

    def protections(self, now: datetime) -> tuple[Protection, ...]:
        """The protections in force, by what they mean."""
        abouts = self._rows("SELECT DISTINCT about FROM standing WHERE about != ? ORDER BY about", HOST)
        newest = (self._newest(about) for (about,) in abouts)
        kept = [o for o in newest if isinstance(o, ProtectOrder) and (o.until is None or now < o.until)]
        return tuple(map(_protection, kept))

    def taken_so_far(self) -> int:
        """A mark between what was taken and what is to come."""
        [[newest]] = self._rows("SELECT coalesce(max(rowid), 0) FROM standing")
        return int(newest)

    def bars(self, order_id: str, begun: int | None = None) -> Reason | None:
        """Why the run of this order must not go on; what cannot be read bars it as well (S4).

        `begun` is the mark of when the run learnt the protections. Asked between two objects, so it costs no
        more than three look-ups.
        """
        try:
            return self._stopped(order_id) or self.frozen() or self._protected_since(begun)
        except LedgerError as error:
            return reason(Code.STANDING_UNREADABLE, detail=str(error))

    def stops(self, order_id: str) -> Reason | None:
        """Why the restore of this order must not go on; it removes nothing, so no freeze bars it."""
        try:
            return self._stopped(order_id)
        except LedgerError as error:
            return reason(Code.STANDING_UNREADABLE, detail=str(error))

    def refusal(self, order_id: str, now: datetime) -> Reason | None:
        """Why the run of this order must not begin; protections that cannot be read are one reason (S4)."""
        try:
            self.protections(now)
        except LedgerError as error:
            return reason(Code.STANDING_UNREADABLE, detail=str(error))
        return self.bars(order_id)

    def later_than_all(self, now: datetime) -> datetime:
        """A time for a decision made here, by somebody who sees what holds: after all of that."""
        newest = self._newest(HOST)
        return max(now, newest.decided_at + A_MOMENT) if newest else now

    # Runs that are to end

    def stop(self, order_id: str, why: Reason, now: datetime) -> None:
        """Have the run of an order end after the object in hand; the first reason stays."""
        row = (order_id, spelled(now), why.model_dump_json())
        self.ledger.write("INSERT OR IGNORE INTO stops VALUES (?, ?, ?)", [row])

    def _stopped(self, order_id: str) -> Reason | None:
        rows = self._rows("SELECT reason FROM stops WHERE order_id = ?", order_id)
        return _read_reason(rows[0][0]) if rows else None

    def _protected_since(self, begun: int | None) -> Reason | None:
        """What a run does not know to keep; none of its steps is worth finding out whether it means one."""
        if begun is None:
            return None
        for (body,) in self._rows("SELECT body FROM standing WHERE rowid > ? AND keeps", begun):
            if isinstance(order := _read(body), ProtectOrder):
                by = order.requester.spelled
                return reason(Code.PROTECTED_MEANWHILE, kind=order.kind, pattern=order.pattern, by=by)
        return None

    def _newest(self, about: str) -> StandingOrder | None:
        rows = self._rows(NEWEST, about)
        return _read(rows[0][0]) if rows else None

    def _rows(self, query: str, *values: object) -> list[Any]:
        return self.ledger.peek(query, *values)


def _read(body: str) -> StandingOrder:
    try:
        return STANDING.validate_json(body)
    except ValidationError as error:
        raise StandingError(f"an order that stands is none: {error.errors()[0]['type']}") from None


def _protection(order: ProtectOrder) -> Protection:
    try:
        return Protection(order.kind, order.pattern, order.requester.spelled, order.until)
    except BadName as error:
        raise StandingError(f"a protection is none: {' '.join(str(error).split())}") from None


def _read_reason(text: str) -> Reason:
    try:
        return Reason.model_validate_json(text)
    except ValidationError as error:
        raise StandingError(f"a stop is none: {error.errors()[0]['type']}") from None


def _about(order: StandingOrder) -> str:
    """What an order is about: the host, or a pattern over one kind of object."""
    if isinstance(order, FreezeOrder | UnfreezeOrder):
        return HOST
    return f"{order.kind} {order.pattern}"


def _keeps(order: StandingOrder) -> bool:
    return isinstance(order, FreezeOrder | ProtectOrder)
