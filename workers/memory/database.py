"""One SQLite file, written through to the disk: what was written is there, whoever dies (S15)."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from workers.errors import LedgerError

Row = tuple[object, ...]


class Database:
    """One connection to it. Never carry it across a fork: open another one.

    `schemas`: each entry brings the file from the version of its place to the next.

    Raises:
        LedgerError: whenever the file cannot be read or written; nothing is begun then (S4).
    """

    def __init__(self, path: Path, schemas: Sequence[str]) -> None:
        self._schemas = schemas
        self._waiting: list[tuple[str, Row]] = []
        with _refusing(f"ledger {path}"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            self._open(path)
        except LedgerError:
            # Tried again every few seconds; what was opened would stay so for a while.
            self._db.close()
            raise

    def _open(self, path: Path) -> None:
        with _refusing(f"ledger {path}"):
            self._db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            )
            self._create()

    def close(self) -> None:
        """Let the file go."""
        with suppress(LedgerError):
            self.flush()
        self._db.close()

    def _create(self) -> None:
        # Looked at first without the lock: a ledger is opened every few seconds, and made once.
        known = len(self._schemas)
        if self._version() == known:
            return
        with self.transaction():
            version = self._version()
            if version == known:
                return
            if version > known:
                raise LedgerError(f"ledger has schema {version}, this worker knows {known}")
            for statement in "".join(self._schemas[version:]).split(";"):
                self._db.execute(statement)
            if not version:
                self._fill()
            self._db.execute(f"PRAGMA user_version = {known}")

    def _fill(self) -> None:
        """What a new file begins with."""

    def _version(self) -> int:
        with _refusing("ledger"):
            return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, on the disk when it returns; what is inside another one belongs to that."""
        if self._is_writing():
            yield
            return
        with _refusing("ledger"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._write_waiting()
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        self._waiting.clear()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of it, whatever others write meanwhile."""
        self.flush()
        with _refusing("ledger"):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def _is_writing(self) -> bool:
        with _refusing("ledger"):
            return self._db.in_transaction

    def later(self, statement: str, row: Row) -> None:
        """Have something written with what is written next; if the host dies before, it was never known."""
        self._waiting.append((statement, row))

    def flush(self) -> None:
        """Write down what waits for it."""
        if self._waiting:
            with self.transaction():
                pass

    def _write_waiting(self) -> None:
        for statement, row in self._waiting:
            self._db.execute(statement, row)

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return what a query finds."""
        if not self._is_writing():
            self.flush()
        return self.peek(query, *values)

    def peek(self, query: str, *values: object) -> list[Any]:
        """The same of what does not depend on what waits: that is not written for it."""
        with _refusing("ledger"), closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()

    def write(self, statement: str, rows: Sequence[Row]) -> None:
        """Write many rows at once."""
        with self.transaction():
            self._db.executemany(statement, rows)

    def refuse_unusable_tables(self, tables: Sequence[str]) -> None:
        """Find out whether these can be read and could be written to, at the cost of a lock and no write."""
        with _refusing("ledger"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for table in tables:
                    self._db.execute(f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1").fetchone()  # noqa: S608
            finally:
                self._db.execute("ROLLBACK")


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"{what}: {error}") from error
