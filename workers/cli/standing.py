"""Freezing and unfreezing at the host itself, and what it was told to keep to."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from workers.contract import FreezeOrder, UnfreezeOrder
from workers.host import Place, ledger_of
from workers.memory.standing import StandingOrders
from workers.reasons import Reason
from workers.whoami import whoami

LIFE = timedelta(minutes=5)


def decide(type_: type[FreezeOrder | UnfreezeOrder], why: str, place: Place) -> bool:
    """Keep a decision of whoever is at the host, which comes after all others; whether it was frozen."""
    with ledger_of(place) as ledger:
        standing, now = StandingOrders(ledger), datetime.now(UTC)
        was_frozen = standing.frozen() is not None
        at = standing.later_than_all(now)
        order = type_(
            key_id="",
            id=uuid.uuid4().hex,
            host=place.host,
            issued_at=at,
            expires_at=at + LIFE,
            request_id=f"host-{uuid.uuid4().hex}",
            reply_to="",
            requester=whoami(),
            decided_at=at,
            why=why,
        )
        standing.take(order, now)
    return was_frozen


def in_force(place: Place) -> Iterator[tuple[str, Reason]]:
    """What holds on this host now: what it is about, and who said so."""
    with ledger_of(place) as ledger:
        standing = StandingOrders(ledger)
        if frozen := standing.frozen():
            yield "host", frozen
        for one in standing.protections(datetime.now(UTC)):
            yield f"{one.kind} {one.pattern}", one.reason
