"""Who may do what, decided from plain values; what is not named is not allowed (S12).

The same functions say what is drawn and what is done. A fact about a person, a channel or a user group that
is needed and not there makes the answer `Unsure`: it names what is to be looked up, and allows nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.facts import About, Facts, Lookup
from bot.rulebook import Allow, HostGroup, Rulebook, is_user_group
from workers.contract import Person


class Right(StrEnum):
    """What may be allowed."""

    PREVIEW = "preview"
    EXECUTE = "execute"
    APPROVE = "approve"


@dataclass(frozen=True)
class Rules:
    """The rules, and the workspace the bot is at home in: a bare user id names a member of that one."""

    team: str
    book: Rulebook = field(default_factory=Rulebook)


class Why(StrEnum):
    """Why somebody was turned away."""

    NO_RULES = "no_rules"
    NO_GROUP = "no_group"
    OTHER_CHANNEL = "other_channel"
    SHARED_CHANNEL = "shared_channel"
    OTHER_TEAM = "other_team"
    GUEST = "guest"
    LEFT = "left"
    NOBODY = "nobody"
    NOT_NAMED = "not_named"
    NOT_ALONE = "not_alone"
    NOT_KNOWN = "not_known"
    NOT_A_MEMBER = "not_a_member"


@dataclass(frozen=True)
class Allowed:
    """Go on."""


@dataclass(frozen=True)
class Denied:
    """Turned away, with who may and where one may instead; `who` are ids of people and user groups."""

    why: Why
    who: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Unsure:
    """Not to be decided before these are looked up."""

    needs: frozenset[Lookup]


Verdict = Allowed | Denied | Unsure
ALLOWED = Allowed()


def may(
    right: Right, person: Person, channel: str, hosts: Iterable[str], *, rules: Rules, facts: Facts
) -> Verdict:
    """Whether this person may do this, here, on all of these hosts."""
    on_hosts = [_on_host(right, person, channel, host, rules, facts) for host in hosts]
    if not on_hosts:
        return Denied(Why.NO_GROUP)
    return _all([*on_hosts, *_at_all(person, channel, rules, facts)])


def may_preview(person: Person, channel: str, hosts: Iterable[str], *, rules: Rules, facts: Facts) -> Verdict:
    """Whether this person may look at these hosts, here."""
    return may(Right.PREVIEW, person, channel, hosts, rules=rules, facts=facts)


def may_execute(person: Person, channel: str, hosts: Iterable[str], *, rules: Rules, facts: Facts) -> Verdict:
    """Whether this person may ask for something to be removed from these hosts, here."""
    return may(Right.EXECUTE, person, channel, hosts, rules=rules, facts=facts)


def may_operate(person: Person, channel: str, hosts: Iterable[str], *, rules: Rules, facts: Facts) -> Verdict:
    """Whether this person may ask for something to be removed from any of these hosts, here."""
    verdicts = [may_execute(person, channel, [host], rules=rules, facts=facts) for host in hosts]
    return _any(verdicts) if verdicts else may_enter(person, channel, rules=rules, facts=facts)


def may_enter(person: Person, channel: str, *, rules: Rules, facts: Facts) -> Verdict:
    """Whether this person may look at anything at all, here."""
    groups = rules.book.group.values()
    if not groups:
        return Denied(Why.NO_RULES)
    if channel not in rules.book.channels:
        return Denied(Why.OTHER_CHANNEL, channels=rules.book.channels)
    within = [_in_group(Right.PREVIEW, person, channel, g, rules, facts) for g in groups if g.within(channel)]
    return _all([_any(within), *_at_all(person, channel, rules, facts)])


def visible(
    person: Person, channel: str, hosts: Iterable[str], *, rules: Rules, facts: Facts
) -> tuple[str, ...] | Unsure:
    """Those of the hosts that this person may look at, here."""
    verdicts = {h: may_preview(person, channel, [h], rules=rules, facts=facts) for h in hosts}
    needs = [verdict.needs for verdict in verdicts.values() if isinstance(verdict, Unsure)]
    if needs:
        return Unsure(frozenset().union(*needs))
    return tuple(host for host, verdict in verdicts.items() if verdict == ALLOWED)


def _all(verdicts: Sequence[Verdict]) -> Verdict:
    """The first no; without one, everything that is to be looked up; without that, yes."""
    for verdict in verdicts:
        if isinstance(verdict, Denied):
            return verdict
    needs = [verdict.needs for verdict in verdicts if isinstance(verdict, Unsure)]
    return Unsure(frozenset().union(*needs)) if needs else ALLOWED


def _any(verdicts: Sequence[Verdict]) -> Verdict:
    """The first yes; without one, everything that is to be looked up; without that, the first no."""
    if ALLOWED in verdicts:
        return ALLOWED
    needs = [verdict.needs for verdict in verdicts if isinstance(verdict, Unsure)]
    return Unsure(frozenset().union(*needs)) if needs else verdicts[0]


def _on_host(right: Right, person: Person, channel: str, host: str, rules: Rules, facts: Facts) -> Verdict:
    if not rules.book.group:
        return Denied(Why.NO_RULES)
    if channel not in rules.book.channels:
        return Denied(Why.OTHER_CHANNEL, channels=rules.book.channels)
    group = rules.book.group_of(host)
    if group is None:
        return Denied(Why.NO_GROUP, hosts=(host,))
    if not group.within(channel):
        return Denied(Why.OTHER_CHANNEL, channels=tuple(sorted(group.channels)), hosts=(host,))
    return _in_group(right, person, channel, group, rules, facts)


def _in_group(
    right: Right, person: Person, channel: str, group: HostGroup, rules: Rules, facts: Facts
) -> Verdict:
    entries = named(right, group.within(channel))
    if entries is None:
        is_in = is_at_home(person, rules) or _is_named(person, _doers(group.within(channel)), rules)
        return ALLOWED if is_in else Denied(Why.OTHER_TEAM)
    if not entries:
        return Denied(Why.NOBODY)
    if _is_named(person, entries, rules):
        return ALLOWED
    if not is_at_home(person, rules):
        return Denied(Why.OTHER_TEAM)
    wanted = [Lookup(About.USER_GROUP, entry) for entry in sorted(entries) if is_user_group(entry)]
    return _as_member(person, wanted, facts, Denied(Why.NOT_NAMED, who=tuple(sorted(entries))))


def named(right: Right, allowed: Iterable[Allow]) -> frozenset[str] | None:
    """Who has a right in a channel; None for every member of the workspace."""
    found: set[str] = set()
    for allow in allowed:
        entries = {
            Right.PREVIEW: allow.viewers,
            Right.EXECUTE: frozenset(allow.execute),
            Right.APPROVE: frozenset(allow.approvers),
        }[right]
        if entries is None:
            return None
        found |= entries
    return frozenset(found)


def _doers(allowed: Iterable[Allow]) -> frozenset[str]:
    """Who may do something in a channel, and so may look as well, of whichever workspace they are."""
    return frozenset(entry for allow in allowed for entry in (*allow.execute, *allow.approvers))


def is_at_home(person: Person, rules: Rules) -> bool:
    """Whether somebody is a member of the bot's own workspace."""
    return bool(rules.team) and person.team == rules.team


