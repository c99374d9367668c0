"""Rows of the store as values, and back."""

import json
import sqlite3
from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.memory.database import moment, written
from bot.requests import Asked, Choice, Contact, Sent, Settled, Settlement
from bot.wanted import Wanted
from workers.contract import Beat, Kind, Person

WANTED = TypeAdapter(Wanted)


@dataclass(frozen=True)
class Filed:
    """A request as it was asked; `revision` counts what has been recorded about it since."""

    asked: Asked
    revision: int
    response_url: str


def filed_of(row: sqlite3.Row) -> Filed:
    """A request as it was asked."""
    kinds = json.loads(row["kinds"])
    asked = Asked(
        id=row["id"],
        verb=row["verb"],
        channel=row["channel"],
        requester=Person(team=row["team"], user=row["user"]),
        hosts=tuple(json.loads(row["hosts"])),
        made_at=moment(row["made_at"]),
        kinds=None if kinds is None else tuple(Kind(kind) for kind in kinds),
        wanted=WANTED.validate_json(row["wanted"]) if row["wanted"] else None,
        thread=row["thread"],
    )
    return Filed(asked, row["revision"], row["response_url"])


def wanted_of(asked: Asked) -> str:
    """What is to come back, as it stands in a row."""
    return WANTED.dump_json(asked.wanted).decode() if asked.wanted else ""


def row_of(request_id: str, settlement: Settlement, click: str) -> tuple[str, ...]:
    """How a request was settled, as values of its row."""
    by = settlement.by or Person(team="", user="")
    return (
        *(request_id, settlement.how, written(settlement.at), by.team, by.user),
        *(settlement.set_digest, json.dumps(dict(settlement.plans)), click),
        json.dumps([[one.host, one.excluded, one.is_left_out] for one in settlement.choices]),
    )


def settlement_of(row: sqlite3.Row) -> Settlement:
    """How a request was settled."""
    return Settlement(
        how=Settled(row["how"]),
        at=moment(row["at"]),
        by=Person(team=row["team"], user=row["user"]) if row["user"] else None,
        set_digest=row["set_digest"],
        plans=json.loads(row["plans"]),
        choices=tuple(
            Choice(host, tuple(excluded), is_left_out)
            for host, excluded, is_left_out in json.loads(row["choices"])
        ),
    )


def sent_of(row: sqlite3.Row) -> Sent:
    """An attempt to send a job."""
    return Sent(
        host=row["host"],
        type=row["type"],
        at=moment(row["at"]),
        order_id=row["order_id"],
        error=row["error"],
        final=bool(row["final"]),
        certain=bool(row["certain"]),
    )


def contact_of(row: sqlite3.Row) -> Contact:
    """What is known of a host."""
    if row["last_seen"] is None:
        return Contact(row["name"])
    beat = Beat.model_validate_json(row["body"])
    return Contact(
        host=row["name"],
        last_seen=moment(row["last_seen"]),
        busy=beat.busy,
        busy_since=beat.busy_since,
        version=beat.version,
        problems=beat.problems,
    )
