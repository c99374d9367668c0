"""The part of a ledger that holds what is to be told: it stays there until the bot has recorded it (S15)."""

from workers.contract import Event
from workers.memory.database import Database

PUT = "INSERT INTO outbox (event) VALUES (?)"


class Events(Database):
    """Events by number, the oldest first; a number is given once."""

    def tell(self, event: Event) -> None:
        """Put an event into the outbox; it stays until the bot has acknowledged it."""
        with self.transaction():
            self._put(event)

    def _put(self, event: Event) -> None:
        self._db.execute(PUT, (event.model_dump_json(),))

    def outbox(self, *, after: int, limit: int = 200) -> list[tuple[int, str]]:
        """Return (seq, event as JSON) of the events numbered above `after`, in order."""
        return self.rows("SELECT seq, event FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)

    def acknowledged(self, up_to: int) -> None:
        """Forget the events that the bot has recorded, up to and with this number."""
        with self.transaction():
            self._db.execute("DELETE FROM outbox WHERE seq <= ?", (up_to,))

    def last_told(self) -> int:
        """Return the number of the last event there ever was; 0 where there was none."""
        rows = self.rows("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
        return int(rows[0][0]) if rows else 0

    def count_on_from(self, seq: int) -> None:
        """Number what is to be told, and what comes after it, from above this number.

        A ledger that was put back from a copy would give numbers once more that the bot knows, and its news
        would be taken for repeats.
        """
        with self.transaction():
            told = self._db.execute("SELECT event FROM outbox ORDER BY seq").fetchall()
            self._db.execute("DELETE FROM outbox")
            self._db.execute("DELETE FROM sqlite_sequence WHERE name = 'outbox'")
            self._db.execute("INSERT INTO sqlite_sequence VALUES ('outbox', ?)", (seq,))
            self._db.executemany(PUT, told)
