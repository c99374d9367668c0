"""A sealed message holds to the letter, for one host, of one type, and for a while."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.bot_values import ANA, BO, NOON, POLICY
from workers.contract import Claims, ExecutionOrder, Kind, PlanRequest
from workers.reasons import Code
from workers.signing import CLOCK_SKEW, DOMAIN, MAX_BODY, MAX_LIFE, SealError, canonical, digest, seal, unseal

KEY, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = {"k1": KEY.public_key()}
LIFE = timedelta(minutes=10)


def request(host: str = "web-1", *, issued: datetime = NOON, life: timedelta = LIFE) -> PlanRequest:
    return PlanRequest(
        key_id="k1",
        id="r1",
        host=host,
        issued_at=issued,
        expires_at=issued + life,
        request_id="q1",
        reply_to="C1",
        requester=ANA,
    )


def order() -> ExecutionOrder:
    common = request().model_dump(exclude={"type", "kinds"})
    return ExecutionOrder(**common, engine_id="engine-1", plan_digest=POLICY, approver=BO, excluded=(1, 2))


def opened(envelope: object, *, host: str = "web-1", now: datetime = NOON) -> PlanRequest:
    return unseal(envelope, PlanRequest, keys=KEYS, host=host, now=now)


def refusal(envelope: object, *, host: str = "web-1", now: datetime = NOON) -> SealError:
    with pytest.raises(SealError) as refused:
        opened(envelope, host=host, now=now)
    return refused.value


def code(envelope: object, *, host: str = "web-1", now: datetime = NOON) -> Code:
    return refusal(envelope, host=host, now=now).reason.code


@pytest.mark.parametrize("message", [request(), order()])
def test_what_was_sealed_comes_out_as_it_went_in(message: Claims) -> None:
    assert message == unseal(seal(message, KEY), type(message), keys=KEYS, host="web-1", now=NOON)


@given(st.text(max_size=50), st.sets(st.sampled_from(Kind)))
def test_whatever_it_says_comes_out_as_it_went_in(text: str, kinds: set[Kind]) -> None:
    message = request().model_copy(update={"reply_to": text, "kinds": tuple(kinds)})

    assert message == opened(seal(message, KEY))


@given(part=st.sampled_from([0, 1]), place=st.integers(min_value=0), bits=st.integers(1, 255))
def test_s12_with_any_byte_altered_it_does_not_hold(part: int, place: int, bits: int) -> None:
    body, signature = seal(request(), KEY)
    parts = [bytearray(body.encode()), bytearray(base64.b64decode(signature))]
    parts[part][place % len(parts[part])] ^= bits

    altered = [parts[0].decode("latin-1"), base64.b64encode(parts[1]).decode()]

    assert code(altered) in {Code.BAD_SIGNATURE, Code.UNREADABLE_ORDER}


@given(st.dictionaries(st.sampled_from(["host", "request_id", "kinds", "expires_at"]), st.text(), min_size=1))
def test_s12_with_any_claim_altered_it_does_not_hold(changes: dict[str, str]) -> None:
    body, signature = seal(request(), KEY)
    altered = json.dumps(json.loads(body) | changes, sort_keys=True, separators=(",", ":"))

    assert code([altered, signature]) is Code.BAD_SIGNATURE


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=6))
def test_s12_whatever_comes_instead_of_an_envelope_is_refused(envelope: object) -> None:
    assert code(envelope) in {Code.UNREADABLE_ORDER, Code.BAD_SIGNATURE}


@given(st.text(), st.text())
def test_s12_two_strings_that_are_no_envelope_are_refused(body: str, signature: str) -> None:
    assert code([body, signature]) is Code.UNREADABLE_ORDER


def test_s12_another_key_under_the_name_of_a_known_one_is_refused() -> None:
    assert code(seal(request(), STRANGER)) is Code.BAD_SIGNATURE


def test_s12_a_key_nobody_knows_is_refused_and_named() -> None:
    unknown = request().model_copy(update={"key_id": "k2"})

    assert refusal(seal(unknown, KEY)).reason.params == {"key": "k2"}


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_s12_a_key_of_whatever_name_is_refused_in_words_that_can_be_written_down(name: str) -> None:
    body = json.dumps({"key_id": name})

    refused = refusal([body, "AAAA"])

    assert refused.reason.model_dump_json().isascii()
    assert len(refused.reason.params["key"]) < 100  # type: ignore[arg-type]


def test_s12_what_was_signed_for_something_else_is_refused() -> None:
    body = canonical(request())
    bare = base64.b64encode(KEY.sign(body)).decode()

    assert code([body.decode(), bare]) is Code.BAD_SIGNATURE
    assert DOMAIN not in body


@given(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(lambda host: host != "web-1")
)
def test_s12_another_host_refuses_it_and_does_not_speak_for_it(host: str) -> None:
    refused = refusal(seal(request(), KEY), host=host)

    assert refused.reason.code is Code.OTHER_HOST
    assert refused.claims is None


def test_s12_an_order_is_no_request_nor_the_other_way_round() -> None:
    assert code(seal(order(), KEY)) in {Code.OTHER_TYPE, Code.UNREADABLE_ORDER}
    with pytest.raises(SealError):
        unseal(seal(request(), KEY), ExecutionOrder, keys=KEYS, host="web-1", now=NOON)


SECOND = timedelta(seconds=1)
SECONDS = st.integers(min_value=-7200, max_value=7200).map(lambda seconds: timedelta(seconds=seconds))


@given(SECONDS)
@example(-CLOCK_SKEW - SECOND)
@example(-CLOCK_SKEW)
@example(LIFE)
@example(LIFE + SECOND)
def test_s12_it_is_in_force_from_its_date_to_its_end_and_no_longer(offset: timedelta) -> None:
    envelope, now = seal(request(), KEY), NOON + offset
    if -CLOCK_SKEW <= offset <= LIFE:
        assert request() == opened(envelope, now=now)
    else:
        expected = Code.NOT_YET_VALID if offset < -CLOCK_SKEW else Code.EXPIRED
        assert code(envelope, now=now) is expected


@given(st.integers(min_value=1, max_value=86_400).map(lambda seconds: timedelta(seconds=seconds)))
@example(SECOND)
def test_s12_it_may_not_be_long_lived(beyond: timedelta) -> None:
    assert code(seal(request(life=MAX_LIFE + beyond), KEY)) is Code.TOO_LONG_LIVED
    assert opened(seal(request(life=MAX_LIFE), KEY))


def test_who_asked_is_known_of_what_is_genuine_and_late() -> None:
    assert request() == refusal(seal(request(), KEY), now=NOON + 2 * LIFE).claims


def test_who_asked_is_not_known_of_what_is_not_genuine() -> None:
    assert refusal(seal(request(), STRANGER), now=NOON + 2 * LIFE).claims is None


def test_s12_a_body_of_insane_length_is_not_looked_at() -> None:
    huge = request().model_copy(update={"reply_to": "x" * MAX_BODY})

    assert code(seal(huge, KEY)) is Code.UNREADABLE_ORDER


@pytest.mark.parametrize("body", ["[" * 30_000, '{"key_id":' * 5_000, '{"key_id": NaN}', "9" * 10_000])
def test_s12_a_body_made_to_hurt_the_reader_is_refused(body: str) -> None:
    assert code([body, "AAAA"]) in {Code.UNREADABLE_ORDER, Code.BAD_SIGNATURE}


def test_s12_without_any_key_nothing_is_obeyed() -> None:
    with pytest.raises(SealError):
        unseal(seal(request(), KEY), PlanRequest, keys={}, host="web-1", now=NOON)


def test_a_value_has_one_spelling_whatever_zone_its_times_are_written_in() -> None:
    elsewhere = request(issued=NOON.astimezone(UTC))

    assert digest(request()) == digest(elsewhere)
    assert digest(request()) != digest(request("web-2"))
