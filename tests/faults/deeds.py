"""What is done to the one who fails, and what systemd, compose or its owner then does about it.

The unit files and compose.yaml know two kills: of the process that a service started, and of all that belongs
to the service. After either the service is started again.
"""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults import records
from tests.faults.cells import Cell, Fault, Moment, Victim
from tests.faults.play import Play
from tests.faults.scene import signal_all
from tests.stage.door import Hold

HUNG_SECONDS = (0.5, 2.5)
AWAY_SECONDS = (0.0, 1.5)


@dataclass(frozen=True)
class Copies:
    """What every memory was before the click, for those that are set back to it."""

    ledger: Path
    bot: Path
    redis: Path

    @classmethod
    def taken(cls, play: Play) -> "Copies":
        scene = play.scene
        place = scene.folder / "copies"
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            old.unlink()
        return cls(
            ledger=records.copied(scene.records.ledger, place / "ledger.db"),
            bot=records.copied(scene.records.bot, place / "bot.sqlite3"),
            redis=scene.redis.copied(),
        )


class Deed:
    """One fault, to be done while the request stands still."""

    def __init__(self, cell: Cell, play: Play, copies: Copies) -> None:
        self.cell, self.play, self.copies = cell, play, copies
        self.scene, self.rng = play.scene, play.rng

    def do(self, hold: Hold) -> None:
        """Let the victim fail, let the others go on without it, and have it come back."""
        if self.cell.fault is Fault.HUNG:
            self._hang(hold)
            return
        if self.cell.victim is Victim.HORSE:
            self._kill_horse(hold)
            return
        self._kill()
        self._go_on(hold)
        self._be_away()
        self._come_back()

    # Hung

    def _hang(self, hold: Hold) -> None:
        if self.cell.victim is Victim.SLACK:
            self.scene.slack.fall_silent()
            hold.let_through()
            time.sleep(self.rng.uniform(*HUNG_SECONDS))
            self.scene.slack.speak_again()
            return
        pids = self._hung_pids()
        signal_all(pids, signal.SIGSTOP)
        hold.let_through()
        time.sleep(self.rng.uniform(*HUNG_SECONDS))
        if self.rng.random() < 0.5:
            self.play.note("goes on")
            signal_all(pids, signal.SIGCONT)
        else:
            self.play.note("is killed for it")
            self._end_hung(pids)

    def _hung_pids(self) -> list[int]:
        scene = self.scene
        match self.cell.victim:
            case Victim.BOT:
                return [scene.bot.pid]
            case Victim.WORKER:
                whole = self.rng.random() < 0.5
                self.play.note("whole group" if whole else "parent alone")
                return [scene.web.worker.pid, *(scene.children() if whole else ())]
            case Victim.HORSE:
                return scene.children()
            case Victim.REDIS:
                return [scene.redis.pid]
            case _:
                return [scene.dockerd()]

    def _end_hung(self, pids: list[int]) -> None:
        match self.cell.victim:
            case Victim.HORSE:
                signal_all(pids, signal.SIGKILL)
            case Victim.ENGINE:
                self.scene.web.engine.kill()
                self.scene.web.engine.start()
            case Victim.WORKER:
                # SIGTERM waits in vain, so in the end the whole group is killed.
                signal_all([*self.scene.children(), *pids], signal.SIGKILL)
                self.scene.web.worker.kill()
                self._come_back()
            case _:
                self._kill()
                self._come_back()

    # Killed

    def _kill_horse(self, hold: Hold) -> None:
        """As the kernel does for want of memory; its parent goes on."""
        signal_all(self.scene.children(), signal.SIGKILL)
        self._go_on(hold)

    def _kill(self) -> None:
        scene = self.scene
        match self.cell.victim:
            case Victim.BOT:
                scene.bot.kill()
            case Victim.WORKER:
                self._kill_worker()
            case Victim.REDIS:
                scene.redis.kill()
            case Victim.ENGINE:
                scene.web.engine.kill()
            case Victim.SLACK:
                scene.slack.go_away()
            case Victim.HORSE:
                signal_all(scene.children(), signal.SIGKILL)

    def _kill_worker(self) -> None:
        # Its memory can only be changed while nobody has it open.
        whole = self.cell.fault is not Fault.KILLED or self.rng.random() < 0.5
        self.play.note("whole group" if whole else "parent alone")
        if whole:
            signal_all(self.scene.children(), signal.SIGKILL)
        self.scene.web.worker.kill()

    def _go_on(self, hold: Hold) -> None:
        """What a dead process has sent may still arrive, or it may not."""
        asks = _asks(self.cell.moment)
        if self.cell.victim not in asks or self.rng.random() < 0.5:
            hold.let_through()
            return
        self.play.note("what it asked never arrives")
        hold.forget()

    def _be_away(self) -> None:
        time.sleep(self.rng.choice((0.0, self.rng.uniform(*AWAY_SECONDS))))

    # Back again

    def _come_back(self) -> None:
        scene, fault = self.scene, self.cell.fault
        match self.cell.victim:
            case Victim.BOT:
                if fault is Fault.OLDER:
                    records.put_back(self.copies.bot, scene.records.bot)
                scene.start_bot()
            case Victim.WORKER:
                if fault in (Fault.EMPTY, Fault.OLDER):
                    copy = self.copies.ledger if fault is Fault.OLDER else Path("/nonexistent")
                    records.put_back(copy, scene.records.ledger)
                scene.web.worker.start()
            case Victim.REDIS:
                self._redis_comes_back()
            case Victim.ENGINE:
                self._engine_comes_back()
            case Victim.SLACK:
                scene.slack.come_back()

    def _redis_comes_back(self) -> None:
        redis = self.scene.redis
        match self.cell.fault:
            case Fault.EMPTY:
                redis.restart_empty()
            case Fault.OLDER:
                redis.roll_back(self.copies.redis)
            case _:
                redis.start()

    def _engine_comes_back(self) -> None:
        engine = self.scene.web.engine
        match self.cell.fault:
            case Fault.EMPTY:
                engine.restart_empty()
            case Fault.OLDER:
                engine.roll_back(self.scene.base)
            case _:
                engine.start()


def _asks(moment: Moment) -> tuple[Victim, ...]:
    """Whose request stands at the door."""
    if moment in (Moment.BEFORE_ORDER, Moment.BEFORE_ACK):
        return (Victim.BOT,)
    if moment in (Moment.AFTER_ORDER, Moment.AFTER_REPORT):
        return (Victim.WORKER,)
    return (Victim.HORSE, Victim.WORKER)


def all_alive(play: Play) -> Iterator[str]:
    """Who does not run although the service files would have it run."""
    scene = play.scene
    if not scene.bot.is_running:
        yield f"the bot ended by itself:\n{scene.bot.log_tail()}"
    if not scene.web.worker.is_running:
        yield f"the worker ended by itself:\n{scene.web.worker.log_tail()}"
    if not scene.web.engine.is_running:
        yield "the engine does not run"
