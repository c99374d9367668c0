"""Real parts for tests of the bot: a Redis of its own, a Slack workspace, hosts that answer as told."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import redis

from bot import keys, rulebook
from bot.arrivals import Call, Click, Filled
from bot.memory.database import Database
from bot.memory.posts import Posts
from bot.memory.store import Store
from bot.parts import Parts, Wiring
from bot.render import CHECK, EXECUTE, RESTORE_RUN, RESTORE_USED, STOP
from bot.rulebook import Rulebook
from bot.service import Service, identified
from tests.stage.readiness import ReadySocket
from tests.unit.bot_values import (
    chained,
    finished,
    plan,
    plan_failed,
    plan_ready,
    plan_started,
    report,
    started,
    step_finished,
)
from tests.workspace import Message, Workspace
from workers.contract import (
    STANDING,
    Beat,
    Claims,
    Event,
    ExecutionOrder,
    Person,
    Plan,
    PlanRequest,
    Question,
    RestoreOrder,
    RestoreRequest,
    acknowledged_key,
    beat_key,
    events_key,
)
from workers.reasons import Reason
from workers.signing import digest, unseal

SECONDS = 20.0
TYPES: dict[str, Any] = {
    "workers.jobs.plan": PlanRequest,
    "workers.jobs.answer": Question,
    "workers.jobs.execute": ExecutionOrder,
    "workers.jobs.restore_plan": RestoreRequest,
    "workers.jobs.restore": RestoreOrder,
    "workers.jobs.keep": STANDING,
}


def now() -> datetime:
    return datetime.now(UTC)


def wait_until(predicate: Callable[[], Any], *, what: str, seconds: float = SECONDS) -> Any:
    """Poll for what nothing wakes us for; a deadline, never a fixed time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := predicate():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {seconds:g} s")


class RedisServer:
    """A redis-server on a unix socket in a folder; it may be stopped, emptied and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url)

    def start(self) -> Self:
        options = {"port": "0", "unixsocket": str(self._socket), "dir": str(self._folder), "save": ""}
        options |= {"appendonly": "yes", "maxmemory-policy": "noeviction", "supervised": "systemd"}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with ReadySocket(self._folder / "ready.sock") as ready:
            self._process = subprocess.Popen(
                ["redis-server", *words],
                env=dict(os.environ) | ready.environment,
                stdout=subprocess.DEVNULL,
            )
            ready.wait(self._process.pid, seconds=SECONDS)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(SECONDS)
            self._process = None


@dataclass
class StandInHost:
    """A host that takes its jobs from its queue and tells what the test wants it to."""

    name: str
    server: RedisServer
    key: keys.SigningKey
    ledger: str = "ledger-1"
    seq: int = 0
    clock: Callable[[], datetime] = now
    entries: list[dict[str, str | int]] = field(default_factory=list)

    def take(self, seconds: float = SECONDS) -> Claims:
        """The next job of this host's queue, opened as a worker would."""
        popped: Any = self.server.client.blpop([f"rq:queue:{self.name}"], int(seconds))
        assert popped, f"no job for {self.name} within {seconds:g} s"
        return self.opened(popped[1].decode())

    def opened(self, job_id: str) -> Claims:
        stored: Any = self.server.client.hget(f"rq:job:{job_id}", "data")
        function, instance, arguments, keywords = json.loads(zlib.decompress(stored))
        assert (instance, keywords) == (None, {})
        public = {self.key.id: self.key.private.public_key()}
        claims: Claims = unseal(arguments, TYPES[function], keys=public, host=self.name, now=self.clock())
        return claims

    @property
    def queued(self) -> int:
        count: Any = self.server.client.llen(f"rq:queue:{self.name}")
        return int(count)

    def tell(self, *events: Event) -> None:
        for event in events:
            self.seq += 1
            self.put(event.model_dump_json(), self.seq)

    def put(self, body: str, seq: int | str) -> None:
        entry: dict[Any, Any] = {"ledger": self.ledger, "seq": seq, "event": body}
        self.entries.append(entry)
        self.server.client.xadd(events_key(self.name), entry)

    def tell_all_again(self) -> None:
        for entry in self.entries:
            fields: dict[Any, Any] = dict(entry)
            self.server.client.xadd(events_key(self.name), fields)

    def beat(
        self,
        *problems: Reason,
        holding: tuple[str, ...] | None = None,
        busy: Literal["", "plan", "execute"] = "",
        since: datetime | None = None,
    ) -> None:
        beat = Beat(
            host=self.name,
            boot="b1",
            ledger=self.ledger,
            engine_id="engine-1",
            version="0.1.0",
            at=self.clock(),
            busy=busy,
            busy_since=since,
            problems=problems,
            keys=holding,
        )
        self.server.client.set(beat_key(self.name), beat.model_dump_json(), ex=45)

    def answer_with_plan(self, *, steps: int = 2, unusual: bool = False, is_chained: bool = False) -> Plan:
        """Take a request and answer it; `is_chained`: each step needs the one before it."""
        request = self.take()
        at = self.clock()
        made = plan(self.name, request=request.request_id, steps=steps, at=at)
        made = (chained(made) if is_chained else made).model_copy(update={"unusual": unusual})
        self.tell(plan_started(self.name, request=request.request_id, at=at), plan_ready(made, at=at))
        return made

    def execute(self, made: Plan, **facts: Any) -> str:
        """Take the order for a plan, and tell of the whole run; returns the order's id.

        `facts` stand in the report in place of what is usual.
        """
        order, at = self.take(), self.clock()
        assert isinstance(order, ExecutionOrder)
        assert order.plan_digest == digest(made)
        self.tell(
            started(order.id, made, at=at),
            *(step_finished(order.id, made, step.index, at=at) for step in made.steps),
            finished(report(order.id, made, order.plan_digest, at=at).model_copy(update=facts), at=at),
        )
        return order.id

    @property
    def acknowledged(self) -> str:
        value: Any = self.server.client.get(acknowledged_key(self.name))
        return value.decode() if value else ""


