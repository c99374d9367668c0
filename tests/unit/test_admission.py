"""What a job may be: a call of six with two texts, sealed for this host, and met for the first time."""

import json
import zlib
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.unit.bot_values import ANA, NOON
from workers.contract import PlanRequest
from workers.reasons import Code
from workers.signing import SealError, seal
from workers.transport.admission import FUNCTIONS, MAX_TEXT, Call, Gate, read_call

LIFE, SECOND = timedelta(minutes=10), timedelta(seconds=1)
KEY = Ed25519PrivateKey.generate()
PLAN = "workers.jobs.plan"
SEALED = ["{}", "c2VhbA=="]


def packed(*call: object) -> bytes:
    return zlib.compress(json.dumps(call).encode())


def request(id_: str = "r1") -> PlanRequest:
    return PlanRequest(
        key_id="k1",
        id=id_,
        host="web-1",
        issued_at=NOON,
        expires_at=NOON + LIFE,
        request_id="q1",
        reply_to="C1",
        requester=ANA,
    )


def called(message: PlanRequest) -> Call:
    return read_call(packed(PLAN, None, seal(message, KEY), {}))


def a_gate() -> Gate:
    return Gate("web-1", {"k1": KEY.public_key()})


def refused(gate: Gate, call: Call, now: datetime) -> Code:
    with pytest.raises(SealError) as refusal:
        gate.admit(call, now)
    return refusal.value.reason.code


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_call_of_the_six_is_read(name: str) -> None:
    assert read_call(packed(name, None, SEALED, {})) == Call(FUNCTIONS[name], [*SEALED])


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (b"", Code.UNREADABLE_ORDER),
        (b"no zlib", Code.UNREADABLE_ORDER),
        (zlib.compress(b"no JSON"), Code.UNREADABLE_ORDER),
        (zlib.compress(b"[" * 100_000), Code.UNREADABLE_ORDER),
        (packed(PLAN, None, SEALED, {})[:-1], Code.UNREADABLE_ORDER),
        (packed(PLAN, None, ["x" * MAX_TEXT], {}), Code.UNREADABLE_ORDER),
        (packed(PLAN, None, SEALED, {"host": "web-2"}), Code.UNREADABLE_ORDER),
        (packed(PLAN, None, SEALED), Code.UNREADABLE_ORDER),
        (packed(PLAN, None, SEALED, {}, {}), Code.UNREADABLE_ORDER),
        (packed(PLAN, "an instance", SEALED, {}), Code.UNREADABLE_ORDER),
        (packed(PLAN, None, "text", {}), Code.UNREADABLE_ORDER),
        (packed(7, None, SEALED, {}), Code.UNREADABLE_ORDER),
        (packed("os.system", None, SEALED, {}), Code.UNKNOWN_FUNCTION),
        (packed("workers.jobs.plan ", None, SEALED, {}), Code.UNKNOWN_FUNCTION),
    ],
)
def test_s12_what_is_no_such_call_is_refused(job: bytes, code: Code) -> None:
    with pytest.raises(SealError) as refusal:
        read_call(job)

    assert (refusal.value.reason.code, refusal.value.claims) == (code, None)


def test_s12_what_the_seal_says_must_be_what_the_call_does() -> None:
    call = Call("execute", called(request()).envelope)

    assert refused(a_gate(), call, NOON) in {Code.OTHER_TYPE, Code.UNREADABLE_ORDER}


@pytest.mark.parametrize("later", [timedelta(0), SECOND, LIFE - SECOND, LIFE])
def test_s11_it_is_let_through_once_for_as_long_as_it_is_in_force(later: timedelta) -> None:
    gate, call = a_gate(), called(request())

    assert gate.admit(call, NOON) == request()
    assert gate.admit(called(request("r2")), NOON + later) == request("r2")
    assert refused(gate, call, NOON + later) is Code.ORDER_USED


def test_s11_what_is_met_again_after_its_time_is_too_late() -> None:
    gate, call = a_gate(), called(request())
    gate.admit(call, NOON)

    assert refused(gate, call, NOON + LIFE + SECOND) is Code.EXPIRED


def test_what_was_refused_was_not_met() -> None:
    gate, call = a_gate(), called(request())

    assert refused(gate, call, NOON - timedelta(hours=1)) is Code.NOT_YET_VALID
    assert gate.admit(call, NOON) == request()
