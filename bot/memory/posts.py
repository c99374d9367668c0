"""Where everything the bot shows in Slack stands, and the answers it still owes to single people."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.memory.database import Database, moment, written
from bot.render.blocks import Message

ROOT = "root"
# What a message is called that calls people.
CALL = "trouble "
# What says in a thread that it goes on in place of one that is gone.
AGAIN = "again"
# What an answer that the channel reads is called among its messages.
NOTE = "note"
THREAD_OF = """
SELECT root.ts AS thread FROM posts JOIN posts AS root USING (request_id)
    WHERE posts.ts = :ts AND posts.channel = :channel AND posts.part GLOB :calls AND root.part = :root
UNION SELECT thread FROM posts JOIN notes ON notes.id = request_id
    WHERE posts.ts = :ts AND posts.channel = :channel AND part = :note
"""


@dataclass(frozen=True)
class Post:
    """A message of the bot's; one without `ts` was begun, and what came of that is not known."""

    channel: str
    begun_at: datetime
    ts: str
    shown: str


@dataclass(frozen=True)
class Spot:
    """Where a message stands; `thread` is empty where it has one of its own."""

    channel: str
    ts: str
    thread: str = ""


@dataclass(frozen=True)
class Note:
    """An answer that is owed: to one person, or, as `is_public` says, to the channel.

    `replaces`: it takes the place of the message that was clicked, which only that person sees.
    `thread`: where the channel reads it; empty for a message of its own.
    """

    id: str
    made_at: datetime
    channel: str
    response_url: str
    message: Message
    is_public: bool = False
    replaces: bool = False
    thread: str = ""


class Posts:
    """Remembers a message before it is sent, so that a restart at any point shows it once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, request_id: str) -> dict[str, Post]:
        """All messages of a request, by their part in it."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM posts WHERE request_id = ?", (request_id,))
            return {row["part"]: _post(row) for row in rows}

    def find(self, request_id: str, part: str) -> Post | None:
        """One message."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT * FROM posts WHERE request_id = ? AND part = ?", (request_id, part)
            ).fetchone()
            return _post(row) if row else None

    def request_at(self, channel: str, ts: str) -> str | None:
        """The request whose root message stands there."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT request_id FROM posts WHERE ts = ? AND channel = ? AND part = ?", (ts, channel, ROOT)
            ).fetchone()
            return str(row["request_id"]) if row else None

    def thread_of(self, channel: str, ts: str) -> str:
        """The thread in which the message that stands there called people, or answered; empty for others."""
        with self._database.reading() as db:
            where = {"ts": ts, "channel": channel, "calls": f"{CALL}*", "root": ROOT, "note": NOTE}
            row = db.execute(THREAD_OF, where).fetchone()
            return str(row["thread"]) if row else ""

    def roots(self, request_ids: Iterable[str]) -> dict[str, Spot]:
        """Where the root message of each of these requests stands that has one."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT request_id, posts.channel, ts, coalesce(thread, '') AS thread"
                " FROM posts LEFT JOIN requests ON requests.id = request_id WHERE part = ? AND ts != ''"
                " AND request_id IN (SELECT value FROM json_each(?))",
                (ROOT, json.dumps(list(request_ids))),
            )
            return {row["request_id"]: Spot(row["channel"], row["ts"], row["thread"]) for row in rows}

    def begin(self, request_id: str, part: str, channel: str, at: datetime) -> None:
        """Say that a message is about to be sent."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO posts (request_id, part, channel, begun_at) VALUES (?, ?, ?, ?)",
                (request_id, part, channel, written(at)),
            )

    def show(self, request_id: str, part: str, *, ts: str, shown: str) -> None:
        """Say where a message stands and what it shows."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE posts SET ts = ?, shown = ? WHERE request_id = ? AND part = ?",
                (ts, shown, request_id, part),
            )

    def forget(self, request_id: str, part: str) -> None:
        """Say that there is no such message."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM posts WHERE request_id = ? AND part = ?", (request_id, part))

    def begin_again(self, request_id: str, channel: str, at: datetime) -> None:
        """Say that the thread of a request is gone: all of it is shown once more, and that it is.

        Except what has called people: they are not called twice.
        """
        with self._database.transaction() as db:
            calls = f"{CALL}*"
            db.execute("DELETE FROM posts WHERE request_id = ? AND part NOT GLOB ?", (request_id, calls))
            self.begin(request_id, AGAIN, channel, at)

    def owe(self, note: Note) -> bool:
        """Record an answer; the same one is owed once. False if it was owed before."""
        with self._database.transaction() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO notes"
                " (id, made_at, channel, response_url, message, is_public, replaces, thread)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(note.id, written(note.made_at), note.channel, note.response_url),
                    *(_dumped(note.message), note.is_public, note.replaces, note.thread),
                ),
            )
            return done.rowcount == 1

    def owed(self) -> tuple[Note, ...]:
        """The answers not given yet, oldest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM notes WHERE is_open ORDER BY made_at, id")
            return tuple(_note(row) for row in rows)

    def leave_thread(self, note_id: str) -> None:
        """Say that an answer stands by itself: the thread that it belongs to is gone."""
        with self._database.transaction() as db:
            db.execute("UPDATE notes SET thread = '' WHERE id = ?", (note_id,))

    def settle(self, note_id: str) -> None:
        """Say that an answer is given, or can no longer be."""
        with self._database.transaction() as db:
            db.execute("UPDATE notes SET is_open = 0, message = '' WHERE id = ?", (note_id,))


def _post(row: sqlite3.Row) -> Post:
    return Post(row["channel"], moment(row["begun_at"]), row["ts"], row["shown"])


def _dumped(message: Message) -> str:
    return json.dumps({"text": message.text, "blocks": message.blocks})


def _note(row: sqlite3.Row) -> Note:
    drawn = json.loads(row["message"])
    return Note(
        id=row["id"],
        made_at=moment(row["made_at"]),
        channel=row["channel"],
        response_url=row["response_url"],
        message=Message(drawn["text"], tuple(drawn["blocks"])),
        is_public=bool(row["is_public"]),
        replaces=bool(row["replaces"]),
        thread=row["thread"],
    )