@dataclass
class Stage:
    """Everything a test of the running bot needs."""

    folder: Path
    server: RedisServer
    slack: Workspace
    key: keys.SigningKey
    hosts: dict[str, StandInHost]
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)
    rules: str = ""

    @property
    def channel(self) -> str:
        return self.slack.channel_id("ops")

    def host(self, name: str = "web-1") -> StandInHost:
        return self.hosts[name]

    def wiring(self) -> Wiring:
        return Wiring(
            database=self.folder / "bot.sqlite3",
            key=lambda: self.key,
            bot_token=self.slack.bot_token,
            app_token=self.slack.app_token,
            signing_secret="",
            api_url=self.slack.api_url,
            redis_url=self.server.url,
            book=self.book(),
            bind="127.0.0.1",
            port=None,
        )

    def book(self) -> Rulebook:
        """The rules: those of a test, or the simple form."""
        if self.rules:
            return rulebook.parse(self.rules, "rules.toml")
        return rulebook.simple((self.channel,), (self.slack.user_id("ana"), self.slack.user_id("bo")))

    @contextlib.contextmanager
    def bot(self) -> Iterator[None]:
        """A running bot, in this process; leaving it is a restart's first half."""
        stopping = threading.Event()
        who = identified(self.wiring(), stopping)
        assert who is not None
        thread = threading.Thread(target=Service(self.wiring(), who).run, args=(stopping,))
        thread.start()
        try:
            self.slack.wait_for_connection(SECONDS)
            yield
        finally:
            stopping.set()
            thread.join(SECONDS)
            assert not thread.is_alive()

    def roots(self) -> tuple[Message, ...]:
        shown = (m for m in self.slack.messages("ops") if m.user == self.slack.bot_user_id)
        return tuple(m for m in shown if m.is_root)

    def root(self, words: str = "", *, number: int = -1) -> Message:
        """A root message, when its first line says so."""

        def found() -> Message | None:
            roots = self.roots()
            return roots[number] if roots and words in roots[number].first_line else None

        message = self.slack.wait_for(found, SECONDS, what=f"a root message that says {words!r}")
        assert isinstance(message, Message)
        return message

    def ready_root(self, words: str = "?") -> Message:
        """The newest root message that can be decided."""

        def found() -> Message | None:
            return next((m for m in self.roots()[::-1] if m.controls and words in m.first_line), None)

        message = self.slack.wait_for(found, SECONDS, what="a root message with buttons")
        assert isinstance(message, Message)
        return message

    def told(self, user: str, words: str) -> Message:
        """What only this person sees, when it says so."""

        def found() -> Message | None:
            return next((m for m in self.slack.ephemerals(user) if words in m.plain), None)

        message = self.slack.wait_for(found, SECONDS, what=f"an answer to {user} that says {words!r}")
        assert isinstance(message, Message)
        return message


