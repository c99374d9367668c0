"""Each attack on RQ succeeds against a worker as RQ has it; the same bytes get nothing from ours (S12)."""

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from bot import doctor
from bot.feed import Feed
from bot.memory.database import Database
from bot.memory.history import History
from bot.memory.store import Store
from tests.service import queue_worker
from tests.service.attacks import HOST, OTHER, TABLE, Arms, Attack, Commands, Target, call, job
from tests.service.bot_stage import now
from tests.service.queue_stage import PASSWORD, QueueStage, queue_stage
from tests.service.queue_worker import FAILING, GATED, STEPS
from tests.stage.processes import ProjectProcess
from tests.stage.redis import OWN_PASSWORD
from workers.contract import ExecutionFinished
from workers.signing import seal

SECONDS = 90.0


def until(look: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not look():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class Field:
    """One Redis with two workers: ours on its first database, a plain one on its second."""

    def __init__(self, queue: QueueStage, listener: socket.socket) -> None:
        self.queue, self.listener = queue, listener
        self.file = queue.folder / "touched"
        self.plain_folder = queue.folder / "plain"
        self.plain_client: Any = redis.Redis.from_url(self.plain_url)
        self.plain_process = self.plain_worker("fork")

    @property
    def plain_url(self) -> str:
        return self.queue.server.url.removesuffix("/0") + "/1"

    def plain_worker(self, kind: str) -> ProjectProcess:
        environment = {
            "QUEUE_FOLDER": str(self.plain_folder),
            "QUEUE_HOST": HOST,
            "REDIS_URL": self.plain_url,
            "PLAIN_CLASS": kind,
        }
        arguments = ["-m", "tests.service.plain_worker"]
        return ProjectProcess(f"plain-{kind}", arguments, folder=self.plain_folder, environment=environment)

    def plain(self, attack: Attack) -> Target:
        """The plain worker, listening; a new one if the last has ended. Who attacks a reader needs none."""
        target = self.target(self.plain_process, self.plain_client, self.plain_folder)
        if attack.reader:
            return target
        if not self.plain_process.is_running:
            self.plain_client.flushdb()
            self.plain_process.start()
        until(lambda: target.name, f"a plain worker: {self.plain_process.log_tail()}")
        return target

    def ours(self) -> Target:
        return self.target(self.queue.worker, self.queue.client, self.queue.folder)

    def target(self, process: ProjectProcess, client: Any, folder: Path) -> Target:
        def is_owned() -> bool:
            return self.file.exists() or (folder / "owned").exists()

        return Target(process, client, folder, owned=is_owned, was_called=self.was_called)

    def was_called(self) -> bool:
        with suppress(BlockingIOError):
            self.listener.accept()[0].close()
            return True
        return False

    def arms(self) -> Arms:
        """Three calls that the bot has sealed, and which nobody has met so far."""
        request = self.queue.plan_request()

        def sealed(reply_to: str) -> bytes:
            message = request.model_copy(update={"reply_to": reply_to, "id": uuid.uuid4().hex})
            return call("workers.jobs.plan", None, *seal(message, self.queue.key.private))

        return Arms(
            id=f"{HOST}_{uuid.uuid4().hex}",
            request=request.request_id,
            honest=sealed(""),
            failing=sealed(FAILING),
            gated=sealed(GATED),
            file=self.file,
            url=f"http://127.0.0.1:{self.listener.getsockname()[1]}/metadata",
        )

    def forget(self) -> None:
        for file in (self.file, self.plain_folder / "owned", self.queue.folder / "owned"):
            file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def field(stage_place: Callable[[], Path]) -> Iterator[Field]:
    with queue_stage(stage_place()) as queue, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        field = Field(queue, listener)
        try:
            yield field
        finally:
            field.plain_process.kill()
            field.plain_client.close()


def send(client: Any, commands: Commands) -> None:
    for command in commands:
        client.execute_command(*command)


def say(attack: Attack, target: Target) -> int:
    """How many hear the command."""
    return int(target.client.publish(f"rq:pubsub:{target.name}", json.dumps({"command": attack.says})))


def wait_for_work(target: Target, arms: Arms, written: Commands) -> None:
    if written:
        until(lambda: target.times_run(arms), f"the work; {target.process.log_tail()}")


def succeed(attack: Attack, target: Target, arms: Arms, written: Commands) -> None:
    """Play it against a plain worker, until the attacker has what they want."""
    send(target.client, written)
    if attack.reader:
        with suppress(Exception):
            attack.reader(target.client, arms)
    if attack.says:
        wait_for_work(target, arms, written)
        # What is said before a worker listens is lost.
        until(lambda: say(attack, target), f"somebody to listen; {target.process.log_tail()}")
    until(lambda: attack.gain(target, arms), f"{attack.name} to succeed; {target.process.log_tail()}")


def strike(attack: Attack, target: Target, arms: Arms, written: Commands) -> None:
    """Play it against ours; nobody hears what is said."""
    send(target.client, written)
    if attack.says:
        wait_for_work(target, arms, written)
        assert say(attack, target) == 0
        (target.folder / f"open-{arms.request}").touch()


def be_the_bot(field: Field, folder: Path) -> None:
    """Read and write all that the bot reads and writes for its hosts."""
    database = Database(folder / "bot.sqlite3")
    store = Store(database)
    for host in (HOST, OTHER):
        store.admit(host, now())
    client = field.queue.bot_client
    Feed(client, store=store, history=History(database), clock=now, key_id=str, told=lambda: None).step()
    list(doctor.redis_findings(client))
    list(doctor.host_findings(client, [HOST, OTHER], now(), keys=()))
    field.queue.put(field.queue.plan_request().model_copy(update={"host": OTHER}))
    field.queue.client.delete(f"rq:queue:{OTHER}")
    database.close()


@pytest.mark.parametrize("attack", TABLE, ids=lambda attack: attack.name.replace(" ", "-"))
def test_s12_what_succeeds_against_rq_gets_nothing_from_us(
    attack: Attack, field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, ours, arms = field.plain(attack), field.ours(), field.arms()
    pid, known, written = ours.process.pid, len(field.queue.refusals()), attack.writes(arms)
    monkeypatch.setattr(queue_worker, "FOLDER", plain.folder)
    succeed(attack, plain, arms, written)
    if attack.for_ever:
        plain.process.start()
        until(lambda: not plain.process.is_running, f"its second death; {plain.process.log_tail()}")
    field.forget()

    strike(attack, ours, arms, written)
    if attack.reader:
        be_the_bot(field, tmp_path)

    # One honest job after the other: what is repeated comes before the second of them.
    field.queue.planned()
    field.queue.planned()
    assert not attack.gain(ours, arms)
    assert ours.times_run(arms) <= 1
    assert [why.code for why in field.queue.refusals()[known:]] == ([attack.code] if attack.code else [])
    assert (ours.process.is_running, ours.process.pid) == (True, pid)


def test_s12_the_password_of_redis_is_in_no_command_line(field: Field) -> None:
    """RQ's SpawnWorker tells it to everybody on the machine; our work is done in a process that is forked."""
    plain, sleep = field.plain_worker("spawn"), call("time.sleep", None, SECONDS)
    field.plain_process.kill()
    field.plain_client.flushdb()
    send(field.plain_client, job(field.arms(), sleep))
    with plain:
        until(lambda: f"'password': '{OWN_PASSWORD}'" in command_lines(plain.pid), "the password")

    order = field.queue.started_run()
    seen = command_lines(field.queue.worker.pid)
    field.queue.let_through(*range(STEPS))

    assert "queue_worker" in seen
    assert PASSWORD not in seen
    field.queue.event(ExecutionFinished, order.request_id)


def command_lines(pid: int) -> str:
    """What the process table shows of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    with suppress(OSError):
        return "\n".join(Path(f"/proc/{one}/cmdline").read_text() for one in (pid, *children))
    return ""
