"""Where decisions about hosts are taken down: made out, and recorded before anybody is answered."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot import render
from bot.commands import UsageReply, resolve
from bot.decisions import Decided, Decision, Freeze, Protect, Protections, State, Stop, Verb, targets, turns
from bot.memory.decisions import Decisions
from bot.memory.dossiers import Dossiers
from bot.memory.store import Store
from bot.orders import order_id
from bot.render.blocks import Message
from bot.requests import SETTLED_STAGES, Asked, Settled
from workers.contract import Person


@dataclass(frozen=True)
class Said:
    """Who decides, where, and by which delivery; `at`: when they said it, however long Slack was asked.

    Of two decisions the one that was said later holds.
    """

    at: datetime
    person: Person
    channel: str
    trigger_id: str
    response_url: str


@dataclass(frozen=True)
class Council:
    """Takes decisions of people who may."""

    decisions: Decisions
    store: Store
    dossiers: Dossiers
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    def hosts(self, decision: Decision) -> tuple[str, ...] | UsageReply:
        """The hosts that a decision is about."""
        admitted = self.store.hosts()
        match decision:
            case Freeze(words=words):
                return resolve(targets(words, admitted)[0], admitted)
            case Stop(hosts=patterns):
                return resolve(patterns, admitted)
            case Protect(host=host):
                return resolve([host], admitted)
            case Protections(host=only):
                return resolve([only] if only else [], admitted)

    def decide(self, said: Said, decision: Decision) -> Message:
        """Take a decision down; what the person reads at once."""
        match decision:
            case Freeze():
                return self._freeze(said, decision)
            case Stop():
                return self._stop(said, decision)
            case Protect():
                return self._protect(said, decision)
        return self._protections(decision)

    def _freeze(self, said: Said, decision: Freeze) -> Message:
        patterns, why = targets(decision.words, self.store.hosts())
        hosts = resolve(patterns, self.store.hosts())
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        return self._record(said, [self._at(host, decision.verb, said, why=why) for host in hosts])

    def _stop(self, said: Said, decision: Stop) -> Message:
        hosts = resolve(decision.hosts, self.store.hosts())
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        runs = [self._ending(said, asked, host) for asked, host in self._runs() if host in hosts]
        return self._record(said, runs) if runs else render.nothing_runs(decision.hosts)

    def end(self, said: Said, asked: Asked, hosts: Collection[str]) -> Message:
        """End the runs of one request on these hosts, or its restore; what the person reads at once."""
        return self._record(said, [self._ending(said, asked, host) for host in hosts])

    def _ending(self, said: Said, asked: Asked, host: str) -> Decided:
        return self._at(host, Verb.STOP, said, run=asked.id, order_id=order_id(asked, host))

    def _runs(self) -> Iterator[tuple[Asked, str]]:
        """The host of every run or restore that is ordered and not known to be over."""
        for dossier in self.dossiers.open():
            request = dossier.request
            if request.settlement and request.settlement.how is Settled.CONFIRMED:
                for part in request.parts:
                    if part.ordered and part.stage not in SETTLED_STAGES:
                        yield request.asked, part.host

    def _protect(self, said: Said, decision: Protect) -> Message:
        hosts = resolve([decision.host], self.store.hosts())
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        if decision.verb is Verb.UNPROTECT:
            return self._unprotect(said, decision, hosts)
        until = said.at + decision.span if decision.span else None
        about = {"kind": decision.kind, "pattern": decision.pattern, "until": until}
        return self._record(said, [self._at(host, decision.verb, said, **about) for host in hosts])

    def _unprotect(self, said: Said, decision: Protect, hosts: tuple[str, ...]) -> Message:
        """Lift what was added from Slack; what a policy protects is out of reach from here."""
        about = {"kind": decision.kind, "pattern": decision.pattern}
        lifting = [self._at(host, decision.verb, said, **about) for host in hosts]
        known = {(one.host, one.about) for one in self._in_force(self.clock())}
        left = [one for one in lifting if (one.host, one.about) in known]
        return self._record(said, left) if left else render.not_protected(decision.pattern, hosts)

    def _protections(self, decision: Protections) -> Message:
        hosts = resolve([decision.host] if decision.host else [], self.store.hosts())
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        now = self.clock()
        return render.protections([one for one in self._in_force(now) if one.host in hosts], now)

    def _in_force(self, now: datetime) -> list[Decided]:
        newest = (one for one in self.decisions.newest() if one.verb is Verb.PROTECT)
        return [
            one for one in newest if one.state is not State.REFUSED and (one.until is None or now < one.until)
        ]

    def _at(self, host: str, verb: Verb, said: Said, **about: object) -> Decided:
        return Decided(
            id="",
            host=host,
            verb=verb,
            at=said.at,
            by=said.person,
            channel=said.channel,
            response_url=said.response_url,
            **about,  # type: ignore[arg-type]
        )

    def _record(self, said: Said, decided: list[Decided]) -> Message:
        ids = defaultdict[int, str](lambda: secrets.token_hex(8))
        named = [replace(one, id=ids[turn]) for turn, one in turns(decided)]
        self.decisions.decide(named, trigger_id=said.trigger_id)
        self.wake()
        return render.deciding(named)
