"""How many people have agreed to exactly these plans, of how many, and who may still (pure, S12, S13).

What the root message shows, what a press of the button does, and whether an order is sealed is all read
from one `Consent`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.access import ALLOWED, Allowed, Denied, Right, Rules, Unsure, Verdict, Why, may, may_execute, named
from bot.facts import Facts, Lookup
from bot.requests import Ballot, Request
from bot.rulebook import HostGroup
from workers.contract import Person, Plan, RestorePlan


@dataclass(frozen=True)
class Asking:
    """What is to be agreed to: plans of some hosts, named by the digest of their set."""

    channel: str
    requester: Person
    hosts: tuple[str, ...]
    expected: int = 0
    unusual: bool = False
    set_digest: str = ""


@dataclass(frozen=True)
class Consent:
    """How the agreement stands.

    `who`: ids of the people and user groups who may approve; empty where nobody may. `takes_two`: whoever
    asked cannot approve; where they may execute they are the first of two, and where they may only look
    (`is_asker_entitled`) two others have to approve. `needs`: what is to be looked up before all is known.
    """

    needed: int
    given: tuple[Person, ...]
    who: tuple[str, ...]
    takes_two: bool
    requester: Person
    is_asker_entitled: bool = True
    void: tuple[Person, ...] = ()
    needs: frozenset[Lookup] = frozenset()

    @property
    def is_given(self) -> bool:
        """Whether enough people have agreed."""
        return len(self.given) >= self.needed

    @property
    def is_possible(self) -> bool:
        """Whether there is anybody who may approve: otherwise there is nothing to press."""
        return bool(self.who)


def consent(asking: Asking, ballots: Iterable[Ballot], *, rules: Rules, facts: Facts) -> Consent:
    """Count the ballots on this set of plans; each person once, and only who may."""
    ballots = tuple(ballots)
    cast = dict.fromkeys(b.person for b in ballots if b.set_digest == asking.set_digest)
    verdicts = {person: may_approve(person, asking, rules=rules, facts=facts) for person in cast}
    given = tuple(person for person, verdict in verdicts.items() if isinstance(verdict, Allowed))
    asker = _asker(asking, rules, facts)
    open_ = [verdict for verdict in (asker, *verdicts.values()) if isinstance(verdict, Unsure)]
    return Consent(
        needed=_needed(asking, rules, is_asker_entitled=asker == ALLOWED),
        given=given,
        who=approvers(asking, rules),
        takes_two=takes_two(asking, rules),
        requester=asking.requester,
        is_asker_entitled=asker == ALLOWED,
        void=tuple(dict.fromkeys(b.person for b in ballots if b.person not in given)),
        needs=frozenset().union(*(verdict.needs for verdict in open_)),
    )


def may_approve(person: Person, asking: Asking, *, rules: Rules, facts: Facts) -> Verdict:
    """Whether this person's agreement counts: where two are needed, not that of who asked."""
    verdict = may(Right.APPROVE, person, asking.channel, asking.hosts, rules=rules, facts=facts)
    if isinstance(verdict, Denied) or person != asking.requester or not takes_two(asking, rules):
        return verdict
    return Denied(Why.NOT_ALONE, who=approvers(asking, rules))


def takes_two(asking: Asking, rules: Rules) -> bool:
    """Whether somebody besides the one who asked has to agree: by rule, by size, or as it is unusual."""
    return asking.unusual or any(_is_big(group, asking) for group in _groups(asking, rules))


def _is_big(group: HostGroup, asking: Asking) -> bool:
    """The whole request counts, so that parting hosts among groups makes nothing small."""
    over = group.four_eyes is not None and asking.expected > group.four_eyes
    return over or group.approvals > 1


def approvers(asking: Asking, rules: Rules) -> tuple[str, ...]:
    """Who may approve on every one of the hosts, by id; where no one entry does, who may on some."""
    groups = _groups(asking, rules)
    entries = [named(Right.APPROVE, group.within(asking.channel)) or frozenset() for group in groups]
    if not entries or not all(entries):
        return ()
    together = frozenset.intersection(*entries) or frozenset.union(*entries)
    return tuple(sorted(together - (_names(asking.requester) if takes_two(asking, rules) else set())))


def _names(person: Person) -> set[str]:
    return {person.user, f"{person.team}/{person.user}"}


def _asker(asking: Asking, rules: Rules, facts: Facts) -> Verdict:
    """Whether who asked counts as one of two people: not who may only look."""
    if not takes_two(asking, rules):
        return ALLOWED
    return may_execute(asking.requester, asking.channel, asking.hosts, rules=rules, facts=facts)


def _needed(asking: Asking, rules: Rules, *, is_asker_entitled: bool) -> int:
    approvals = max((group.approvals for group in _groups(asking, rules)), default=1)
    return approvals if is_asker_entitled else max(approvals, 2)


def _groups(asking: Asking, rules: Rules) -> Sequence[HostGroup]:
    """The groups of all hosts; none where a host has none, since then nobody may."""
    found = [rules.book.group_of(host) for host in asking.hosts]
    return [] if None in found else [group for group in found if group is not None]


def asking(request: Request) -> Asking:
    """What a press of the button agrees to, or what was agreed to.

    A restore takes as many people as the removal of what comes back would.
    """
    settled = request.settlement
    agreed = settled.plans if settled and settled.plans else request.plans
    plans = [part.drawn for part in request.parts if part.host in agreed and part.drawn is not None]
    return Asking(
        channel=request.asked.channel,
        requester=request.asked.requester,
        hosts=tuple(agreed) or request.asked.hosts,
        expected=sum(map(_bytes, plans)),
        unusual=any(plan.unusual for plan in plans),
        set_digest=settled.set_digest if settled and settled.plans else request.set_digest,
    )


def _bytes(plan: Plan | RestorePlan) -> int:
    return plan.needs.high if isinstance(plan, RestorePlan) else plan.expected().high
