"""From the ledger's outbox to the host's Redis stream, again and again until the bot has recorded it.

Redis may forget what it was given. So an event leaves the ledger only when the bot has acknowledged it, and
is sent again whenever the stream has lost it. The bot knows by its number what it has met before.
"""

import threading
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import redis

from workers.contract import acknowledged_key, events_key
from workers.errors import LedgerError
from workers.memory.ledger import Ledger
from workers.transport.stillness import Stillness, Troubles

BATCH = 50
KEPT_MILLISECONDS = 24 * 3600 * 1000
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 1.0
LAST_WORDS_SECONDS = 5.0
SURELY_LOOK_EVERY = 5.0
FIRST_PATIENCE, LONGEST_PATIENCE = 30.0, 3600.0
PUT_BACK = "the bot knows more of this ledger than it does itself: it was put back, and counts on from there"
# Whoever can write to Redis must not use up the numbers there are.
GREATEST_SEQ = 2**62
LONGEST_ANSWER = 200
TO_REDIS, FROM_LEDGER = "events do not reach Redis", "events cannot be read from the ledger"


class Batch(NamedTuple):
    """Events to send, by number; below `first` the ledger has none any more: some bot had recorded those."""

    rows: list[tuple[int, str]]
    first: int = 0


class Entry(NamedTuple):
    """An event in the stream: its number, and its name there."""

    seq: int
    id: str


@dataclass(frozen=True)
class Stream:
    """What Redis answers: which start of it this is, what the bot has recorded, whether an entry is there."""

    server: str
    acknowledged: int
    has_oldest: bool


@dataclass(frozen=True)
class Progress:
    """How far the events have come: `acknowledged` by the bot, and `entries` sent that it has not recorded.

    Entries get lost from the front (trimmed), all at once (emptied), or from the back (rolled back to an
    earlier state, which takes another start of the server). The first and the server tell all three.
    """

    ledger: str = ""
    acknowledged: int = 0
    entries: tuple[Entry, ...] = ()
    server: str = ""
    moved_at: float = 0.0
    patience: float = FIRST_PATIENCE

    @property
    def upto(self) -> int:
        """The number of the last event that the stream is known to hold, or that the bot has recorded."""
        return self.entries[-1].seq if self.entries else self.acknowledged

    def heard(self, stream: Stream, now: float) -> "Progress":
        """Learn what the bot has recorded; go back to there if what follows was lost or takes too long.

        An acknowledgement of what was not sent is not believed: reports would be forgotten for it (S15).
        """
        acknowledged = max(self.acknowledged, min(stream.acknowledged, self.upto))
        if acknowledged > self.acknowledged:
            return self._moved(acknowledged, now)._unless_lost(stream.server, has_oldest=True)
        if now - self.moved_at > self.patience:
            patience = min(2 * self.patience, LONGEST_PATIENCE)
            return replace(self, entries=(), moved_at=now, patience=patience)
        return self._unless_lost(stream.server, has_oldest=stream.has_oldest)

    def sent(self, entries: tuple[Entry, ...], server: str, now: float) -> "Progress":
        """Count what was put into the stream. Another server than before lacks what was put there earlier."""
        if self.entries and server != self.server:
            return replace(self, entries=(), server=server)
        moved_at = self.moved_at if self.entries else now
        return replace(self, entries=self.entries + entries, server=server, moved_at=moved_at)

    def _moved(self, acknowledged: int, now: float) -> "Progress":
        left = tuple(entry for entry in self.entries if entry.seq > acknowledged)
        return Progress(self.ledger, acknowledged, left, self.server, moved_at=now)

    def _unless_lost(self, server: str, *, has_oldest: bool) -> "Progress":
        return self if server == self.server and has_oldest else replace(self, entries=())


class Outbox:
    """A host's outbox, opened anew for each look: nothing of SQLite may be open across a fork."""

    def __init__(self, path: Path, stillness: Stillness) -> None:
        self._path, self._stillness = path, stillness
        self._empty: object = None

    def look(self, progress: Progress) -> tuple[Progress, Batch]:
        """Forget what is acknowledged; return what comes next, unless all is as when nothing did.

        Raises:
            LedgerError: the ledger cannot be read or written.
        """
        period = int(time.monotonic() / SURELY_LOOK_EVERY)
        state = (self._files(), progress.upto, progress.acknowledged, period)
        if state == self._empty:
            return progress, Batch([])
        with self._stillness.held(), closing(Ledger(self._path)) as ledger:
            if ledger.id != progress.ledger:
                progress = Progress(ledger=ledger.id)
            if progress.acknowledged:
                ledger.acknowledged(progress.acknowledged)
            batch = _next(ledger, progress.upto)
        self._empty = None if batch.rows else state
        return progress, batch

    def catch_up(self, acknowledged: int) -> bool:
        """Count on from there if the bot has recorded more than the ledger has ever told; whether it has.

        Raises:
            LedgerError: the ledger cannot be read or written.
        """
        with self._stillness.held(), closing(Ledger(self._path)) as ledger:
            was_put_back = ledger.last_told() < acknowledged <= GREATEST_SEQ
            if was_put_back:
                ledger.count_on_from(acknowledged)
        return was_put_back

    def _files(self) -> tuple[tuple[int, int] | None, ...]:
        """What changes with every commit; asking is much cheaper than opening the ledger."""
        return tuple(_stamp(Path(f"{self._path}{suffix}")) for suffix in ("", "-wal"))


