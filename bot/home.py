"""The Home tab as one person may see it: there is no channel, so it shows what they could see in theirs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import render
from bot.access import ALLOWED, Denied, Rules, Unsure, may_preview
from bot.consent import asking, may_approve
from bot.facts import Facts, Lookup
from bot.memory.disks import Disks
from bot.memory.dossiers import Dossiers
from bot.memory.runs import Runs
from bot.memory.store import Store
from bot.outside import Reach, reach, visible_in
from bot.past import Wanted
from bot.permalinks import Permalinks
from bot.presses import Presses
from bot.render.blocks import Block
from bot.render.home import Approval, HostCard, Overview
from bot.render.hosts import HostRow
from bot.requests import Contact, Line, Phase, Request
from workers.contract import Person

RUNS_SHOWN = 5
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Home:
    """Gathers and draws what one person may see; `facts` are young enough to judge by."""

    store: Store
    dossiers: Dossiers
    runs: Runs
    disks: Disks
    presses: Presses
    permalinks: Permalinks
    rules: Rules
    facts: Callable[[], Facts]
    line: Callable[[], Line]
    clock: Callable[[], datetime]

    def of(self, person: Person, failed: Mapping[Lookup, str]) -> Block | Unsure:
        """The tab of a person, or what has to be looked up first; what has failed is not asked for again."""
        facts = replace(self.facts(), failed=failed)
        within = reach(person, rules=self.rules, facts=facts)
        if isinstance(within, Denied):
            return render.shut_home(within, self.clock())
        return within if isinstance(within, Unsure) else self._within(within, person, facts)

    def _within(self, within: Reach, person: Person, facts: Facts) -> Block | Unsure:
        contacts = self.store.contacts()
        known = {*(contact.host for contact in contacts), *self.runs.hosts()}
        hosts = visible_in(within.channels, person, known, rules=self.rules, facts=facts)
        approvals = self._approvals(person, within.channels, facts)
        needs = [found.needs for found in (hosts, approvals) if isinstance(found, Unsure)]
        if isinstance(hosts, Unsure) or isinstance(approvals, Unsure):
            return Unsure(frozenset().union(*needs))
        own = [self._card(contact) for contact in contacts if contact.host in hosts]
        return self._drawn(Wanted(tuple(sorted(hosts))), approvals, own, within.untold)

    def _drawn(
        self, wanted: Wanted, approvals: Sequence[Approval], hosts: Sequence[HostCard], untold: Sequence[str]
    ) -> Block:
        now, page = self.clock(), self.runs.page(wanted, most=RUNS_SHOWN)
        seen = Overview(
            approvals=approvals,
            hosts=hosts,
            runs=page.runs,
            links=self.permalinks.of({run.request_id for run in page.runs}),
            month=self.runs.totals(replace(wanted, since=now - MONTH)),
            ever=page.totals,
            line=self.line(),
            untold=untold,
        )
        return render.home(seen, now)

    def _card(self, contact: Contact) -> HostCard:
        about = (contact.host, contact.last_seen, contact.busy, contact.busy_since)
        row = HostRow(*about, problems=contact.problems)
        return HostCard(row, self.disks.last(contact.host), self.runs.last(contact.host))

    def _approvals(
        self, person: Person, channels: tuple[str, ...], facts: Facts
    ) -> tuple[Approval, ...] | Unsure:
        """What waits for a decision in these channels and is theirs to see; the first to expire first."""
        waiting = [
            self.presses.standing(one) for one in self.dossiers.open() if one.asked.channel in channels
        ]
        judged = [self._approval(person, request, facts) for request in waiting if self._waits(request)]
        needs = [found.needs for found in judged if isinstance(found, Unsure)]
        if needs:
            return Unsure(frozenset().union(*needs))
        found = [one for one in judged if isinstance(one, Approval)]
        links = self.permalinks.of(one.request.asked.id for one in found)
        linked = [replace(one, link=links.get(one.request.asked.id, "")) for one in found]
        return tuple(sorted(linked, key=lambda one: one.request.expires_at or self.clock()))

    def _waits(self, request: Request) -> bool:
        return request.phase is Phase.READY and not request.is_expired(self.clock())

    def _approval(self, person: Person, request: Request, facts: Facts) -> Approval | Denied | Unsure:
        asked = request.asked
        looks = may_preview(person, asked.channel, asked.hosts, rules=self.rules, facts=facts)
        if isinstance(looks, Denied):
            return looks
        approves = may_approve(person, asking(request), rules=self.rules, facts=facts)
        consent = self.presses.consent(request, facts)
        needs = [one.needs for one in (looks, approves) if isinstance(one, Unsure)]
        if needs or consent.needs:
            return Unsure(consent.needs.union(*needs))
        has_agreed = person in consent.given
        is_theirs = approves == ALLOWED and consent.is_possible and not has_agreed
        return Approval(request, consent, "", is_theirs=is_theirs, has_agreed=has_agreed)
