import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access import ALLOWED, Denied, Rules, Why, may_confirm, may_execute, may_preview
from workers.contract import Person

ANA = Person(team="THOME", user="UANA")
BO = Person(team="THOME", user="UBO")
GUEST = Person(team="TAWAY", user="UANA")
RULES = Rules.of(team="THOME", channels=["COPS"], approvers=["UANA"])

PEOPLE = st.builds(
    Person, team=st.sampled_from(["", "THOME", "TAWAY"]), user=st.sampled_from(["", "UANA", "UBO"])
)
CHANNELS = st.sampled_from(["", "COPS", "CRANDOM"])
ENTRIES = st.frozensets(st.sampled_from(["UANA", "UBO", "THOME/UANA", "TAWAY/UANA"]))
ANY_RULES = st.builds(
    Rules,
    team=st.sampled_from(["", "THOME"]),
    channels=st.frozensets(st.sampled_from(["COPS", "CRANDOM"])),
    approvers=ENTRIES,
)


def test_an_approver_may_execute_in_a_named_channel() -> None:
    assert may_execute(ANA, "COPS", RULES) == ALLOWED


@pytest.mark.parametrize(
    ("person", "takes_two", "may"), [(BO, True, True), (ANA, False, True), (ANA, True, False)]
)
def test_s12_what_takes_two_people_is_not_confirmed_by_who_asked(
    person: Person, takes_two: bool, may: bool
) -> None:
    rules = Rules.of(team="THOME", channels=["COPS"], approvers=["UANA", "UBO"])
    found = may_confirm(person, "COPS", rules, requester=ANA, takes_two=takes_two)

    assert found == (ALLOWED if may else Denied(Why.NOT_ALONE, approvers=("UANA", "UBO")))


def test_s12_whoever_may_not_execute_may_not_confirm_either() -> None:
    assert may_confirm(BO, "COPS", RULES, requester=ANA, takes_two=True) == may_execute(BO, "COPS", RULES)


def test_anyone_at_home_may_preview_in_a_named_channel() -> None:
    assert may_preview(BO, "COPS", RULES) == ALLOWED


def test_s12_who_is_not_an_approver_learns_who_is() -> None:
    assert may_execute(BO, "COPS", RULES) == Denied(Why.NOT_APPROVER, approvers=("UANA",))


def test_s12_no_approvers_means_nobody() -> None:
    assert may_execute(ANA, "COPS", Rules("THOME", frozenset({"COPS"}))) == Denied(Why.NO_APPROVERS)


def test_s12_no_channels_means_nobody() -> None:
    closed = Rules("THOME", approvers=frozenset({"UANA"}))
    assert may_execute(ANA, "COPS", closed) == Denied(Why.NO_CHANNELS)
    assert may_preview(ANA, "COPS", closed) == Denied(Why.NO_CHANNELS)


def test_s12_another_channel_is_sent_to_the_named_ones() -> None:
    assert may_execute(ANA, "CRANDOM", RULES) == Denied(Why.OTHER_CHANNEL, channels=("COPS",))


def test_s12_the_same_user_id_in_another_team_is_another_person() -> None:
    assert may_execute(GUEST, "COPS", RULES) == Denied(Why.OTHER_TEAM)
    assert may_preview(GUEST, "COPS", RULES) == Denied(Why.OTHER_TEAM)


def test_s12_somebody_of_another_team_may_when_named_with_it() -> None:
    named = Rules.of(team="THOME", channels=["COPS"], approvers=["TAWAY/UANA"])
    assert may_execute(GUEST, "COPS", named) == ALLOWED
    assert may_execute(ANA, "COPS", named) == Denied(Why.NOT_APPROVER, approvers=("TAWAY/UANA",))


def test_s12_an_unknown_home_names_nobody_by_a_bare_id() -> None:
    nowhere = Rules("", frozenset({"COPS"}), frozenset({"UANA"}))
    assert may_execute(Person(team="", user="UANA"), "COPS", nowhere) == Denied(Why.OTHER_TEAM)


@given(PEOPLE, CHANNELS, ANY_RULES)
def test_s12_whoever_may_execute_is_named_in_a_named_channel(
    person: Person, channel: str, rules: Rules
) -> None:
    if may_execute(person, channel, rules) == ALLOWED:
        assert channel in rules.channels
        assert {person.user, f"{person.team}/{person.user}"} & rules.approvers
        assert may_preview(person, channel, rules) == ALLOWED


@pytest.mark.parametrize(
    ("channels", "approvers"),
    [(["#ops"], []), (["ops"], []), ([], ["@ana"]), ([], ["ana"]), ([], ["T1/"]), ([], ["UANA UBO"])],
)
def test_settings_that_name_nobody_are_an_error_that_shows_them(
    channels: list[str], approvers: list[str]
) -> None:
    with pytest.raises(ValueError, match="is not a"):
        Rules.of(team="THOME", channels=channels, approvers=approvers)
