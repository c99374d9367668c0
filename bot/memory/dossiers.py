"""Everything recorded about a request, read together; events are read once and kept while it is open."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from bot.decisions import State, about_run
from bot.memory.ballots import Ballots
from bot.memory.choices import Choices
from bot.memory.decisions import Decisions
from bot.memory.history import History, Recorded
from bot.memory.rows import Filed
from bot.memory.store import Store
from bot.orders import order_id
from bot.progress import standing
from bot.requests import Asked, Halt, Request, Sent, Told, told
from workers.contract import EVENT

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """The events of a request that are read, by ledger and number there; `until`: the newest of them."""

    told: Mapping[tuple[int, int], Told | None] = field(default_factory=dict)
    until: int = 0

    def and_(self, recorded: Sequence[Recorded]) -> "Known":
        """The same with these."""
        told = {**self.told, **{(one.ledger, one.seq): _read(one) for one in recorded}}
        return Known(told, max([self.until, *(one.number for one in recorded)]))

    @property
    def events(self) -> list[Told]:
        """Each host's in its own order."""
        return [told for _, told in sorted(self.told.items()) if told]


@dataclass(frozen=True)
class Dossier:
    """A request, what was sent for it, and how it stands by what is recorded alone."""

    filed: Filed
    sent: tuple[Sent, ...]
    request: Request

    @property
    def asked(self) -> Asked:
        """The recorded start of the request."""
        return self.filed.asked


class Dossiers:
    """Reads requests; an unchanged one is not read again.

    No lock is held while the database is read: it has one of its own, which a caller may hold already.
    """

    def __init__(
        self, store: Store, history: History, ballots: Ballots, choices: Choices, decisions: Decisions
    ) -> None:
        self._store, self._history = store, history
        self._ballots, self._choices, self._decisions = ballots, choices, decisions
        self._lock = threading.Lock()
        self._read: dict[str, Dossier] = {}
        self._told: dict[str, Known] = {}

    def of(self, filed: Filed) -> Dossier:
        """The dossier of a request."""
        with self._lock:
            dossier, known = self._read.get(filed.asked.id), self._told.get(filed.asked.id, Known())
        if dossier is None or dossier.filed.revision != filed.revision:
            known = known.and_(self._history.events(filed.asked.id, after=known.until))
            dossier = self._gathered(filed, known.events)
            with self._lock:
                self._read[filed.asked.id], self._told[filed.asked.id] = dossier, known
        return dossier

    def find(self, request_id: str) -> Dossier | None:
        """The dossier of the request of that name, if there is one."""
        filed = self._store.request(request_id)
        return self.of(filed) if filed else None

    def open(self) -> tuple[Dossier, ...]:
        """The dossiers of all open requests, oldest first; those of others are let go."""
        filed = self._store.open_requests()
        self._keep_only({f.asked.id for f in filed})
        return tuple(self.of(f) for f in filed)

    def _gathered(self, filed: Filed, events: Sequence[Told]) -> Dossier:
        request_id = filed.asked.id
        sent = self._store.sent(request_id)
        request = standing(
            filed.asked,
            settlement=self._store.settlement(request_id),
            sent=sent,
            events=events,
            overdue=self._store.overdue(request_id),
            ballots=self._ballots.of(request_id),
            choices=self._choices.of(request_id),
            halts=self._halts(filed.asked),
        )
        return Dossier(filed, sent, request)

    def _halts(self, asked: Asked) -> dict[str, Halt]:
        """Who stopped which of its runs, or its restore."""
        runs = [about_run(order_id(asked, host)) for host in asked.hosts]
        found = (one for one in self._decisions.newest(*runs) if one.state in (State.OPEN, State.ENDED))
        return {one.host: Halt(one.by, one.at) for one in found}

    def _keep_only(self, request_ids: set[str]) -> None:
        with self._lock:
            for gone in self._told.keys() - request_ids:
                del self._told[gone]
                self._read.pop(gone, None)


def _read(recorded: Recorded) -> Told | None:
    """Read an event; one that only another version of this program can read is left out."""
    try:
        (event,) = told([EVENT.validate_json(recorded.body)])
    except ValidationError:
        logger.warning("event %s of ledger %s is left out: it cannot be read", recorded.seq, recorded.ledger)
        return None
    return event
