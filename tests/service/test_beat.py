"""The sign of life in a real Redis; and two workers under one name, of which none does anything."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.service.queue_stage import QueueStage, queue_stage, until
from tests.service.queue_worker import GATED
from tests.stage.redis import RedisServer
from workers.contract import Beat, OrderRefused, beat_key
from workers.reasons import Code, reason
from workers.transport.beat import FRESH, KEPT_SECONDS, Activity, Condition, Heart, Neighbour
from workers.transport.connection import Patience, connect
from workers.transport.stillness import Stillness, Troubles

HOST = "web-1"
PROBLEM = reason(Code.POLICY_INVALID, file="/etc/policy.toml", detail="no such file")


def heart(
    server: RedisServer, *, condition: Callable[[], Condition] = Condition, stillness: Stillness | None = None
) -> Heart:
    stillness = stillness or Stillness()
    return Heart(
        host=HOST,
        version="0.1.0",
        client=connect(server.url, Patience(0)),
        condition=condition,
        activity=Activity,
        ledger=lambda: "ledger-1",
        neighbour=Neighbour(),
        stillness=stillness,
        keys=("key-1",),
        troubles=Troubles(stillness),
    )


def sign(server: RedisServer) -> Beat | None:
    answer: Any = server.client().get(beat_key(HOST))
    return Beat.model_validate_json(answer) if answer else None


def beat_of(boot: str, at: datetime) -> Beat:
    return Beat(host=HOST, boot=boot, ledger="l", engine_id="e", version="1", at=at)


def test_a_sign_of_life_tells_how_the_host_stands_and_expires(redis_server: RedisServer) -> None:
    mine = heart(redis_server, condition=lambda: Condition("engine-1", (PROBLEM,)))

    mine.beat()

    found = sign(redis_server)
    assert found is not None
    assert (found.engine_id, found.ledger, found.problems) == ("engine-1", "ledger-1", (PROBLEM,))
    assert 0 < redis_server.client().ttl(beat_key(HOST)) <= KEPT_SECONDS


def test_s11_nobody_forks_while_a_sign_is_made(redis_server: RedisServer) -> None:
    stillness, forked = Stillness(), list[bool]()

    def fork() -> None:
        free = stillness._lock.acquire(blocking=False)
        forked.append(free)
        if free:
            stillness._lock.release()

    def condition() -> Condition:
        forking = threading.Thread(target=fork)
        forking.start()
        forking.join()
        return Condition()

    heart(redis_server, condition=condition, stillness=stillness).beat()

    assert forked == [False]


def test_a_worker_that_ends_takes_its_own_sign_away(redis_server: RedisServer) -> None:
    mine = heart(redis_server)
    mine.beat()

    mine.end()

    assert sign(redis_server) is None


def test_it_leaves_the_sign_of_another_worker_there(redis_server: RedisServer) -> None:
    mine, other = heart(redis_server), heart(redis_server)
    mine.beat()
    other.beat()

    mine.end()

    found = sign(redis_server)
    assert found is not None
    assert found.boot == other.neighbour.boot


@pytest.mark.parametrize("left", ["no sign", "{}", "\xff", ["a list"]])
def test_whatever_stands_in_the_place_of_the_sign_is_overwritten(
    redis_server: RedisServer, left: str | list[str]
) -> None:
    if isinstance(left, str):
        redis_server.client().set(beat_key(HOST), left)
    else:
        redis_server.client().rpush(beat_key(HOST), *left)

    heart(redis_server).beat()

    assert sign(redis_server) is not None


def test_a_standing_that_cannot_be_told_does_not_end_the_worker(redis_server: RedisServer) -> None:
    def fails() -> Condition:
        raise RuntimeError("a mistake of ours")

    mine = heart(redis_server, condition=fails)

    mine.beat()

    assert sign(redis_server) is None


def test_two_workers_of_one_name_notice_each_other(redis_server: RedisServer) -> None:
    mine, other, now = heart(redis_server), heart(redis_server), datetime.now(UTC)
    for each in (mine, other, mine, other):
        each.beat()

    assert mine.neighbour.is_alive(now)
    assert other.neighbour.is_alive(now)


def test_a_worker_started_anew_is_not_taken_for_two(redis_server: RedisServer) -> None:
    heart(redis_server).beat()
    anew = heart(redis_server)

    for _ in range(3):
        anew.beat()

    assert not anew.neighbour.is_alive(datetime.now(UTC))


def test_an_old_sign_that_a_rolled_back_redis_brings_is_nobodys() -> None:
    mine, now = Neighbour(), datetime.now(UTC)
    mine.look(None, now)

    mine.look(beat_of("other", now - FRESH - timedelta(seconds=1)), now)

    assert not mine.is_alive(now)


def test_another_worker_is_forgotten_once_it_is_silent() -> None:
    mine, now = Neighbour(), datetime.now(UTC)
    mine.look(None, now)
    mine.look(beat_of("other", now), now)

    assert mine.is_alive(now)
    assert not mine.is_alive(now + FRESH)


@pytest.fixture
def queue(stage_place: Callable[[], Path]) -> Iterator[QueueStage]:
    with queue_stage(stage_place()) as stage:
        yield stage


def the_sign(queue: QueueStage) -> Beat | None:
    return sign(queue.server)


def test_a_worker_says_what_it_is_busy_with_and_since_when(queue: QueueStage) -> None:
    request = queue.plan_request(reply_to=GATED)
    queue.put(request)

    until(lambda: (found := the_sign(queue)) and found.busy == "plan" and found.busy_since, "a busy sign")
    queue.let_through(request.request_id)

    until(lambda: (found := the_sign(queue)) and not found.busy, "an idle sign")


def test_a_restore_keeps_a_worker_busy_under_a_word_of_its_own(queue: QueueStage) -> None:
    order = queue.restore_order(queue.restore_planned(), reply_to=GATED)
    queue.put(order)

    until(lambda: (found := the_sign(queue)) and found.busy == "restore", "a busy sign")
    queue.let_through(order.id)

    until(lambda: (found := the_sign(queue)) and not found.busy, "an idle sign")


def test_two_live_workers_under_one_name_refuse_what_they_are_sent(queue: QueueStage) -> None:
    with queue.new_worker("second") as second:
        queue.worker.wait_for_line("another worker runs as host web-1")
        second.wait_for_line("another worker runs as host web-1")
        request = queue.plan_request()

        queue.put(request)

        told = queue.event(OrderRefused, request.request_id)
        assert told.reasons[0].code is Code.BUSY
        assert f"plan {request.request_id}" not in queue.notes
