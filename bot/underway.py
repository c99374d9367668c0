"""What is under way in a channel: shown to one person, and taken back where they may say so."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import render
from bot.access import Denied, Unsure
from bot.answering import turned_down
from bot.arrivals import Call, Click
from bot.facts import Facts
from bot.holders import EXECUTE, holder_of, holders
from bot.memory.dossiers import Dossiers
from bot.memory.store import Store
from bot.permalinks import Permalinks
from bot.presses import Presses
from bot.render.blocks import Message
from bot.requests import Asked, Contact, Holder, Phase, Request, Settled, Settlement

logger = logging.getLogger(__name__)

UNDECIDED = (Phase.PLANNING, Phase.READY)


@dataclass(frozen=True)
class Underway:
    """Reads the open requests of a channel."""

    store: Store
    dossiers: Dossiers
    presses: Presses
    permalinks: Permalinks
    clock: Callable[[], datetime]

    def status(self, call: Call, hosts: Collection[str]) -> Message:
        """What is not over yet on these hosts."""
        return self._told(self._open(call.channel, hosts))

    def _told(self, found: Sequence[Request]) -> Message:
        links = self.permalinks.of(request.asked.id for request in found)
        return render.underway([(one, links.get(one.asked.id, "")) for one in found], self.clock())

    def asked_at(self, click: Click) -> Asked | None:
        """What was asked for in the message that was pressed."""
        posts = self.presses.answering.posts
        id_ = posts.request_at(click.channel, click.message_ts) if click.message_ts else None
        dossier = self.dossiers.find(id_) if id_ else None
        return dossier.asked if dossier else None

    def alike(self, asked: Asked) -> Message | None:
        """Where exactly this is asked for already, or waits for a decision; None where it does not."""
        now = self.clock()
        open_ = (r for r in self._open(asked.channel, asked.hosts) if r.phase in UNDECIDED)
        found = [one for one in open_ if _meant(one.asked) == _meant(asked) and not one.is_expired(now)]
        return self._told(found) if found else None

    def held(self, contacts: Iterable[Contact]) -> dict[str, Holder]:
        """The runs that hosts are at, by what these last said of themselves."""
        busy = [contact for contact in contacts if contact.busy == EXECUTE]
        known = holders(dossier.request for dossier in self.dossiers.open()) if busy else {}
        found = ((contact.host, holder_of(contact, known)) for contact in busy)
        return {host: holder for host, holder in found if holder}

    def cancel(self, call: Call, hosts: Collection[str] | None, facts: Facts) -> Message | Unsure:
        """Cancel what nobody has decided on these hosts; without any, what this person has asked for."""
        waiting = [r for r in self._open(call.channel, hosts) if r.settlement is None]
        if hosts is None:
            waiting = [request for request in waiting if request.asked.requester == call.person]
        verdicts = [self.presses.may_change(call.person, request, facts) for request in waiting]
        needs = [verdict.needs for verdict in verdicts if isinstance(verdict, Unsure)]
        if needs:
            return Unsure(frozenset().union(*needs))
        denied = [verdict for verdict in verdicts if isinstance(verdict, Denied)]
        mine = [r for r, verdict in zip(waiting, verdicts, strict=True) if not isinstance(verdict, Denied)]
        if denied and not mine:
            return turned_down(denied[0], call)
        return render.cancelled([request for request in mine if self._cancel(request, call)])

    def _cancel(self, request: Request, call: Call) -> bool:
        settlement = Settlement(Settled.CANCELLED, self.clock(), call.person)
        decision = self.store.settle(request.asked.id, settlement, click=call.trigger_id)
        logger.info("request %s is %s", request.asked.id, decision.settlement.how)
        return decision.is_ours

    def _open(self, channel: str, hosts: Collection[str] | None) -> list[Request]:
        found = [dossier for dossier in self.dossiers.open() if dossier.asked.channel == channel]
        meant = [d for d in found if hosts is None or not set(hosts).isdisjoint(d.asked.hosts)]
        return [self.presses.standing(dossier) for dossier in meant]


def _meant(asked: Asked) -> tuple[object, ...]:
    return frozenset(asked.hosts), asked.kinds, asked.wanted
