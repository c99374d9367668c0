"""Where the cases are played: one host, its worker, the bot, Redis and Slack, with a door before each part.

A scene serves many cases. What a case leaves behind is waste to the next one, and is planned with it.
"""

import itertools
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.acceptance.small_host import NO_GRACE, NO_WAITING, small_host
from tests.faults.records import Records, shift
from tests.stage import images
from tests.stage.company import Company, Fill, to_decide
from tests.stage.leftovers import marked_processes
from tests.stage.member import Member
from tests.stage.processes import ProjectProcess
from tests.stage.redis_door import RedisDoor
from tests.workspace import Delivery, Message

HOST = "web-1"
ARCHIVE_BYTES = 1_000_000_000
# A channel of its own for each case as long as there are any; Slack takes one message a second in a channel.
CHANNELS = tuple(f"cases-{letter}" for letter in "abcdefghijklmnop")


class Scene(Company):
    """The company of the cases."""

    def __init__(self, folder: Path, *, has_archive: bool = False) -> None:
        policy = NO_WAITING + NO_GRACE
        self.archive = folder / "archive"
        if has_archive:
            self._mount_archive()
            policy += f'archive_dir = "{self.archive}"\narchive_max_bytes = {ARCHIVE_BYTES}\n'
        super().__init__(folder, {HOST: small_host}, channels=CHANNELS, policy=policy, gated=True)
        self._turns = itertools.cycle(CHANNELS)

    def _mount_archive(self) -> None:
        """A disk of its own; whoever deletes the folder unmounts it."""
        self.archive.mkdir(parents=True)
        size = f"size={ARCHIVE_BYTES}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "archive", str(self.archive)], check=True)

    @property
    def web(self) -> Member:
        return self.members[HOST]

    @property
    def records(self) -> Records:
        ledger = Path(self.web.environment["PRUNE_STATE_DIR"]) / "ledger.db"
        return Records(ledger=ledger, bot=Path(self.environment["PRUNE_STATE_DIR"]) / "bot.sqlite3")

    def next_channel(self) -> None:
        self.channel = next(self._turns)

    def command(self, text: str, *, user: str = "ana", channel: str = "") -> Delivery:
        """As people do whom Slack told that the app does not answer: again, as soon as it is there."""
        for _ in range(3):
            self.slack.wait_for_connection(60)
            delivery = super().command(text, user=user, channel=channel)
            if delivery.outcome == "acked":
                break
        return delivery

    def litter(self, stem: str) -> None:
        """What the case is about: two containers, three images (one with two names), two networks."""
        client = self.web.engine.client
        layers = [
            (images.base_layer(), images.layer({f"{stem}-{n}": images.noise(f"{stem}-{n}", 0.05)}))
            for n in range(3)
        ]
        tags = [(), (), (f"waste/{stem}:1", f"waste/{stem}:latest")]
        images.load(
            client, [images.Archived(tags=t, layers=one) for t, one in zip(tags, layers, strict=True)]
        )
        for number in (1, 2):
            client.create_container("shop/web:2", ["true"], name=f"{stem}-job-{number}")
            client.create_network(f"{stem}-net-{number}", driver="bridge")

    def clear(self, plan: dict[str, Any]) -> None:
        """Take away what came back: with each case's restore it would be more, and no network has room."""
        client = self.web.engine.client
        for step in plan["steps"]:
            if step["object"]["kind"] == "network":
                client.remove_network(step["object"]["name"])
            else:
                client.remove_image(step["object"]["id"], force=True)

    def restore(self) -> Message:
        """Ask what comes back of the last run; the message, once there is something or nothing to decide."""
        known = {message.ts for message in self.roots()}
        self.command(f"restore {HOST}")
        return self.root(
            lambda m: m.ts not in known and (bool(to_decide(m)) or "Nothing to bring back" in m.first_line),
            "a plan of a restore",
        )

    # Processes

    def children(self) -> list[int]:
        """The worker's work-horse, if there is one; also of a worker that is dead by now it is known."""
        pid = self.web.worker.pid
        with suppress(OSError):
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []

    def dockerd(self) -> int:
        """The engine's own process, seen from outside its namespaces."""
        return next(pid for pid in marked_processes(self.web.engine.folder) if _name(pid) == "dockerd")

    def queued(self, host: str = HOST) -> int:
        """How many jobs wait, those included that were taken and not begun."""
        client = self.redis.client()
        try:
            keys = [key for key in client.scan_iter(f"rq:*{host}*") if client.type(key) == b"list"]
            return sum(int(client.llen(key)) for key in keys)
        finally:
            client.close()

    def let_pass(self, request_id: str, time: timedelta) -> None:
        """Have it all be longer ago for the bot; nobody sits through a quarter of an hour."""
        self.bot.stop()
        shift(self.records.bot, request_id, time)
        self.start_bot()

    # Setting up

    def _bot_environment(self) -> dict[str, str]:
        environment = super()._bot_environment()
        self.bot_door = self._stack.enter_context(RedisDoor(self.redis))
        return environment | {"REDIS_URL": self.bot_door.instead_of(environment["REDIS_URL"])}

    def _member(self, name: str, fill: Fill) -> Member:
        member = super()._member(name, fill)
        member.worker.kill()
        self.base = member.engine.snapshot()
        self.worker_door = self._stack.enter_context(RedisDoor(self.redis))
        url = self.worker_door.instead_of(member.environment["REDIS_URL"])
        environment = member.environment | {"REDIS_URL": url}
        worker = ProjectProcess(
            f"worker-{name}", ["-m", "workers"], folder=self.folder / "workers", environment=environment
        )
        self._stack.enter_context(worker)
        return replace(member, environment=environment, worker=worker)


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def signal_all(pids: Iterator[int] | list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
