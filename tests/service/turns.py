"""Threads that take turns: each stops before each of its uses of the bot's memory, or dies there."""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.memory.database import Database

SECONDS = 120.0


class Died(BaseException):
    """A bot was killed before it could use the store once more."""


class Turns:
    """Lets one thread at a time go on to its next use of the store."""

    def __init__(self) -> None:
        self._mine = threading.local()

    def run(self, works: list[Callable[[], None]], choices: random.Random) -> list[bool]:
        """Run works to their ends, one use of the store at a time; says which of them were killed."""
        actors = [Actor(work, self._mine) for work in works]
        while alive := [actor for actor in actors if not actor.is_over]:
            choices.choice(alive).go_on(die=choices.random() < DEATHS)
        for actor in actors:
            actor.join()
        return [actor.has_died for actor in actors]

    def pause(self) -> None:
        """A use of the store begins here."""
        actor = getattr(self._mine, "actor", None)
        if isinstance(actor, Actor):
            actor.pause()


class Actor:
    """A thread that pauses."""

    def __init__(self, work: Callable[[], None], mine: threading.local) -> None:
        self._work, self._mine = work, mine
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self.is_over, self.has_died, self._dies = False, False, False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._stands.acquire(timeout=SECONDS)

    def go_on(self, *, die: bool) -> None:
        self._dies = die
        self._go.release()
        assert self._stands.acquire(timeout=SECONDS)

    def pause(self) -> None:
        self._stands.release()
        assert self._go.acquire(timeout=SECONDS)
        if self._dies or self.has_died:
            self.has_died = True
            raise Died

    def join(self) -> None:
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        self._mine.actor = self
        try:
            self.pause()
            self._work()
        except Died:
            pass
        except Exception as error:  # noqa: BLE001 - raised again where it is joined
            self._error = error
        self.is_over = True
        self._stands.release()


TURNS = Turns()
# How often whoever's turn it is dies instead.
DEATHS = 0.02


@contextlib.contextmanager
def taking_turns() -> Iterator[None]:
    """Every use of the store begins with a pause."""

    def with_pause(use: Callable[[Database], Any]) -> Callable[[Database], Any]:
        @contextlib.contextmanager
        def paused(database: Database) -> Iterator[Any]:
            # Whoever pauses within a transaction keeps the others out.
            if not database._connection.in_transaction:
                TURNS.pause()
            with use(database) as connection:
                yield connection

        return paused

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "reading", with_pause(Database.reading))
        patch.setattr(Database, "transaction", with_pause(Database.transaction))
        yield