def _is_named(person: Person, entries: Iterable[str], rules: Rules) -> bool:
    """A bare user id names a member of the home workspace only: ids mean nothing without their team."""
    if f"{person.team}/{person.user}" in entries:
        return bool(person.team)
    return person.user in entries and is_at_home(person, rules)


def _as_member(person: Person, groups: Sequence[Lookup], facts: Facts, otherwise: Denied) -> Verdict:
    """Whether one of the user groups lets somebody in."""
    known = [facts.known[group] for group in groups if group in facts.known]
    if any(person.user in fact.members for fact in known):
        return ALLOWED
    open_ = _undecided([group for group in groups if group not in facts.known], facts)
    if open_ is not None:
        return open_
    untold = next((fact.error for fact in known if fact.error), "")
    return Denied(Why.NOT_KNOWN, who=otherwise.who, error=untold) if untold else otherwise


def _undecided(missing: Sequence[Lookup], facts: Facts) -> Unsure | Denied | None:
    """What is missing is looked up; where that has just failed, the answer is no (S4)."""
    failed = [facts.failed[what] for what in missing if what in facts.failed]
    if failed:
        return Denied(Why.NOT_KNOWN, error=failed[0])
    return Unsure(frozenset(missing)) if missing else None


def _at_all(person: Person, channel: str, rules: Rules, facts: Facts) -> tuple[Verdict, Verdict]:
    return _as_person(person, rules, facts), _in_channel(channel, rules, facts)


def _as_person(person: Person, rules: Rules, facts: Facts) -> Verdict:
    """Guests are out unless named; of somebody of another workspace, who is named with it, all is said."""
    if not is_at_home(person, rules):
        return ALLOWED
    what = Lookup(About.PERSON, person.user)
    fact = facts.known.get(what)
    if fact is None:
        return _undecided([what], facts) or ALLOWED
    if fact.team and fact.team != person.team:
        return Denied(Why.OTHER_TEAM)
    if not fact.is_active:
        return Denied(Why.LEFT)
    if fact.is_guest and not _is_named(person, rules.book.guests, rules):
        return Denied(Why.GUEST)
    return ALLOWED


def _in_channel(channel: str, rules: Rules, facts: Facts) -> Verdict:
    """A channel that other organisations are in is out unless named."""
    if channel in rules.book.shared_channels:
        return ALLOWED
    what = Lookup(About.CHANNEL, channel)
    fact = facts.known.get(what)
    if fact is None:
        return _undecided([what], facts) or ALLOWED
    return Denied(Why.SHARED_CHANNEL) if fact.is_shared else ALLOWED
