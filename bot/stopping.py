"""Where the button is pressed that ends a run or a restore, after the object in hand, on each host at it."""

import logging
from dataclasses import dataclass

from bot import render
from bot.access import Denied, Unsure, may_execute
from bot.answering import Answering, NoCount, turned_down
from bot.arrivals import Click
from bot.council import Council, Said
from bot.facts import Facts
from bot.memory.dossiers import Dossiers
from bot.presses import Presses
from bot.render.blocks import Message
from bot.requests import Request

logger = logging.getLogger(__name__)

WANTED = "stop"


@dataclass(frozen=True)
class Stopping:
    """Takes presses; each shows in the message that was pressed, or is answered."""

    dossiers: Dossiers
    presses: Presses
    answering: Answering
    council: Council

    def press(self, click: Click, facts: Facts, said: Said) -> Unsure | None:
        """Take a press as if it were typed for this run, by whoever may type it; none counts twice."""
        with self.answering.together():
            return self._take(click, facts, said)

    def _take(self, click: Click, facts: Facts, said: Said) -> Unsure | None:
        request = self._pressed(click)
        if isinstance(request, Message):
            self._refuse(click, NoCount("not_running", request))
            return None
        hosts = [part.host for part in request.stoppable]
        verdict = may_execute(
            click.person, request.asked.channel, hosts, rules=self.presses.rules, facts=facts
        )
        if isinstance(verdict, Unsure):
            return verdict
        if isinstance(verdict, Denied):
            self._refuse(click, NoCount(verdict.why, turned_down(verdict, click)), request.asked.id)
            return None
        self.answering.reply(click, self.council.end(said, request.asked, hosts))
        logger.info("request %s: %s stops it", request.asked.id, click.person.user)
        return None

    def _pressed(self, click: Click) -> Request | Message:
        """The run under whose progress this was pressed, while it can be stopped."""
        ts = click.message_ts
        id_ = self.answering.posts.request_at(click.channel, ts) if ts else None
        dossier = self.dossiers.find(id_) if id_ else None
        if dossier is None:
            return render.outdated()
        request = self.presses.standing(dossier)
        if request.stoppable:
            return request
        halt = next((part.halt for part in request.parts if part.halt), None)
        return render.already_stopped(halt) if halt else render.nothing_runs(request.asked.hosts)

    def _refuse(self, click: Click, answer: NoCount, request_id: str = "") -> None:
        self.answering.refuse(click, answer, wanted=WANTED, request_id=request_id)
