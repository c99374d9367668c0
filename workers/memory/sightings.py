"""What Docker forgets and the ledger remembers: when objects were seen, last used, and named."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

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
# Since schema 2: what the engine's events told, and up to when they and the inventories were taken in.
SCHEMA_2 = """
CREATE TABLE uses (
  engine_id TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (engine_id, id)
) STRICT;
CREATE TABLE arrivals (
  engine_id TEXT NOT NULL, key TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (engine_id, key)
) STRICT;
CREATE TABLE taken_in (
  engine_id TEXT NOT NULL, what TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (engine_id, what)
) STRICT;
INSERT INTO taken_in SELECT engine_id, 'inventory', max(last_seen) FROM sightings GROUP BY engine_id;
"""
# Since schema 6: what was asked of stopped containers, and what it was asked by.
SCHEMA_6 = """
CREATE TABLE inspections (
  engine_id TEXT NOT NULL, container_id TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (engine_id, container_id)
) STRICT;
"""
# Of what is gone no rule asks further back, and a host that builds all day names thousands of images.
REMEMBERED = timedelta(days=400)
# Each table with its key, its time, and what else keeps a row that is old and whose key was not seen since:
# an image came by its name as well, and a repository is here while an image is that was called so.
FORGOTTEN = (
    ("named", "image_id", "last_seen", ""),
    ("uses", "id", "at", ""),
    ("arrivals", "key", "at", "AND key NOT IN (SELECT name FROM named)"),
    (
        *("sightings", "id", "last_seen"),
        "AND NOT EXISTS (SELECT 1 FROM named WHERE named.engine_id = sightings.engine_id"
        " AND name BETWEEN id || ':' AND id || ';')",
    ),
)
# What was not followed for longer than this is a gap: of a busy host an engine remembers little more.
GAP = timedelta(minutes=1)
# Up to when inventories and events were taken in, be it by a single look where nobody follows them, and
# since when events are followed without a gap.
Source = Literal["inventory", "events", "caught up", "followed since", "followed first"]


class Rows(Protocol):
    """The part of a ledger that sightings need."""

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return what a query finds."""

    def write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Write many rows at once."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing."""


@dataclass(frozen=True)
class Sighting:
    """What is remembered of one object."""

    first_seen: datetime
    last_seen: datetime
    last_used: datetime | None = None


@dataclass(frozen=True)
class Heard:
    """What events told: uses by the id of an image or network, names, arrivals by name or id.

    Names are (full name, image id, when).
    """

    uses: Mapping[str, datetime] = field(default_factory=dict)
    names: tuple[tuple[str, str, datetime], ...] = ()
    arrivals: Mapping[str, datetime] = field(default_factory=dict)


