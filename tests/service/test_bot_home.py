"""The Home tab: drawn for whoever opens it, of what they may see, and as often as Slack lets the bot."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.access import Unsure
from bot.facts import Lookup
from bot.render import EXECUTE, REFRESH
from bot.render.blocks import Block, section
from bot.slack.homes import Homes
from tests.service.bot_stage import Clock, HandDriven, Stage, bot_stage, listen
from tests.service.past_runs import Past
from tests.workspace import View
from workers.contract import Person

NOTHING = "There is nothing here for you to see."
RULES = """
[group.databases]
hosts = ["db-*"]
four_eyes = "always"
[[group.databases.allow]]
channels = ["C01DBA00000"]
execute = ["U01ANA00000", "U01BO000000"]
[group.rest]
hosts = ["web-*"]
[[group.rest.allow]]
channels = ["C01OPS00000"]
execute = ["U01ANA00000"]
"""


def opened(bot: HandDriven, user: str = "ana") -> str:
    """What somebody reads on their tab after they opened it."""
    bot.parts.homes.want(bot.person(user))
    bot.parts.homes.step()
    view = bot.stage.slack.home(user)
    return view.plain if view else ""


def headers(text: str) -> list[str]:
    lines = text.splitlines()
    return [line for line, rule in pairwise(lines) if rule and set(rule) == {"="}]


def asked(bot: HandDriven, host: str = "web-1", *, user: str = "bo", channel: str = "ops") -> None:
    """A plan that waits for a decision."""
    call = bot.call(f"preview {host}", user=user, trigger=f"t-{host}")
    bot.parts.reception.command(replace(call, channel=bot.stage.slack.channel_id(channel)))
    bot.parts.doorkeeper.step()
    bot.carry_on()
    bot.stage.host(host).answer_with_plan()
    bot.hear()
    bot.carry_on(6)


# In Slack, with the bot that runs there


def test_who_opens_the_tab_sees_what_waits_and_refreshes_it(stage: Stage) -> None:
    def home(words: str) -> View:
        def found() -> View | None:
            view = stage.slack.home("ana")
            return view if view and words in view.plain else None

        view = stage.slack.wait_for(found, 20, what=f"a tab that says {words!r}")
        assert view is not None
        return view

    with stage.bot():
        delivery = stage.slack.open_home("ana")
        empty = home("Nothing waits for a decision.")
        for host in stage.hosts.values():
            host.beat()
        stage.slack.command("bo", "ops", "/prune preview web-1")
        made = stage.host().answer_with_plan()
        root = stage.ready_root()
        stage.slack.click("ana", home("As of"), REFRESH)
        waiting = home("1 plan waits for your decision")
        stage.slack.click("ana", root, EXECUTE)
        stage.host().execute(made)
        stage.root("Pruned")
        stage.slack.click("ana", waiting, "Refresh")
        after = home("200 MB freed")

    assert delivery.outcome == "acked"
    assert headers(empty.plain) == ["Approvals", "2 hosts, 2 not answering", "Recent runs", "Totals"]
    assert "Asked for by @bo in #ops" in waiting.plain
    link = f"/archives/{stage.channel}/p{root.ts.replace('.', '')})"
    assert f"Open the thread ({stage.slack.url}{link}" in waiting.plain
    assert "web-1 done, the service ran on · 200 MB freed" in after.plain
    assert f"Open the thread ({stage.slack.url}{link}" in after.plain
    assert "Last 30 days  1 run, 200 MB freed\nEver  1 run, 200 MB freed" in after.plain
    assert (after.controls[0].label, stage.slack.violations) == ("Refresh", ())


# By hand


def test_nothing_goes_over_the_network_before_the_acknowledgement(stage: Stage, bot: HandDriven) -> None:
    calls = len(stage.slack.calls())
    bot.parts.homes.want(bot.person("ana"))
    assert (len(stage.slack.calls()), stage.slack.home("ana")) == (calls, None)
    bot.parts.homes.step()
    methods = [call.method for call in stage.slack.calls()[calls:]]
    assert methods == ["conversations.info", "users.info", "views.publish"]


def test_what_waits_for_others_says_so_and_is_gone_once_it_is_decided(stage: Stage, bot: HandDriven) -> None:
    asked(bot)
    assert headers(opened(bot, "dee"))[0] == "1 plan waits for a decision"
    assert "Somebody else has to approve" in opened(bot, "dee")
    assert headers(opened(bot, "ana"))[0] == "1 plan waits for your decision"
    bot.click(EXECUTE, user="ana")
    bot.carry_on(2)
    assert headers(opened(bot, "ana"))[0] == "Approvals"
    bot.wait(3700)
    asked(bot, "web-2")
    bot.wait(3700)
    assert "Nothing waits for a decision." in opened(bot, "ana")


def test_hosts_tell_of_disk_last_run_and_last_contact(stage: Stage, bot: HandDriven) -> None:
    asked(bot)
    made = bot.parts.reception.typed.dossiers.open()[0].request.parts[0].plan
    assert made is not None
    bot.click(EXECUTE)
    bot.carry_on(2)
    stage.host().execute(made)
    stage.host().beat()
    bot.hear()
    told = opened(bot)
    assert "web-1 answers · last heard of " in told
    assert "Disk not measured · last run " in told
    assert "web-2" in told


@pytest.fixture
def parted(tmp_path: Path) -> Iterator[HandDriven]:
    """Two groups of hosts: one in a channel for all, one in a private channel."""
    hosts = ("web-1", "db-1")
    with bot_stage(tmp_path, *hosts, channels=("ops", "dba"), private=("dba",)) as stage:
        stage.rules = RULES
        made = HandDriven(stage, Clock())
        listen(stage, made)
        yield made
        made.close()


def test_s12_a_private_channel_is_seen_by_its_members_alone(parted: HandDriven) -> None:
    asked(parted, "db-1", user="ana", channel="dba")
    parted.stage.slack.leave("dba", "dee")
    inside, outside = opened(parted, "bo"), opened(parted, "dee")
    assert headers(inside)[:2] == ["1 plan waits for your decision", "2 hosts, all answering"]
    assert headers(outside)[:2] == ["Approvals", "1 host, all answering"]
    assert "db-1" not in outside
    # Whoever asked cannot approve there.
    assert "Somebody else has to approve, 0 of 2 approvals" not in opened(parted, "ana")
    assert "Somebody else has to approve" in opened(parted, "ana")


def test_s12_whoever_leaves_it_sees_it_no_longer_once_five_minutes_are_over(parted: HandDriven) -> None:
    asked(parted, "db-1", user="ana", channel="dba")
    assert "db-1" in opened(parted, "bo")
    parted.stage.slack.leave("dba", "bo")
    parted.wait(301)
    for host in parted.stage.hosts.values():
        host.beat()
    parted.hear()
    assert "db-1" not in opened(parted, "bo")


CLOSED = """
[group.closed]
hosts = ["web-2"]
[[group.closed.allow]]
channels = ["C01OPS00000"]
preview = ["U01BO000000"]
execute = ["U01ANA00000"]
[group.rest]
hosts = ["*"]
[[group.rest.allow]]
channels = ["C01OPS00000"]
execute = ["U01ANA00000"]
"""


def test_s12_what_one_may_not_look_at_in_a_channel_is_not_on_the_tab_either(stage: Stage) -> None:
    stage.rules = CLOSED
    bot = HandDriven(stage, Clock())
    listen(stage, bot)
    asked(bot, "web-2", user="bo")
    assert headers(opened(bot, "bo"))[:2] == ["1 plan waits for a decision", "2 hosts, all answering"]
    dee = opened(bot, "dee")
    assert headers(dee)[:2] == ["Approvals", "1 host, all answering"]
    assert "web-2" not in dee
    bot.close()


def test_s4_a_private_channel_that_slack_does_not_tell_of_shows_nothing(parted: HandDriven) -> None:
    asked(parted, "db-1", user="ana", channel="dba")
    parted.stage.slack.revoke_scope("groups:read")
    parted.wait(301)
    told = opened(parted, "bo")
    assert "db-1" not in told
    assert "web-1" in told
    assert "What belongs to 1 channel is left out. Slack did not tell of it: conversations.info" in told


def test_s12_a_guest_and_somebody_of_another_workspace_read_why_and_what_to_do(bot: HandDriven) -> None:
    asked(bot)
    guest = opened(bot, "cy")
    assert guest.startswith(NOTHING)
    assert "not for guests of this workspace. Ask a member, or have yourself named under guests" in guest
    away = Person(team="T0AWAY", user=bot.stage.slack.user_id("dee"))
    bot.parts.homes.want(away)
    bot.parts.homes.step()
    view = bot.stage.slack.home("dee")
    assert view is not None
    assert "Safe Prune is for members of its own workspace." in view.plain
    assert "web-1" not in guest + view.plain


def test_s4_where_slack_says_nothing_the_tab_says_that(bot: HandDriven, stage: Stage) -> None:
    stage.slack.fail_next("users.info", status=500, times=9)
    told = opened(bot)
    assert told.startswith(NOTHING)
    assert "Slack did not say whether you may" in told


def test_a_limit_is_obeyed_and_the_tab_comes_after_it(stage: Stage, bot: HandDriven) -> None:
    stage.slack.fail_next("views.publish", status=429, retry_after=20)
    opened(bot)
    for _ in range(3):
        opened(bot)
        opened(bot, "bo")
    calls = len(stage.slack.calls("views.publish"))
    bot.wait(21)
    bot.parts.homes.step()
    bot.parts.homes.step()
    assert (calls, len(stage.slack.calls("views.publish"))) == (1, 3)
    assert stage.slack.home("ana")
    assert stage.slack.home("bo")


def test_a_slack_that_stays_broken_is_not_asked_for_ever(
    stage: Stage, bot: HandDriven, caplog: pytest.LogCaptureFixture
) -> None:
    opened(bot, "bo")
    stage.slack.fail_next("views.publish", status=500, times=20)
    bot.parts.homes.want(bot.person("ana"))
    for _ in range(40):
        bot.parts.homes.step()
        bot.wait(5)
    asked_for = len(stage.slack.calls("views.publish"))
    bot.parts.homes.step()
    assert 3 < asked_for == len(stage.slack.calls("views.publish")) < 12
    user = bot.person("ana").user
    assert [r.message for r in caplog.records if "it is left as it was" in r.message] == [
        f"home of {user}: views.publish: status 500; it is left as it was"
    ]


def test_totals_are_of_a_month_and_of_ever(stage: Stage) -> None:
    past = Past(stage)
    for days in (1, 29, 31, 400):
        past.ran(days=days)
    bot = HandDriven(stage, Clock())
    assert "Last 30 days  2 runs, 400 MB freed\nEver  4 runs, 800 MB freed" in opened(bot)
    bot.close()


class Again:
    """A tab that is opened again while it is drawn."""

    def __init__(self) -> None:
        self.homes: Homes | None = None

    def of(self, person: Person, failed: Mapping[Lookup, str]) -> Block | Unsure:
        if self.homes:
            homes, self.homes = self.homes, None
            homes.want(person)
        return {"type": "home", "blocks": [section("x")]}


def test_a_tab_that_is_opened_again_while_it_is_drawn_is_drawn_again(stage: Stage, bot: HandDriven) -> None:
    again, parts = Again(), bot.parts.homes
    woken: list[bool] = []
    homes = Homes(
        *(parts._client, again, parts._directory),  # type: ignore[arg-type]
        clock=lambda: bot.clock() + len(woken) * timedelta(seconds=1),
        wake=lambda: woken.append(True),
    )
    homes.want(bot.person("ana"))
    again.homes = homes
    for _ in range(3):
        homes.step()
    assert (len(woken), len(stage.slack.calls("views.publish"))) == (2, 2)


class TooMuch:
    """A tab that Slack does not take."""

    def of(self, person: Person, failed: Mapping[Lookup, str]) -> Block | Unsure:
        return {"type": "home", "blocks": [section("x")] * 101}


def test_a_tab_that_slack_does_not_take_is_shown_in_words(
    stage: Stage, bot: HandDriven, caplog: pytest.LogCaptureFixture
) -> None:
    parts = bot.parts.homes
    homes = Homes(parts._client, TooMuch(), parts._directory, clock=bot.clock, wake=lambda: None)  # type: ignore[arg-type]
    homes.want(bot.person("ana"))
    homes.step()
    view = stage.slack.home("ana")
    assert view is not None
    assert "Slack did not take this tab: views.publish: invalid_arguments." in view.plain
    assert "/prune status, /prune hosts and /prune history tell the same." in view.plain
    [said] = [r.message for r in caplog.records if r.levelno == logging.ERROR]
    assert said.startswith(f"home of {bot.person('ana').user} is shown in words")


def test_another_tab_is_not_the_home_tab(stage: Stage) -> None:
    with stage.bot():
        channel = stage.slack.direct("ana")
        event = {"type": "app_home_opened", "user": stage.slack.user_id("ana"), "channel": channel}
        stage.slack.event({**event, "tab": "messages"})
        stage.slack.event({"type": "app_home_opened", "tab": "home"})
        stage.slack.open_home("bo")
        stage.slack.wait_for(lambda: stage.slack.home("bo"), 20, what="the tab of the other")
    assert stage.slack.home("ana") is None
    assert {one.outcome for one in stage.slack.deliveries} == {"acked"}
