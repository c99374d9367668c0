"""The loop that carries every request on, from recorded facts alone: a restart at any point just goes on.

Each step settles what time has settled, shows what has changed, sends what is not sent, and lays aside
what is over. One request's trouble is its own.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from bot.holders import holders
from bot.marks import mark
from bot.memory.dossiers import Dossier, Dossiers
from bot.memory.store import Store
from bot.patience import Patience
from bot.progress import at, newly_overdue
from bot.requests import Line, Phase, Request, Settled, Settlement
from bot.sending import Sending
from bot.slack.exhibits import Exhibits

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.5
OVER = (Phase.FINISHED, Phase.CLOSED)


class Desk:
    """Takes up every open request, again and again."""

    def __init__(
        self,
        *,
        store: Store,
        dossiers: Dossiers,
        exhibits: Exhibits,
        sending: Sending,
        line: Callable[[], Line],
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._dossiers = store, dossiers
        self._exhibits, self._sending = exhibits, sending
        self._line, self._clock = line, clock
        self._patience = Patience()
        self._last_step: datetime | None = None
        self._is_lost = False

    @property
    def lost(self) -> str:
        """Slack's last word where it does not take the bot's token."""
        return str(self._exhibits.lost or "")

    @property
    def last_step(self) -> datetime | None:
        """When a step last went through."""
        return self._last_step

    def step(self) -> float:
        """Carry everything on a little; returns how long to wait until the next step."""
        standing_ = self._standing()
        settled = self._settle(standing_)
        if settled:
            standing_ = self._standing()
        # A channel takes few messages: what is decided by and what is waited for comes before its details.
        for dossier, request in standing_:
            self._alone(f"request {request.asked.id}", partial(self._carry_on, dossier, request))
        for note in self._exhibits.owed():
            self._alone(f"answer {note.id}", partial(self._exhibits.answer, note))
        for _, request in standing_:
            self._alone(f"reports of {request.asked.id}", partial(self._exhibits.show_ends, request))
        for dossier, request in standing_:
            self._alone(f"thread of {request.asked.id}", partial(self._follow, dossier, request))
        self._tell_of_access()
        self._last_step = self._clock()
        return 0.0 if settled else STEP_SECONDS

    def _tell_of_access(self) -> None:
        """Say in the log, once, how things stand where nothing can be shown, and once that it is over."""
        lost = self._exhibits.lost
        if lost and not self._is_lost:
            states = [how_it_stands(request) for _, request in self._standing()]
            logger.error(
                "Slack does not take the bot's token (%s); %s. Nothing can be shown until then; runs go on,"
                " and what hosts tell is kept: %s",
                *(lost, lost.remedy, "; ".join(states) or "nothing is under way"),
            )
        elif self._is_lost and not lost:
            logger.info("Slack takes the bot's token again")
        self._is_lost = lost is not None

    def _standing(self) -> list[tuple[Dossier, Request]]:
        contacts, line, now = self._store.contacts(), self._line(), self._clock()
        dossiers = self._dossiers.open()
        held = holders(dossier.request for dossier in dossiers)
        return [
            (dossier, at(dossier.request, contacts=contacts, line=line, now=now, held=held))
            for dossier in dossiers
        ]

    def _carry_on(self, dossier: Dossier, request: Request) -> None:
        """Controls go away before work starts, so what has changed is shown first."""
        if request.settlement is None and (late := newly_overdue(request)):
            self._store.record_overdue(request.asked.id, late, self._clock())
            return
        self._exhibits.show_root(dossier.filed, request)
        self._sending.send(dossier, request)

    def _follow(self, dossier: Dossier, request: Request) -> None:
        """Show the details, and lay aside what is over and shown."""
        has_root, has_parts = self._exhibits.is_shown(request), self._exhibits.show_parts(request)
        is_shown = (has_root and has_parts) or self._exhibits.is_given_up(request)
        if is_shown and request.phase in OVER:
            if not has_root:
                logger.error("request %s ended unseen: its channel is closed to the bot", request.asked.id)
            self._exhibits.forget(request.asked.id)
            self._store.close(request.asked.id, dossier.filed.revision)

    def _alone(self, name: str, work: Callable[[], None]) -> None:
        """Keep one thing's trouble from the others, and from filling the log; each has a name of its own."""
        now = self._clock()
        if not self._patience.allows(name, now):
            return
        try:
            work()
        except Exception:
            logger.exception("%s could not be carried on", name)
            self._patience.failed(name, now)
        else:
            self._patience.succeeded(name)

    def _settle(self, standing_: Sequence[tuple[Dossier, Request]]) -> bool:
        """Settle what nobody will decide any more."""
        now = self._clock()
        requests = [request for _, request in standing_ if request.phase is Phase.READY]
        endings = [*expired(requests, now), *superseded(requests, now)]
        for request_id, settlement in endings:
            self._store.settle(request_id, settlement)
            logger.info("request %s is settled: %s", request_id, settlement.how)
        return bool(endings)


def how_it_stands(request: Request) -> str:
    """A request in a few words, for the log."""
    hosts = ", ".join(f"{part.host} {part.stage}" for part in request.parts)
    return f"[{mark(request.asked.id)}] request {request.asked.id} {request.phase} ({hosts})"


def expired(requests: Sequence[Request], now: datetime) -> list[tuple[str, Settlement]]:
    """No answer is never a yes (S13)."""
    return [(r.asked.id, Settlement(Settled.EXPIRED, now)) for r in requests if r.is_expired(now)]


def superseded(requests: Sequence[Request], now: datetime) -> list[tuple[str, Settlement]]:
    """Of two plans of one host in one channel only the newer can be confirmed."""
    newest: dict[tuple[str, str, bool], Request] = {}
    for request in sorted(requests, key=lambda r: (r.asked.made_at, r.asked.id)):
        newest |= dict.fromkeys(_decided_on(request), request)
    return [
        (old.asked.id, Settlement(Settled.SUPERSEDED, now, new.asked.requester))
        for old in requests
        for new in [_newer(old, newest)]
        if new is not old
    ]


def _decided_on(request: Request) -> list[tuple[str, str, bool]]:
    """What stands in a channel once: what goes on a host, and what comes back there."""
    return [(request.asked.channel, host, request.asked.is_restore) for host in request.plans]


def _newer(request: Request, newest: dict[tuple[str, str, bool], Request]) -> Request:
    takers = (newest[one] for one in _decided_on(request))
    return next((taker for taker in takers if taker is not request), request)
