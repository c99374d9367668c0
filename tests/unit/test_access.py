"""Who may do what: nobody who is not named, no guest, no shared channel, and nothing on a guess (S12)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access import (
    ALLOWED,
    Denied,
    Right,
    Rules,
    Unsure,
    Why,
    may,
    may_enter,
    may_execute,
    may_preview,
    visible,
)
from bot.facts import FRESH_FOR, About, Fact, Facts, Lookup
from bot.rulebook import Rulebook, simple
from tests.unit.bot_values import NOON
from workers.contract import Person

ANA, BO, CY = (Person(team="THOME", user=user) for user in ("UANA", "UBO", "UCY"))
AWAY = Person(team="TAWAY", user="UANA")
SIMPLE = Rules("THOME", simple(["COPS"], ["UANA"]))
ABOUT_CY, ABOUT_OPS = Lookup(About.PERSON, "UCY"), Lookup(About.CHANNEL, "COPS")
ABOUT_GROUP = Lookup(About.USER_GROUP, "SDBAS")
MEMBER, NOBODYS = Fact(NOON, team="THOME"), Fact(NOON)
KNOWN = {
    **{Lookup(About.PERSON, user): MEMBER for user in ("UANA", "UBO", "UCY")},
    **{Lookup(About.CHANNEL, channel): NOBODYS for channel in ("COPS", "CDBA")},
}
FACTS = Facts(KNOWN)


def rules(*, execute: list[str], guests: tuple[str, ...] = (), **allow: list[str]) -> Rules:
    allowed = {"channels": ["COPS"], "execute": execute, **allow}
    group = {"web": {"hosts": ["web-*"], "allow": [allowed]}}
    return Rules("THOME", Rulebook.model_validate({"group": group, "guests": guests}))


def knowing(**found: Fact) -> Facts:
    names = {"cy": ABOUT_CY, "ops": ABOUT_OPS, "dbas": ABOUT_GROUP}
    return Facts(KNOWN | {names[name]: fact for name, fact in found.items()})


def asks(right: Right, person: Person, the_rules: Rules, facts: Facts = FACTS, host: str = "web-1") -> object:
    return may(right, person, "COPS", [host], rules=the_rules, facts=facts)


def test_who_is_named_may_execute_in_a_named_channel() -> None:
    assert asks(Right.EXECUTE, ANA, SIMPLE) == ALLOWED
    assert asks(Right.APPROVE, ANA, SIMPLE) == ALLOWED


def test_anyone_at_home_may_preview_in_a_named_channel() -> None:
    assert asks(Right.PREVIEW, BO, SIMPLE) == ALLOWED


def test_whoever_is_named_with_their_workspace_to_do_something_may_look_as_members_may() -> None:
    named = rules(execute=["UBO"], approve=["TAWAY/UANA"])
    assert asks(Right.APPROVE, AWAY, named) == asks(Right.PREVIEW, AWAY, named) == ALLOWED
    stranger = Person(team="TAWAY", user="UBO")
    assert asks(Right.PREVIEW, stranger, named) == Denied(Why.OTHER_TEAM)


def test_s12_who_is_not_named_learns_who_is() -> None:
    assert asks(Right.EXECUTE, BO, SIMPLE) == Denied(Why.NOT_NAMED, who=("UANA",))


def test_s12_without_any_rule_nobody_may() -> None:
    assert asks(Right.PREVIEW, ANA, Rules("THOME")) == Denied(Why.NO_RULES)
    assert may_enter(ANA, "COPS", rules=Rules("THOME"), facts=FACTS) == Denied(Why.NO_RULES)
    assert asks(Right.EXECUTE, ANA, Rules("THOME", simple(["COPS"], []))) == Denied(Why.NOBODY)


def test_s12_no_host_at_all_is_not_a_yes() -> None:
    assert may_execute(ANA, "COPS", [], rules=SIMPLE, facts=FACTS) == Denied(Why.NO_GROUP)


def test_s12_another_channel_is_sent_to_the_named_ones() -> None:
    found = may_execute(ANA, "CRANDOM", ["web-1"], rules=SIMPLE, facts=FACTS)
    assert found == Denied(Why.OTHER_CHANNEL, channels=("COPS",))
    assert may_enter(ANA, "CRANDOM", rules=SIMPLE, facts=FACTS) == found


def test_s12_a_host_is_asked_about_in_its_own_channels() -> None:
    dba = {"hosts": ["db-*"], "allow": [{"channels": ["CDBA"], "execute": ["UANA"]}]}
    rest = {"hosts": ["*"], "allow": [{"channels": ["COPS"], "execute": ["UANA"]}]}
    parted = Rules("THOME", Rulebook.model_validate({"group": {"dba": dba, "rest": rest}}))

    assert asks(Right.EXECUTE, ANA, parted) == ALLOWED
    assert asks(Right.EXECUTE, ANA, parted, host="db-1") == Denied(
        Why.OTHER_CHANNEL, channels=("CDBA",), hosts=("db-1",)
    )


def test_s12_a_host_that_no_group_covers_is_nobodys() -> None:
    assert asks(Right.PREVIEW, ANA, rules(execute=["UANA"]), host="db-1") == Denied(
        Why.NO_GROUP, hosts=("db-1",)
    )


def test_s12_one_host_that_is_not_theirs_is_enough_for_a_no() -> None:
    both = may_execute(ANA, "COPS", ["web-1", "db-1"], rules=rules(execute=["UANA"]), facts=FACTS)
    assert both == Denied(Why.NO_GROUP, hosts=("db-1",))


def test_what_somebody_may_see_is_told_host_by_host() -> None:
    assert visible(BO, "COPS", ["web-1", "db-1"], rules=rules(execute=["UANA"]), facts=FACTS) == ("web-1",)


def test_a_rule_may_name_who_looks_and_who_executes_looks_too() -> None:
    closed = rules(execute=["UANA"], preview=["UBO"])
    found = [asks(Right.PREVIEW, person, closed) for person in (ANA, BO, CY)]
    assert found == [ALLOWED, ALLOWED, Denied(Why.NOT_NAMED, who=("UANA", "UBO"))]


def test_who_approves_may_be_others_than_who_execute() -> None:
    parted = rules(execute=["UANA"], approve=["UBO"])
    assert [asks(Right.EXECUTE, p, parted) for p in (ANA, BO)] == [
        ALLOWED,
        Denied(Why.NOT_NAMED, who=("UANA",)),
    ]
    assert [asks(Right.APPROVE, p, parted) for p in (ANA, BO)] == [
        Denied(Why.NOT_NAMED, who=("UBO",)),
        ALLOWED,
    ]


def test_s12_the_same_user_id_in_another_team_is_another_person() -> None:
    assert asks(Right.EXECUTE, AWAY, SIMPLE) == Denied(Why.OTHER_TEAM)
    assert asks(Right.PREVIEW, AWAY, SIMPLE) == Denied(Why.OTHER_TEAM)


def test_s12_somebody_of_another_team_may_when_named_with_it() -> None:
    named = rules(execute=["TAWAY/UANA"])
    assert asks(Right.EXECUTE, AWAY, named) == ALLOWED
    assert asks(Right.EXECUTE, ANA, named) == Denied(Why.NOT_NAMED, who=("TAWAY/UANA",))


def test_s12_an_unknown_home_names_nobody_by_a_bare_id() -> None:
    nowhere = replace(SIMPLE, team="")
    assert asks(Right.EXECUTE, Person(team="", user="UANA"), nowhere) == Denied(Why.OTHER_TEAM)


def test_s12_guests_are_out_unless_named_as_guests() -> None:
    guest, named = knowing(cy=replace(MEMBER, is_guest=True)), rules(execute=["UCY"])
    assert asks(Right.PREVIEW, CY, named, guest) == Denied(Why.GUEST)
    assert asks(Right.EXECUTE, CY, named, guest) == Denied(Why.GUEST)
    assert asks(Right.EXECUTE, CY, rules(execute=["UCY"], guests=("UCY",)), guest) == ALLOWED
    assert asks(Right.EXECUTE, CY, rules(execute=["UANA"], guests=("UCY",)), guest) == Denied(
        Why.NOT_NAMED, who=("UANA",)
    )


def test_s12_who_has_left_or_is_of_another_team_than_they_seem_is_out() -> None:
    named = rules(execute=["UCY"])
    assert asks(Right.EXECUTE, CY, named, knowing(cy=replace(MEMBER, is_active=False))) == Denied(Why.LEFT)
    assert asks(Right.EXECUTE, CY, named, knowing(cy=replace(MEMBER, team="TAWAY"))) == Denied(Why.OTHER_TEAM)


def test_s12_a_channel_shared_with_others_is_out_unless_named() -> None:
    shared = knowing(ops=replace(NOBODYS, is_shared=True))
    book = SIMPLE.book.model_copy(update={"shared_channels": ("COPS",)})
    assert asks(Right.PREVIEW, ANA, SIMPLE, shared) == Denied(Why.SHARED_CHANNEL)
    assert asks(Right.EXECUTE, ANA, Rules("THOME", book), shared) == ALLOWED


def test_s12_a_member_of_a_named_user_group_may() -> None:
    dbas = rules(execute=["SDBAS"])
    members = knowing(dbas=replace(NOBODYS, members=frozenset({"UANA"})))
    assert asks(Right.EXECUTE, ANA, dbas, members) == ALLOWED
    assert asks(Right.EXECUTE, BO, dbas, members) == Denied(Why.NOT_NAMED, who=("SDBAS",))
    assert asks(Right.EXECUTE, AWAY, dbas, members) == Denied(Why.OTHER_TEAM)


def test_s4_what_is_not_known_is_to_be_looked_up_and_is_not_a_yes() -> None:
    dbas = rules(execute=["SDBAS"])
    assert asks(Right.EXECUTE, ANA, dbas) == Unsure(frozenset({ABOUT_GROUP}))
    assert asks(Right.EXECUTE, CY, rules(execute=["UCY"]), Facts()) == Unsure(
        frozenset({ABOUT_CY, ABOUT_OPS})
    )


def test_s4_a_look_up_that_failed_is_a_no_with_its_reason() -> None:
    failed = Facts(KNOWN, {ABOUT_GROUP: "usergroups.users.list: fatal_error"})
    assert asks(Right.EXECUTE, ANA, rules(execute=["SDBAS"]), failed) == Denied(
        Why.NOT_KNOWN, error="usergroups.users.list: fatal_error"
    )


def test_where_there_are_no_user_groups_the_static_list_rules() -> None:
    none = knowing(dbas=replace(NOBODYS, error="usergroups.users.list: plan_upgrade_required"))
    either = rules(execute=["SDBAS", "UBO"])
    assert asks(Right.EXECUTE, BO, either, none) == ALLOWED
    assert asks(Right.EXECUTE, ANA, either, none) == Denied(
        Why.NOT_KNOWN, who=("SDBAS", "UBO"), error="usergroups.users.list: plan_upgrade_required"
    )


def test_who_is_named_one_by_one_does_not_wait_for_a_user_group() -> None:
    assert asks(Right.EXECUTE, BO, rules(execute=["SDBAS", "UBO"])) == ALLOWED


def test_who_is_certainly_not_named_does_not_wait_for_anything() -> None:
    assert asks(Right.EXECUTE, BO, SIMPLE, Facts()) == Denied(Why.NOT_NAMED, who=("UANA",))


@pytest.mark.parametrize(("age", "counts"), [(FRESH_FOR, True), (FRESH_FOR + timedelta(seconds=1), False)])
def test_s12_a_membership_older_than_five_minutes_does_not_count(age: timedelta, counts: bool) -> None:
    facts = knowing(dbas=replace(NOBODYS, members=frozenset({"UANA"}))).fresh(NOON + age)
    found = asks(Right.EXECUTE, ANA, rules(execute=["SDBAS"]), facts)
    assert (found == ALLOWED) is counts
    assert isinstance(found, Unsure) is not counts


# Whatever the rules are

IDS = st.sampled_from(["UANA", "UBO", "UCY", "THOME/UANA", "TAWAY/UANA", "SDBAS", "SWEB"])
CHANNELS = st.sampled_from(["COPS", "CDBA"])
ALLOWS = st.fixed_dictionaries(
    {
        "channels": st.lists(CHANNELS, min_size=1, max_size=2),
        "execute": st.lists(IDS, max_size=3),
        "approve": st.none() | st.lists(IDS, max_size=3),
        "preview": st.none() | st.lists(IDS, max_size=3),
    }
)
GROUPS = st.fixed_dictionaries(
    {
        "hosts": st.lists(st.sampled_from(["*", "web-*", "db-1"]), min_size=1, max_size=2),
        "allow": st.lists(ALLOWS, min_size=1, max_size=2),
    }
)
BOOKS = st.builds(
    lambda groups, guests, shared: Rulebook.model_validate(
        {"group": dict(zip("abc", groups, strict=False)), "guests": guests, "shared_channels": shared}
    ),
    st.lists(GROUPS, max_size=3),
    st.lists(st.sampled_from(["UCY", "TAWAY/UANA"]), max_size=2),
    st.lists(CHANNELS, max_size=2),
)
ANY_RULES = st.builds(Rules, st.sampled_from(["", "THOME"]), BOOKS)
PEOPLE = st.builds(
    Person, team=st.sampled_from(["", "THOME", "TAWAY"]), user=st.sampled_from(["", "UANA", "UBO", "UCY"])
)
ANY_FACTS = st.builds(
    Facts,
    st.dictionaries(
        st.sampled_from([*KNOWN, ABOUT_GROUP, Lookup(About.USER_GROUP, "SWEB")]),
        st.builds(
            Fact,
            st.just(NOON),
            team=st.sampled_from(["", "THOME", "TAWAY"]),
            is_guest=st.booleans(),
            is_active=st.booleans(),
            is_shared=st.booleans(),
            members=st.frozensets(st.sampled_from(["UANA", "UBO", "UCY"])),
            error=st.sampled_from(["", "", "plan_upgrade_required"]),
        ),
    ),
)
HOSTS = st.lists(st.sampled_from(["web-1", "web-2", "db-1"]), min_size=1, max_size=3, unique=True)


@given(st.sampled_from(Right), PEOPLE, CHANNELS, HOSTS, ANY_RULES, ANY_FACTS)
def test_s12_whoever_may_is_named_for_every_host_in_that_channel(
    right: Right, person: Person, channel: str, hosts: list[str], the_rules: Rules, facts: Facts
) -> None:
    if may(right, person, channel, hosts, rules=the_rules, facts=facts) != ALLOWED:
        return
    assert may_preview(person, channel, hosts, rules=the_rules, facts=facts) == ALLOWED
    assert may_enter(person, channel, rules=the_rules, facts=facts) == ALLOWED
    for host in hosts:
        group = the_rules.book.group_of(host)
        assert group is not None
        entries = {e for a in group.within(channel) for e in (*a.execute, *a.approvers)}
        member = {g for g, f in facts.known.items() if person.user in f.members}
        names = {person.user, f"{person.team}/{person.user}", *(group.id for group in member)}
        assert right is Right.PREVIEW or names & entries


@given(st.sampled_from(Right), PEOPLE, CHANNELS, HOSTS, ANY_RULES, ANY_FACTS)
def test_s12_who_is_named_nowhere_may_nothing_but_look(
    right: Right, person: Person, channel: str, hosts: list[str], the_rules: Rules, facts: Facts
) -> None:
    stranger = Person(team=person.team, user="USTRANGER")
    known = facts.known | {Lookup(About.PERSON, "USTRANGER"): MEMBER}
    found = may(right, stranger, channel, hosts, rules=the_rules, facts=Facts(known))
    assert right is Right.PREVIEW or found != ALLOWED


@given(st.sampled_from(Right), PEOPLE, CHANNELS, HOSTS, ANY_RULES, ANY_FACTS, st.data())
def test_knowing_more_never_takes_an_allowance_back_and_knowing_less_never_gives_one(
    right: Right,
    person: Person,
    channel: str,
    hosts: list[str],
    the_rules: Rules,
    facts: Facts,
    data: st.DataObject,
) -> None:
    fewer = Facts({what: fact for what, fact in facts.known.items() if data.draw(st.booleans())})
    with_less = may(right, person, channel, hosts, rules=the_rules, facts=fewer)
    if with_less == ALLOWED:
        assert may(right, person, channel, hosts, rules=the_rules, facts=facts) == ALLOWED
