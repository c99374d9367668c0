"""The past runs as one person may read them where they ask: found, drawn, and turned page after page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from bot import render
from bot.access import Allowed, Denied, Rules, Unsure, may_enter, may_preview, visible
from bot.answering import NoCount, turned_down
from bot.arrivals import Call, Click
from bot.commands import resolve
from bot.decisions import UsageReply
from bot.facts import About, Facts, Lookup
from bot.lookback import MOST_PEOPLE, NOBODY, SEVERAL, SHOWN, UNTOLD, History, people_meant, stretch
from bot.memory.runs import Runs
from bot.memory.store import Store
from bot.past import LEAF, Leaf, Page, Sought, Spot, Turn, Wanted
from bot.permalinks import Permalinks
from bot.render.blocks import Message
from bot.tickets import Tickets
from workers.contract import HOST_TEAM, Person

RUNS_SHOWN = 10
# More people at once are not looked up to find out who is called so.
LOOKED_UP = 50


@dataclass(frozen=True)
class Chronicle:
    """Reads the history for one person at a time; `known` is what people are called, however old."""

    store: Store
    runs: Runs
    permalinks: Permalinks
    tickets: Tickets
    rules: Rules
    known: Callable[[], Facts]
    clock: Callable[[], datetime]

    def look(self, call: Call, asked: History, facts: Facts) -> Message | Denied | Unsure:
        """The newest runs of those that are asked for."""
        sought = self._sought(call.person, asked, facts)
        if isinstance(sought, UsageReply):
            return render.usage(sought)
        return sought if isinstance(sought, Unsure) else self._page(call, sought, None, facts)

    def turn(self, click: Click, facts: Facts) -> Message | NoCount | Unsure:
        """The page that a button leads to, for whoever may look here still."""
        leaf = self._opened(click)
        if leaf is None:
            return NoCount("not_kept", render.not_kept())
        verdict = may_enter(click.person, click.channel, rules=self.rules, facts=facts)
        found = self._page(click, leaf.sought, leaf, facts) if isinstance(verdict, Allowed) else verdict
        if isinstance(found, Denied):
            return NoCount(found.why, turned_down(found, click))
        return found

    def _opened(self, click: Click) -> Leaf | None:
        about = self.tickets.opened(click.value, click.person)
        try:
            return None if about is None else LEAF.validate_json(about)
        except ValidationError:
            return None

    def _page(
        self, who: Call | Click, sought: Sought, leaf: Leaf | None, facts: Facts
    ) -> Message | Denied | Unsure:
        hosts = self._hosts(who, sought, facts)
        if isinstance(hosts, UsageReply):
            return render.usage(hosts)
        if not isinstance(hosts, tuple):
            return hosts
        wanted = Wanted(hosts, sought.people, sought.since, sought.until)
        spot, turn = (leaf.spot, leaf.turn) if leaf else (None, Turn.OLDER)
        page = self.runs.page(wanted, most=RUNS_SHOWN, spot=spot, turn=turn)
        links = self.permalinks.of({run.request_id for run in page.runs})
        return render.history(page, sought, links, self._buttons(page, sought, who.person))

    def _hosts(
        self, who: Call | Click, sought: Sought, facts: Facts
    ) -> tuple[str, ...] | UsageReply | Denied | Unsure:
        """Those of the hosts that are asked for that this person may look at here; also ones sent away."""
        known = {*self.store.hosts(), *self.runs.hosts()}
        named = resolve(sought.hosts, known) if sought.hosts else tuple(sorted(known))
        if isinstance(named, UsageReply):
            return named
        seen = visible(who.person, who.channel, named, rules=self.rules, facts=facts)
        if seen or not sought.hosts:
            return seen
        verdict = may_preview(who.person, who.channel, named, rules=self.rules, facts=facts)
        return () if isinstance(verdict, Allowed) else verdict

    def _buttons(self, page: Page, sought: Sought, person: Person) -> dict[Turn, str]:
        spots: dict[Turn, Spot] = {}
        if page.newer:
            spots[Turn.NEWER] = page.runs[0].spot
        if page.older:
            spots[Turn.OLDER] = page.runs[-1].spot
        return {
            turn: self.tickets.stamp(LEAF.dump_json(Leaf(sought, spot, turn)).decode(), person)
            for turn, spot in spots.items()
        }

    def _sought(self, person: Person, asked: History, facts: Facts) -> Sought | UsageReply | Unsure:
        about = facts.known.get(Lookup(About.PERSON, person.user))
        times = stretch(asked, self.clock(), about.utc_offset if about else 0)
        if isinstance(times, UsageReply):
            return times
        people = self._people(person, asked.by, facts) if asked.by else None
        return people if isinstance(people, UsageReply | Unsure) else Sought(asked.hosts, people, *times)

    def _people(self, asker: Person, by: str, facts: Facts) -> tuple[Person, ...] | UsageReply | Unsure:
        """Whom a name means; whoever is in the history and has no name here yet is looked up first."""
        known = self.runs.people()
        names = {
            what.id: fact.names for what, fact in self.known().known.items() if what.about is About.PERSON
        }
        meant = people_meant(by, asker, known, names)
        if len(meant) > MOST_PEOPLE:
            return UsageReply(SEVERAL.format(most=MOST_PEOPLE, said=by[:SHOWN]))
        users = sorted({p.user for p in known if p.team != HOST_TEAM and not names.get(p.user)})
        nameless = [Lookup(About.PERSON, user) for user in users]
        unknown = [what for what in nameless if what not in facts.failed]
        if meant or unknown:
            return meant or Unsure(frozenset(unknown[:LOOKED_UP]))
        if nameless:
            return UsageReply(UNTOLD.format(said=by[:SHOWN], error=facts.failed[nameless[0]]))
        return UsageReply(NOBODY.format(said=by[:SHOWN]))