class Relay:
    """Carries the outbox to the stream; a thread of its own runs it."""

    def __init__(self, host: str, client: "redis.Redis", outbox: Outbox, troubles: Troubles) -> None:
        self._host, self._client, self._outbox, self._troubles = host, client, outbox, troubles
        self._progress, self._is_met = Progress(), False

    @property
    def ledger(self) -> str:
        """The id of the ledger that numbers the events; empty until it could be read."""
        return self._progress.ledger

    def run(self, stopping: threading.Event) -> None:
        """Carry until told to stop; then once more, for the last words of a run that was told to stop too."""
        pause = 0.0
        while not stopping.wait(pause):
            pause = SHORTEST_PAUSE if self.carry() else min(2 * pause or SHORTEST_PAUSE, LONGEST_PAUSE)
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        while self.carry() and time.monotonic() < deadline:
            pass

    def carry(self) -> bool:
        """Carry what there is; whether anything was carried."""
        try:
            return self._carry()
        except LedgerError as error:
            self._troubles.met(FROM_LEDGER, error)
        except redis.RedisError as error:
            self._troubles.met(TO_REDIS, error)
        except Exception as error:  # noqa: BLE001 - the edge of a thread, which must not end
            self._troubles.met("events are not carried", error)
        return False

    def _carry(self) -> bool:
        if self._progress.entries:
            stream = self._ask()
            self._troubles.over(TO_REDIS)
            if self._was_put_back(stream.acknowledged):
                return True
            self._progress = self._progress.heard(stream, time.monotonic())
        self._progress, batch = self._outbox.look(self._progress)
        self._troubles.over(FROM_LEDGER, took_redis=False)
        if (batch.rows or not self._is_met) and not self._progress.entries and self._meets():
            return True
        if batch.rows:
            self._send(batch)
            self._troubles.over(TO_REDIS)
        return bool(batch.rows)

    def _meets(self) -> bool:
        """Compare with what the bot has recorded: at the start, before news takes numbers that it knows."""
        was_put_back, self._is_met = self._was_put_back(self._recorded()), True
        return was_put_back

    def _was_put_back(self, acknowledged: int) -> bool:
        """Whether the ledger is an older copy of itself; then it has other numbers, and all is sent again."""
        if acknowledged <= self._progress.upto or not self._outbox.catch_up(acknowledged):
            return False
        self._progress = Progress()
        self._troubles.say(PUT_BACK)
        return True

    def _recorded(self) -> int:
        """Up to which number the bot has recorded this ledger's events, as far as Redis knows."""
        answer: Any = self._client.getrange(acknowledged_key(self._host), 0, LONGEST_ANSWER)
        return _acknowledged(answer, self._progress.ledger)

    def _ask(self) -> Stream:
        oldest = self._progress.entries[0].id
        pipeline = self._client.pipeline(transaction=True)
        pipeline.info("server")
        pipeline.getrange(acknowledged_key(self._host), 0, LONGEST_ANSWER)
        pipeline.xrange(events_key(self._host), oldest, oldest)
        server, acknowledged, found = pipeline.execute()
        return Stream(_start(server), _acknowledged(acknowledged, self._progress.ledger), bool(found))

    def _send(self, batch: Batch) -> None:
        """Add the events; one transaction, so that the server named is the one that has them."""
        pipeline = self._client.pipeline(transaction=True)
        pipeline.info("server")
        named = {"ledger": self._progress.ledger, "first": batch.first}
        for seq, event in batch.rows:
            fields: dict[Any, Any] = {**named, "seq": seq, "event": event}
            pipeline.xadd(events_key(self._host), fields, minid=self._oldest_kept(), approximate=True)
        server, *ids = pipeline.execute()
        entries = tuple(Entry(row[0], id_.decode()) for row, id_ in zip(batch.rows, ids, strict=True))
        self._progress = self._progress.sent(entries, _start(server), time.monotonic())

    def _oldest_kept(self) -> int:
        """By the stream's own clock; the host's may be wrong, and would then trim what was just added."""
        if not self._progress.entries:
            return 0
        return max(0, int(self._progress.entries[-1].id.partition("-")[0]) - KEPT_MILLISECONDS)


def _next(ledger: Ledger, upto: int) -> Batch:
    rows = ledger.outbox(after=upto, limit=BATCH)
    oldest = ledger.outbox(after=0, limit=1) if rows else []
    return Batch(rows, oldest[0][0] if oldest else 0)


def _start(server: Any) -> str:
    return str(server["run_id"])


def _acknowledged(answer: bytes, ledger: str) -> int:
    """Read what the bot has recorded of this ledger's events; anything else acknowledges nothing."""
    name, _, seq = answer.decode(errors="replace").partition(":")
    return int(seq) if name == ledger and seq.isascii() and seq.isdigit() and len(seq) < 20 else 0


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
