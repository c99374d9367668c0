"""What somebody may look at from outside any channel, as on the Home tab (pure, S12).

The rules are about channels. From outside one sees what one could see by typing in those that one gets into:
a private or shared channel is for its members, and a guest gets into no other either.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.access import ALLOWED, Denied, Rules, Unsure, Verdict, Why, may_enter, visible
from bot.facts import About, Fact, Facts, Lookup
from workers.contract import Person


@dataclass(frozen=True)
class Reach:
    """The channels in which somebody may look at something; `untold`: why Slack did not tell of others."""

    channels: tuple[str, ...]
    untold: tuple[str, ...] = ()


def reach(person: Person, *, rules: Rules, facts: Facts) -> Reach | Denied | Unsure:
    """The channels in which this person may look at something; why not, where there is none."""
    if not rules.book.channels:
        return Denied(Why.NO_RULES)
    verdicts = {channel: _may_enter(person, channel, rules, facts) for channel in rules.book.channels}
    needs = [verdict.needs for verdict in verdicts.values() if isinstance(verdict, Unsure)]
    if needs:
        return Unsure(frozenset().union(*needs))
    denied = [verdict for verdict in verdicts.values() if isinstance(verdict, Denied)]
    found = tuple(channel for channel, verdict in verdicts.items() if verdict == ALLOWED)
    if found:
        return Reach(found, tuple(no.error for no in denied if no.why is Why.NOT_KNOWN))
    # A channel that Slack does not tell of says least about this person.
    return min(denied, key=lambda no: no.why is Why.NOT_KNOWN)


def visible_in(
    channels: Iterable[str], person: Person, hosts: Iterable[str], *, rules: Rules, facts: Facts
) -> frozenset[str] | Unsure:
    """The hosts that this person may look at in one of these channels."""
    known = tuple(hosts)
    found = [visible(person, channel, known, rules=rules, facts=facts) for channel in channels]
    needs = [seen.needs for seen in found if isinstance(seen, Unsure)]
    if needs:
        return Unsure(frozenset().union(*needs))
    return frozenset(host for seen in found if not isinstance(seen, Unsure) for host in seen)


def _may_enter(person: Person, channel: str, rules: Rules, facts: Facts) -> Verdict:
    entered = may_enter(person, channel, rules=rules, facts=facts)
    return entered if entered != ALLOWED else _gets_in(person, channel, facts)


def _gets_in(person: Person, channel: str, facts: Facts) -> Verdict:
    room = _fact(Lookup(About.CHANNEL, channel), facts)
    if not isinstance(room, Fact):
        return room
    known = facts.known.get(Lookup(About.PERSON, person.user))
    is_guest = known is None or known.is_guest
    if not (room.is_private or room.is_shared or is_guest):
        return ALLOWED
    inside = _fact(Lookup(About.MEMBERS, channel), facts)
    if not isinstance(inside, Fact):
        return inside
    return ALLOWED if person.user in inside.members else Denied(Why.NOT_A_MEMBER)


def _fact(what: Lookup, facts: Facts) -> Fact | Denied | Unsure:
    if what in facts.known:
        return facts.known[what]
    failed = facts.failed.get(what)
    return Unsure(frozenset((what,))) if failed is None else Denied(Why.NOT_KNOWN, error=failed)
