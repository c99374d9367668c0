"""What a host's user and the bot's may do in Redis, asked of a real one (S12)."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.decisions import Decided, Verb
from bot.dispatch import Dispatch
from bot.keys import SigningKey
from bot.rights import Rights, hashed, of_bot, of_host
from bot.standing import sealed_as
from tests.stage.redis import RedisServer
from tests.stage.spawn import mortal
from tests.unit.bot_values import ANA
from workers.contract import (
    FreezeOrder,
    StopOrder,
    acknowledged_key,
    beat_key,
    events_key,
    freeze_key,
    rq_name,
    stop_key,
)

PASSWORD = "swordfish"
HOST, NEIGHBOURS = "web-1", ("web", "web-10", "web-1-b", "a-web-1")
Command = tuple[str | int, ...]


@pytest.fixture(scope="module")
def server(stage_place: Callable[[], Path]) -> Iterator[RedisServer]:
    with RedisServer(stage_place()) as server:
        for rights in (of_bot(), of_host(HOST), *map(of_host, NEIGHBOURS)):
            server.admit(rights.line(hashed(PASSWORD)))
        yield server


@pytest.fixture
def host(server: RedisServer) -> Iterator[Any]:
    yield from client_of(server, of_host(HOST))


@pytest.fixture
def bot(server: RedisServer) -> Iterator[Any]:
    yield from client_of(server, of_bot())


def client_of(server: RedisServer, rights: Rights) -> Iterator[Any]:
    with closing(redis.Redis.from_url(server.url_of(rights.user, PASSWORD))) as client:
        yield client


def is_refused(client: Any, command: Command) -> bool:
    try:
        client.execute_command(*command)
    except redis.exceptions.NoPermissionError:
        return True
    except redis.ResponseError:
        return False
    return False


def commands_on(host: str) -> list[Command]:
    """Reading and writing in every way a host's user has, and in others, at every key there is."""
    queue, job = f"rq:queue:{host}", f"rq:job:{rq_name(host, 'x')}"
    strings = (beat_key(host), acknowledged_key(host), events_key(host), job, queue)
    return [
        ("LINDEX", queue, 0),
        ("LRANGE", queue, 0, -1),
        ("LREM", queue, 1, "x"),
        ("RPUSH", queue, "x"),
        ("BLMOVE", queue, f"{queue}:intermediate", "LEFT", "RIGHT", "0.01"),
        ("BLMOVE", f"rq:queue:{HOST}", queue, "LEFT", "RIGHT", "0.01"),
        ("LREM", f"{queue}:intermediate", 1, "x"),
        *((name, job, "data") for name in ("HGET", "HSTRLEN", "HEXISTS")),
        ("HSET", job, "data", "x"),
        ("SADD", f"rq:workers:{host}", "x"),
        ("SREM", f"rq:workers:{host}", "x"),
        ("SMEMBERS", f"rq:workers:{host}"),
        ("HSET", f"rq:worker:{rq_name(host, 'x')}", "state", "busy"),
        ("XADD", events_key(host), "*", "event", "x"),
        ("XRANGE", events_key(host), "-", "+"),
        *((name, key) for key in strings for name in ("GET", "DEL", "EXISTS")),
        *(("GETRANGE", key, 0, 9) for key in (stop_key(host, "o1"), freeze_key(host))),
        *((name, key, 1) for key in strings for name in ("SET", "EXPIRE")),
    ]


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_s12_a_host_reaches_nothing_of_another_s(server: RedisServer, host: Any, neighbour: str) -> None:
    assert [command for command in commands_on(neighbour) if not is_refused(host, command)] == []
    # Refusals get on record, so that an empty record in other tests says something.
    assert any("prune-host-web-1" in refusal for refusal in server.note_refusals())


def test_s12_what_a_host_is_told_it_can_only_read(host: Any) -> None:
    key = acknowledged_key(HOST)

    assert not is_refused(host, ("GET", key))
    assert all(is_refused(host, c) for c in (("SET", key, "x"), ("DEL", key), ("EXPIRE", key, 1)))


