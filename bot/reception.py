"""Where commands and clicks arrive: understood, allowed or not, written down in one commit, and answered.

Nothing here goes over the network; what follows is the desk's.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from bot import questions, render
from bot.access import (
    Allowed,
    Denied,
    Rules,
    Unsure,
    Verdict,
    may_enter,
    may_execute,
    may_operate,
    may_preview,
    visible,
)
from bot.answering import Answering, NoCount, turned_down
from bot.arrivals import CALL, CLICK, FILLED, Call, Click, Filled
from bot.choosing import Choosing
from bot.chronicle import Chronicle
from bot.commands import (
    HISTORY,
    Cancel,
    Doctor,
    Execute,
    Help,
    History,
    Hosts,
    Preview,
    Restore,
    Status,
    UsageReply,
    parse,
    resolve,
)
from bot.council import Council, Said
from bot.decisions import Decision, Freeze, Protect, Protections, Stop, Verb
from bot.edits import EDITED
from bot.errors import StoreError
from bot.facts import Facts, Lookup
from bot.memory.dossiers import Dossiers
from bot.memory.inquiries import Inquiries
from bot.memory.store import Store
from bot.memory.waiting import COMMAND, Pending, Waiting
from bot.presses import OVERTAKEN, TOO_LATE, Presses
from bot.questions import Ask, Inquiry
from bot.render import receipts
from bot.render.blocks import Block, Message
from bot.requests import Asked, Line, Phase, Request, Settled
from bot.returns import Returns
from bot.starts import STARTED, Fault, Started, command_of
from bot.stopping import Stopping
from bot.underway import Underway

logger = logging.getLogger(__name__)

Allows = Callable[..., Verdict]
__all__ = ["Call", "Click", "Reception"]
# What may wait for a look-up besides commands and presses.
TICKED, FILLED_IN, STOP, LEAFED, AGAIN = "ticked", "filled_in", "stop", "leafed", "again"
CHECKED = "checked"


@dataclass(frozen=True)
class Reception:
    """Takes what people say; `facts` are young enough to act on, `known` only to show by."""

    store: Store
    dossiers: Dossiers
    waiting: Waiting
    answering: Answering
    presses: Presses
    choosing: Choosing
    stopping: Stopping
    council: Council
    inquiries: Inquiries
    returns: Returns
    underway: Underway
    chronicle: Chronicle
    rules: Rules
    facts: Callable[[], Facts]
    known: Callable[[], Facts]
    line: Callable[[], Line]
    clock: Callable[[], datetime]
    look_up: Callable[[], None]

    def command(self, call: Call) -> Message:
        """Answer a command, where only the asker sees it."""
        try:
            found = self._answer(call, self.facts(), self.clock())
            if isinstance(found, Message):
                return found
            self._wait(call.trigger_id, COMMAND, CALL.dump_json(call))
        except StoreError as error:
            logger.exception("a command could not be noted down")
            return receipts.not_noted(str(error))
        return receipts.looking_up()

    def execute(self, click: Click) -> None:
        """Take the press of the button that confirms."""
        self._press(click, Settled.CONFIRMED)

    def cancel(self, click: Click) -> None:
        """Take the press of the button that cancels."""
        self._press(click, Settled.CANCELLED)

    def tick(self, click: Click) -> None:
        """Take the boxes of the hosts."""
        if self.choosing.tick(click, self.facts()):
            self._wait(click.trigger_id, TICKED, CLICK.dump_json(click))

    def stop(self, click: Click) -> None:
        """Take the press of the button that ends a run."""
        if self.stopping.press(click, self.facts(), _said(click, self.clock())):
            self._wait(click.trigger_id, STOP, CLICK.dump_json(click))

    def preview_again(self, click: Click) -> None:
        """Take the press that asks for the same plans once more."""
        if self._ask_again(click, self.facts()):
            self._wait(click.trigger_id, AGAIN, CLICK.dump_json(click))

    def keep(self, click: Click) -> None:
        """Take the press that protects an object, as if it were typed; it types nothing else."""
        command = parse(click.value)
        if isinstance(command, Protect) and command.verb is Verb.PROTECT:
            self._as_typed(click)
        else:
            self.unknown(click)

    def bring_back(self, click: Click) -> None:
        """Take the press that has a host plan a restore, as if it were typed; it types nothing else."""
        command = parse(click.value)
        if isinstance(command, Restore) and command.host:
            self._as_typed(click)
        else:
            self.unknown(click)

    def check_again(self, click: Click) -> None:
        """Take the press that has a host look at the services again that were worse after a run."""
        if self._checked(click, self.facts(), self.clock()):
            self._wait(click.trigger_id, CHECKED, CLICK.dump_json(click))

    def leaf(self, click: Click) -> None:
        """Take the press that turns a page of the history."""
        if self._leafed(click, self.facts()):
            self._wait(click.trigger_id, LEAFED, CLICK.dump_json(click))

    def _as_typed(self, click: Click) -> None:
        call = self._call(click, click.value)
        with self.answering.together():
            found = self._answer(call, self.facts(), self.clock())
            if isinstance(found, Unsure):
                self._wait(call.trigger_id, COMMAND, CALL.dump_json(call))
            else:
                self.answering.answer(call, found)

    def _call(self, click: Click, text: str = "") -> Call:
        """A press as if it were typed; what comes of it stands in the thread in which people were called."""
        thread = self.answering.posts.thread_of(click.channel, click.message_ts)
        return Call(text, click.person, click.channel, click.trigger_id, click.response_url, thread)

    def operate(self, call: Call) -> Message | Unsure | None:
        """Why this person may not look after the bot here; None where they may."""
        hosts, facts = self.store.hosts(), self.facts()
        verdict = may_operate(call.person, call.channel, hosts, rules=self.rules, facts=facts)
        return None if isinstance(verdict, Allowed) else self._turned_away(verdict, call, Doctor())

    def start(self, call: Call) -> Block | Message | Unsure:
        """The form of a command without words, or why there is none."""
        facts = self.facts()
        if found := self._entered(call, Help(), facts):
            return found
        seen = self._visible(call, self.store.hosts(), facts)
        if isinstance(seen, Unsure):
            return seen
        hosts = resolve((), seen)
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        about = STARTED.dump_json(Started(call.channel, call.response_url)).decode()
        return render.starting(hosts, self.presses.tickets.stamp(about, call.person))

    def fill(self, filled: Filled) -> Message | Fault | None:
        """Take a form; returns what stands in its place or is wrong in it, None where it is simply closed."""
        about = self.presses.tickets.opened(filled.about, filled.person)
        if about is None or filled.form not in (render.EDIT, render.START):
            logger.warning("a form of %s is left out: the bot has not made it", filled.person.user)
            return render.outdated()
        filled = replace(filled, about=about)
        try:
            found = self._filled(filled, self.facts(), self.clock())
            if isinstance(found, Unsure):
                self._wait(filled.trigger_id, FILLED_IN, FILLED.dump_json(filled))
                return None
        except StoreError as error:
            logger.exception("a form could not be noted down")
            return receipts.not_noted(str(error))
        return found

    def unknown(self, click: Click) -> None:
        """Take the press of a control that this version does not draw."""
        self.answering.refuse(click, NoCount("not_known", render.outdated()), wanted="unknown")

    def again(self, act: Pending, failed: Mapping[Lookup, str]) -> frozenset[Lookup]:
        """Decide what had to wait, now that things were looked up; returns what is needed still."""
        facts = replace(self.facts(), failed=failed)
        with self.answering.together():
            unsure = self._decided(act, facts)
            if unsure is None:
                self.waiting.close(act.id)
        return unsure.needs if unsure else frozenset()

    def give_up(self, act: Pending) -> None:
        """Answer what can never be decided; nothing is begun by it."""
        with self.answering.together():
            if act.verb == COMMAND:
                self.answering.answer(CALL.validate_json(act.body), render.waited_too_long())
            elif act.verb == FILLED_IN:
                self._answer_form(FILLED.validate_json(act.body), render.waited_too_long())
            else:
                self.answering.refuse(CLICK.validate_json(act.body), TOO_LATE, wanted=act.verb)
            self.waiting.close(act.id)

    def _decided(self, act: Pending, facts: Facts) -> Unsure | None:
        if act.verb == FILLED_IN:
            return self._filled_late(FILLED.validate_json(act.body), facts, act.at)
        if act.verb != COMMAND:
            return self._pressed(act.verb, CLICK.validate_json(act.body), facts, act.at)
        call = CALL.validate_json(act.body)
        found = self._answer(call, facts, act.at)
        if isinstance(found, Unsure):
            return found
        self.answering.answer(call, found)
        return None

    def _pressed(self, verb: str, click: Click, facts: Facts, at: datetime) -> Unsure | None:
        """What a press comes to that had to wait."""
        if verb == AGAIN:
            return self._ask_again(click, facts)
        if verb == CHECKED:
            return self._checked(click, facts, at)
        if verb == TICKED:
            return self.choosing.tick(click, facts)
        if verb == STOP:
            return self.stopping.press(click, facts, _said(click, at))
        if verb == LEAFED:
            return self._leafed(click, facts)
        return self.presses.decide(click, Settled(verb), facts, at=at)

    def _ask_again(self, click: Click, facts: Facts) -> Unsure | None:
        """As if it were typed; pressed twice it asks once."""
        asked = self.underway.asked_at(click)
        if asked is None or asked.is_restore:
            self.answering.refuse(click, NoCount("not_known", render.outdated()), wanted="preview")
            return None
        call = Call("", click.person, click.channel, click.trigger_id, click.response_url)
        with self.answering.together():
            again = Preview(asked.hosts, asked.kinds)
            found = self.underway.alike(asked) or self._request(call, again, facts)
            if isinstance(found, Unsure):
                return found
            self.answering.answer(call, found)
        return None

    def _checked(self, click: Click, facts: Facts, at: datetime) -> Unsure | None:
        ask, call = questions.pressed(click.value), self._call(click)
        if ask is None:
            self.unknown(click)
            return None
        with self.answering.together():
            found = self._question(call, ask, facts, at)
            if isinstance(found, Unsure):
                return found
            self.answering.answer(call, found)
        return None

    def _filled(self, filled: Filled, facts: Facts, at: datetime) -> Message | Fault | Unsure | None:
        if filled.form == render.START:
            return self._started(filled, facts)
        return self.choosing.take(filled, facts, at)

    def _filled_late(self, filled: Filled, facts: Facts, at: datetime) -> Unsure | None:
        found = self._filled(filled, facts, at)
        if isinstance(found, Fault):
            # The form is closed by now, so what is wrong with it is told where it was opened.
            self._answer_form(filled, render.not_taken(found.text))
        if isinstance(found, Message):
            self._answer_form(filled, found)
        return found if isinstance(found, Unsure) else None

    def _started(self, filled: Filled, facts: Facts) -> Message | Fault | Unsure | None:
        """What a form asks for is asked as if it were typed; the answer comes where it was opened."""
        command, call = command_of(filled.values), _place(filled)
        if isinstance(command, Fault):
            return command
        if call is None:
            return render.outdated()
        with self.answering.together():
            found = self._request(call, command, facts)
            if isinstance(found, Unsure):
                return found
            self.answering.answer(call, found)
        return None

    def _answer_form(self, filled: Filled, message: Message) -> None:
        if call := _place(filled):
            self.answering.answer(call, message)

    def _press(self, click: Click, how: Settled) -> None:
        if self.presses.decide(click, how, self.facts(), at=self.clock()):
            self._wait(click.trigger_id, how, CLICK.dump_json(click))

    def _wait(self, id_: str, verb: str, body: bytes) -> None:
        """What is acknowledged is not forgotten; nothing is looked up before that."""
        self.waiting.add(Pending(id_, verb, body.decode(), self.clock()))
        self.look_up()

    def _answer(self, call: Call, facts: Facts, at: datetime) -> Message | Unsure:
        command = parse(call.text)
        if isinstance(command, Help | Doctor):
            return render.help_text()
        if isinstance(command, UsageReply):
            return render.usage(command)
        match command:
            case Hosts():
                return self._entered(call, command, facts) or self._hosts(call, facts)
            case History():
                return self._entered(call, command, facts) or self._history(call, command, facts)
            case Status() | Cancel():
                return self._entered(call, command, facts) or self._underway(call, command, facts)
            case Freeze() | Protect() | Protections() | Stop():
                return self._decision(call, command, facts, at)
            case Ask():
                return self._question(call, command, facts, at)
            case _:
                return self._request(call, command, facts)

    def _entered(self, call: Call, command: object, facts: Facts) -> Message | Unsure | None:
        """Turn away who may look at nothing here; whoever they are, they learn no host's name."""
        verdict = may_enter(call.person, call.channel, rules=self.rules, facts=facts)
        return None if isinstance(verdict, Allowed) else self._turned_away(verdict, call, command)

    def _turned_away(self, verdict: Denied | Unsure, call: Call, command: object) -> Message | Unsure:
        if isinstance(verdict, Unsure):
            return verdict
        wanted = type(command).__name__.lower()
        logger.info("%s may not: %s (%s)", call.person.user, wanted, verdict.why)
        self.answering.note_turned_away(call, verdict.why, wanted=wanted)
        return turned_down(verdict, call)

    def _visible(self, call: Call, hosts: Iterable[str], facts: Facts) -> tuple[str, ...] | Unsure:
        return visible(call.person, call.channel, hosts, rules=self.rules, facts=facts)

    def _hosts(self, call: Call, facts: Facts) -> Message | Unsure:
        contacts = self.store.contacts()
        seen = self._visible(call, [c.host for c in contacts], facts)
        if isinstance(seen, Unsure):
            return seen
        contacts = tuple(c for c in contacts if c.host in seen)
        held = self.underway.held(contacts)
        rows = [
            render.HostRow(
                c.host, c.last_seen, c.busy, c.busy_since, problems=c.problems, holder=held.get(c.host)
            )
            for c in contacts
        ]
        return render.hosts(rows, self.clock())

    def _underway(self, call: Call, command: Status | Cancel, facts: Facts) -> Message | Unsure:
        hosts = resolve(command.hosts, self.store.hosts())
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        if isinstance(command, Cancel):
            with self.answering.together():
                found = self.underway.cancel(call, hosts if command.hosts else None, facts)
            self.answering.wake()
            return found
        seen = self._visible(call, hosts, facts)
        return seen if isinstance(seen, Unsure) else self.underway.status(call, seen)

    def _history(self, call: Call, asked: History, facts: Facts) -> Message | Unsure:
        found = self.chronicle.look(call, asked, facts)
        return self._turned_away(found, call, asked) if isinstance(found, Denied) else found

    def _leafed(self, click: Click, facts: Facts) -> Unsure | None:
        found = self.chronicle.turn(click, facts)
        if isinstance(found, NoCount):
            self.answering.refuse(click, found, wanted=HISTORY)
        elif isinstance(found, Message):
            self.answering.reply(click, found)
        return found if isinstance(found, Unsure) else None

    def _request(self, call: Call, command: Preview | Execute | Restore, facts: Facts) -> Message | Unsure:
        if isinstance(command, Restore):
            return self._restore(call, command, facts)
        hosts = self._hosts_meant(call, command, facts)
        if isinstance(hosts, Unsure):
            return hosts
        allows = may_execute if isinstance(command, Execute) else may_preview
        found = self._where_allowed(call, command, hosts, allows, facts)
        if not isinstance(found, tuple):
            return found
        # Where it takes two people, it is drawn whether who asks is one of them.
        first = may_execute(call.person, call.channel, found, rules=self.rules, facts=facts)
        return first if isinstance(first, Unsure) else self._asked(call, command, found)

    def _where_allowed(
        self, call: Call, command: object, hosts: tuple[str, ...] | UsageReply, allows: Allows, facts: Facts
    ) -> tuple[str, ...] | Message | Unsure:
        """The hosts, if this person may do that on every one of them; otherwise the answer."""
        if isinstance(hosts, UsageReply):
            return self._entered(call, command, facts) or render.usage(hosts)
        verdict = allows(call.person, call.channel, hosts, rules=self.rules, facts=facts)
        return hosts if isinstance(verdict, Allowed) else self._turned_away(verdict, call, command)

    def _restore(self, call: Call, command: Restore, facts: Facts) -> Message | Unsure:
        """What comes back is for whoever may have something removed there."""
        if not command.host:
            seen = self._visible(call, self.store.hosts(), facts)
            listed = seen if isinstance(seen, Unsure) else self.returns.runs_on(seen)
            return self._entered(call, command, facts) or listed
        hosts = resolve([command.host], self.store.hosts())
        found = self._where_allowed(call, command, hosts, may_execute, facts)
        if not isinstance(found, tuple):
            return found
        self.returns.ask(call, found[0], command.wanted)
        return self._asking(found, in_thread=bool(call.thread))

    def _decision(self, call: Call, decision: Decision, facts: Facts, at: datetime) -> Message | Unsure:
        """What is decided about hosts is for whoever may execute on every one of them."""
        allows = may_preview if isinstance(decision, Protections) else may_execute
        hosts = self._where_allowed(call, decision, self.council.hosts(decision), allows, facts)
        if not isinstance(hosts, tuple):
            return hosts
        said = Said(at, call.person, call.channel, call.trigger_id, call.response_url)
        with self.answering.together():
            if isinstance(decision, Stop):
                self._end_presses(hosts)
            return self.council.decide(said, decision)

    def _question(self, call: Call, ask: Ask, facts: Facts, at: datetime) -> Message | Unsure:
        """To ask a host about itself is for whoever may have a preview of it."""
        named = resolve([ask.host], self.store.hosts())
        hosts = self._where_allowed(call, ask, named, may_preview, facts)
        if not isinstance(hosts, tuple):
            return hosts
        about = (ask.topic, ask.host, ask.object, at, call.person, call.channel, call.response_url)
        self._inquire(Inquiry(secrets.token_hex(8), *about, thread=call.thread), call)
        if self.line().error:
            return render.queue_unreachable()
        [contact] = (one for one in self.store.contacts() if one.host == ask.host)
        holder = self.underway.held([contact]).get(contact.host)
        return receipts.inquiring(contact, self.clock(), holder, in_thread=bool(call.thread))

    def _inquire(self, asked: Inquiry, call: Call) -> None:
        """What all of a channel will read is asked once at a time, however many press."""
        if asked.thread and any(one.is_same(asked) for one in self.inquiries.open()):
            return
        self.inquiries.ask(asked, trigger_id=call.trigger_id)
        self.answering.wake()

    def _end_presses(self, hosts: Iterable[str]) -> None:
        """A press that waits for a look-up would begin a run behind whoever stops them."""
        for act in self.waiting.open():
            if act.verb == Settled.CONFIRMED:
                click = CLICK.validate_json(act.body)
                if self.presses.hosts(click).intersection(hosts):
                    self.presses.give_up(click, Settled.CONFIRMED, OVERTAKEN)
                    self.waiting.close(act.id)

    def _hosts_meant(
        self, call: Call, command: Preview | Execute, facts: Facts
    ) -> tuple[str, ...] | UsageReply | Unsure:
        """The hosts that are named; where none is, those that this person may look at."""
        admitted = self.store.hosts()
        if command.hosts:
            return resolve(command.hosts, admitted)
        seen = self._visible(call, admitted, facts)
        return seen if isinstance(seen, Unsure) else resolve((), seen or admitted)

    def _asked(self, call: Call, command: Preview | Execute, hosts: tuple[str, ...]) -> Message:
        verb = type(command).__name__.lower()
        asked = Asked(
            *(secrets.token_hex(8), verb, call.channel, call.person, hosts, self.clock(), command.kinds)
        )
        ready = self._newest_plan(asked) if isinstance(command, Execute) else None
        if ready is not None:
            return self.presses.confirmation(ready, call.person, self.known())
        request_id = self.store.ask(asked, trigger_id=call.trigger_id, response_url=call.response_url)
        logger.info("request %s: %s of %s by %s", request_id, verb, ", ".join(hosts), call.person.user)
        return self._asking(hosts)

    def _asking(self, hosts: tuple[str, ...], *, in_thread: bool = False) -> Message:
        """Have recorded requests sent to these hosts, and say that they are asked."""
        self.answering.wake()
        if self.line().error:
            return render.queue_unreachable()
        held = self.underway.held(c for c in self.store.contacts() if c.host in hosts)
        return receipts.asking(hosts, held, in_thread=in_thread)

    def _newest_plan(self, asked: Asked) -> Request | None:
        """The confirmation that stands in this channel for exactly this, if there is one."""
        wanted = (asked.channel, set(asked.hosts), asked.kinds)
        alike = [
            self.presses.standing(dossier)
            for dossier in self.dossiers.open()
            if (dossier.asked.channel, set(dossier.asked.hosts), dossier.asked.kinds) == wanted
            and not dossier.asked.is_restore
        ]
        ready = [r for r in alike if r.phase is Phase.READY and not r.is_expired(self.clock())]
        return ready[-1] if ready else None


def _said(click: Click, at: datetime) -> Said:
    return Said(at, click.person, click.channel, click.trigger_id, click.response_url)


def _place(filled: Filled) -> Call | None:
    """Where a form was opened, and by whom."""
    try:
        of = (EDITED if filled.form == render.EDIT else STARTED).validate_json(filled.about)
    except ValidationError:
        return None
    return Call("", filled.person, of.channel, filled.trigger_id, of.response_url)