@contextlib.contextmanager
def bot_stage(
    folder: Path, *hosts: str, channels: tuple[str, ...] = ("ops",), private: tuple[str, ...] = ()
) -> Iterator[Stage]:
    server = RedisServer(folder).start()
    key = keys.make(folder / "signing.key")
    database = Database(folder / "bot.sqlite3")
    for host in hosts:
        Store(database).admit(host, now())
    database.close()
    processes: list[subprocess.Popen[str]] = []
    try:
        with Workspace.start(channels=channels, private=private) as slack:
            standing_in = {h: StandInHost(h, server, key) for h in hosts}
            yield Stage(folder, server, slack, key, standing_in, processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
        server.stop()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = now()

    def __call__(self) -> datetime:
        return self.time


class HandDriven:
    """A bot whose steps a test takes, on a clock that it moves; a second one on the stage is a restart."""

    def __init__(self, stage: Stage, clock: Clock) -> None:
        who = identified(stage.wiring(), threading.Event())
        assert who is not None
        self.stage, self.clock = stage, clock
        self.parts = Parts(stage.wiring(), who, clock=clock)
        self.store, self.posts = Store(self.parts.database), Posts(self.parts.database)
        for host in stage.hosts.values():
            host.clock = clock

    def command(self, text: str, *, user: str = "ana", trigger: str = "") -> str:
        """Type a command; what only the asker reads, once Slack was asked who they are where need be."""
        id_ = trigger or secrets.token_hex(4)
        said = self.parts.reception.command(self.call(text, user=user, trigger=id_)).text
        self.parts.doorkeeper.step()
        return self.told(id_) or said

    def call(self, text: str, *, user: str = "ana", trigger: str) -> Call:
        return Call(text, self.person(user), self.stage.channel, trigger, "")

    def click(self, button: str, *, user: str = "bo", root: Message | None = None, trigger: str = "") -> str:
        """Press a button; what the presser is told, nothing where the press counted."""
        id_ = trigger or secrets.token_hex(4)
        reception = self.parts.reception
        taking = {EXECUTE: reception.execute, STOP: reception.stop, CHECK: reception.check_again}
        taking |= dict.fromkeys((RESTORE_USED, RESTORE_RUN), reception.bring_back)
        take = taking.get(button, reception.cancel)
        take(self.pressed(button, root or self.stage.roots()[-1], user=user, trigger=id_))
        self.parts.doorkeeper.step()
        return self.told(id_)

    def pressed(self, button: str, root: Message, *, user: str = "bo", trigger: str) -> Click:
        control = next(c for c in root.controls if c.action_id == button)
        where = {"is_private": root.ephemeral_to is not None, "message_ts": root.ts}
        return Click(control.value or "", self.person(user), self.stage.channel, trigger, "", **where)

    def filled(
        self, view: Mapping[str, Any], values: Mapping[str, Sequence[str]], *, user: str, trigger: str
    ) -> Filled:
        """A form of the bot's as it comes back."""
        told = {name: tuple(chosen) for name, chosen in values.items()}
        return Filled(view["callback_id"], view["private_metadata"], told, self.person(user), trigger)

    def told(self, id_: str) -> str:
        """What somebody is owed for an act."""
        return next((note.message.text for note in self.posts.owed() if note.id == id_), "")

    def person(self, user: str) -> Person:
        return Person(team=self.stage.slack.team_id, user=self.stage.slack.user_id(user))

    def hear(self) -> None:
        self.parts.feed.step()

    def carry_on(self, steps: int = 1) -> None:
        """Step, and let so much time pass that nothing waits for its turn."""
        for _ in range(steps):
            self.parts.standing.step()
            self.parts.desk.step()
            self.parts.easel.wait()
            self.wait(3)

    def wait(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)
        self.stage.slack.advance(seconds)

    def close(self) -> None:
        self.parts.easel.close()
        self.parts.database.close()


def bot_process(
    stage: Stage, *arguments: str, log: Path | None = None, **environment: str
) -> "subprocess.Popen[str]":
    """The bot as people start it; what it logs is in a file, or at hand."""
    settings = stage.slack.env() | {
        "REDIS_URL": stage.server.url,
        "PRUNE_STATE_DIR": str(stage.folder),
        "PRUNE_CHANNELS": stage.channel,
        "PRUNE_APPROVERS": f"{stage.slack.user_id('ana')},{stage.slack.user_id('bo')}",
        "PATH": os.environ["PATH"],
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        env=settings | environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=log.open("w") if log else subprocess.PIPE,
        text=True,
    )
    stage.processes.append(process)
    return process


def terminated(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Ask a process to end; its exit code and what it said."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def answered(url: str, *, body: bytes | None = None) -> tuple[int, str]:
    """What the bot's own HTTP server says; 0 where there is none."""
    try:
        with urllib.request.urlopen(url, body, timeout=5) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def listen(stage: Stage, driven: HandDriven) -> None:
    """Let the bot hear its hosts, so that it does not take the silence before for theirs."""
    for host in stage.hosts.values():
        host.beat()
    stage.host().tell(plan_failed(request="of-nobody"))
    driven.hear()
