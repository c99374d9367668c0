"""The attack table: what somebody writes who can write to Redis, and what a plain RQ worker gives for it.

An attack is a list of Redis commands, so that both workers get the same bytes.
"""

import json
import os
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rq.command import send_stop_job_command
from rq.group import Group
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from tests.stage.processes import ProjectProcess
from workers.reasons import Code

HOST, OTHER = "web-1", "web-2"
OWNED = "tests.service.queue_worker.owned"
BOMB_MEGABYTES = 150
PEAK_MEGABYTES = 100

Command = tuple[str | bytes | int, ...]
Commands = list[Command]


@dataclass(frozen=True)
class Arms:
    """What the attacker has: a name for a job, honest calls that were overheard, a file, an address."""

    id: str
    request: str
    honest: bytes
    failing: bytes
    gated: bytes
    file: Path
    url: str


@dataclass(frozen=True)
class Target:
    """A worker under attack, and what is to be seen of it."""

    process: ProjectProcess
    client: Any
    folder: Path
    owned: Callable[[], bool]
    was_called: Callable[[], bool]

    @property
    def name(self) -> str:
        """By which RQ knows the worker that was started last."""
        keys = self.client.smembers(f"rq:workers:{HOST}")
        alive = [key for key in keys if not self.client.hexists(key, "death")]
        return str(alive[0].decode().removeprefix("rq:worker:")) if alive else ""

    def times_run(self, arms: Arms) -> int:
        diary = self.folder / "diary"
        lines = diary.read_text().splitlines() if diary.exists() else []
        return lines.count(f"plan {arms.request}")

    @property
    def peak_megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


Gain = Callable[[Target, Arms], bool]


@dataclass(frozen=True)
class Attack:
    """What is written, then what is said to the worker (once it works, if given work); and the gain.

    `code`: with which reason we put it on record; none where an honest job is done as if nothing else stood
    there. `for_ever`: a worker started in the place of the one that was struck is struck as well. `reader`:
    not the worker is struck but whoever reads with RQ's own means, as the bot might.
    """

    name: str
    writes: Callable[[Arms], Commands]
    gain: Gain
    code: Code | None = None
    says: str = ""
    for_ever: bool = False
    reader: Callable[[Any, Arms], object] | None = None


@dataclass(frozen=True)
class Pickled:
    """What unpickling would do."""

    file: Path = field(default_factory=Path)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.system, (f"touch {self.file}",)


def job(arms: Arms, data: bytes, *, id_: str = "", host: str = HOST, **fields: str | bytes | int) -> Commands:
    name = id_ or arms.id
    known: dict[str, str | bytes | int] = {"data": data, "origin": host, "timeout": 180, **fields}
    words = [word for pair in known.items() for word in pair]
    return [("HSET", f"rq:job:{name}", *words), ("RPUSH", f"rq:queue:{host}", name)]


def call(function: str, instance: object, *arguments: object) -> bytes:
    return zlib.compress(json.dumps([function, instance, arguments, {}]).encode())


def system(arms: Arms) -> Commands:
    return job(arms, call("os.system", None, f"touch {arms.file}"))


def program(arms: Arms) -> Commands:
    return job(arms, call("subprocess.check_output", None, ["touch", str(arms.file)]))


def builtin(arms: Arms) -> Commands:
    return job(arms, call("eval", None, f"__import__('os').system('touch {arms.file}')"))


def method(arms: Arms) -> Commands:
    return job(arms, call("upper", "of whatever value"))


def webhook(arms: Arms) -> Commands:
    hooks = [{"url": arms.url, "method": "POST", "job_status": "finished", "headers": {"X-Mine": "1"}}]
    return job(arms, arms.honest, webhooks=json.dumps(hooks))


def dependents(arms: Arms) -> Commands:
    later = f"{HOST}_later-{arms.id}"
    waits = {"status": "deferred", "dependency_ids": json.dumps([arms.id])}
    deferred, _ = job(arms, arms.honest, id_=later, host=OTHER, **waits)
    return [deferred, ("SADD", f"rq:job:{arms.id}:dependents", later), *job(arms, arms.honest)]


def twice(arms: Arms) -> Commands:
    return job(arms, arms.honest) + job(arms, arms.honest, id_=f"{arms.id}-again")


