"""One case from the request to the verdict."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from tests.faults.cells import Cell, Fault, Moment, Victim, Work
from tests.faults.deeds import Copies, Deed, all_alive
from tests.faults.judge import Judge
from tests.faults.judge_of_copies import ArchiveJudge, RestoreJudge
from tests.faults.play import REACHED_SECONDS, Play, RestorePlay, holds_for
from tests.faults.records import ledger_id
from tests.faults.scene import Scene

END_SECONDS = 110
JUDGES = {Work.RUN: Judge, Work.RESTORE: RestoreJudge, Work.ARCHIVE: ArchiveJudge}
# An order lives for 15 minutes, and a host's clock may be half a minute late.
ORDER_LIVES = timedelta(minutes=16)
COPIED_WITH_THE_ORDER = 0.7


@dataclass(frozen=True)
class Verdict:
    """What came of a case; no faults means that it is good."""

    cell: Cell
    seed: int
    seconds: float
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        word = "FAILED" if self.faults else "ok"
        notes = f" ({'; '.join(self.notes)})" if self.notes else ""
        line = f"{word:6} {self.seconds:5.1f} s  {self.cell!s:34} seed {self.seed}{notes}"
        return "\n".join([line, *(f"         {fault}" for fault in self.faults)])

    def dumped(self) -> str:
        """One line that `loaded` reads."""
        return json.dumps({**asdict(self), "cell": str(self.cell)})

    @classmethod
    def loaded(cls, line: str) -> "Verdict":
        """Read what `dumped` wrote."""
        read = json.loads(line)
        told = {"faults": tuple(read["faults"]), "notes": tuple(read["notes"])}
        return cls(**read | {"cell": Cell.named(read["cell"])} | told)


def played(scene: Scene, cell: Cell, seed: int) -> Verdict:
    """Play a cell once; the scene can be used again if nothing is wrong."""
    begun, rng, notes = time.monotonic(), random.Random(seed), list[str]()
    try:
        faults = tuple(_played(scene, cell, rng, notes))
    except Exception as error:  # noqa: BLE001 - the edge of a case: the next one has a scene of its own
        faults = (f"{type(error).__name__}: {error}".split("\n\n")[0],)
    return Verdict(cell, seed, time.monotonic() - begun, faults, tuple(notes))


def _played(scene: Scene, cell: Cell, rng: random.Random, notes: list[str]) -> Iterator[str]:
    play = (RestorePlay if cell.work is Work.RESTORE else Play).asked(scene, rng, notes)
    copies = Copies.taken(play)
    with play.held_at(cell.moment) as hold:
        with _copied_on_the_way(cell, play) as copy:
            if cell.moment is not Moment.PLANNED:
                scene.confirm(play.root)
                hold.wait_until_reached(REACHED_SECONDS)
        Deed(cell, play, replace(copies, redis=copy[0]) if copy else copies).do(hold)
    if cell.moment is Moment.PLANNED:
        scene.confirm(play.root)
    yield from _ended(play)
    yield from all_alive(play)
    yield from JUDGES[cell.work](cell, play).faults()
    if cell.work is Work.RESTORE:
        scene.clear(play.plan)
    make_good(scene, cell, copies)


@contextmanager
def _copied_on_the_way(cell: Cell, play: Play) -> Iterator[list[Path]]:
    """A Redis that is set back may come with the order that has been carried out since."""
    copies: list[Path] = []
    is_late = cell.moment not in (Moment.BEFORE_ORDER, Moment.AFTER_ORDER)
    is_older = (cell.victim, cell.fault) == (Victim.REDIS, Fault.OLDER)
    if not (is_late and is_older and play.rng.random() < COPIED_WITH_THE_ORDER):
        yield copies
        return
    play.note("copied with the order in it")
    with play.held_at(Moment.AFTER_ORDER) as hold:
        yield copies
        hold.wait_until_reached(REACHED_SECONDS)
        copies.append(play.scene.redis.copied())


def _ended(play: Play) -> Iterator[str]:
    """Wait until nobody has anything left to do; where only time helps, let it pass."""
    deadline, has_waited, has_asked = time.monotonic() + END_SECONDS, False, False
    while not holds_for(play.is_over, 0.3):
        if not has_asked and (holds_for(play.is_undecided, 2) or holds_for(play.is_left_in_redis, 1)):
            has_asked = True
            play.note("asked again")
            ask_again(play)
        elif not has_waited and holds_for(play.is_forgotten, 3):
            has_waited = True
            play.note(f"{ORDER_LIVES.seconds // 60} minutes pass")
            play.scene.let_pass(play.request_id, ORDER_LIVES)
        elif time.monotonic() > deadline:
            yield f"no end: {play.standing()}"
            return
        time.sleep(0.05)


def make_good(scene: Scene, cell: Cell, copies: Copies) -> None:
    """What the owner then does: have the engine's data back, say that what a ledger knew is lost."""
    if (cell.victim, cell.fault) == (Victim.ENGINE, Fault.EMPTY):
        scene.web.engine.roll_back(scene.base)
    if cell.victim is Victim.WORKER and cell.fault in (Fault.EMPTY, Fault.OLDER):
        done = scene.web.cli("adopt", "--confirm", ledger_id(copies.ledger))
        assert done.returncode == 0, done.stdout + done.stderr


def ask_again(play: Play) -> None:
    """Somebody types the command once more; there is something to remove."""
    play.scene.litter(f"again-{play.rng.getrandbits(32):08x}")
    play.scene.command("preview web-1")
