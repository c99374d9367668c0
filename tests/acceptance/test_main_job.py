"""The main job on a believable host: preview, details, confirmation, report; what goes and what stays."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from tests.stage import hosts
from tests.stage.company import Company
from tests.stage.member import Member
from tests.workspace import Message
from workers.contract import HealthChange, Kind, Outcome, Status

# Long enough for the services' own checks, which come every two seconds, to have run after the last removal.
POLICY = 'settle = "5s"\nsteady_for = "0s"\n'
ONE_REMOVAL = re.compile(
    r"DELETE /containers/[0-9a-f]{64}\?v=False&link=False&force=False"
    r"|DELETE /images/\S+\?force=False&noprune=True"
    r"|DELETE /networks/[0-9a-f]{64}"
    r"|POST /build/prune\?\S*"
)
FULL_IDS = re.compile(r'"id": ?\["\^\(\?:([a-z0-9]{25})(\|[a-z0-9]{25})*\)\$"\]')


@dataclass(frozen=True)
class Played:
    """What was seen on the way."""

    company: Company
    question: Message
    details: tuple[Message, ...]
    calls_before_click: tuple[str, ...]
    end: Message

    @property
    def web(self) -> Member:
        return self.company.members["web-1"]


@pytest.fixture(scope="module")
def played(stage_place: Callable[[], Path]) -> Iterator[Played]:
    fill = partial(hosts.web_host, name="web-1", scale=0.1)
    with Company(stage_place(), {"web-1": fill}, policy=POLICY, gated=True) as company:
        question = company.ready("web-1")
        company.reply(question, "Plan of web-1")
        details, calls = company.replies(question), tuple(company.members["web-1"].gate.calls)
        company.confirm(question)
        yield Played(company, question, details, calls, company.ended(question))


def test_nothing_that_should_stay_is_lost_and_no_waste_is_left(played: Played) -> None:
    host = played.web.filled
    assert (host.lost(), host.left()) == ([], [])


def test_the_first_line_is_the_decision_and_then_the_outcome(played: Played) -> None:
    (report,) = played.web.reports()
    counts = "12 images, 6 build cache records, 5 stopped containers, 3 unused networks"
    megabytes = f"{(report.freed or 0) / 1e6:.1f} MB"
    assert played.question.first_line == f"Prune {megabytes} on web-1? {counts}"
    assert played.end.first_line == f"Pruned {megabytes} on web-1. All 4 services still run."


def test_every_object_is_told_of_in_the_thread_before_anything_is_pressed(played: Played) -> None:
    thread = "\n".join(message.plain for message in played.details)
    (file,) = played.company.slack.files("ops")[:1]
    host = played.web.filled
    named = {
        id_: [tag for tag, of in host.references.items() if of == id_] for id_ in host.references.values()
    }
    for name in ("shop/api:1.4.0", "shop-db", "edge", "shop/legacy:1.0", "never-started"):
        assert name in thread
    assert [tags for tags in named.values() if not any(tag in file.text for tag in tags)] == []


def test_s13_a_preview_only_reads(played: Played) -> None:
    assert [call for call in played.calls_before_click if not call.startswith("GET ")] == []


def test_s1_s2_only_single_unforced_removals_reach_the_engine(played: Played) -> None:
    asked = [call for call in played.web.gate.calls if not call.startswith("GET ")]
    (report,) = played.web.reports()
    assert [call for call in asked if not ONE_REMOVAL.fullmatch(call)] == []
    # The records of the build cache go together, each by its full id.
    (together,) = (unquote_plus(call) for call in asked if call.startswith("POST /build/prune"))
    records = [o.object.id for o in report.outcomes if o.object.kind is Kind.BUILD_CACHE]
    assert FULL_IDS.search(together)
    assert all(id_ in together for id_ in records)
    # One image has three names: it takes two calls more to remove.
    assert len(asked) == len(report.outcomes) - len(records) + 1 + 2


def test_freed_is_what_was_expected_to_the_byte(played: Played) -> None:
    (report,) = played.web.reports()
    assert report.expected.low == report.expected.high == report.freed


def test_each_object_and_each_service_is_accounted_for(played: Played) -> None:
    (report,) = played.web.reports()
    services = {line.name: (line.critical, line.change) for line in report.health}
    assert report.status is Status.DONE
    assert {outcome.outcome for outcome in report.outcomes} == {Outcome.REMOVED}
    assert {outcome.object.kind for outcome in report.outcomes} == set(Kind)
    assert services == dict.fromkeys(
        ("edge-proxy", "shop-api", "shop-db", "shop-web"), (True, HealthChange.SAME)
    )


def test_the_report_in_the_thread_shows_disk_outcomes_and_health(played: Played) -> None:
    report = played.company.reply(played.question, "Before").plain
    for words in (
        "Containers",
        "Images",
        "Build cache",
        "Volumes",
        "Used on",
        "Services: 4 as before, of 4 that ran before, 4 of them critical.",
        "Removed: 12 images, 6 build cache records, 5 stopped containers and 3 unused networks.",
        "Found: nothing unexpected after the run.",
        "Asked for by @ana · Confirmed by @bo",
    ):
        assert words in report


def test_it_is_one_message_and_its_buttons_are_gone(played: Played) -> None:
    assert [message.ts for message in played.company.roots() if message.metadata] == [played.question.ts]
    assert played.end.controls == ()


def test_s15_the_ledger_has_a_line_for_each_removal_with_what_is_needed_to_get_it_back(
    played: Played,
) -> None:
    (report,) = played.web.reports()
    with played.web.ledger() as ledger:
        ways = ledger.ways_back(report.order_id)
    images = [way for step, way, _ in ways if step.object.kind is Kind.IMAGE]
    assert [step.index for step, _, _ in ways] == [outcome.index for outcome in report.outcomes]
    assert all('"RepoTags"' in way and '"RepoDigests"' in way for way in images)


def test_the_history_says_when_who_where_and_what_came_of_it(played: Played) -> None:
    company = played.company
    told = company.answer("ana", lambda: company.command("history web-1 by @bo since 1d"))
    for words in (
        "1 run, ",
        "web-1",
        "@ana asked, @bo confirmed",
        "29.4 MB",
        f"/p{played.question.ts.replace('.', '')})",
    ):
        assert words in told


def test_hosts_and_help_are_for_the_asker_alone(played: Played) -> None:
    company, before = played.company, len(played.company.roots())
    assert "web-1" in company.answer("ana", lambda: company.command("hosts"))
    assert "/prune preview" in company.answer("ana", lambda: company.command("help"))
    company.command("")
    form = company.slack.wait_for(lambda: company.slack.view("ana"), what="the form of a bare command")
    assert "web-1" in str(form.blocks)
    company.slack.close_view("ana")
    assert len(company.roots()) == before


def test_slack_was_answered_in_time_and_asked_nothing_it_would_refuse(played: Played) -> None:
    slack = played.company.slack
    late = [one for one in slack.deliveries if one.outcome != "acked" or (one.ack_ms or 0) > 3000]
    assert (late, slack.violations) == ([], ())
