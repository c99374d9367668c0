"""What was looked up in the workspace, and when: nothing is looked up before Slack has its answer."""

import json
import sqlite3

from bot.facts import About, Fact, Facts, Lookup
from bot.memory.database import Database, moment, written


class Lookups:
    """The newest fact about each person, channel and user group that ever mattered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self) -> Facts:
        """Everything known, however old."""
        with self._database.reading() as db:
            return Facts({_lookup(row): _fact(row) for row in db.execute("SELECT * FROM lookups")})

    def record(self, what: Lookup, fact: Fact) -> None:
        """Replace what was known about something."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO lookups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(what.about, what.id, written(fact.at), fact.team),
                    *(fact.is_guest, fact.is_active, fact.is_shared),
                    *(json.dumps(sorted(fact.members)), fact.error),
                    *(fact.is_private, json.dumps(fact.names), fact.utc_offset),
                ),
            )


def _lookup(row: sqlite3.Row) -> Lookup:
    return Lookup(About(row["about"]), row["id"])


def _fact(row: sqlite3.Row) -> Fact:
    return Fact(
        at=moment(row["at"]),
        team=row["team"],
        is_guest=bool(row["is_guest"]),
        is_active=bool(row["is_active"]),
        is_shared=bool(row["is_shared"]),
        members=frozenset(json.loads(row["members"])),
        error=row["error"],
        is_private=bool(row["is_private"]),
        names=tuple(json.loads(row["names"])),
        utc_offset=row["utc_offset"],
    )
