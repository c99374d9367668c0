"""The part of a ledger that knows which images lie in the archive."""

from datetime import datetime

from workers.memory.events import Events
from workers.planning.stock import Archived

# Since schema 8.
SCHEMA = """
CREATE TABLE archive (
  image TEXT PRIMARY KEY, file TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
  order_id TEXT NOT NULL, step INTEGER NOT NULL, at TEXT NOT NULL
) STRICT;
"""


class Archives(Events):
    """The catalogue. A row comes before its file has its name, and goes after it, so no file is forgotten."""

    def archived(self) -> list[Archived]:
        """Return all that was saved, oldest first."""
        rows = self.rows("SELECT * FROM archive ORDER BY at, image")
        return [
            Archived(image, file, size, sha256, order, step, datetime.fromisoformat(at))
            for image, file, size, sha256, order, step, at in rows
        ]

    def keep_archived(self, one: Archived) -> None:
        """Write down that an image is saved; what was saved of it before is no more."""
        row = (one.image, one.file, one.size, one.sha256, one.order, one.step, one.at.isoformat())
        self.write("INSERT OR REPLACE INTO archive VALUES (?, ?, ?, ?, ?, ?, ?)", [row])

    def forget_archived(self, image: str) -> None:
        """Write down that nothing is saved of an image any more."""
        self.write("DELETE FROM archive WHERE image = ?", [(image,)])

    def images_removed_since(self, since: datetime) -> frozenset[str]:
        """Return the images that runs asked to have removed since then, by id, whatever came of it."""
        rows = self.rows(
            "SELECT DISTINCT json_extract(body, '$.object.id') FROM journal"
            " WHERE asked_at >= ? AND json_extract(body, '$.object.kind') = 'image'",
            since.isoformat(),
        )
        return frozenset(str(row[0]) for row in rows)