def test_a_stop_and_a_freeze_reach_a_host_with_these_rights(server: RedisServer, host: Any, bot: Any) -> None:
    known = tuple(server.note_refusals())
    now = datetime.now(UTC)
    key = SigningKey(Ed25519PrivateKey.generate())
    dispatch = Dispatch(bot, lambda: key)
    decided = Decided(id="d1", host=HOST, verb=Verb.FREEZE, at=now, by=ANA, channel="C1", order_id="o1")
    freeze, stop = (sealed_as(replace(decided, verb=verb), now) for verb in (Verb.FREEZE, Verb.STOP))
    assert (type(freeze), type(stop)) == (FreezeOrder, StopOrder)

    dispatch.put([freeze], now)
    dispatch.leave(freeze_key(HOST), freeze, now)
    dispatch.leave(stop_key(HOST, "o1"), stop, now)

    assert all(host.getrange(name, 0, 9) for name in (stop_key(HOST, "o1"), freeze_key(HOST)))
    assert host.lindex(f"rq:queue:{HOST}", 0) == rq_name(HOST, freeze.id).encode()
    assert tuple(server.note_refusals()) == known


FOR_NOBODY: tuple[Command, ...] = (
    ("KEYS", "*"),
    ("SCAN", 0),
    ("RANDOMKEY",),
    ("EVAL", "return 1", 0),
    ("FUNCTION", "LIST"),
    ("PUBLISH", "rq:pubsub:x", "x"),
    ("SUBSCRIBE", "x"),
    ("CONFIG", "GET", "*"),
    ("ACL", "LIST"),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "ID", 0),
    ("MONITOR",),
    ("SAVE",),
    ("REPLICAOF", "NO", "ONE"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("SHUTDOWN",),
    ("DUMP", "x"),
    ("RENAME", "x", "y"),
    ("SORT", "x"),
    ("COPY", "x", "y"),
    ("SMEMBERS", "rq:workers"),
    ("GET", "rq:suspended"),
    ("SET", "anything", "else"),
)


@pytest.mark.parametrize("command", FOR_NOBODY, ids=lambda command: "-".join(map(str, command[:2])))
def test_s12_what_nobody_needs_nobody_may(host: Any, bot: Any, command: Command) -> None:
    assert is_refused(host, command)
    assert is_refused(bot, command)


def test_s12_a_host_cannot_queue_a_job_not_even_for_itself(host: Any) -> None:
    queue = f"rq:queue:{HOST}"

    assert all(is_refused(host, (push, queue, "x")) for push in ("RPUSH", "LPUSH", "RPUSHX", "LPUSHX"))


@pytest.mark.parametrize(
    "key",
    ["rq:wip:web-1", "rq:failed:web-1", "rq:group:mine", "rq:groups", "rq:worker:web-1_x", "rq:workers"],
)
def test_s12_the_bot_reaches_no_registry_no_group_and_no_worker(bot: Any, key: str) -> None:
    commands: tuple[Command, ...] = (
        ("ZRANGE", key, 0, -1),
        ("SMEMBERS", key),
        ("HGETALL", key),
        ("GET", key),
    )

    assert all(is_refused(bot, command) for command in commands)


def test_s12_the_bot_can_forge_nothing_that_hosts_tell(bot: Any) -> None:
    assert is_refused(bot, ("XADD", events_key(HOST), "*", "event", "x"))
    assert is_refused(bot, ("SET", beat_key(HOST), "x"))


def test_the_lines_are_what_an_acl_file_takes(server: RedisServer) -> None:
    lines = ["user default off", *(rights.line(hashed(PASSWORD)) for rights in (of_bot(), of_host("web-2")))]
    file = server.folder / "data" / "printed.acl"
    file.write_text("\n".join(lines) + "\n")
    command = ["redis-server", "--port", "0", "--unixsocket", f"{file}.sock", "--aclfile", str(file)]
    with subprocess.Popen(
        mortal([*command, "--save", ""]), cwd=file.parent, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        said = next((line for line in started.stdout if "ready to accept" in line.lower()), "")
        started.kill()

    assert said


def test_a_wrong_password_opens_nothing(server: RedisServer) -> None:
    with (
        closing(redis.Redis.from_url(server.url_of(of_host(HOST).user, "guess"))) as client,
        pytest.raises(redis.AuthenticationError) as refused,
    ):
        client.ping()

    assert "guess" not in str(refused.value)
