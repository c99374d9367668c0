"""What Docker forgets and the ledger remembers: when objects were seen, last used, and named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

# A kind of sighting that no plan knows: volumes are remembered to be told of, never to be removed (S1).
VOLUME = "volume"
SCHEMA = """
CREATE TABLE sightings (
  engine_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, last_used TEXT, PRIMARY KEY (engine_id, kind, id)
) STRICT;
CREATE TABLE named (
  engine_id TEXT NOT NULL, name TEXT NOT NULL, image_id TEXT NOT NULL,
  first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, PRIMARY KEY (engine_id, name, image_id)
) STRICT;
CREATE TABLE layers (
  engine_id TEXT NOT NULL, image_id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (engine_id, image_id)
) STRICT;
"""


class Rows(Protocol):
    """The part of a ledger that sightings need."""

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return what a query finds."""

    def write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Write many rows at once."""


@dataclass(frozen=True)
class Sighting:
    """What is remembered of one object."""

    first_seen: datetime
    last_seen: datetime
    last_used: datetime | None = None


class Sightings:
    """The memory of one engine's objects, kept in the host's ledger."""

    def __init__(self, ledger: Rows, engine_id: str) -> None:
        self._ledger, self._engine = ledger, engine_id

    def see(self, seen: Iterable[tuple[str, str, datetime | None]], now: datetime) -> None:
        """Remember each (kind, id, last known use) of an inventory; a newer use stays known.

        What the inventory before did not see is here for the first time, even if it was once before (S10).
        """
        at, before = _text(now), self._inventory_before("sightings", now)
        self._ledger.write(
            "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " first_seen = iif(last_seen < ?, excluded.first_seen, first_seen),"
            " last_seen = excluded.last_seen,"
            " last_used = nullif(max(coalesce(last_used, ''), coalesce(excluded.last_used, '')), '')",
            [(self._engine, kind, id_, at, at, _text(used), before) for kind, id_, used in seen],
        )

    def _inventory_before(self, table: str, now: datetime) -> str:
        query = f"SELECT max(last_seen) FROM {table} WHERE engine_id = ? AND last_seen < ?"  # noqa: S608
        return self._ledger.rows(query, self._engine, _text(now))[0][0] or ""

    def name(self, names: Iterable[tuple[str, str]], now: datetime) -> None:
        """Remember which image id each (name, image id) named now, and since when without a gap."""
        at, before = _text(now), self._inventory_before("named", now)
        self._ledger.write(
            "INSERT INTO named VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " first_seen = iif(last_seen < ?, excluded.first_seen, first_seen),"
            " last_seen = excluded.last_seen",
            [(self._engine, name, image_id, at, at, before) for name, image_id in names],
        )

    def all(self) -> dict[tuple[str, str], Sighting]:
        """Return what is remembered, by (kind, id)."""
        query = "SELECT kind, id, first_seen, last_seen, last_used FROM sightings WHERE engine_id = ?"
        return {(row[0], row[1]): _sighting(*row[2:]) for row in self._ledger.rows(query, self._engine)}

    def names(self) -> dict[str, dict[str, datetime]]:
        """Return, by image id, the names it was seen with and when each was first seen on it."""
        query = "SELECT image_id, name, first_seen FROM named WHERE engine_id = ?"
        found: dict[str, dict[str, datetime]] = {}
        for image_id, name, first_seen in self._ledger.rows(query, self._engine):
            found.setdefault(image_id, {})[name] = datetime.fromisoformat(first_seen)
        return found

    def since(self) -> datetime | None:
        """Return when this engine was first seen."""
        rows = self._ledger.rows("SELECT min(first_seen) FROM sightings WHERE engine_id = ?", self._engine)
        return datetime.fromisoformat(rows[0][0]) if rows[0][0] else None

    def layers(self) -> dict[str, str]:
        """Return the layers and history (JSON) by image id; they never change, so they are kept."""
        return dict(self._ledger.rows("SELECT image_id, body FROM layers WHERE engine_id = ?", self._engine))

    def forget_layers(self, image_id: str) -> None:
        """Ask the engine anew next time: what was kept of this image may be out of date."""
        self._ledger.write(
            "DELETE FROM layers WHERE engine_id = ? AND image_id = ?", [(self._engine, image_id)]
        )

    def keep_layers(self, bodies: Mapping[str, str]) -> None:
        """Keep layers and history of images met for the first time."""
        self._ledger.write(
            "INSERT OR REPLACE INTO layers VALUES (?, ?, ?)",
            [(self._engine, *row) for row in bodies.items()],
        )


def _text(moment: datetime | None) -> str | None:
    """Write a time so that later ones also sort later: in UTC, always with six digits of fraction."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def _sighting(first_seen: str, last_seen: str, last_used: str | None) -> Sighting:
    used = datetime.fromisoformat(last_used) if last_used else None
    return Sighting(datetime.fromisoformat(first_seen), datetime.fromisoformat(last_seen), used)
