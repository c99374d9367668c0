"""A small request from the command to its end, with a bot that something befalls at its k-th effect."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot import feed, keys
from bot.memory.database import Database
from bot.memory.history import History
from bot.memory.store import Store
from bot.render import AGAIN, EXECUTE
from tests.service.bot_stage import Clock, HandDriven, RedisServer, Stage, now
from tests.service.fate import Died, Fate, fateful
from tests.service.ledger_host import LedgerHost
from tests.workspace import Workspace

HOST = "web-1"
# A job that Redis has lost is given up after a quarter of an hour, a plan after an hour.
ROUNDS, QUIET_ROUNDS = 120, 3
SOON = 15
HOUR, PART_OF_IT = 3600, 120


@dataclass
class Play:
    """The stage, the bot that acts now, and its fate."""

    stage: Stage
    host: LedgerHost
    fate: Fate
    clock: Clock = field(default_factory=Clock)
    name: str = "first"
    bot: HandDriven | None = None
    is_slack_away: bool = False
    is_memory_lost: bool = False
    older_roots: int = 0

    def go(self) -> None:
        """Play it to its end."""
        self.older_roots = len(self.stage.roots())
        self.act(lambda bot: bot.command(f"preview {HOST}", trigger=f"{self.name} command"))
        self.rounds_until(lambda: bool(self.root_controls()) or self.is_over())
        self.act(self._confirm)
        self.rounds_until(self.is_over)
        for _ in range(QUIET_ROUNDS):
            self.round()

    def _confirm(self, bot: HandDriven) -> None:
        """Somebody presses the button where there is one; that may be on a message that has been decided."""
        if self.root_controls():
            bot.click(EXECUTE, trigger=f"{self.name} click")

    def round(self) -> None:
        """Everybody does what there is to do."""
        self.host.work()
        self.act(lambda bot: bot.hear())
        self.host.work()
        self.act(lambda bot: bot.carry_on())

    def rounds_until(self, done: Callable[[], bool]) -> None:
        for number in range(ROUNDS):
            if done():
                return
            self.round()
            if number > SOON:
                self.wait(60)
        raise AssertionError(f"no end in sight: {[m.first_line for m in self.stage.roots()]}")

    def act(self, deed: Callable[[HandDriven], object]) -> None:
        """The bot does something; one that dies of it is started again, and does it once more."""
        while True:
            try:
                with self.fate.acting():
                    self.bot = self.bot or HandDriven(self.stage, self.clock)
                    deed(self.bot)
            except Died:
                self.close()
                if self.is_memory_lost:
                    self._lose_memory()
            else:
                break
        if self.is_slack_away:
            self._last_an_hour()

    def wait(self, seconds: float) -> None:
        if self.bot:
            self.bot.wait(seconds)

    def close(self) -> None:
        if self.bot:
            self.bot.close()
            self.bot = None

    def _last_an_hour(self) -> None:
        """Slack is away, by the bot's clock; hosts and Redis are not."""
        self.is_slack_away = False
        for _ in range(HOUR // PART_OF_IT):
            self.round()
            self.wait(PART_OF_IT)
        self.stage.slack.come_back()

    def _lose_memory(self) -> None:
        self.is_memory_lost = False
        for file in self.stage.folder.glob("bot.sqlite3*"):
            file.unlink()
        admit(self.stage.folder)

    # What there is to see

    def root_controls(self) -> tuple[object, ...]:
        """What decides on this request's message; to ask for the same again does not."""
        roots = self.stage.roots()[self.older_roots :]
        controls = roots[-1].controls if roots else ()
        return tuple(one for one in controls if one.action_id != AGAIN)

    def is_over(self) -> bool:
        """Whether no request is open, or known any more."""
        with memory(self.stage.folder) as database:
            return not Store(database).open_requests()

    def first_lines(self) -> tuple[str, list[str]]:
        """Of the newest root message, and of what is in its thread."""
        root, *replies = self.stage.slack.thread("ops", self.stage.roots()[-1].ts)
        return root.first_line, [reply.first_line for reply in replies]

    def reports(self) -> list[str]:
        """The orders that the history has a report of."""
        with memory(self.stage.folder) as database:
            return [report.order_id for report in History(database).reports()]


def admit(folder: Path) -> None:
    with memory(folder) as database:
        Store(database).admit(HOST, now())


@contextlib.contextmanager
def memory(folder: Path) -> Iterator[Database]:
    database = Database(folder / "bot.sqlite3")
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def stage_set(folder: Path, server: RedisServer, slack: Workspace, fate: Fate) -> Iterator[Play]:
    """Set the stage, and clear it away."""
    server.client.flushall()
    key = keys.make(folder / "signing.key")
    admit(folder)
    host = LedgerHost.of(HOST, server, key, folder / "ledger.db")
    stage = Stage(folder, server, slack, key, {HOST: host})
    play = Play(stage, host, fate)
    with pytest.MonkeyPatch.context() as patch, fateful(fate):
        patch.setattr(feed, "BLOCK_MILLISECONDS", 1)
        try:
            yield play
        finally:
            play.close()
