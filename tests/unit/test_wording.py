import inspect
import re
from datetime import UTC, datetime
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import reasons
from workers.contract import Bytes, Kind
from workers.phrases import CLAUSES, NEXT_STEPS
from workers.reasons import Code, Reason, reason
from workers.wording import (
    Voice,
    amount,
    bytes_range,
    fragment,
    label,
    listing,
    objects,
    sentence,
    short,
    size,
    span,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PARAMS = st.dictionaries(
    st.sampled_from(
        sorted({name for clause in CLAUSES.values() for _, name, *_ in Formatter().parse(clause) if name})
    ),
    st.text(max_size=40) | st.integers(min_value=0, max_value=10**21),
)


def documented() -> dict[Code, set[str]]:
    """The parameters that the comment behind each code names."""
    lines = re.findall(r'^    ([A-Z_]+) = "\w+"  #(.*)$', inspect.getsource(reasons), re.MULTILINE)
    return {Code[name]: set(re.findall(r"\w+", comment.split(":")[0])) for name, comment in lines}


def placed(clause: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(clause) if name}


def test_every_code_has_a_clause_and_no_clause_is_left_over() -> None:
    assert set(Code) == set(CLAUSES)
    assert set(NEXT_STEPS) <= set(Code)


@pytest.mark.parametrize("code", Code)
def test_a_clause_uses_exactly_the_values_its_code_documents(code: Code) -> None:
    assert placed(CLAUSES[code]) == documented()[code]


@pytest.mark.parametrize("code", Code)
def test_a_clause_fits_after_because(code: Code) -> None:
    clause = CLAUSES[code]
    assert not clause.endswith(".")
    assert re.match(r"\{(size|count|share|limit|freed):|[a-z]|Docker", clause), (
        "begins with a word of its own"
    )


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_short_label(code: Code) -> None:
    assert 0 < len(label(code)) <= 28
    assert "_" not in label(code)


@given(st.sampled_from(Code), PARAMS)
def test_any_reason_becomes_a_sentence(code: Code, params: dict[str, str | int]) -> None:
    text = sentence(Reason(code=code, params=params), Voice(now=NOW))
    assert text.endswith(".")
    assert "{" not in text or any("{" in str(value) for value in params.values())


def test_values_stand_in_the_sentence() -> None:
    told = reason(Code.PREVIOUS_VERSION, repository="shop/app", position=1, keep=1)
    assert fragment(told) == "it is the way back for shop/app (version 1 of 1)"


def test_a_sentence_ends_with_the_next_step() -> None:
    told = reason(Code.CRITICAL_MATCHES_NOTHING, entry="db-*")
    assert sentence(told) == (
        "The critical entry db-* matches no container. "
        "Nothing is removed here before you start it, or correct critical_containers in the policy."
    )


def test_a_reader_who_knows_the_time_reads_how_long() -> None:
    told = reason(Code.UNUSED, since="2026-10-24T09:00:00+00:00")
    assert fragment(told, Voice(now=NOW)) == "no container is known to have used it for 31 days"
    assert fragment(told) == "no container is known to have used it since 2026-10-24 09:00 UTC"


def test_a_time_to_come_is_never_written_as_a_length() -> None:
    told = reason(Code.UNUSED, since="2027-01-01T00:00:00+00:00")
    assert (
        fragment(told, Voice(now=NOW)) == "no container is known to have used it since 2027-01-01 00:00 UTC"
    )


@pytest.mark.parametrize("code", Code)
def test_a_time_follows_without_at_for_slack_writes_it_as_today_or_yesterday(code: Code) -> None:
    assert not re.search(r"\b(at|on) \{\w+:when\}", CLAUSES[code])


def test_names_and_times_are_written_as_the_reader_wants_them() -> None:
    voice = Voice(when=lambda moment: f"<{moment}>", quote=lambda name: f"`{name}`")
    told = reason(Code.YOUNG, since="a", until="b", evidence="pull event")
    assert fragment(told, voice) == "it is new here since <a> (pull event) and stays at least until <b>"
    assert fragment(reason(Code.IN_USE, container="web", state="running"), voice) == (
        "container `web` uses it (running)"
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.USED_LATELY, "it was last used a and stays at least until b"),
        (Code.STOPPED_LATELY, "it stopped a and stays at least until b"),
    ],
)
def test_what_was_used_or_stopped_lately_is_not_called_new(code: Code, told: str) -> None:
    assert fragment(reason(code, since="a", until="b")) == told
    assert "new" not in label(code)


@given(st.text())
def test_what_could_be_mark_up_is_quoted_even_where_a_plain_word_is_expected(state: str) -> None:
    text = fragment(reason(Code.NOT_STOPPED, state=state), Voice(quote=lambda _: "QUOTED"))
    told = text.removeprefix("it is ")
    assert told == "QUOTED" or not set(told) & set("<>&`*_~|@")


def test_a_missing_value_is_called_unknown_or_left_out_where_it_only_adds() -> None:
    assert (
        fragment(reason(Code.UNTAGGED))
        == "it is untagged and no container is known to have used it for an unknown time"
    )
    assert fragment(reason(Code.IN_USE)) == "container unknown uses it"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.00 kB"),
        (6_000_000, "6.00 MB"),
        (50_000_000_000, "50.0 GB"),
        (1_234, "1.23 kB"),
        (412_000_000, "412 MB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (9_995_000, "10.0 MB"),
        (38_234_000_000, "38.2 GB"),
        (-1_230_000, "-1.23 MB"),
    ],
)
def test_sizes_have_three_significant_digits(count: int, words: str) -> None:
    assert size(count) == words


@given(st.integers(min_value=0, max_value=10**24))
def test_a_size_is_short_and_never_off_by_more_than_half_a_percent(count: int) -> None:
    number, unit = size(count).split()
    value = float(number) * 1000 ** ("B", "kB", "MB", "GB", "TB", "PB", "EB").index(unit)
    assert abs(value - count) <= 0.005 * count
    assert len(number) <= 4 or unit == "EB"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (38_200_000_000, 38_200_000_000, "38.2 GB"),
        (36_000_000_000, 38_200_000_000, "36.0 to 38.2 GB"),
        (900_000_000, 1_234_000_000, "900 MB to 1.23 GB"),
        (0, 5, "0 to 5 B"),
    ],
)
def test_an_interval_names_its_unit_once_where_it_can(low: int, high: int, words: str) -> None:
    assert bytes_range(Bytes(low=low, high=high)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (45, "45 s"), (180, "3 min"), (7_200, "2 h"), (86_400 * 31, "31 days")],
)
def test_spans_have_one_unit(seconds: int, words: str) -> None:
    assert span(seconds) == words


def test_counts_are_written_with_their_noun() -> None:
    assert [amount(n, "image") for n in (0, 1, 1234)] == ["no images", "1 image", "1,234 images"]
    assert objects(Kind.CONTAINER, 12) == "12 stopped containers"


def test_lists_are_written_as_people_write_them() -> None:
    assert [listing(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_digests_are_named_by_twelve_digits() -> None:
    assert short("sha256:" + "3f" * 32) == "3f3f3f3f3f3f"


@pytest.mark.parametrize(
    ("kept", "told"), [(0, "no earlier versions"), (1, "1 earlier version"), (2, "2 earlier versions")]
)
def test_s9_what_stays_of_a_repository_is_told_also_where_no_earlier_version_does(
    kept: int, told: str
) -> None:
    why = reason(Code.SUPERSEDED, repository="docker.io/library/postgres", kept=kept)

    assert fragment(why) == f"the version of docker.io/library/postgres in use stays, with {told}"
