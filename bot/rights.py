"""Least rights in Redis, as lines of its ACL file: what the bot may do there, and what each host.

Nobody may publish, run scripts, look for keys or change settings. A host's user takes jobs from its own queue
and tells of its own engine; it can neither read nor write what is another's, nor queue anything, not even for
itself. The bot's user queues jobs, and reads what hosts tell.

A key of ours needs no line here: its name says who writes it (workers/contract/keys.py).
"""

import hashlib
from dataclasses import dataclass

from workers.contract import events_key, rq_name, told_by, told_to

ANY = "*"
# Instead of a password's hash, where there is no password yet.
PLACEHOLDER = "#SHA256"
CONNECTION = ("ping", "info", "select", "client|setname", "client|info", "multi", "exec")


@dataclass(frozen=True)
class Rights:
    """A user of Redis: commands, and patterns of keys to read and write or to read alone."""

    user: str
    commands: tuple[str, ...]
    keys: tuple[str, ...]
    read_only: tuple[str, ...]

    def line(self, password_hash: str = PLACEHOLDER) -> str:
        """The line of the ACL file; it never holds the password itself."""
        allowed = [f"+{command}" for command in (*CONNECTION, *self.commands)]
        patterns = [f"~{key}" for key in self.keys] + [f"%R~{key}" for key in self.read_only]
        words = ["user", self.user, "reset", "on", password_hash, "resetchannels", "-@all"]
        return " ".join([*words, *allowed, *patterns])


def of_bot() -> Rights:
    """What the bot does: put jobs on queues, read streams and signs of life, acknowledge."""
    return Rights(
        user="prune-bot",
        commands=(
            *("hset", "expire", "sadd", "rpush", "lpush"),
            *("xgroup|create", "xreadgroup", "xrange", "xack", "get", "mget", "set"),
        ),
        keys=("rq:queues", f"rq:queue:{ANY}", f"rq:job:{ANY}", events_key(ANY), told_to(ANY, ANY)),
        read_only=(told_by(ANY, ANY),),
    )


def of_host(host: str) -> Rights:
    """What a host's worker does: take jobs, register as a worker, add events, read what it is told."""
    return Rights(
        user=f"prune-host-{host}",
        commands=(
            *("blmove", "lindex", "lrem", "hstrlen", "hget", "hset", "hexists", "exists"),
            *("expire", "del", "sadd", "srem", "smembers", "set", "get", "getrange", "xadd", "xrange"),
        ),
        keys=(
            f"rq:queue:{host}",
            f"rq:queue:{host}:intermediate",
            f"rq:job:{rq_name(host, ANY)}",
            f"rq:workers:{host}",
            f"rq:worker:{rq_name(host, ANY)}",
            told_by(host, ANY),
        ),
        read_only=(told_to(host, ANY),),
    )


def hashed(password: str) -> str:
    """A password as an ACL line takes it."""
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"
