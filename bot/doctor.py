"""Whether everything the bot needs is there: at start what it cannot do without, on request all of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis

from bot.errors import StoreError
from bot.memory.database import Database
from workers.contract import Beat, beat_key

SKEW = timedelta(seconds=10)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    is_good: bool
    says: str


def store_finding(open_database: Callable[[], Database]) -> Finding:
    """Whether the bot's memory can be written."""
    try:
        database = open_database()
        with database.transaction() as db:
            db.execute("UPDATE hosts SET name = name")
        database.close()
    except StoreError as error:
        return Finding("store", is_good=False, says=str(error))
    return Finding("store", is_good=True, says="can be written")


def redis_findings(client: "redis.Redis") -> Iterator[Finding]:
    """Whether Redis answers, and whether it keeps what it is given."""
    try:
        client.ping()
        memory: Any = client.info("memory")
        persistence: Any = client.info("persistence")
    except redis.RedisError as error:
        yield Finding("Redis", is_good=False, says=f"does not answer: {error}")
        return
    yield Finding("Redis", is_good=True, says="answers")
    policy = str(memory.get("maxmemory_policy", "unknown"))
    yield Finding("Redis maxmemory-policy", policy == "noeviction", f"{policy} (noeviction is needed)")
    has_file = bool(persistence.get("aof_enabled"))
    yield Finding(
        "Redis append-only file", has_file, "on" if has_file else "off: a restart forgets queued orders"
    )


def host_findings(client: "redis.Redis", hosts: Sequence[str], now: datetime) -> Iterator[Finding]:
    """Each admitted host's last sign of life, and whether its clock goes with ours."""
    if not hosts:
        yield Finding("hosts", is_good=False, says="none admitted; python -m bot hosts add NAME admits one")
    for host in hosts:
        yield _host(client, host, now)


def _host(client: "redis.Redis", host: str, now: datetime) -> Finding:
    name = f"host {host}"
    try:
        answer: Any = client.get(beat_key(host))
        beat = Beat.model_validate_json(answer) if answer else None
    except (redis.RedisError, ValueError) as error:
        return Finding(name, is_good=False, says=f"cannot be asked: {type(error).__name__}")
    if beat is None:
        return Finding(name, is_good=False, says="gives no sign of life; is its worker running?")
    age = now - beat.at
    if abs(age) > SKEW:
        skew = f"{abs(age).total_seconds():.0f} s {'behind' if age > timedelta(0) else 'ahead'}"
        return Finding(name, is_good=False, says=f"its last sign of life, or its clock, is {skew}")
    return Finding(name, is_good=True, says=f"worker {beat.version}, {beat.busy or 'idle'}")
