"""The bot's memory as one SQLite file: its tables, and transactions that are on disk when they end."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import StoreError

VERSION = 1
SCHEMA = """
CREATE TABLE hosts (
    name TEXT PRIMARY KEY,
    admitted_at TEXT NOT NULL
) STRICT;
CREATE TABLE contacts (
    host TEXT PRIMARY KEY,
    boot TEXT NOT NULL,
    beat_at TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    trigger_id TEXT NOT NULL UNIQUE,
    verb TEXT NOT NULL,
    channel TEXT NOT NULL,
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    hosts TEXT NOT NULL,
    kinds TEXT NOT NULL,
    made_at TEXT NOT NULL,
    response_url TEXT NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX open_requests ON requests (made_at) WHERE is_open;
CREATE TABLE settlements (
    request_id TEXT PRIMARY KEY REFERENCES requests (id),
    how TEXT NOT NULL,
    at TEXT NOT NULL,
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    set_digest TEXT NOT NULL,
    plans TEXT NOT NULL,
    click TEXT NOT NULL
) STRICT;
CREATE TABLE sent (
    request_id TEXT NOT NULL REFERENCES requests (id),
    host TEXT NOT NULL,
    type TEXT NOT NULL,
    at TEXT NOT NULL,
    order_id TEXT NOT NULL,
    error TEXT NOT NULL,
    final INTEGER NOT NULL,
    certain INTEGER NOT NULL,
    PRIMARY KEY (request_id, host, type)
) STRICT;
CREATE TABLE overdue (
    request_id TEXT NOT NULL REFERENCES requests (id),
    host TEXT NOT NULL,
    PRIMARY KEY (request_id, host)
) STRICT;
CREATE TABLE ledgers (
    number INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    ledger TEXT NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    UNIQUE (host, ledger)
) STRICT;
CREATE TABLE events (
    ledger INTEGER NOT NULL REFERENCES ledgers (number),
    seq INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    received_at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (ledger, seq)
) STRICT;
CREATE INDEX events_of_request ON events (request_id);
CREATE TABLE reports (
    host TEXT NOT NULL,
    order_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (host, order_id)
) STRICT;
CREATE INDEX reports_by_time ON reports (finished_at);
CREATE TABLE posts (
    request_id TEXT NOT NULL,
    part TEXT NOT NULL,
    channel TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    ts TEXT NOT NULL DEFAULT '',
    shown TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (request_id, part)
) STRICT;
CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    made_at TEXT NOT NULL,
    channel TEXT NOT NULL,
    response_url TEXT NOT NULL,
    message TEXT NOT NULL,
    is_public INTEGER NOT NULL,
    replaces INTEGER NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX open_notes ON notes (made_at) WHERE is_open;
"""


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
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; on disk when the block ends."""
        with self._lock, _named_errors():
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
        if found > VERSION:
            raise StoreError(f"the bot's memory has version {found}, this program knows {VERSION} at most")
        if found < VERSION:
            self._connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


@contextlib.contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the bot's memory cannot be used: {error}") from error


def written(moment: datetime) -> str:
    """Spell a time so that spellings sort as the times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Read a time as `written` spells it."""
    return datetime.fromisoformat(text)
