"""Who has agreed to which set of plans, and whose agreement settled the request."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from bot.memory.audit import What, note
from bot.memory.database import Database, moment, written
from bot.requests import Ballot
from workers.contract import Person


@dataclass(frozen=True)
class Poll:
    """A new ballot, and who of all who agreed counts; nobody where that is not enough yet."""

    ballot: Ballot
    tally: Callable[[tuple[Ballot, ...]], tuple[Person, ...]]


class Ballots:
    """Reads ballots; they are cast where requests are settled."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, request_id: str) -> tuple[Ballot, ...]:
        """All ballots of a request, oldest first."""
        with self._database.reading() as db:
            return cast_for(db, request_id)


def decides(db: sqlite3.Connection, request_id: str, poll: Poll) -> bool:
    """Cast a ballot, and say whether that was the last one needed; in the caller's transaction."""
    ballot = poll.ballot
    done = db.execute(
        "INSERT OR IGNORE INTO ballots (request_id, team, user, set_digest, at) VALUES (?, ?, ?, ?, ?)",
        (request_id, ballot.person.team, ballot.person.user, ballot.set_digest, written(ballot.at)),
    )
    counted = poll.tally(cast_for(db, request_id))
    db.executemany(
        "UPDATE ballots SET is_counted = 1 WHERE request_id = ? AND set_digest = ? AND team = ? AND user = ?",
        [(request_id, ballot.set_digest, person.team, person.user) for person in counted],
    )
    if done.rowcount and not counted:
        note(db, What.APPROVED, at=ballot.at, by=ballot.person, request_id=request_id, set=ballot.set_digest)
    return bool(counted)


def cast_for(db: sqlite3.Connection, request_id: str) -> tuple[Ballot, ...]:
    """The ballots of a request, oldest first."""
    rows = db.execute("SELECT * FROM ballots WHERE request_id = ? ORDER BY at, rowid", (request_id,))
    return tuple(
        Ballot(
            person=Person(team=row["team"], user=row["user"]),
            set_digest=row["set_digest"],
            at=moment(row["at"]),
            is_counted=bool(row["is_counted"]),
        )
        for row in rows
    )
