"""Canonical bytes, digests, and sealed messages: the bot signs, hosts hold public keys only."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, TypeAdapter, ValidationError

from workers.contract import Claims
from workers.reasons import Code, Reason, reason

DOMAIN = b"safe-prune-order-v1\0"
MAX_BODY = 64 * 1024
MAX_LIFE = timedelta(minutes=15)
CLOCK_SKEW = timedelta(seconds=30)

ClaimsT = TypeVar("ClaimsT", bound=Claims)


class SealError(Exception):
    """A sealed message that is not to be obeyed; `claims` where it is genuine and for this host."""

    def __init__(self, reason: Reason, claims: Claims | None = None) -> None:
        super().__init__(reason.code)
        self.reason, self.claims = reason, claims


def canonical(value: BaseModel) -> bytes:
    """The one spelling of a value: sorted keys, no spaces, UTF-8."""
    fields = value.model_dump(mode="json")
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: BaseModel) -> str:
    """Name a value by its content: ``sha256:`` and 64 hex digits."""
    return digest_of(canonical(value))


def digest_of(spelled: bytes) -> str:
    """Name a value by its one spelling."""
    return "sha256:" + hashlib.sha256(spelled).hexdigest()


def seal(claims: Claims, key: Ed25519PrivateKey) -> list[str]:
    """Sign the claims; the result is the argument list of the job that carries them."""
    body = canonical(claims)
    return [body.decode(), base64.b64encode(key.sign(DOMAIN + body)).decode()]


def unseal(
    envelope: object,
    expected: type[ClaimsT] | TypeAdapter[ClaimsT],
    *,
    keys: Mapping[str, Ed25519PublicKey],
    host: str,
    now: datetime,
) -> ClaimsT:
    """Open a sealed message that is for this host, of this type, and in force now.

    Raises:
        SealError: with the reason, whatever is wrong with it.
    """
    claims = _parsed(_verified(envelope, keys), expected)
    for refusal in _refusals(claims, host=host, now=now):
        # Of what is meant for another host, this one tells nobody: it would speak for that host's request.
        raise SealError(refusal, claims if claims.host == host else None)
    return claims


def _verified(envelope: object, keys: Mapping[str, Ed25519PublicKey]) -> str:
    """Return the body of an envelope whose signature holds; nothing else of it is looked at before."""
    match envelope:
        case [str(body), str(signature)] if len(body) <= MAX_BODY:
            pass
        case _:
            raise SealError(reason(Code.UNREADABLE_ORDER, detail="not two strings of a sane length"))
    key_id = _key_id(body)
    try:
        keys[key_id].verify(base64.b64decode(signature, validate=True), DOMAIN + body.encode())
    except (KeyError, InvalidSignature, binascii.Error, ValueError):
        # A stranger's text: kept to letters that can be stored, logged and read.
        raise SealError(reason(Code.BAD_SIGNATURE, key=ascii(key_id)[1:-1][:64])) from None
    return body


def _key_id(body: str) -> str:
    try:
        return str(json.loads(body)["key_id"])[:64]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SealError(reason(Code.UNREADABLE_ORDER, detail="no key id")) from None


def _parsed(body: str, expected: type[ClaimsT] | TypeAdapter[ClaimsT]) -> ClaimsT:
    try:
        if isinstance(expected, TypeAdapter):
            return expected.validate_json(body)
        return expected.model_validate_json(body)
    except ValidationError as error:
        # The first field that is wrong says enough; the rest would be a stranger's text in our log.
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if where == "type" or first["type"].startswith("union_tag"):
            name = getattr(expected, "__name__", "StandingOrder")
            raise SealError(reason(Code.OTHER_TYPE, type=name)) from None
        raise SealError(reason(Code.UNREADABLE_ORDER, detail=f"field {where}")) from None


def _refusals(claims: Claims, *, host: str, now: datetime) -> list[Reason]:
    refusals = []
    if claims.host != host:
        refusals.append(reason(Code.OTHER_HOST, host=claims.host))
    if claims.expires_at - claims.issued_at > MAX_LIFE:
        refusals.append(reason(Code.TOO_LONG_LIVED, limit=int(MAX_LIFE.total_seconds())))
    if claims.issued_at - CLOCK_SKEW > now:
        refusals.append(reason(Code.NOT_YET_VALID, at=claims.issued_at.isoformat()))
    if now > claims.expires_at:
        refusals.append(reason(Code.EXPIRED, at=claims.expires_at.isoformat()))
    return refusals
