"""What Slack hands out for a short time, its signature, and its rate limits."""

import pytest
from slack_sdk.signature import SignatureVerifier

from tests.workspace.errors import ApiError
from tests.workspace.rates import Rates
from tests.workspace.signature import sign, signed_headers
from tests.workspace.tickets import ResponseUrl, Tickets


def refusal(tickets: Tickets, trigger: str, now: float) -> str:
    with pytest.raises(ApiError) as refused:
        tickets.exchange_trigger(trigger, now)
    return refused.value.name


def test_a_trigger_works_once() -> None:
    tickets = Tickets()
    trigger = tickets.new_trigger("U1", 100)
    assert tickets.exchange_trigger(trigger, 103) == "U1"
    assert refusal(tickets, trigger, 103) == "exchanged_trigger_id"


def test_a_trigger_ends_after_three_seconds() -> None:
    tickets = Tickets()
    assert refusal(tickets, tickets.new_trigger("U1", 100), 103.01) == "expired_trigger_id"


def test_an_invented_trigger_is_invalid() -> None:
    assert refusal(Tickets(), "1.2.3", 100) == "invalid_trigger_id"


def response_refusal(tickets: Tickets, path: str, now: float) -> str:
    with pytest.raises(ApiError) as refused:
        tickets.use_response(path, now)
    return refused.value.name


def test_a_response_url_works_five_times() -> None:
    tickets = Tickets()
    path = tickets.new_response(ResponseUrl("U1", "C1", 0))
    assert [tickets.use_response(path, 1).uses for _ in range(5)][-1] == 5
    assert response_refusal(tickets, path, 1) == "used_url"


def test_a_response_url_ends_after_thirty_minutes() -> None:
    tickets = Tickets()
    path = tickets.new_response(ResponseUrl("U1", "C1", 0))
    assert tickets.use_response(path, 1800).uses == 1
    assert response_refusal(tickets, path, 1800.1) == "expired_url"


def test_slacks_own_client_takes_the_signature() -> None:
    headers = signed_headers("secret", 1_700_000_000, "a=b")
    verifier = SignatureVerifier("secret")
    assert verifier.generate_signature(timestamp="1700000000", body="a=b") == headers["X-Slack-Signature"]


def test_another_secret_signs_differently() -> None:
    assert sign("one", 1, "a") != sign("two", 1, "a")


def test_a_burst_of_posts_passes_and_the_sixth_waits() -> None:
    rates = Rates()
    assert [rates.retry_after("chat.postMessage", None, "C1", 10) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_posts_to_another_channel_have_their_own_bucket() -> None:
    rates = Rates()
    for _ in range(5):
        rates.retry_after("chat.postMessage", None, "C1", 10)
    assert rates.retry_after("chat.postMessage", None, "C2", 10) == 0


def test_one_update_per_three_seconds_is_always_fine() -> None:
    rates = Rates()
    assert {rates.retry_after("chat.update", None, "C1 1.1", 10 + 3 * turn) for turn in range(100)} == {0}


def test_an_update_each_second_is_told_to_wait() -> None:
    rates = Rates()
    waits = [rates.retry_after("chat.update", None, "C1 1.1", 10 + turn) for turn in range(10)]
    assert max(waits) in (1, 2, 3)


def test_a_tier_counts_all_targets_together() -> None:
    rates = Rates()
    waits = [rates.retry_after("chat.update", 3, f"C1 {number}", 10) for number in range(51)]
    assert (set(waits[:50]), waits[50] > 0) == ({0}, True)