class Sightings:
    """The memory of one engine's objects, kept in the host's ledger."""

    def __init__(self, ledger: Rows, engine_id: str) -> None:
        self._ledger, self._engine = ledger, engine_id

    def together(self) -> AbstractContextManager[None]:
        """Write down all that is seen inside the block, or nothing of it."""
        return self._ledger.transaction()

    # From inventories

    def see(self, seen: Iterable[tuple[str, str, datetime | None]], now: datetime) -> None:
        """Remember each (kind, id, last known use) of an inventory; a newer use stays known.

        What the inventory before did not see is here for the first time, even if it was once before (S10).
        """
        at, before = _text(now), self._inventory_before()
        self._ledger.write(
            "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " first_seen = iif(last_seen < ?, excluded.first_seen, first_seen),"
            " last_seen = excluded.last_seen,"
            " last_used = nullif(max(coalesce(last_used, ''), coalesce(excluded.last_used, '')), '')",
            [(self._engine, kind, id_, at, at, _text(used), before) for kind, id_, used in seen],
        )

    def name(self, names: Iterable[tuple[str, str]], now: datetime) -> None:
        """Remember which image id each (name, image id) named now, and since when without a gap."""
        at = spelled(now)
        self._name((name, image_id, at) for name, image_id in names)

    def _name(self, rows: Iterable[tuple[str, str, str]]) -> None:
        before = self._inventory_before()
        self._ledger.write(
            "INSERT INTO named VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " first_seen = iif(last_seen < ?, excluded.first_seen, first_seen),"
            " last_seen = max(last_seen, excluded.last_seen)",
            [(self._engine, name, image_id, at, at, before) for name, image_id, at in rows],
        )

    def _inventory_before(self) -> str:
        return _text(self.taken_in("inventory")) or ""

    # From events

    def hear(self, heard: Heard) -> None:
        """Remember what events told; that is no inventory, so what they do not name is not missed."""
        # Not as sightings: an image that is in use, and not yet looked at, would seem to get its names later.
        self._latest("uses", heard.uses)
        self._name((name, image_id, spelled(at)) for name, image_id, at in heard.names)
        self._latest("arrivals", heard.arrivals)

    def _latest(self, table: str, times: Mapping[str, datetime]) -> None:
        self._ledger.write(
            f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",  # noqa: S608
            [(self._engine, key, _text(at)) for key, at in times.items()],
        )

    def uses(self) -> dict[str, datetime]:
        """Return when a container last started or ended of an image, or was attached to a network, by id."""
        rows = self._ledger.rows("SELECT id, at FROM uses WHERE engine_id = ?", self._engine)
        return {id_: datetime.fromisoformat(at) for id_, at in rows}

    def arrivals(self) -> dict[str, datetime]:
        """Return when a pull, load or tag spoke of an image, by full name and by image id."""
        rows = self._ledger.rows("SELECT key, at FROM arrivals WHERE engine_id = ?", self._engine)
        return {key: datetime.fromisoformat(at) for key, at in rows}

    # Up to when

    def taken_in(self, what: Source) -> datetime | None:
        """Return up to when inventories, or events, were taken in."""
        query = "SELECT at FROM taken_in WHERE engine_id = ? AND what = ?"
        rows = self._ledger.rows(query, self._engine, what)
        return datetime.fromisoformat(rows[0][0]) if rows else None

    def heard_upto(self, now: datetime, *sources: Source) -> datetime | None:
        """Return up to when events were taken in; None if not at all, or by a clock that has gone back since.

        What happened at these times before it did was heard, and what has happened since was not.
        """
        known = [at for source in sources if (at := self.taken_in(source))]
        return max(known) if known and max(known) <= now else None

    def take_in(self, what: Source, now: datetime) -> None:
        """Write down that all of an inventory, or all events up to a time, are remembered."""
        self._ledger.write(
            "INSERT OR REPLACE INTO taken_in VALUES (?, ?, ?)", [(self._engine, what, _text(now))]
        )

    def forget_before(self, moment: datetime) -> None:
        """Forget what was not seen since then, and nothing of what is still here (S9, S10).

        Where no inventory was taken since, be it that the clock is ahead, nobody knows what is gone.
        """
        newest = self.taken_in("inventory")
        if newest is None or newest < moment:
            return
        since = (self._engine, _text(moment))
        here = "(SELECT id FROM sightings WHERE engine_id = ? AND last_seen >= ?)"
        with self.together():
            for table, key, time, but in FORGOTTEN:
                self._ledger.write(
                    f"DELETE FROM {table} WHERE engine_id = ? AND {time} < ? AND {key} NOT IN {here} {but}",  # noqa: S608
                    [since * 2],
                )
            self._ledger.write(
                f"DELETE FROM layers WHERE engine_id = ? AND image_id NOT IN {here}",  # noqa: S608
                [(self._engine, *since)],
            )

    # What is remembered

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

    def followed_since(self, now: datetime) -> datetime | None:
        """Return since when events are followed without a gap; None where they are not.

        Inventories alone do not tell of a container that came and went between two of them. Nor is it known
        what happened up to a time that is still to come: a clock has gone back. By less than a gap it may,
        for who follows begins anew before one is over.
        """
        upto = self.taken_in("events")
        return self.taken_in("followed since") if upto and abs(now - upto) <= GAP else None

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

    def inspections(self) -> dict[str, str]:
        """Return what is kept of inspections (JSON) by container id."""
        query = "SELECT container_id, body FROM inspections WHERE engine_id = ?"
        return dict(self._ledger.rows(query, self._engine))

    def keep_inspections(self, bodies: Mapping[str, str]) -> None:
        """Keep these and no others."""
        self._ledger.write("DELETE FROM inspections WHERE engine_id = ?", [(self._engine,)])
        self._ledger.write(
            "INSERT INTO inspections VALUES (?, ?, ?)", [(self._engine, *row) for row in bodies.items()]
        )


def _text(moment: datetime | None) -> str | None:
    return spelled(moment) if moment else None


def spelled(moment: datetime) -> str:
    """Write a time so that later ones also sort later: in UTC, always with six digits of fraction."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _sighting(first_seen: str, last_seen: str, last_used: str | None) -> Sighting:
    used = datetime.fromisoformat(last_used) if last_used else None
    return Sighting(datetime.fromisoformat(first_seen), datetime.fromisoformat(last_seen), used)
