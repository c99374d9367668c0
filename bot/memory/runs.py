"""Past runs and restores in short, to be searched: what a report says in a line, without reading it again."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from bot.memory.database import Database, moment, written
from bot.past import Page, Run, Spot, Totals, Turn, Wanted, restore_of, run_of
from workers.contract import (
    AT_A_MACHINE,
    EVENT,
    HOST_TEAM,
    Person,
    Report,
    RestoreFinished,
    RestoreReport,
    Status,
    hosts_of,
)

logger = logging.getLogger(__name__)

# Sorts behind every time.
END = "~"
WANTED = (
    "FROM runs WHERE host IN (SELECT value FROM json_each(:hosts))"
    " AND finished_at >= :since AND finished_at < :until"
    " AND (:people IS NULL OR number IN"
    "  (SELECT number FROM run_people WHERE person IN (SELECT value FROM json_each(:people))))"
)
# A sum of integers that grows too big would be an error.
TOTALS = (
    "SELECT total(back IS NULL) AS runs, total(back IS NOT NULL) AS restores, total(max(freed, 0)) AS freed,"
    " total(removed > 0 AND coalesce(freed, -1) < 0) AS unmeasured,"
    " total((finished_at, number) > (:at, :number)) AS newer"
)
UNKEPT_RESTORES = (
    "SELECT body FROM events WHERE kind = 'restore_finished'"
    " AND request_id NOT IN (SELECT request_id FROM runs WHERE back IS NOT NULL) ORDER BY rowid"
)
LAST = "SELECT * FROM runs WHERE host = ? AND back IS NULL ORDER BY finished_at DESC, number DESC LIMIT 1"
REMOVED = (
    "SELECT * FROM runs WHERE host IN (SELECT value FROM json_each(:hosts)) AND removed > 0"
    " ORDER BY finished_at DESC, number DESC LIMIT :most"
)
OLDER = "AND (finished_at, number) < (:at, :number) ORDER BY finished_at DESC, number DESC LIMIT :most"
NEWER = "AND (finished_at, number) > (:at, :number) ORDER BY finished_at, number LIMIT :most"


class Runs:
    """Finds past runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, wanted: Wanted, *, most: int, spot: Spot | None = None, turn: Turn = Turn.OLDER) -> Page:
        """The runs next to a spot, or the newest; where fewer newer ones are left, the newest as well."""
        with self._database.reading() as db:
            runs = _newer(db, wanted, spot, most) if spot and turn is Turn.NEWER else ()
            if len(runs) < most:
                runs = _older(db, wanted, spot if turn is Turn.OLDER else None, most)
            totals, newer = _totals(db, wanted, runs[0].spot if runs else None)
        return Page(runs, totals, newer)

    def totals(self, wanted: Wanted) -> Totals:
        """How many runs there are, and what they freed."""
        with self._database.reading() as db:
            return _totals(db, wanted, None)[0]

    def last(self, host: str) -> Run | None:
        """The newest run of a host that was no restore."""
        with self._database.reading() as db:
            row = db.execute(LAST, (host,)).fetchone()
            return _run(row) if row else None

    def that_removed(self, hosts: Sequence[str], *, most: int) -> tuple[Run, ...]:
        """The newest runs on these hosts that removed something."""
        with self._database.reading() as db:
            rows = db.execute(REMOVED, {"hosts": json.dumps(hosts), "most": most})
            return tuple(map(_run, rows))

    def hosts(self) -> tuple[str, ...]:
        """Every host that a run is known of, by name; some may be sent away by now."""
        with self._database.reading() as db:
            return tuple(row["host"] for row in db.execute("SELECT DISTINCT host FROM runs ORDER BY host"))

    def people(self) -> tuple[Person, ...]:
        """Everybody who has asked for a run or confirmed one."""
        with self._database.reading() as db:
            rows = db.execute("SELECT DISTINCT person FROM run_people ORDER BY person")
            return tuple(_person(row["person"]) for row in rows)

    def catch_up(self) -> None:
        """Keep what reports say that an older version of this program has recorded."""
        with self._database.transaction() as db:
            missing = db.execute(
                "SELECT reports.rowid AS number FROM reports LEFT JOIN runs USING (host, order_id)"
                " WHERE runs.number IS NULL ORDER BY reports.finished_at, reports.rowid"
            ).fetchall()
            for row in missing:
                _read(db, row["number"])
            for row in db.execute(UNKEPT_RESTORES).fetchall():
                _read_restore(db, row["body"])


