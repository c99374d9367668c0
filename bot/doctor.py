"""Whether everything the bot needs is there: at start what it cannot do without, on request all of it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import redis

from bot.checks import Finding
from bot.errors import StoreError
from bot.memory.database import Database
from bot.obstacles import lacking
from bot.rulebook import Rulebook
from workers.contract import Beat, beat_key

SKEW = timedelta(seconds=10)


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


def rules_findings(book: Rulebook, hosts: Sequence[str]) -> Iterator[Finding]:
    """Whether the rules let anybody do anything, and go with the hosts there are."""
    troubles = list(_rules_troubles(book, hosts))
    for trouble in troubles:
        yield Finding("rules", is_good=False, says=trouble)
    if not troubles:
        yield Finding(
            "rules", is_good=True, says=f"{len(book.group)} host groups, {len(hosts)} hosts in them"
        )


def _rules_troubles(book: Rulebook, hosts: Sequence[str]) -> Iterator[str]:
    if not book.group:
        yield "no channel is named, so commands are taken nowhere; set PRUNE_CHANNELS or PRUNE_RULES"
        return
    if not book.lets_somebody_execute:
        yield "nobody is named who may execute, so nobody may; set PRUNE_APPROVERS, or execute in the rules"
    for name, group in book.group.items():
        covered = [host for host in hosts if group.covers(host)]
        for glob in (g for g in group.hosts if not any(fnmatchcase(host, g) for host in hosts)):
            yield f"group.{name}.hosts: {glob} is the name of no admitted host"
        if covered and not any(book.group_of(host) is group for host in covered):
            yield f"group.{name} decides about no host: groups above it cover all of its hosts"
    for host in (h for h in hosts if book.group_of(h) is None):
        yield f"no group covers {host}, so nobody may do anything there"


def host_findings(
    client: "redis.Redis", hosts: Sequence[str], now: datetime, *, keys: Sequence[str]
) -> Iterator[Finding]:
    """Each admitted host's last sign of life, and whether its clock and its keys go with ours.

    `keys`: the ids of the bot's, the one that signs first.
    """
    if not hosts:
        yield Finding("hosts", is_good=False, says="none admitted; python -m bot hosts add NAME admits one")
    for host in hosts:
        yield _host(client, host, now, keys)


def _host(client: "redis.Redis", host: str, now: datetime, keys: Sequence[str]) -> Finding:
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
    problems = (*beat.problems, *(not_held for key in keys[:1] if (not_held := lacking(beat, key))))
    later = list(_not_yet_held(beat, keys[1:]))
    says = ". ".join([f"worker {beat.version}, {beat.busy or 'idle'}", *later])
    return Finding(name, is_good=not (problems or later), says=says, problems=problems)


def _not_yet_held(beat: Beat, keys: Sequence[str]) -> Iterator[str]:
    """A key that hosts do not hold must not sign yet."""
    for key in keys:
        if lacking(beat, key):
            yield f"It does not hold key {key}, which does not sign: it must before that key is used."
