"""What a job may be: one of six calls, with a seal that holds, met for the first time."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import TypeAdapter

from workers.contract import (
    STANDING,
    Claims,
    ExecutionOrder,
    PlanRequest,
    Question,
    RestoreOrder,
    RestoreRequest,
)
from workers.reasons import Code, reason
from workers.signing import MAX_BODY, SealError, unseal

JobType = Literal["plan", "answer", "execute", "restore_plan", "restore", "keep"]
FUNCTIONS: Mapping[str, JobType] = {
    "workers.jobs.plan": "plan",
    "workers.jobs.answer": "answer",
    "workers.jobs.execute": "execute",
    "workers.jobs.restore_plan": "restore_plan",
    "workers.jobs.restore": "restore",
    "workers.jobs.keep": "keep",
}
MESSAGES: Mapping[JobType, type[Claims] | TypeAdapter[Any]] = {
    "plan": PlanRequest,
    "answer": Question,
    "execute": ExecutionOrder,
    "restore_plan": RestoreRequest,
    "restore": RestoreOrder,
    "keep": STANDING,
}
# A body's quotes are escaped and its other letters may be, by up to six to one.
MAX_TEXT = 8 * MAX_BODY
MAX_PACKED = MAX_TEXT


@dataclass(frozen=True)
class Call:
    """What a job asks for, not yet believed."""

    type: JobType
    envelope: list[object]


def read_call(packed: bytes) -> Call:
    """Read the call out of a job's bytes, as RQ writes them, at a bounded cost.

    Raises:
        SealError: it is none of the six.
    """
    match _parsed(_unpacked(packed)):
        case [str(name), None, [*envelope], {**named}] if not named:
            pass
        case _:
            raise _unreadable("not a call with two arguments")
    if name not in FUNCTIONS:
        raise SealError(reason(Code.UNKNOWN_FUNCTION, function=ascii(name)[1:-1][:80]))
    return Call(FUNCTIONS[name], envelope)


def _unpacked(packed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(packed, MAX_TEXT)
    except zlib.error:
        raise _unreadable("not packed by RQ") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise _unreadable(f"over {MAX_TEXT} bytes, or cut short")
    return text


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable("not JSON") from None


def _unreadable(detail: str) -> SealError:
    return SealError(reason(Code.UNREADABLE_ORDER, detail=detail))


@dataclass
class Gate:
    """Lets a call through once, if its seal holds; remembers it for as long as it is in force.

    This stops what Redis repeats at once. What it repeats after a restart, the ledger stops: an order
    is consumed there.
    """

    host: str
    keys: Mapping[str, Ed25519PublicKey]
    _met: dict[str, datetime] = field(default_factory=dict)

    def admit(self, call: Call, now: datetime) -> Claims:
        """Return what the call says, for sure.

        Raises:
            SealError: it is not to be obeyed.
        """
        claims: Claims = unseal(call.envelope, MESSAGES[call.type], keys=self.keys, host=self.host, now=now)
        self._met = {id_: expiry for id_, expiry in self._met.items() if expiry >= now}
        if claims.id in self._met:
            # Nobody is told: it would look as if what was met first had been refused.
            raise SealError(reason(Code.ORDER_USED, order=claims.id))
        self._met[claims.id] = claims.expires_at
        return claims
