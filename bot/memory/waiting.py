"""What people did and what is not decided yet, since Slack has to be asked first who they are."""

from dataclasses import dataclass
from datetime import datetime

from bot.memory.database import Database, moment, written

COMMAND = "command"


@dataclass(frozen=True)
class Pending:
    """A command or a click as it arrived; `verb` says which click, or COMMAND, `body` holds all of it."""

    id: str
    verb: str
    body: str
    at: datetime


class Waiting:
    """Remembers what was acknowledged and is still to be decided, so that a restart forgets none of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, act: Pending) -> None:
        """Remember an act; the same one is decided once."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO waiting (id, verb, body, at) VALUES (?, ?, ?, ?)",
                (act.id, act.verb, act.body, written(act.at)),
            )

    def open(self) -> tuple[Pending, ...]:
        """What is not decided yet, oldest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM waiting WHERE is_open ORDER BY at, id")
            return tuple(Pending(row["id"], row["verb"], row["body"], moment(row["at"])) for row in rows)

    def close(self, act_id: str) -> None:
        """It is decided; what it said is not kept."""
        with self._database.transaction() as db:
            db.execute("UPDATE waiting SET is_open = 0, body = '' WHERE id = ?", (act_id,))
