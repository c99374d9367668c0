"""Where people choose what goes ahead: hosts by their boxes, kinds and objects in a host's form.

A choice only leaves out what a host has planned, and is drawn before anybody confirms it: a click confirms
what the set digest of its button names (S3).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from bot import render
from bot.access import Denied, Unsure, may_execute
from bot.answering import Answering, NoCount, turned_down
from bot.arrivals import Click, Filled
from bot.council import Council, Said
from bot.decisions import Protect, Verb, span_of
from bot.edits import (
    EDITED,
    FOR_GOOD,
    KEEP_FOR,
    NAMED,
    WORDS,
    Edited,
    beginnings,
    choice_of,
    following,
    kept,
    nobodys,
    picked,
    ticked,
    typed,
)
from bot.facts import Facts
from bot.memory.choices import Choices
from bot.memory.dossiers import Dossier, Dossiers
from bot.presses import Presses
from bot.render.blocks import Block, Message
from bot.requests import Choice, HostPart, Phase, Request
from bot.starts import Fault
from workers.contract import Plan, Step

logger = logging.getLogger(__name__)

WANTED = "choose"
FAULT = 150


@dataclass(frozen=True)
class Choosing:
    """Takes choices; each shows in the root message, or is answered where it was made."""

    dossiers: Dossiers
    choices: Choices
    presses: Presses
    answering: Answering
    council: Council
    clock: Callable[[], datetime]

    def tick(self, click: Click, facts: Facts) -> Unsure | None:
        """Take the hosts that are ticked by now, all of them at once: of two ticks the later one holds."""
        request = self._pressed(click)
        if isinstance(request, Message):
            self._refuse(click, NoCount("not_open", request))
            return None
        verdict = self.presses.may_change(click.person, request, facts)
        if isinstance(verdict, Unsure):
            return verdict
        if isinstance(verdict, Denied):
            self._refuse(click, NoCount(verdict.why, turned_down(verdict, click)), request.asked.id)
        else:
            self._choose(click, request, ticked(request.offered, click.chosen))
        return None

    def open(self, click: Click) -> Block | None:
        """The form for the host that was picked; whoever sees the plan may look at it in there, too."""
        request = self._pressed(click)
        part = request if isinstance(request, Message) else _part(request, click.chosen or (click.value,))
        if isinstance(part, Message) or isinstance(request, Message):
            self._refuse(click, NoCount("not_open", part if isinstance(part, Message) else render.changed()))
            return None
        of = Edited(request.asked.id, part.host, part.plan_digest, click.channel, click.response_url)
        about = self.presses.tickets.stamp(EDITED.dump_json(of).decode(), click.person)
        tried = replace(part, is_left_out=False)
        return render.editing(part, tried, about, _following(part))

    def not_opened(self, click: Click, why: Message) -> None:
        """Say that Slack did not show the form."""
        self._refuse(click, NoCount("not_opened", why))

    def draw(self, filled: Filled) -> Block:
        """The form again, with what is left of the plan by what it says now."""
        about = self.presses.tickets.opened(filled.about, filled.person)
        found = render.outdated() if about is None else self._found(replace(filled, about=about))
        if isinstance(found, Message):
            return render.closed_form(found)
        part = found[2]
        return render.editing(part, _tried(part, filled), filled.about, _following(part, filled))

    def take(self, filled: Filled, facts: Facts, at: datetime) -> Message | Fault | Unsure | None:
        """Take a form that is known to be ours; None where all of it is taken, else why not."""
        found = self._found(filled)
        if isinstance(found, Message):
            return found
        of, request, part = found
        verdict = self.presses.may_change(filled.person, request, facts)
        if part.plan is None or isinstance(verdict, Unsure):
            return verdict if isinstance(verdict, Unsure) else render.changed()
        if isinstance(verdict, Denied):
            return turned_down(verdict, filled)
        if fault := _misnamed(part.plan, filled):
            return fault
        protections = kept(part.plan, filled.values)
        if protections and (objection := self._may_protect(filled, request, of, facts)):
            return objection
        with self.answering.together():
            choice = choice_of(part.plan, filled.values)
            if not self.choices.choose(of.request, [choice], at=self.clock(), by=filled.person):
                return render.too_late_to_choose()
            for kind, pattern in protections:
                protect = Protect(Verb.PROTECT, of.host, kind, pattern, _span(filled))
                self.council.decide(_said(filled, of, at), protect)
        self.answering.wake()
        logger.info("request %s: %s edits the plan of %s", of.request, filled.person.user, of.host)
        return None

    def _may_protect(
        self, filled: Filled, request: Request, of: Edited, facts: Facts
    ) -> Message | Unsure | None:
        """To protect is a decision about the host: it takes whoever may execute there."""
        rules, channel = self.presses.rules, request.asked.channel
        verdict = may_execute(filled.person, channel, [of.host], rules=rules, facts=facts)
        if isinstance(verdict, Denied):
            return turned_down(verdict, filled)
        return verdict if isinstance(verdict, Unsure) else None

    def _pressed(self, click: Click) -> Request | Message:
        """The request under whose plan this was pressed, while it can be chosen."""
        id_ = self.answering.posts.request_at(click.channel, click.message_ts) if click.message_ts else None
        return self._open(self.dossiers.find(id_) if id_ else None)

    def _open(self, dossier: Dossier | None) -> Request | Message:
        if dossier is None:
            return render.outdated()
        request = self.presses.standing(dossier)
        if request.asked.is_restore:
            # What comes back is chosen by name, before there is a plan; its order has no word for less.
            return render.outdated()
        if request.settlement is not None:
            return render.already_settled(request.settlement)
        if request.expires_at and request.is_expired(self.clock()):
            return render.timed_out(request.expires_at)
        return request if request.phase is Phase.READY else render.not_yet()

    def _found(self, filled: Filled) -> tuple[Edited, Request, HostPart] | Message:
        try:
            of = EDITED.validate_json(filled.about)
        except ValidationError:
            return render.outdated()
        request = self._open(self.dossiers.find(of.request))
        if isinstance(request, Message):
            return request
        part = _part(request, [of.host])
        if isinstance(part, Message):
            return part
        return (of, request, part) if part.plan_digest == of.plan else render.changed()

    def _choose(self, click: Click, request: Request, choices: tuple[Choice, ...]) -> None:
        with self.answering.together():
            if not self.choices.choose(request.asked.id, choices, at=self.clock(), by=click.person):
                late = NoCount("already_settled", render.too_late_to_choose())
                self._refuse(click, late, request.asked.id)
        self.answering.wake()

    def _refuse(self, click: Click, answer: NoCount, request_id: str = "") -> None:
        self.answering.refuse(click, answer, wanted=WANTED, request_id=request_id)


def _part(request: Request, hosts: Sequence[str]) -> HostPart | Message:
    found = [part for part in request.offered if part.host in hosts]
    return found[0] if found else render.changed()


def _tried(part: HostPart, filled: Filled) -> HostPart:
    """The host as it would be if the form were taken now."""
    if part.plan is None:
        return part
    choice = choice_of(part.plan, filled.values)
    return replace(part, excluded=choice.excluded, is_left_out=choice.is_left_out)


def _following(part: HostPart, filled: Filled | None = None) -> list[tuple[Step, Step]]:
    """What is left out only because of what else is: by a form, or by what was chosen before it."""
    if part.plan is None:
        return []
    chosen = picked(part.plan, filled.values) if filled else beginnings(part.plan, part.excluded)
    return following(part.plan, chosen)


def _misnamed(plan: Plan, filled: Filled) -> Fault | None:
    """What is wrong with the names that were typed."""
    if (count := len(typed(filled.values))) > WORDS:
        many = f"These are {count:,} names; {WORDS} are taken at once. A glob names many: shop/app:1.*"
        return Fault(NAMED, many)
    if unknown := nobodys(plan, filled.values):
        return Fault(NAMED, f"Nothing that would go on {plan.host} is called {', '.join(unknown)}."[:FAULT])
    return None


def _span(filled: Filled) -> timedelta | None:
    (span,) = filled.values.get(KEEP_FOR, ()) or (FOR_GOOD,)
    return span_of(span)


def _said(filled: Filled, of: Edited, at: datetime) -> Said:
    return Said(at, filled.person, of.channel, filled.trigger_id, of.response_url)
