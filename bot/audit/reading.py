"""Reads the bot's copy out of its memory."""

import sqlite3
from datetime import datetime

from pydantic import ValidationError

from bot.audit.own import Heard, Own
from bot.memory.audit import Audit
from bot.memory.database import Database
from bot.memory.history import FOREIGN, UNREADABLE
from bot.memory.store import Store
from workers.audit_lines import Reported, report_line, restore_report_line
from workers.contract import EVENT, ExecutionFinished, RestoreFinished

# Plans are large, and nothing of them is compared here; what could not be read counts by its number.
EVENTS = """
SELECT host, ledgers.ledger AS ledger, seq,
       CASE WHEN kind NOT IN (?, ?) THEN json_extract(body, '$.at') END AS at,
       CASE WHEN kind IN ('execution_finished', 'restore_finished') THEN body END AS ending
FROM events JOIN ledgers ON number = events.ledger ORDER BY number, seq
"""


def own(database: Database) -> Own:
    """Read the bot's copy as it stands at one moment."""
    with database.snapshot() as db:
        heard = tuple(_heard(row) for row in db.execute(EVENTS, (UNREADABLE, FOREIGN)))
        return Own(Store(database).hosts(), Audit(database).acts(), heard)


def _heard(row: sqlite3.Row) -> Heard:
    at = datetime.fromisoformat(row["at"]) if row["at"] else None
    return Heard(row["host"], row["ledger"], row["seq"], at, _report(row["ending"]))


def _report(ending: str | None) -> Reported | None:
    """A report; one that only another version of this program can read is missed."""
    try:
        event = EVENT.validate_json(ending) if ending else None
    except ValidationError:
        return None
    if isinstance(event, RestoreFinished):
        return restore_report_line(event.report)
    return report_line(event.report) if isinstance(event, ExecutionFinished) else None
