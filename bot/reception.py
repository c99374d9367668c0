"""Where commands and clicks arrive: understood, allowed or not, written down in one commit, and answered.

Nothing here goes over the network; what follows is the desk's.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot import render
from bot.access import Allowed, Denied, Rules, may_confirm, may_execute, may_preview
from bot.commands import Execute, Help, History, Hosts, Preview, UsageReply, parse, resolve
from bot.errors import StoreError
from bot.memory.dossiers import Dossier, Dossiers
from bot.memory.history import History as Runs
from bot.memory.posts import Note, Posts
from bot.memory.store import Store
from bot.progress import at
from bot.render import receipts
from bot.render.blocks import Message
from bot.requests import Asked, Line, Phase, Request, Settled, Settlement
from workers.contract import Person

logger = logging.getLogger(__name__)

RUNS_SHOWN = 50


@dataclass(frozen=True)
class Call:
    """A slash command as it arrived."""

    text: str
    person: Person
    channel: str
    trigger_id: str
    response_url: str


@dataclass(frozen=True)
class Click:
    """A button press as it arrived; `is_private`: on a message that only this person sees."""

    value: str
    person: Person
    channel: str
    trigger_id: str
    response_url: str
    is_private: bool = False


@dataclass(frozen=True)
class Reception:
    """Takes what people say."""

    store: Store
    posts: Posts
    runs: Runs
    dossiers: Dossiers
    rules: Rules
    line: Callable[[], Line]
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    def command(self, call: Call) -> Message:
        """Answer a command, where only the asker sees it."""
        try:
            return self._answer(call)
        except StoreError as error:
            logger.exception("a command could not be noted down")
            return receipts.not_noted(str(error))

    def execute(self, click: Click) -> None:
        """Take the press of the button that confirms."""
        self._decide(click, Settled.CONFIRMED)

    def cancel(self, click: Click) -> None:
        """Take the press of the button that cancels."""
        self._decide(click, Settled.CANCELLED)

    def _answer(self, call: Call) -> Message:
        command = parse(call.text)
        if isinstance(command, Help):
            return render.help_text()
        if isinstance(command, UsageReply):
            return render.usage(command)
        may = may_execute if isinstance(command, Execute) else may_preview
        allowed = may(call.person, call.channel, self.rules)
        if isinstance(allowed, Denied):
            logger.info("%s may not: %s (%s)", call.person.user, type(command).__name__, allowed.why)
            return render.not_allowed(allowed)
        match command:
            case Hosts():
                return self._hosts()
            case History(host):
                return self._history(call, host)
            case _:
                return self._request(call, command)

    def _hosts(self) -> Message:
        rows = [
            render.HostRow(c.host, c.last_seen, c.busy, c.busy_since, problems=c.problems)
            for c in self.store.contacts()
        ]
        return render.hosts(rows, self.clock())

    def _history(self, call: Call, host: str | None) -> Message:
        runs = self.runs.reports(host=host, limit=RUNS_SHOWN)
        if host and not runs and isinstance(found := resolve([host], self.store.hosts()), UsageReply):
            return render.usage(found)
        drawn = render.history([render.history_row(run) for run in runs], host)
        self._owe(call.trigger_id, call.channel, call.response_url, drawn, is_public=True)
        return receipts.history_follows()

    def _request(self, call: Call, command: Preview | Execute) -> Message:
        hosts = resolve(command.hosts, self.store.hosts())
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        verb = type(command).__name__.lower()
        asked = Asked(
            *(secrets.token_hex(8), verb, call.channel, call.person, hosts, self.clock(), command.kinds)
        )
        ready = self._newest_plan(asked) if isinstance(command, Execute) else None
        if ready is not None:
            return render.root(ready, self.clock())
        request_id = self.store.ask(asked, trigger_id=call.trigger_id, response_url=call.response_url)
        logger.info("request %s: %s of %s by %s", request_id, verb, ", ".join(hosts), call.person.user)
        self.wake()
        return render.queue_unreachable() if self.line().error else receipts.asking(hosts)

    def _newest_plan(self, asked: Asked) -> Request | None:
        """The confirmation that stands in this channel for exactly this, if there is one."""
        wanted = (asked.channel, set(asked.hosts), asked.kinds)
        alike = [
            self._standing(dossier)
            for dossier in self.dossiers.open()
            if (dossier.asked.channel, set(dossier.asked.hosts), dossier.asked.kinds) == wanted
        ]
        ready = [r for r in alike if r.phase is Phase.READY and not r.is_expired(self.clock())]
        return ready[-1] if ready else None

    def _standing(self, dossier: Dossier) -> Request:
        return at(dossier.request, contacts=self.store.contacts(), line=self.line(), now=self.clock())

    def _decide(self, click: Click, how: Settled) -> None:
        pressed = render.pressed(click.value)
        dossier = self.dossiers.find(pressed.request) if pressed else None
        if pressed is None or dossier is None:
            self._reply(click, render.outdated())
            return
        request = self._standing(dossier)
        allowed = self._may(click.person, request, how)
        if isinstance(allowed, Denied):
            logger.info("request %s: %s may not (%s)", dossier.asked.id, click.person.user, allowed.why)
            self._reply(click, render.not_allowed(allowed))
            return
        refusal = self._settle(click, request, pressed.set_digest, how)
        if refusal:
            self._reply(click, refusal)
        elif click.is_private:
            self._reply(click, receipts.taken())
        self.wake()

    def _may(self, person: Person, request: Request, how: Settled) -> Allowed | Denied:
        """Whoever asked may also take it back, but not confirm it alone where it is unusual."""
        asked = request.asked
        if how is Settled.CANCELLED:
            may = may_preview if person == asked.requester else may_execute
            return may(person, asked.channel, self.rules)
        takes_two = any(part.plan.unusual for part in request.confirmable if part.plan)
        return may_confirm(person, asked.channel, self.rules, requester=asked.requester, takes_two=takes_two)

    def _settle(self, click: Click, request: Request, set_digest: str, how: Settled) -> Message | None:
        """Settle the request, or say why this click does not (S3, S11, S13)."""
        now, request_id = self.clock(), request.asked.id
        if request.settlement is None:
            if request.phase is Phase.PLANNING:
                return render.not_yet()
            if request.set_digest != set_digest or request.phase is not Phase.READY:
                return render.changed()
            if request.expires_at and request.is_expired(now):
                return render.timed_out(request.expires_at)
        settlement = Settlement(how, now, click.person, set_digest, request.plans)
        decision = self.store.settle(request_id, settlement, click=click.trigger_id)
        if decision.is_ours:
            logger.info("request %s is %s by %s", request_id, decision.settlement.how, click.person.user)
            return None
        return render.already_settled(decision.settlement)

    def _reply(self, click: Click, message: Message) -> None:
        self._owe(click.trigger_id, click.channel, click.response_url, message, replaces=click.is_private)

    def _owe(
        self,
        trigger_id: str,
        channel: str,
        response_url: str,
        message: Message,
        *,
        is_public: bool = False,
        replaces: bool = False,
    ) -> None:
        note = Note(trigger_id, self.clock(), channel, response_url, message, is_public, replaces)
        self.posts.owe(note)
        self.wake()
