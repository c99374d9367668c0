"""The bot's memory as one SQLite file: transactions that are on disk when they end."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import StoreError
from bot.memory.schema import SCHEMAS


class Database:
    """One connection for all threads of the process, one at a time."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=10
            )
            self._connection.row_factory = sqlite3.Row
            self._prepare()
        except sqlite3.Error as error:
            raise StoreError(f"the bot's memory {path} cannot be opened: {error}") from error

    def close(self) -> None:
        """Let go of the file; whoever still uses it is waited for."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read what is recorded."""
        with self._lock, _named_errors():
            yield self._connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read one state of it; whoever writes meanwhile, in this process or another, is not held up."""
        with self._lock, _named_errors():
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; on disk when the block ends; what is inside another one belongs to that."""
        with self._lock, _named_errors():
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _prepare(self) -> None:
        # What is acknowledged to Slack or to a host must survive a power cut, hence full sync.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        known = len(SCHEMAS)
        if found > known:
            raise StoreError(f"the bot's memory has version {found}, this program knows {known} at most")
        for version in range(found, known):
            script = f"BEGIN; {SCHEMAS[version]} PRAGMA user_version = {version + 1}; COMMIT;"
            self._connection.executescript(script)


@contextlib.contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the bot's memory cannot be used: {error}") from error


def written(moment: datetime) -> str:
    """Spell a time so that spellings sort as the times do.

    Hosts tell times: one that has no place in the years of UTC is as good as the first or the last.
    """
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = moment.replace(tzinfo=UTC)
    return utc.isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Read a time as `written` spells it."""
    return datetime.fromisoformat(text)