def keep_run(db: sqlite3.Connection, report: Report) -> None:
    """Keep what a report says in a line; one that is told again keeps its place."""
    _keep(db, run_of(report))


def keep_restore(db: sqlite3.Connection, report: RestoreReport) -> None:
    """The same of a restore."""
    _keep(db, restore_of(report))


def _keep(db: sqlite3.Connection, run: Run) -> None:
    key = (run.host, run.order_id)
    done = db.execute(
        "INSERT OR REPLACE INTO runs VALUES"
        " ((SELECT number FROM runs WHERE host = ? AND order_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(*key, *key, run.request_id, written(run.finished_at), run.status, run.removed, run.freed),
            *(run.ran, run.running, run.unchecked, _dumped((run.requester, *run.approvers))),
            *(run.back, run.wanted),
        ),
    )
    number = done.lastrowid
    db.execute("DELETE FROM run_people WHERE number = ?", (number,))
    db.executemany(
        "INSERT INTO run_people VALUES (?, ?)",
        [(spelled, number) for spelled in {person.spelled for person in run.people}],
    )


def _read(db: sqlite3.Connection, number: int) -> None:
    row = db.execute("SELECT host, body FROM reports WHERE rowid = ?", (number,)).fetchone()
    try:
        keep_run(db, Report.model_validate_json(row["body"]))
    except ValidationError:
        logger.warning("a report of %s is left out of the history: it cannot be read", row["host"])


def _read_restore(db: sqlite3.Connection, body: str) -> None:
    try:
        event = EVENT.validate_json(body)
    except ValidationError:
        logger.warning("a restore is left out of the history: its report cannot be read")
        return
    # An older version took a host's word for another's.
    if isinstance(event, RestoreFinished) and len(hosts_of(event)) == 1:
        keep_restore(db, event.report)


def _older(db: sqlite3.Connection, wanted: Wanted, spot: Spot | None, most: int) -> tuple[Run, ...]:
    rows = db.execute(" ".join(("SELECT *", WANTED, OLDER)), _values(wanted, spot) | {"most": most})
    return tuple(map(_run, rows))


def _newer(db: sqlite3.Connection, wanted: Wanted, spot: Spot, most: int) -> tuple[Run, ...]:
    rows = db.execute(" ".join(("SELECT *", WANTED, NEWER)), _values(wanted, spot) | {"most": most})
    return tuple(map(_run, rows.fetchall()[::-1]))


def _totals(db: sqlite3.Connection, wanted: Wanted, first: Spot | None) -> tuple[Totals, int]:
    row = db.execute(" ".join((TOTALS, WANTED)), _values(wanted, first)).fetchone()
    found = Totals(int(row["runs"]), int(row["freed"]), int(row["unmeasured"]), restores=int(row["restores"]))
    return found, int(row["newer"])


def _values(wanted: Wanted, spot: Spot | None) -> dict[str, Any]:
    people = wanted.people
    return {
        "hosts": json.dumps(wanted.hosts),
        "people": None if people is None else json.dumps([person.spelled for person in people]),
        "since": written(wanted.since) if wanted.since else "",
        "until": written(wanted.until) if wanted.until else END,
        "at": written(spot.at) if spot else END,
        "number": spot.number if spot else 0,
    }


def _dumped(people: tuple[Person, ...]) -> str:
    return json.dumps([[person.team, person.user] for person in people])


def _person(spelled: str) -> Person:
    if spelled.startswith(AT_A_MACHINE):
        return Person(team=HOST_TEAM, user=spelled.removeprefix(AT_A_MACHINE))
    team, _, user = spelled.partition("/")
    return Person(team=team, user=user)


def _run(row: sqlite3.Row) -> Run:
    requester, *approvers = (Person(team=team, user=user) for team, user in json.loads(row["people"]))
    return Run(
        host=row["host"],
        request_id=row["request_id"],
        finished_at=moment(row["finished_at"]),
        status=Status(row["status"]),
        removed=row["removed"],
        freed=row["freed"],
        ran=row["ran"],
        running=row["running"],
        unchecked=row["unchecked"],
        requester=requester,
        approvers=tuple(approvers),
        number=row["number"],
        order_id=row["order_id"],
        back=row["back"],
        wanted=row["wanted"],
    )
