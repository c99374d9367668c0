"""What a worker's log says of trouble: once that it is there, once that it is over, and neither falsely."""

import pytest
import redis

from workers.errors import LedgerError
from workers.transport.stillness import NO_REDIS, Stillness, Troubles

REFUSED = redis.AuthenticationError("invalid username-password pair or user is disabled.")
BEAT, EVENTS = "no sign of life can be given", "events do not reach Redis"
LEDGER = "the ledger cannot be read"


@pytest.fixture
def troubles() -> Troubles:
    return Troubles(Stillness())


def test_what_works_without_redis_is_no_sign_of_it(
    troubles: Troubles, caplog: pytest.LogCaptureFixture
) -> None:
    """The ledger can be read all the while: a log that said each time that Redis answers would be no help."""
    for _ in range(3):
        troubles.met(BEAT, REFUSED)
        troubles.over(LEDGER, took_redis=False)
    assert caplog.messages == [f"{NO_REDIS}: {REFUSED}"]


def test_no_redis_is_one_trouble_and_over_with_the_first_that_works_again(
    troubles: Troubles, caplog: pytest.LogCaptureFixture
) -> None:
    troubles.met(BEAT, REFUSED)
    troubles.met(EVENTS, REFUSED)
    troubles.over(EVENTS)
    troubles.over(BEAT)
    assert caplog.messages == [f"{NO_REDIS}: {REFUSED}", f"over: {NO_REDIS}"]


def test_another_trouble_is_told_by_its_own_name(
    troubles: Troubles, caplog: pytest.LogCaptureFixture
) -> None:
    troubles.met(LEDGER, LedgerError("database is locked"))
    troubles.over(LEDGER, took_redis=False)
    assert caplog.messages == [f"{LEDGER}: database is locked", f"over: {LEDGER}"]