def bomb(arms: Arms) -> Commands:
    packer = zlib.compressobj(9)
    head, block = b'["workers.jobs.plan", null, ["', b"0" * (1 << 20)
    packed = packer.compress(head) + b"".join(packer.compress(block) for _ in range(BOMB_MEGABYTES))
    return job(arms, packed + packer.flush())


def malformed(arms: Arms) -> Commands:
    return job(arms, arms.honest, created_at="not a date")


def suspension(arms: Arms) -> Commands:
    return [("SET", "rq:suspended", 1), *job(arms, arms.honest)]


def no_id(arms: Arms) -> Commands:
    return [("RPUSH", f"rq:queue:{HOST}", b"\xff\xfe")]


def abandoned(arms: Arms) -> Commands:
    hash_, _ = job(arms, arms.honest, host=OTHER, status="started", failure_callback_name=OWNED)
    return [hash_, ("ZADD", f"rq:wip:{OTHER}", 1, f"{arms.id}:execution")]


def pickled_meta(arms: Arms) -> Commands:
    hash_, _ = job(arms, arms.honest, host=OTHER, worker_name="w", meta=pickle.dumps(Pickled(arms.file)))
    return [hash_, ("SADD", "rq:group:mine", arms.id), ("SADD", "rq:groups", "mine")]


def owned(target: Target, _: Arms) -> bool:
    return target.owned()


def ran_again(target: Target, arms: Arms) -> bool:
    return target.times_run(arms) > 1


def is_dead(target: Target, _: Arms) -> bool:
    return not target.process.is_running


def was_killed(target: Target, arms: Arms) -> bool:
    return bool(target.client.hget(f"rq:job:{arms.id}", "status") == b"failed")


def is_suspended(target: Target, _: Arms) -> bool:
    return bool(target.client.hget(f"rq:worker:{target.name}", "state") == b"suspended")


def has_answered(target: Target, arms: Arms) -> bool:
    return bool(target.client.exists(f"rq:results:{arms.id}"))


def has_queued(target: Target, _: Arms) -> bool:
    return bool(target.client.llen(f"rq:queue:{OTHER}"))


def was_called(target: Target, _: Arms) -> bool:
    return target.was_called()


def is_swollen(target: Target, _: Arms) -> bool:
    return target.process.is_running and target.peak_megabytes > PEAK_MEGABYTES


AGAIN: dict[str, str] = {"repeats_left": "4", "repeat_intervals": "[0]"}
RETRIED: dict[str, str] = {"retries_left": "4", "retry_intervals": "[0]", "number_of_retries": "0"}

TABLE = (
    Attack("a function of the system", system, owned, Code.UNKNOWN_FUNCTION),
    Attack("a program", program, owned, Code.UNKNOWN_FUNCTION),
    Attack("a builtin", builtin, owned, Code.UNKNOWN_FUNCTION),
    Attack("a method of a value", method, has_answered, Code.UNREADABLE_ORDER),
    Attack("a callback on success", lambda a: job(a, a.honest, success_callback_name=OWNED), owned),
    Attack("a callback on failure", lambda a: job(a, a.failing, failure_callback_name=OWNED), owned),
    Attack("a webhook", webhook, was_called),
    Attack("repeats", lambda a: job(a, a.honest, **AGAIN), ran_again),
    Attack("retries", lambda a: job(a, a.failing, **RETRIED), ran_again),
    Attack("dependents", dependents, has_queued),
    Attack("an overheard call", twice, ran_again, Code.ORDER_USED),
    Attack("a bomb", bomb, is_swollen, Code.UNREADABLE_ORDER),
    Attack("the command to kill the work", lambda a: job(a, a.gated), was_killed, says="kill-horse"),
    Attack("a suspension", suspension, is_suspended),
    Attack("the command to end", lambda _: [], is_dead, says="shutdown"),
    Attack("a malformed job", malformed, is_dead, for_ever=True),
    Attack("an id that is none", no_id, is_dead, Code.UNREADABLE_ORDER),
    Attack(
        "a callback in who reads a registry",
        abandoned,
        owned,
        reader=lambda client, _: StartedJobRegistry(
            OTHER, connection=client, serializer=JSONSerializer
        ).get_job_ids(),
    ),
    Attack(
        "a pickle in who reads a group",
        pickled_meta,
        owned,
        reader=lambda client, _: Group.fetch("mine", client).get_jobs(),
    ),
    Attack(
        "a pickle in who stops a job",
        pickled_meta,
        owned,
        reader=lambda client, arms: send_stop_job_command(client, arms.id),
    ),
)
