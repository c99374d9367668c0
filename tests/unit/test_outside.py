"""From outside any channel one sees what one could see in those that one gets into, nothing more (S12)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access import Denied, Rules, Unsure, Why
from bot.facts import About, Fact, Facts, Lookup
from bot.outside import Reach, reach, visible_in
from bot.rulebook import Rulebook
from tests.unit.bot_values import NOON
from workers.contract import Person

ANA, BO, CY, AWAY = (
    *(Person(team="THOME", user=user) for user in ("UANA", "UBO", "UCY")),
    Person(team="TAWAY", user="UFAR"),
)
GUEST, MEMBER = Fact(NOON, team="THOME", is_guest=True), Fact(NOON, team="THOME")
OPEN, PRIVATE = Fact(NOON, is_private=False), Fact(NOON, is_private=True)
WEB, DBA = "CWEB", "CDBA"
INSIDE = Lookup(About.MEMBERS, DBA)
GROUPS = {
    "dba": {"hosts": ["db-*"], "allow": [{"channels": [DBA], "execute": ["UANA", "TAWAY/UFAR"]}]},
    "web": {"hosts": ["web-*"], "allow": [{"channels": [WEB], "execute": ["UANA"]}]},
}
RULES = Rules("THOME", Rulebook.model_validate({"group": GROUPS, "guests": ["UCY"]}))
HOSTS = ("db-1", "mail-1", "web-1")
KNOWN = {
    **{Lookup(About.PERSON, one.user): MEMBER for one in (ANA, BO)},
    Lookup(About.PERSON, "UCY"): GUEST,
    Lookup(About.CHANNEL, WEB): OPEN,
    Lookup(About.CHANNEL, DBA): PRIVATE,
    Lookup(About.MEMBERS, WEB): Fact(NOON, members=frozenset({"UCY"})),
    INSIDE: Fact(NOON, members=frozenset({"UANA", "UFAR"})),
}
FACTS = Facts(KNOWN)


def seen(person: Person, facts: Facts = FACTS, rules: Rules = RULES) -> object:
    within = reach(person, rules=rules, facts=facts)
    if not isinstance(within, Reach):
        return within
    found = visible_in(within.channels, person, HOSTS, rules=rules, facts=facts)
    assert isinstance(found, frozenset)
    return sorted(found)


def without(*what: Lookup, failed: str = "") -> Facts:
    known = {one: fact for one, fact in KNOWN.items() if one not in what}
    return Facts(known, dict.fromkeys(what, failed) if failed else {})


def only(channel: str, **more: object) -> Rules:
    group = {name: group for name, group in GROUPS.items() if group["allow"][0]["channels"] == [channel]}  # type: ignore[index]
    return replace(RULES, book=Rulebook.model_validate({"group": group, **more}))


def test_s12_a_private_channel_is_for_its_members() -> None:
    assert seen(ANA) == ["db-1", "web-1"]
    assert seen(BO) == ["web-1"]
    assert seen(BO, rules=only(DBA)) == Denied(Why.NOT_A_MEMBER)


def test_s12_so_is_a_channel_that_other_organisations_are_in() -> None:
    shared = Facts(KNOWN | {Lookup(About.CHANNEL, WEB): replace(OPEN, is_shared=True)})
    named = replace(RULES, book=RULES.book.model_copy(update={"shared_channels": (WEB,)}))
    assert seen(ANA, shared) == ["db-1"]
    assert seen(ANA, shared, named) == ["db-1"]
    assert seen(CY, shared, named) == ["web-1"]


def test_s12_a_guest_who_is_named_sees_the_channels_they_are_in() -> None:
    assert seen(CY) == ["web-1"]
    assert seen(CY, rules=only(WEB)) == Denied(Why.GUEST)
    invited = only(WEB, guests=["UCY"])
    without_cy = Facts(KNOWN | {Lookup(About.MEMBERS, WEB): Fact(NOON, members=frozenset({"UANA"}))})
    assert seen(CY, rules=invited) == ["web-1"]
    assert seen(CY, without_cy, invited) == Denied(Why.NOT_A_MEMBER)
    assert seen(BO, without_cy, invited) == ["web-1"]


def test_s12_somebody_of_another_workspace_sees_what_names_them() -> None:
    assert seen(AWAY) == ["db-1"]
    assert seen(Person(team="TAWAY", user="UANA")) == Denied(Why.OTHER_TEAM)
    open_ = Facts(KNOWN | {Lookup(About.CHANNEL, DBA): OPEN, INSIDE: Fact(NOON, members=frozenset({"UANA"}))})
    assert seen(AWAY, open_) == Denied(Why.NOT_A_MEMBER)
    posing = Facts(KNOWN | {Lookup(About.PERSON, "UANA"): replace(MEMBER, team="TAWAY")})
    assert seen(ANA, posing) == Denied(Why.OTHER_TEAM)


def test_s12_without_a_rule_nobody_sees_anything() -> None:
    assert seen(ANA, rules=Rules("THOME")) == Denied(Why.NO_RULES)


@pytest.mark.parametrize(
    "missing", [Lookup(About.PERSON, "UANA"), Lookup(About.CHANNEL, DBA), Lookup(About.CHANNEL, WEB), INSIDE]
)
def test_s4_what_is_not_known_is_looked_up_and_never_guessed(missing: Lookup) -> None:
    assert seen(ANA, without(missing)) == Unsure(frozenset({missing}))


def test_s4_a_channel_that_slack_does_not_tell_of_is_left_out_and_the_others_are_not() -> None:
    for lost in (INSIDE, Lookup(About.CHANNEL, DBA)):
        facts = without(lost, failed="channel_not_found")
        assert seen(ANA, facts) == ["web-1"]
        assert reach(ANA, rules=RULES, facts=facts) == Reach((WEB,), ("channel_not_found",))
    nothing = without(INSIDE, Lookup(About.CHANNEL, WEB), failed="channel_not_found")
    assert seen(ANA, nothing) == Denied(Why.NOT_KNOWN, error="channel_not_found")
    # Of two reasons the one that says more.
    unsaid = replace(RULES, book=RULES.book.model_copy(update={"guests": ()}))
    assert seen(CY, without(Lookup(About.CHANNEL, WEB), failed="no"), unsaid) == Denied(Why.GUEST)


@given(st.sets(st.sampled_from(sorted(KNOWN))), st.sets(st.sampled_from(sorted(KNOWN))))
def test_s12_whoever_asks_and_whatever_is_not_known_nobody_sees_more_than_with_all_of_it(
    lost: set[Lookup], failed: set[Lookup]
) -> None:
    known = {what: fact for what, fact in KNOWN.items() if what not in lost | failed}
    facts = Facts(known, dict.fromkeys(failed, "ratelimited"))
    for person in (ANA, BO, CY, AWAY):
        found, all_of_it = seen(person, facts), seen(person)
        assert isinstance(all_of_it, list)
        assert not isinstance(found, list) or set(found) <= set(all_of_it)
