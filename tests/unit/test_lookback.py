"""What is asked of the past is understood as people type it, or answered with how to."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import Help, UsageReply, parse
from bot.lookback import History, people_meant, stretch
from tests.unit.bot_values import NOON
from workers.contract import HOST_TEAM, Person

ANA, BO, AWAY, ROOT = (
    Person(team="T1", user="UANA"),
    Person(team="T1", user="UBO"),
    Person(team="T2", user="UANA"),
    Person(team=HOST_TEAM, user="root"),
)
KNOWN = (ANA, BO, AWAY, ROOT)
NAMES = {"UANA": ("ana", "Ana Ortega"), "UBO": ("bo", "UANA")}
WEEK = timedelta(days=7)
SCRAPS = st.lists(
    st.sampled_from(
        ["by", "--by", "since", "until", "@ana", "7d", "2026-11-01", "2026-02-30", "web-*", "<@U1|x>", ","]
    )
    | st.text(max_size=12)
).map(lambda words: " ".join(["history web-1", *words]))


def said(text: str) -> str:
    command = parse(f"history {text}")
    assert isinstance(command, UsageReply), command
    return command.text


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", History()),
        ("web-1", History(("web-1",))),
        ("Web-* db-1,db-1", History(("web-*", "db-1"))),
        ("by @Ana", History(by="@Ana")),
        ("BY me", History(by="me")),
        ("by @Ana Ortega since 7d", History(by="@Ana Ortega", since=WEEK)),
        ("by <@U0ANA|ana> web", History(by="U0ANA web")),
        ("by <@U0ANA>", History(by="U0ANA")),
        ("by T0AWAY/U0ANA", History(by="T0AWAY/U0ANA")),
        ("by cli:root", History(by="cli:root")),
        ("web-1 since 12h", History(("web-1",), since=timedelta(hours=12))),
        ("since 2026-11-01 until 2026-11-30", History(since=date(2026, 11, 1), until=date(2026, 11, 30))),
        ("until 7d by bo", History(by="bo", until=WEEK)),
        ("web-1, by @ana, since 7d", History(("web-1",), "@ana", WEEK)),
        ("--by @ana --since 7D --until=2026-11-01", History((), "@ana", WEEK, date(2026, 11, 1))),
        ("—since 7d", History(since=WEEK)),
        ("since “7d”", History(since=WEEK)),
        ("since 2026\u201111\u201101", History(since=date(2026, 11, 1))),
        ("<http://web-1|web-1>", History(("web-1",))),
    ],
)
def test_what_is_typed_is_understood(text: str, asked: History) -> None:
    assert parse(f"history {text}") == parse(f"HISTORY  {text}") == asked


@pytest.mark.parametrize("text", ["--help", "web-1 ?", "by -h"])
def test_help_is_given_where_it_is_asked_for(text: str) -> None:
    assert parse(f"history {text}") == Help()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("by", "by needs a person: /prune history by @ana, "),
        ("web-1 by since 7d", "by needs a person"),
        ("since", 'since needs a time such as 12h or 7d, or a day such as 2026-11-01; "" is none.'),
        (
            "since yesterday",
            'since needs a time such as 12h or 7d, or a day such as 2026-11-01; "yesterday" is',
        ),
        ("until 7d web-1", '"7d web-1" is none. Hosts stand first.'),
        ("since 2026-02-30", '"2026-02-30" is none'),
        ("since 9999999d", '"9999999d" is none'),
        ("since 0d", '"0d" is none'),
        ("by @ana by @bo", "by can be said once."),
        ("since 7d --since 8d", "since can be said once."),
        ("--all", 'There is no option "--all". There are: --by, --since, --until.'),
        ("by @ana --for 7d", 'There is no option "--for".'),
        (" ".join(f"web-{n:03}" for n in range(100)), "That is too long a list of hosts to turn pages over."),
    ],
)
def test_what_is_not_understood_is_answered_with_how_to(text: str, answer: str) -> None:
    assert answer in said(text)


@given(SCRAPS)
def test_any_text_yields_a_question_or_a_short_answer(text: str) -> None:
    command = parse(text)
    assert isinstance(command, History | UsageReply | Help)
    if isinstance(command, UsageReply):
        assert 0 < len(command.text) < 300
    elif isinstance(command, History):
        found = stretch(command, NOON, 3600)
        assert isinstance(found, UsageReply) or not all(found) or found[0] < found[1]  # type: ignore[operator]


def test_a_day_is_one_of_whoever_asks_and_lasts_to_its_end() -> None:
    november = History(since=date(2026, 11, 1), until=date(2026, 11, 30))
    assert stretch(november, NOON, 0) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert stretch(november, NOON, 9 * 3600) == (
        datetime(2026, 10, 31, 15, tzinfo=UTC),
        datetime(2026, 11, 30, 15, tzinfo=UTC),
    )
    assert stretch(History(since=date(2026, 11, 1), until=date(2026, 11, 1)), NOON, 0) != (None, None)


def test_a_time_ago_is_counted_from_now() -> None:
    assert stretch(History(since=WEEK), NOON, 3600) == (NOON - WEEK, None)
    assert stretch(History(until=WEEK), NOON, 3600) == (None, NOON - WEEK)


@pytest.mark.parametrize(
    "asked",
    [
        History(since=timedelta(days=1), until=WEEK),
        History(since=WEEK, until=WEEK),
        History(since=date(2026, 11, 2), until=date(2026, 11, 1)),
    ],
)
def test_a_stretch_that_ends_before_it_begins_is_said_to(asked: History) -> None:
    found = stretch(asked, NOON, 0)
    assert isinstance(found, UsageReply)
    assert found.text.startswith("since is not before until")


@pytest.mark.parametrize(
    ("by", "people"),
    [
        ("me", (BO,)),
        ("Me", (BO,)),
        ("@ana", (ANA, AWAY)),
        ("ana ortega", (ANA, AWAY)),
        ("UANA", (ANA, AWAY)),
        ("@UANA", (BO,)),
        ("T2/UANA", (AWAY,)),
        ("T3/UANA", ()),
        ("UCY", ()),
        ("@zed", ()),
        ("@", ()),
        ("cli:root", (ROOT,)),
        ("root", ()),
    ],
)
def test_people_are_meant_by_id_by_name_or_as_oneself(by: str, people: tuple[Person, ...]) -> None:
    assert people_meant(by, BO, KNOWN, NAMES) == people
