"""What people asked hosts about themselves, until each of them has read an answer or why there is none."""

import json
import sqlite3
from datetime import datetime

from bot.acts import What
from bot.memory.audit import note
from bot.memory.database import Database, moment, written
from bot.questions import Inquiry, Said
from workers.contract import Person, Topic


class Inquiries:
    """The questions in the bot's memory; what a host answers to one is among its events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, asked: Inquiry, *, trigger_id: str) -> None:
        """Write a question down; the same delivery asks once."""
        with self._database.transaction() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO inquiries (id, trigger_id, at, body) VALUES (?, ?, ?, ?)",
                (asked.id, trigger_id, written(asked.at), _body(asked)),
            )
            if done.rowcount:
                _note(db, asked)

    def open(self) -> tuple[Inquiry, ...]:
        """What nobody has read an answer to yet, oldest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM inquiries WHERE said != 'all' ORDER BY at, id")
            return tuple(map(_inquiry, rows))

    def sent(self, asked: Inquiry, at: datetime) -> None:
        """It is on its host's queue."""
        self._set(asked, "sent_at = ?, error = ''", written(at))

    def not_sent(self, asked: Inquiry, error: str, *, given_up: bool) -> None:
        """It is not on its host's queue; whether that is tried again."""
        self._set(asked, "error = ?, given_up = ?", error, given_up)

    def say(self, asked: Inquiry, said: Said) -> None:
        """Who asked is told this much."""
        self._set(asked, "said = ?", said)

    def _set(self, asked: Inquiry, columns: str, *values: object) -> None:
        with self._database.transaction() as db:
            db.execute(f"UPDATE inquiries SET {columns} WHERE id = ?", (*values, asked.id))  # noqa: S608


def _note(db: sqlite3.Connection, asked: Inquiry) -> None:
    note(
        db,
        What.QUESTIONED,
        at=asked.at,
        by=asked.by,
        request_id=asked.id,
        host=asked.host,
        topic=asked.topic,
        object=asked.object or None,
        channel=asked.channel,
    )


def _body(asked: Inquiry) -> str:
    return json.dumps(
        {
            "topic": asked.topic,
            "host": asked.host,
            "object": asked.object,
            "by": asked.by.model_dump(),
            "channel": asked.channel,
            "response_url": asked.response_url,
            "thread": asked.thread,
        }
    )


def _inquiry(row: sqlite3.Row) -> Inquiry:
    body = json.loads(row["body"])
    return Inquiry(
        id=row["id"],
        topic=Topic(body.pop("topic")),
        by=Person.model_validate(body.pop("by")),
        at=moment(row["at"]),
        sent_at=moment(row["sent_at"]) if row["sent_at"] else None,
        error=row["error"],
        given_up=bool(row["given_up"]),
        said=Said(row["said"]),
        **body,
    )
