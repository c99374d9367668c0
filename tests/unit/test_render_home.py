"""The Home tab: what waits for its reader first, and within Slack's limits whatever there is."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.access import Denied, Why
from bot.consent import Consent
from bot.past import Totals, run_of
from bot.render import Block, Message, home, shut_home, undrawn_home, unsaid_home
from bot.render.history import freed
from bot.render.home import Approval, HostCard, Overview
from bot.render.hosts import HostRow
from bot.requests import Line, Phase
from tests.unit.golden import assert_golden_views
from tests.unit.render_strategies import FILESYSTEMS, NAMES, PEOPLE, SIZES, reasons, requests, runs
from tests.unit.render_values import (
    AFTER,
    ANA,
    BEFORE,
    BO,
    NOW,
    REFUSED_RUN,
    REQUESTS,
    STOPPED_RUN,
    ago,
    run,
)
from tests.unit.soundness import CODE, ENTITY, TOKENS, assert_unstyled, texts
from tests.unit.test_render_properties import arbitrary
from tests.workspace.validate import validate_view
from workers.contract import DiskUsage
from workers.reasons import Code, reason

LINK = "https://example.slack.com/archives/C0OPS/p1"
LINKS = re.compile(re.escape(f"<{LINK}|") + "Open the thread>")
UP, DOWN = Line(up=True, since=ago(hours=1)), Line(up=False, since=ago(minutes=4), error="refused")
READY, SEVERAL = REQUESTS["ready-one"], REQUESTS["ready-several"]
ONE = Consent(needed=1, given=(), who=("U0ANA", "U0BO"), takes_two=False, requester=ANA)
TWO = replace(ONE, needed=2, given=(BO,), who=("U0BO", "U0CARL"), takes_two=True)
WEB = HostCard(HostRow("web-1", ago(seconds=9)), AFTER, run_of(run()))
CARDS = (
    WEB,
    HostCard(HostRow("db-1", ago(hours=5)), BEFORE.model_copy(update={"filesystems": ()})),
    HostCard(HostRow("db-2")),
    HostCard(HostRow("web-2", NOW, busy="execute", busy_since=ago(minutes=2)), BEFORE, run_of(STOPPED_RUN)),
    HostCard(
        HostRow("web-3", NOW),
        AFTER.model_copy(
            update={"filesystems": (AFTER.filesystems[0].model_copy(update={"free": 9_900_000_000}),)}
        ),
    ),
    HostCard(
        HostRow("web-4", NOW, problems=(reason(Code.FROZEN, by="T0HOME/U0BO", at=ago(hours=1).isoformat()),))
    ),
)
FULL = Overview(
    approvals=(
        Approval(SEVERAL, TWO, LINK, is_theirs=False, has_agreed=True),
        Approval(READY, ONE, LINK, is_theirs=True),
        Approval(READY, replace(TWO, given=(), who=()), "", is_theirs=False),
        Approval(READY, replace(TWO, given=()), "", is_theirs=False),
    ),
    hosts=CARDS,
    runs=(
        run_of(run()),
        replace(run_of(STOPPED_RUN), finished_at=ago(days=1)),
        replace(run_of(run()), removed=0, freed=None, ran=0, finished_at=ago(days=2), back=3, wanted=3),
        replace(
            run_of(REFUSED_RUN), request_id="r-9", finished_at=ago(days=3), host="db-1", approvers=(ANA,)
        ),
    ),
    links={"r-1": LINK},
    month=Totals(12, 80_000_000_000, 1, restores=1),
    ever=Totals(2_031, 4_000_000_000_000),
    line=UP,
)
EMPTY = Overview((), (), (), {}, Totals(), Totals(), DOWN, ("conversations.info: channel_not_found",))
HOMES = {
    "home": (home(FULL, NOW), home(EMPTY, NOW), home(replace(FULL, approvals=FULL.approvals[1:2]), NOW)),
    "home-shut": (
        *(shut_home(Denied(why, who=("U0ANA", "S0DBAS")), NOW) for why in (Why.GUEST, Why.NOT_NAMED)),
        shut_home(Denied(Why.NOT_A_MEMBER), NOW),
        shut_home(Denied(Why.NO_RULES), NOW),
        unsaid_home(NOW),
        undrawn_home("views.publish: invalid_arguments", NOW),
    ),
}


def as_message(view: Block) -> Message:
    return Message("", tuple(view["blocks"]))


@pytest.mark.parametrize("name", HOMES)
def test_tabs_read_as_recorded_and_slack_takes_them(name: str) -> None:
    assert_golden_views(name, *HOMES[name])
    assert [validate_view(view) for view in HOMES[name]] == [()] * len(HOMES[name])


def headers(view: Block) -> list[str]:
    return [block["text"]["text"] for block in view["blocks"] if block["type"] == "header"]


def sections(view: Block) -> list[str]:
    return [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]


def test_what_waits_comes_first_and_what_the_reader_may_decide_before_that() -> None:
    assert headers(HOMES["home"][0]) == [
        "4 plans wait for a decision, 1 for yours",
        "6 hosts, 2 not answering",
        "Recent runs",
        "Totals",
    ]
    _, first, second, *_ = sections(HOMES["home"][0])
    assert "*You may approve*" in first
    assert "You have approved, 1 of 2 approvals so far" in second


def test_the_most_troubled_hosts_come_first() -> None:
    hosts = [text.split("*")[1] for text in sections(HOMES["home"][0]) if text.startswith(("*web-", "*db-"))]
    assert hosts[:6] == ["db-1", "db-2", "web-4", "web-3", "web-1", "web-2"]


def test_a_disk_that_is_full_is_marked_and_one_never_measured_is_not_called_empty() -> None:
    told = "\n".join(sections(HOMES["home"][0]))
    assert "Disk *91 % full*, 9.90 GB free" in told
    assert "Disk 67 % full, 33.7 GB free" in told
    assert told.count("Disk not measured") == 3


def test_a_redis_that_is_away_is_said_before_anything_else() -> None:
    assert sections(HOMES["home"][1])[1].startswith("*The queue (Redis) does not answer since ")


def test_five_hundred_hosts_are_as_many_as_slack_takes_and_the_rest_is_counted() -> None:
    view = home(replace(EMPTY, hosts=[HostCard(HostRow(f"h{n}", NOW)) for n in range(500)]), NOW)
    assert validate_view(view) == ()
    assert "+460 more hosts; `/prune hosts` lists them." in str(view)


def test_a_run_after_which_more_lay_on_the_disk_is_not_said_to_have_freed_less_than_nothing() -> None:
    grown = replace(run_of(run()), freed=-1)
    assert [freed(grown), freed(replace(grown, freed=None)), freed(replace(grown, removed=0))] == [
        "unknown",
        "unknown",
        "0 B",
    ]


USAGES = st.builds(
    DiskUsage,
    taken_at=st.just(ago(hours=2)),
    **dict.fromkeys(("containers", "images", "build_cache", "volumes"), SIZES),
    filesystems=st.lists(FILESYSTEMS, max_size=3).map(tuple),
)
CONSENTS = st.builds(
    Consent,
    needed=st.sampled_from([1, 2, 10]),
    given=st.lists(PEOPLE, max_size=9).map(tuple),
    who=st.lists(NAMES, max_size=5).map(tuple),
    takes_two=st.booleans(),
    requester=PEOPLE,
)
APPROVALS = st.builds(
    Approval,
    requests().map(lambda one: replace(one, phase=Phase.READY)).filter(lambda one: one.offered),
    CONSENTS,
    st.sampled_from(["", LINK]),
    st.booleans(),
    st.booleans(),
)
ROWS = st.builds(
    HostRow,
    st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True),
    st.sampled_from([None, NOW, ago(days=2)]),
    st.sampled_from(["", "plan", "execute"]),
    st.sampled_from([None, ago(seconds=9)]),
    problems=st.lists(reasons(), max_size=5).map(tuple),
)
CARD = st.builds(HostCard, ROWS, st.none() | USAGES, st.none() | runs())
TIMES = st.sampled_from([0, 1, 40, 500])


@st.composite
def overviews(draw: st.DrawFn) -> Overview:
    """A few different ones of each, up to many in all."""
    shown = draw(st.lists(runs(), max_size=10))
    return Overview(
        approvals=draw(st.lists(APPROVALS, max_size=2)) * draw(TIMES),
        hosts=draw(st.lists(CARD, max_size=3)) * draw(TIMES),
        runs=shown,
        links={one.request_id: LINK for one in shown} if draw(st.booleans()) else {},
        month=Totals(draw(SIZES), draw(SIZES), draw(SIZES)),
        ever=Totals(draw(SIZES), draw(SIZES), draw(SIZES)),
        line=draw(st.sampled_from([UP, DOWN])),
        untold=draw(st.lists(NAMES, max_size=3)),
    )


def assert_sound(view: Block) -> None:
    assert validate_view(view) == ()
    for text in texts(view):
        outside = TOKENS.sub("", LINKS.sub("", CODE.sub("", text)))
        inside = "".join(CODE.findall(text))
        assert not set(ENTITY.sub("", outside + inside)) & set("<>&"), text
        assert "`" not in outside, text


@settings(arbitrary, max_examples=20)
@given(overviews())
def test_whatever_there_is_to_see_makes_a_sound_tab_that_counts_what_it_leaves_out(seen: Overview) -> None:
    view = home(seen, NOW)
    assert_sound(view)
    assert_unstyled(as_message(view))
    lines = [text for text in texts(view) if text.startswith("+")]
    left = [int(text[1:].split()[0].replace(",", "")) for text in lines]
    drawn = sum("\nAsked for by " in text for text in texts(view)) + sum(
        "\nDisk " in text for text in texts(view)
    )
    assert drawn + sum(left) == len(seen.approvals) + len(seen.hosts)


@given(st.sampled_from(Why), st.lists(NAMES, max_size=12), NAMES)
def test_any_reason_to_show_nothing_makes_a_sound_tab(why: Why, who: list[str], error: str) -> None:
    assert_sound(shut_home(Denied(why, who=tuple(who), error=error), NOW))
    assert_sound(undrawn_home(error, NOW))


@given(st.integers(0, 40), st.integers(1, 40))
def test_no_approval_of_theirs_is_left_out_for_one_that_is_not(theirs: int, others: int) -> None:
    mine, foreign = (Approval(READY, ONE, LINK, is_theirs=is_theirs) for is_theirs in (True, False))
    view = home(replace(EMPTY, approvals=[foreign] * others + [mine] * theirs), NOW)
    shown = ["*You may approve*" in text for text in sections(view) if "\nAsked for by " in text]
    assert shown == sorted(shown, reverse=True)
    assert sum(shown) == min(theirs, 15)
