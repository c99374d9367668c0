"""What is typed: who may do that here, and what it comes to.

Nothing here goes over the network; what is asked of hosts is written down, and sent by the desk.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot import render
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
from bot.answering import Answering, turned_down
from bot.arrivals import CLICK, Call
from bot.chronicle import Chronicle
from bot.commands import (
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
from bot.decisions import Decision, Freeze, Protect, Protections, Stop
from bot.facts import Facts
from bot.memory.dossiers import Dossiers
from bot.memory.inquiries import Inquiries
from bot.memory.store import Store
from bot.memory.waiting import Waiting
from bot.presses import OVERTAKEN, Presses
from bot.questions import Ask, Inquiry
from bot.render import receipts
from bot.render.blocks import Block, Message
from bot.requests import Asked, Line, Phase, Request, Settled
from bot.returns import Returns
from bot.starts import STARTED, Started
from bot.underway import Underway

logger = logging.getLogger(__name__)

Allows = Callable[..., Verdict]


@dataclass(frozen=True)
class Typed:
    """Answers commands, and what counts as if it were typed; `known` are facts to show by, not to act on."""

    store: Store
    dossiers: Dossiers
    waiting: Waiting
    answering: Answering
    presses: Presses
    council: Council
    inquiries: Inquiries
    returns: Returns
    underway: Underway
    chronicle: Chronicle
    rules: Rules
    known: Callable[[], Facts]
    line: Callable[[], Line]
    clock: Callable[[], datetime]

    def answer(self, call: Call, facts: Facts, at: datetime) -> Message | Unsure:
        """What a command comes to; who may not is told so."""
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
                return self.question(call, command, facts, at)
            case _:
                return self.request(call, command, facts)

    def start(self, call: Call, facts: Facts) -> Block | Message | Unsure:
        """The form of a command without words, or why there is none."""
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

    def operate(self, call: Call, facts: Facts) -> Message | Unsure | None:
        """Why this person may not look after the bot here; None where they may."""
        hosts = self.store.hosts()
        verdict = may_operate(call.person, call.channel, hosts, rules=self.rules, facts=facts)
        return None if isinstance(verdict, Allowed) else self._turned_away(verdict, call, Doctor())

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

    def request(self, call: Call, command: Preview | Execute | Restore, facts: Facts) -> Message | Unsure:
        """Have hosts plan a cleanup, or what comes back."""
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

    def question(self, call: Call, ask: Ask, facts: Facts, at: datetime) -> Message | Unsure:
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
