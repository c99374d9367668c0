"""How many agree, of how many: what is drawn is what is done (S12, S13)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access import ALLOWED, Denied, Rules, Unsure, Why
from bot.consent import Asking, consent, may_approve, takes_two
from bot.facts import About, Facts, Lookup
from bot.render.buttons import agreement
from bot.requests import Ballot
from bot.rulebook import Rulebook
from tests.unit.bot_values import NOON
from tests.unit.test_access import ANA, ANY_FACTS, ANY_RULES, BO, CHANNELS, CY, FACTS, HOSTS, PEOPLE
from workers.contract import Person

WEB = Asking("COPS", ANA, ("web-1",), expected=5_000_000_000, set_digest="now")
ABOUT_ANA = Lookup(About.PERSON, "UANA")


def rules(*, hosts: str = "*", execute: tuple[str, ...] = ("UANA", "UBO", "UCY"), **keys: object) -> Rules:
    allow = [{"channels": ["COPS"], "execute": execute}]
    return Rules(
        "THOME", Rulebook.model_validate({"group": {"web": {"hosts": [hosts], "allow": allow, **keys}}})
    )


def ballots(*people: Person, set_digest: str = "now") -> tuple[Ballot, ...]:
    return tuple(Ballot(person, set_digest, NOON) for person in people)


@pytest.mark.parametrize(
    ("four_eyes", "expected", "unusual", "two"),
    [
        ("never", 10**12, False, False),
        ("never", 0, True, True),
        ("always", 0, False, True),
        ("10GB", 10_000_000_000, False, False),
        ("10GB", 10_000_000_001, False, True),
    ],
)
def test_two_people_are_needed_by_rule_by_size_or_as_it_is_unusual(
    four_eyes: str, expected: int, unusual: bool, two: bool
) -> None:
    asked = replace(WEB, expected=expected, unusual=unusual)
    the_rules = rules(four_eyes=four_eyes)
    found = may_approve(ANA, asked, rules=the_rules, facts=FACTS)

    assert takes_two(asked, the_rules) is two
    assert found == (Denied(Why.NOT_ALONE, who=("UBO", "UCY")) if two else ALLOWED)
    assert may_approve(BO, asked, rules=the_rules, facts=FACTS) == ALLOWED


def test_s12_who_may_not_approve_is_told_so_even_where_they_asked() -> None:
    the_rules = rules(four_eyes="always", execute=("UBO",))
    assert may_approve(ANA, WEB, rules=the_rules, facts=FACTS) == Denied(Why.NOT_NAMED, who=("UBO",))


def test_each_approver_counts_once_and_who_asked_does_not() -> None:
    the_rules = rules(approvals=2)
    one = consent(WEB, ballots(BO, BO, ANA), rules=the_rules, facts=FACTS)
    two = consent(WEB, ballots(BO, CY), rules=the_rules, facts=FACTS)

    assert (one.given, one.needed, one.is_given, one.void) == ((BO,), 2, False, (ANA,))
    assert (two.given, two.is_given) == ((BO, CY), True)


def test_s12_who_may_only_look_is_not_the_first_of_two_people() -> None:
    """A bystander's preview and one press would be an execution that a single entitled person wanted."""
    the_rules = rules(four_eyes="always", execute=("UBO", "UCY"))
    one = consent(WEB, ballots(BO), rules=the_rules, facts=FACTS)
    two = consent(WEB, ballots(BO, CY), rules=the_rules, facts=FACTS)
    entitled = consent(replace(WEB, requester=CY), ballots(BO), rules=the_rules, facts=FACTS)

    assert (one.needed, one.is_given, one.is_asker_entitled) == (2, False, False)
    assert (two.given, two.is_given) == ((BO, CY), True)
    assert (entitled.needed, entitled.is_given, entitled.is_asker_entitled) == (1, True, True)


def test_s4_while_it_is_not_known_whether_who_asked_may_execute_it_takes_two() -> None:
    facts = Facts({what: fact for what, fact in FACTS.known.items() if what.id != "UANA"})
    found = consent(WEB, ballots(BO), rules=rules(four_eyes="always"), facts=facts)
    failed = consent(
        WEB,
        ballots(BO),
        rules=rules(four_eyes="always"),
        facts=replace(facts, failed={ABOUT_ANA: "ratelimited"}),
    )

    assert (found.needed, found.is_given, found.needs) == (2, False, {ABOUT_ANA})
    assert (failed.needed, failed.is_given, failed.needs) == (2, False, set())


def test_s3_a_changed_set_voids_earlier_ballots() -> None:
    found = consent(WEB, ballots(BO, CY, set_digest="before"), rules=rules(approvals=2), facts=FACTS)
    assert (found.given, found.void) == ((), (BO, CY))


def test_who_agreed_to_both_sets_is_not_void() -> None:
    cast = (*ballots(BO, set_digest="before"), *ballots(BO))
    found = consent(WEB, cast, rules=rules(approvals=2), facts=FACTS)
    assert (found.given, found.void) == ((BO,), ())


