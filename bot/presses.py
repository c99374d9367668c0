"""Where presses of the buttons are taken: may they, do they still mean what was drawn, are there enough."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot import render
from bot.access import ALLOWED, Denied, Right, Rules, Unsure, Verdict, may
from bot.answering import Answering, NoCount, turned_down
from bot.arrivals import Click
from bot.consent import Consent, asking, consent, may_approve
from bot.facts import Facts
from bot.memory.ballots import Poll
from bot.memory.dossiers import Dossier, Dossiers
from bot.memory.posts import ROOT
from bot.memory.store import Decision, Store
from bot.progress import at
from bot.render import receipts
from bot.render.blocks import Message
from bot.render.buttons import Pressed
from bot.requests import SENT_WITHIN, Ballot, Line, Phase, Request, Settled, Settlement
from bot.tickets import Tickets
from workers.contract import Person

logger = logging.getLogger(__name__)

TOO_LATE = NoCount("waited_too_long", render.waited_too_long())
OVERTAKEN = NoCount("stopped", render.stopped_before())


@dataclass(frozen=True)
class Presses:
    """Takes presses; each is answered, or shows in the message that was pressed."""

    store: Store
    dossiers: Dossiers
    answering: Answering
    rules: Rules
    tickets: Tickets
    line: Callable[[], Line]
    clock: Callable[[], datetime]

    def decide(self, click: Click, how: Settled, facts: Facts, *, at: datetime) -> Unsure | None:
        """Take a press of that time, answer why it is not taken, or say what has to be looked up first."""
        pressed = render.pressed(click.value)
        dossier = self.dossiers.find(pressed.request) if pressed else None
        if pressed is None or dossier is None:
            self.answering.refuse(click, NoCount("not_known", render.outdated()), wanted=how)
            return None
        request = self.standing(dossier)
        if click.channel != dossier.asked.channel:
            elsewhere = NoCount("of_another_channel", render.elsewhere(dossier.asked.channel))
            self._refuse(click, elsewhere, how, request)
            return None
        verdict = self._may(click.person, request, how, facts)
        if isinstance(verdict, Unsure):
            return verdict
        if isinstance(verdict, Denied):
            logger.info("request %s: %s may not (%s)", dossier.asked.id, click.person.user, verdict.why)
            self._refuse(click, NoCount(verdict.why, turned_down(verdict, click)), how, request)
        elif how is Settled.CONFIRMED and self.clock() - at > SENT_WITHIN:
            self._refuse(click, TOO_LATE, how, request)
        elif self._is_being_posted(click, request) and self.clock() - at <= SENT_WITHIN:
            # Slack shows a message before it tells the bot where: nothing to look up, but to look again.
            return Unsure(frozenset())
        else:
            self._take(click, request, pressed, how, facts)
        self.answering.wake()
        return None

    def give_up(self, click: Click, how: Settled, why: NoCount) -> None:
        """Answer a press that is not decided."""
        self.answering.refuse(click, why, wanted=how)

    def hosts(self, click: Click) -> frozenset[str]:
        """The hosts that a press is about."""
        pressed = render.pressed(click.value)
        dossier = self.dossiers.find(pressed.request) if pressed else None
        return frozenset(dossier.asked.hosts) if dossier else frozenset()

    def standing(self, dossier: Dossier) -> Request:
        """How a request stands now."""
        return at(dossier.request, contacts=self.store.contacts(), line=self.line(), now=self.clock())

    def consent(self, request: Request, facts: Facts, *ballots: Ballot) -> Consent:
        """How far a request is agreed to, with ballots that are not cast yet."""
        return consent(asking(request), (*request.ballots, *ballots), rules=self.rules, facts=facts)

    def _refuse(self, click: Click, answer: NoCount, how: Settled, request: Request) -> None:
        self.answering.refuse(click, answer, wanted=how, request_id=request.asked.id)

    def confirmation(self, request: Request, person: Person, facts: Facts) -> Message:
        """The same question once more, for the eyes of one person."""
        ticket = self.tickets.issue(request.asked.id, request.set_digest, person)
        return render.root(request, self.clock(), self.consent(request, facts), ticket=ticket)

    def _take(self, click: Click, request: Request, pressed: Pressed, how: Settled, facts: Facts) -> None:
        settlement = Settlement(
            *(how, self.clock(), click.person, pressed.set_digest, request.plans), choices=request.choices
        )
        with self.answering.together():
            stale = self._stale(click, request, pressed, settlement)
            answer = stale or self._settle(click, request, settlement, facts)
            if isinstance(answer, NoCount):
                self._refuse(click, answer, how, request)
            elif answer or click.is_private:
                self.answering.reply(click, answer or receipts.taken())

    def _may(self, person: Person, request: Request, how: Settled, facts: Facts) -> Verdict:
        """Whoever asked may also take it back; whoever may execute or approve may do that too."""
        if how is Settled.CONFIRMED:
            return self._may_approve(person, request, facts)
        return self.may_change(person, request, facts)

    def may_change(self, person: Person, request: Request, facts: Facts) -> Verdict:
        """Whether this person may take a request back, or leave something out of it."""
        asked = request.asked
        rights = (Right.PREVIEW,) if person == asked.requester else (Right.APPROVE, Right.EXECUTE)
        verdicts = [
            may(right, person, asked.channel, asked.hosts, rules=self.rules, facts=facts) for right in rights
        ]
        return ALLOWED if ALLOWED in verdicts else verdicts[0]

    def _may_approve(self, person: Person, request: Request, facts: Facts) -> Verdict:
        """Where others have agreed before, they are looked up too, unless enough count without."""
        verdict = may_approve(person, asking(request), rules=self.rules, facts=facts)
        if verdict != ALLOWED or request.settlement is not None:
            return verdict
        counted = self.consent(request, facts, Ballot(person, request.set_digest, self.clock()))
        return Unsure(counted.needs) if counted.needs and not counted.is_given else ALLOWED

    def _is_being_posted(self, click: Click, request: Request) -> bool:
        root = self.answering.posts.find(request.asked.id, ROOT)
        is_known = root is not None and root.ts != ""
        return not click.is_private and request.settlement is None and not is_known

    def _misplaced(self, click: Click, request: Request, pressed: Pressed) -> NoCount | None:
        """Whoever has the bot's token can post a message that says one thing and bears our button."""
        if click.is_private:
            is_ours = self.tickets.is_valid(
                pressed.ticket, request.asked.id, pressed.set_digest, click.person
            )
        else:
            root = self.answering.posts.find(request.asked.id, ROOT)
            is_ours = root is not None and click.message_ts != "" and root.ts == click.message_ts
        return None if is_ours else NoCount("another_message", render.not_ours())

    def _stale(self, click: Click, request: Request, pressed: Pressed, wanted: Settlement) -> NoCount | None:
        """Why a press on these plans means nothing now (S3, S13)."""
        if request.settlement is not None:
            return self._settled_elsewhere(request)
        return self._misplaced(click, request, pressed) or self._changed(request, wanted)

    def _settled_elsewhere(self, request: Request) -> NoCount | None:
        """What the store has settled it says itself; a run that hosts told of may lack its click there."""
        if request.settlement is None or self.store.settlement(request.asked.id) is not None:
            return None
        return NoCount("already_settled", render.already_settled(request.settlement))

    def _changed(self, request: Request, wanted: Settlement) -> NoCount | None:
        if request.phase is Phase.PLANNING:
            return NoCount("not_yet", render.not_yet())
        if request.set_digest != wanted.set_digest or request.phase is not Phase.READY:
            seen = self.answering.audit.shown(request.asked.id, wanted.set_digest)
            return NoCount("changed", render.changed(seen, request.plans))
        if request.expires_at and request.is_expired(wanted.at):
            return NoCount("timed_out", render.timed_out(request.expires_at))
        return None

    def _settle(
        self, click: Click, request: Request, settlement: Settlement, facts: Facts
    ) -> NoCount | Message | None:
        """Settle the request, or say why this press does not (S11)."""
        if settlement.how is Settled.CONFIRMED:
            return self._vote(click, request, settlement, facts)
        return self._told(
            click, request, self.store.settle(request.asked.id, settlement, click=click.trigger_id)
        )

    def _vote(
        self, click: Click, request: Request, settlement: Settlement, facts: Facts
    ) -> NoCount | Message | None:
        """The last press that is needed confirms; one before that is counted, and its presser told so."""
        rules, asked_for = self.rules, asking(request)

        def tally(ballots: tuple[Ballot, ...]) -> tuple[Person, ...]:
            found = consent(asked_for, ballots, rules=rules, facts=facts)
            return found.given if found.is_given else ()

        ballot = Ballot(click.person, settlement.set_digest, settlement.at)
        decision = self.store.vote(request.asked.id, settlement, Poll(ballot, tally), click=click.trigger_id)
        if decision is not None:
            return self._told(click, request, decision)
        logger.info("request %s: approved by %s, more are needed", request.asked.id, click.person.user)
        return render.counted(self.consent(request, facts, ballot))

    def _told(self, click: Click, request: Request, decision: Decision) -> NoCount | None:
        if not decision.is_ours:
            return NoCount("already_settled", render.already_settled(decision.settlement))
        logger.info("request %s is %s by %s", request.asked.id, decision.settlement.how, click.person.user)
        return None
