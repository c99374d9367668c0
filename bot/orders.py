"""What goes out to the hosts, made of recorded facts alone: made twice, it is the same to the byte."""

import uuid
from datetime import datetime
from typing import Any

from bot.questions import Inquiry
from bot.requests import PLAN_WITHIN, SENT_WITHIN, START_WITHIN, Asked, HostPart, Request, Sent, Settlement
from bot.wanted import Wanted
from workers.contract import (
    Claims,
    Decision,
    ExecutionOrder,
    Person,
    PlanRequest,
    Question,
    RestoreOrder,
    RestoreRequest,
)

PLAN, ANSWER, EXECUTE, KEEP = "plan", "answer", "execute", "keep"
RESTORE_PLAN, RESTORE = "restore_plan", "restore"
TYPES: tuple[tuple[type[Claims], str], ...] = (
    (Decision, KEEP),
    (Question, ANSWER),
    (ExecutionOrder, EXECUTE),
    (RestoreRequest, RESTORE_PLAN),
    (RestoreOrder, RESTORE),
    (PlanRequest, PLAN),
)
# What has a host do something, so that whoever agreed must still be somebody who may.
ORDERS = (ExecutionOrder, RestoreOrder)
NAMES = uuid.UUID("6f1c7f39-6bd5-4f0e-9b3c-5a1f0b9b7a11")


def claims_id(request_id: str, host: str, type_: str) -> str:
    """Name a message to a host; the same message has the same name whenever it is made."""
    return uuid.uuid5(NAMES, f"{type_} {host} {request_id}").hex


def plan_request(asked: Asked, host: str, *, key_id: str) -> PlanRequest:
    """Ask a host for a plan."""
    return PlanRequest(**_request(asked, host, PLAN, key_id), kinds=asked.kinds)


def restore_request(asked: Asked, wanted: Wanted, host: str, *, key_id: str) -> RestoreRequest:
    """Ask a host what would come back."""
    about = _request(asked, host, RESTORE_PLAN, key_id)
    return RestoreRequest(**about, run=wanted.run, objects=wanted.objects)


def question(asked: Inquiry, *, key_id: str) -> Question:
    """Ask a host about itself."""
    return Question(
        key_id=key_id,
        id=claims_id(asked.id, asked.host, ANSWER),
        host=asked.host,
        issued_at=asked.at,
        expires_at=asked.at + PLAN_WITHIN,
        request_id=asked.id,
        reply_to=asked.channel,
        requester=asked.by,
        topic=asked.topic,
        object=asked.object,
    )


def execution_order(request: Request, host: str, *, key_id: str) -> ExecutionOrder | None:
    """Permit a host what was confirmed for it (S3); None where nothing was."""
    part = _ordered(request, host)
    if part is None or part.plan is None or request.settlement is None:
        return None
    permission = _permitting(request, request.settlement, part, EXECUTE, key_id)
    return ExecutionOrder(**permission, engine_id=part.plan.engine.id, excluded=part.excluded)


def restore_order(request: Request, host: str, *, key_id: str) -> RestoreOrder | None:
    """Permit a host the restore that was confirmed for it (S3); None where none was."""
    part = _ordered(request, host)
    if part is None or part.back is None or request.settlement is None:
        return None
    permission = _permitting(request, request.settlement, part, RESTORE, key_id)
    return RestoreOrder(**permission, engine_id=part.back.engine.id)


def _ordered(request: Request, host: str) -> HostPart | None:
    return next((part for part in request.parts if part.host == host and part.ordered), None)


def _permitting(
    request: Request, settlement: Settlement, part: HostPart, type_: str, key_id: str
) -> dict[str, Any]:
    """Who permits what, and until when the host may begin it."""
    return {
        **_request(request.asked, part.host, type_, key_id),
        "issued_at": settlement.at,
        "expires_at": settlement.at + START_WITHIN,
        "plan_digest": part.plan_digest,
        "approver": settlement.by or Person(team="", user=""),
        "approvers": request.approvers,
    }


def _request(asked: Asked, host: str, type_: str, key_id: str) -> dict[str, Any]:
    """Who asks for it, where the answer goes, and until when it is wanted."""
    return {
        "key_id": key_id,
        "id": claims_id(asked.id, host, type_),
        "host": host,
        "issued_at": asked.made_at,
        "expires_at": asked.made_at + PLAN_WITHIN,
        "request_id": asked.id,
        "reply_to": asked.channel,
        "requester": asked.requester,
    }


def plan_type(asked: Asked) -> str:
    """The type of the job that asks for its plans."""
    return RESTORE_PLAN if asked.is_restore else PLAN


def order_type(asked: Asked) -> str:
    """The type of the job that orders what was confirmed."""
    return RESTORE if asked.is_restore else EXECUTE


def order_id(asked: Asked, host: str) -> str:
    """Name the order for a host, once it is confirmed."""
    return claims_id(asked.id, host, order_type(asked))


def unsent(request: Request, sent: tuple[Sent, ...], *, key_id: str) -> list[Claims]:
    """The messages that are not on their host's queue, and not given up either."""
    over = {(s.host, s.type) for s in sent if s.final}
    asked = request.asked
    if request.settlement is None:
        left = [host for host in asked.hosts if (host, plan_type(asked)) not in over]
        return [_asking(asked, host, key_id=key_id) for host in left]
    type_ = order_type(asked)
    over |= {(part.host, type_) for part in request.parts if part.has_begun}
    order = restore_order if asked.is_restore else execution_order
    orders = (order(request, host, key_id=key_id) for host in asked.hosts if (host, type_) not in over)
    return [order for order in orders if order is not None]


def _asking(asked: Asked, host: str, *, key_id: str) -> Claims:
    if asked.wanted:
        return restore_request(asked, asked.wanted, host, key_id=key_id)
    return plan_request(asked, host, key_id=key_id)


def delivered(claims: Claims, now: datetime) -> Sent:
    """Record that a message is on its host's queue."""
    return Sent(claims.host, type_of(claims), now, claims.id)


def undelivered(claims: Claims, error: str, *, certain: bool, now: datetime) -> Sent:
    """Record that a message could not be put there, for good if it is too late to try again.

    What may be there all the same is not given up before it can no longer be obeyed.
    """
    final = is_late(claims, now) if certain else now > claims.expires_at
    return Sent(claims.host, type_of(claims), claims.issued_at, claims.id, error, final, certain)


def given_up(claims: Claims, why: str) -> Sent:
    """Record that a message is not sent, for good."""
    return Sent(claims.host, type_of(claims), claims.issued_at, claims.id, why)


def withdrawn(claims: Claims, why: str, *, now: datetime) -> Sent:
    """Record that nothing was sealed: an attempt without an order."""
    return Sent(claims.host, type_of(claims), now, "", why)


def is_late(claims: Claims, now: datetime) -> bool:
    """Whether nobody expects any more that this is sent."""
    return now > claims.issued_at + SENT_WITHIN


def type_of(claims: Claims) -> str:
    """Whether a message asks for a plan or an answer, orders what one says, or stands until a later one."""
    return next(type_ for kind, type_ in TYPES if isinstance(claims, kind))