def test_the_strictest_group_of_a_request_decides() -> None:
    book = {
        "db": {
            "hosts": ["db-*"],
            "approvals": 3,
            "allow": [{"channels": ["COPS"], "execute": ["UBO", "UCY"]}],
        },
        "web": {"hosts": ["*"], "allow": [{"channels": ["COPS"], "execute": ["UANA", "UBO"]}]},
    }
    both = replace(WEB, hosts=("web-1", "db-1"))
    the_rules = Rules("THOME", Rulebook.model_validate({"group": book}))
    found = consent(both, ballots(BO, CY), rules=the_rules, facts=FACTS)

    assert (found.needed, found.given, found.who, found.takes_two) == (3, (BO,), ("UBO",), True)


def test_s4_a_ballot_whose_voter_is_not_known_is_not_counted_and_is_to_be_looked_up() -> None:
    found = consent(WEB, ballots(BO), rules=rules(), facts=Facts())
    assert (found.given, len(found.needs)) == ((), 2)


def test_where_nobody_may_there_is_nothing_to_press() -> None:
    alone = rules(execute=("UANA",), four_eyes="always")
    for the_rules in (Rules("THOME"), rules(hosts="db-*"), rules(execute=()), alone):
        assert not consent(WEB, (), rules=the_rules, facts=FACTS).is_possible


# What is drawn and what is done

SETS = st.sampled_from(["now", "before"])
CAST = st.lists(st.builds(Ballot, PEOPLE, SETS, st.just(NOON)), max_size=5)
RESTRICTIONS = st.fixed_dictionaries(
    {"four_eyes": st.sampled_from([None, -1, 10**9]), "approvals": st.integers(1, 3)}
)


def restricted(the_rules: Rules, keys: dict[str, int | None]) -> Rules:
    groups = {name: group.model_copy(update=keys) for name, group in the_rules.book.group.items()}
    return replace(the_rules, book=the_rules.book.model_copy(update={"group": groups}))


ASKINGS = st.builds(
    Asking,
    CHANNELS,
    PEOPLE,
    HOSTS.map(tuple),
    expected=st.sampled_from([0, 10**10]),
    unusual=st.booleans(),
    set_digest=st.just("now"),
)


@given(ASKINGS, CAST, PEOPLE, ANY_RULES, RESTRICTIONS, ANY_FACTS)
def test_drawn_is_done(
    asked: Asking,
    cast: list[Ballot],
    person: Person,
    the_rules: Rules,
    keys: dict[str, int | None],
    facts: Facts,
) -> None:
    """One more press by somebody changes the count that is drawn exactly if the press is taken."""
    the_rules = restricted(the_rules, keys)
    before = consent(asked, cast, rules=the_rules, facts=facts)
    verdict = may_approve(person, asked, rules=the_rules, facts=facts)
    pressed = [*cast, Ballot(person, "now", NOON + timedelta(seconds=1))]
    after = consent(asked, pressed, rules=the_rules, facts=facts)

    assert set(after.given) - set(before.given) <= {person}
    assert (person in after.given) is (verdict == ALLOWED)
    assert verdict != ALLOWED or before.is_possible
    assert not isinstance(verdict, Unsure) or verdict.needs <= after.needs
    if before.takes_two:
        assert asked.requester not in after.given


@given(ASKINGS, CAST, ANY_RULES, RESTRICTIONS, ANY_FACTS)
def test_s12_nothing_is_agreed_without_enough_named_people(
    asked: Asking, cast: list[Ballot], the_rules: Rules, keys: dict[str, int | None], facts: Facts
) -> None:
    found = consent(asked, cast, rules=restricted(the_rules, keys), facts=facts)
    if found.is_given:
        assert len(set(found.given)) == len(found.given) >= found.needed >= 1
        assert all(any(b.person == p and b.set_digest == "now" for b in cast) for p in found.given)


def drawn(the_rules: Rules, *people: Person, asked: Asking = WEB) -> str:
    found = consent(asked, ballots(*people), rules=the_rules, facts=FACTS)
    return " ".join(block["text"]["text"] for block in agreement(found))


def test_what_is_up_to_one_approver_needs_no_words() -> None:
    assert drawn(rules()) == ""


def test_it_is_drawn_how_many_agree_and_who_may() -> None:
    assert drawn(rules(four_eyes="always")) == (
        "*Takes two people.* May confirm: <@UBO> and <@UCY>, but not <@UANA>, who asked."
    )
    assert drawn(rules(four_eyes="always", execute=("UBO", "UCY"))) == (
        "*Approvals:* 0 of 2. May approve: <@UBO> and <@UCY>, but not <@UANA>, who asked and may not execute."
    )
    assert drawn(rules(approvals=2), BO) == (
        "*Approvals:* 1 of 2: <@UBO>. May approve: <@UBO> and <@UCY>, but not <@UANA>, who asked."
    )
    assert drawn(rules(approvals=2, execute=("SDBAS",))).startswith(
        "*Approvals:* 0 of 2. May approve: <!subteam^SDBAS>"
    )
    assert drawn(rules(execute=())).startswith("Nobody may execute this here")
