"""`/prune history` as people ask for it and turn its pages: for whoever may look, and for nobody else."""

from dataclasses import replace

import pytest

from bot.arrivals import Click
from bot.facts import About, Fact, Lookup
from bot.marks import mark
from bot.memory.audit import Audit, What
from bot.memory.lookups import Lookups
from bot.memory.store import Store
from bot.render import NEWER, OLDER
from tests.service.bot_stage import Clock, HandDriven, Stage, now
from tests.service.past_runs import Past, memory_of
from tests.workspace import Message

RULES = """
[group.databases]
hosts = ["db-*"]
[[group.databases.allow]]
channels = ["C01DBA00000"]
execute = ["U01ANA00000"]
[group.rest]
hosts = ["*"]
[[group.rest.allow]]
channels = ["C01OPS00000"]
execute = ["U01ANA00000", "U01BO000000"]
"""


@pytest.fixture
def past(stage: Stage) -> Past:
    return Past(stage)


def told(plain: str) -> list[str]:
    return [line for line in plain.splitlines() if " asked, " in line or " asked and confirmed" in line]


def rows(message: Message) -> list[str]:
    """The runs on a page, as they are read."""
    [table] = [block for block in message.blocks if block["type"] == "table"]
    lines = told(message.plain)
    assert len(lines) == len(table["rows"]) - 1
    return lines


def hosts(message: Message) -> list[str]:
    return [line.split()[0] for line in rows(message)]


# In Slack, with the bot that runs there


def test_pages_are_turned_in_place_and_only_who_asked_sees_them(stage: Stage, past: Past) -> None:
    ts = stage.slack.say("ana", "ops", "a thread").ts
    for day in range(25):
        past.ran(f"h{day:02}", days=day + 1, thread=ts if day == 0 else "")
    with stage.bot():
        asked = stage.slack.command("ana", "ops", "/prune history")
        first = stage.told("ana", "25 runs")
        stage.slack.click("ana", first, OLDER)
        second = stage.told("ana", "Runs 11 to 20")
        past.ran("new", days=0)
        stage.slack.click("ana", second, OLDER)
        last = stage.told("ana", "Runs 22 to 26 of 26")
        stage.slack.click("ana", last, "Newer")
        back = stage.told("ana", "Runs 12 to 21 of 26")
        stage.slack.click("ana", back, NEWER)
        top = stage.told("ana", "Runs 2 to 11 of 26")
        stage.slack.click("ana", top, NEWER)
        newest = stage.told("ana", "Runs 1 to 10 of 26")

    assert first.first_line == "25 runs, 5.00 GB freed"
    assert "Runs 1 to 10 of 25, newest first. A time leads to its thread." in first.plain
    assert f"/archives/{stage.channel}/p{ts.replace('.', '')})" in rows(first)[0]
    assert "archives" not in rows(first)[1]
    pages = [[f"h{n:02}" for n in range(*ends)] for ends in ((10,), (10, 20), (20, 25), (10, 20), (10,))]
    assert [hosts(page) for page in (first, second, last, back, top)] == pages
    assert hosts(newest) == ["new", *(f"h{n:02}" for n in range(9))]
    assert [[c.label for c in page.controls] for page in (first, second, last, newest)] == [
        ["Older"],
        ["Newer", "Older"],
        ["Newer"],
        ["Older"],
    ]
    assert asked.outcome == "acked"
    assert {page.ts for page in (first, second, last, back, top, newest)} == {first.ts}
    assert (stage.roots(), stage.slack.ephemerals("bo"), stage.slack.violations) == ((), (), ())


def test_s12_a_page_that_is_turned_is_judged_anew(stage: Stage, past: Past) -> None:
    for day in range(11):
        past.ran(days=day)
    with stage.bot():
        stage.slack.command("dee", "ops", "/prune history")
        page = stage.told("dee", "11 runs")
        stage.slack.make_guest("dee")
        with memory_of(stage) as database:
            Lookups(database).record(
                Lookup(About.PERSON, stage.slack.user_id("dee")), Fact(now(), is_guest=True)
            )
        stage.slack.click("dee", page, OLDER)
        refused = stage.told("dee", "not for guests")

    assert (refused.ts, refused.controls) == (page.ts, ())


def test_a_page_from_before_a_restart_says_how_to_get_a_new_one(stage: Stage, past: Past) -> None:
    for day in range(11):
        past.ran(days=day)
    with stage.bot():
        stage.slack.command("ana", "ops", "/prune history")
        page = stage.told("ana", "11 runs")
    with stage.bot():
        stage.slack.click("ana", page, OLDER)
        said = stage.told("ana", "from before the bot was started anew")
    assert "/prune history shows a new one." in said.plain


# By hand


def asked(bot: HandDriven, text: str = "", *, user: str = "ana", trigger: str = "t1") -> str:
    """The answer to the command, whole, once Slack was asked what is to be known for it."""
    said = bot.parts.reception.command(bot.call(f"history {text}", user=user, trigger=trigger))
    bot.parts.doorkeeper.step()
    owed = next((note.message for note in bot.posts.owed() if note.id == trigger), said)
    return Message("C", "1", "U", owed.text, owed.blocks, names=bot.stage.slack.state.directory.names()).plain


def found(answer: str) -> list[str]:
    return [line.split()[0] for line in told(answer)]


@pytest.fixture
def week(past: Past) -> None:
    past.ran("web-1", days=1, by="ana")
    past.ran("web-2", days=3, by="bo")
    past.ran("db-1", days=5, by="root")
    past.ran("web-1", days=40, by="bo")


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("text", "hosts", "says"),
    [
        ("", ["web-1", "web-2", "db-1", "web-1"], "4 runs, 800 MB freed"),
        ("web-*", ["web-1", "web-2", "web-1"], "On web-*"),
        ("db-1 web-2", ["web-2", "db-1"], "2 runs, 400 MB freed"),
        ("by @bo", ["web-2", "web-1"], "Asked for or confirmed by @bo"),
        ("by Bo Lindqvist", ["web-2", "web-1"], ""),
        ("by <@U01BO000000|bo> since 30d", ["web-2"], ""),
        ("by me", ["web-1"], ""),
        ("by cli:root", ["db-1"], "by root"),
        ("since 4d", ["web-1", "web-2"], "Since "),
        ("until 4d", ["db-1", "web-1"], "Before "),
        ("web-1 by bo until 2d", ["web-1"], "1 run, 200 MB freed"),
        ("since 1h", [], "No run matches"),
        ("by @zed", [], 'Nobody called "@zed" has asked for a run or confirmed one.'),
        ("web-9", [], 'No host is called "web-9". There are: web-1, '),
        ("since 1d until 2d", [], "since is not before until"),
    ],
)
def test_runs_are_found_by_what_is_typed(bot: HandDriven, text: str, hosts: list[str], says: str) -> None:
    answer = asked(bot, text)
    assert found(answer) == hosts
    assert says in answer


@pytest.mark.usefixtures("week")
def test_who_is_called_so_is_looked_up_after_the_acknowledgement_and_once(
    stage: Stage, bot: HandDriven
) -> None:
    asked(bot)  # Ana is known then.
    looked_up = len(stage.slack.calls("users.info"))
    said = bot.parts.reception.command(bot.call("history by @bo", trigger="t2"))
    assert (said.text, len(stage.slack.calls("users.info"))) == (
        "One moment: Slack is asked whether you may. The answer follows here.",
        looked_up,
    )
    bot.parts.doorkeeper.step()
    assert (
        found(asked(bot, "by @bo", trigger="t2"))
        == found(asked(bot, "by @bo", trigger="t3"))
        == ["web-2", "web-1"]
    )
    assert len(stage.slack.calls("users.info")) == looked_up + 1


@pytest.mark.usefixtures("week")
def test_a_name_that_slack_does_not_tell_is_not_waited_for(stage: Stage, bot: HandDriven) -> None:
    asked(bot)
    stage.slack.fail_next("users.info", status=500, times=9)
    bot.parts.reception.command(bot.call("history by @bo", trigger="t2"))
    bot.parts.doorkeeper.step()
    assert bot.told("t2") == ""
    bot.wait(61)
    bot.parts.doorkeeper.step()
    assert bot.told("t2").startswith('Slack did not say who is called "@bo" (users.info: status 500).')


@pytest.mark.usefixtures("week")
def test_a_day_is_one_of_the_reader(stage: Stage, bot: HandDriven) -> None:
    stage.slack.set_clock_of("ana", ahead=9 * 3600)
    page = asked(bot, "since 2026-01-01")
    assert "Since Dec 31, 2025 15:00 UTC" in page


def test_s12_a_history_shows_the_hosts_that_one_may_look_at_here(stage: Stage, past: Past) -> None:
    stage.rules = RULES
    past.ran("web-1", days=1)
    past.ran("db-1", days=2)
    past.ran("gone-1", days=3)
    bot = HandDriven(stage, Clock())
    assert found(asked(bot)) == ["web-1", "gone-1"]
    assert found(asked(bot, "*-1", trigger="t2")) == ["web-1", "gone-1"]
    assert "not used for db-1 in this channel" in asked(bot, "db-1", trigger="t3")
    turned = [
        act.detail["wanted"] for act in Audit(bot.parts.database).acts() if act.what == What.TURNED_AWAY
    ]
    assert turned == ["history"]
    bot.close()


def test_s12_another_channel_and_a_guest_are_turned_away(bot: HandDriven, past: Past) -> None:
    past.ran(days=1)
    elsewhere = replace(bot.call("history", trigger="t1"), channel="C0ELSE")
    assert "not used in this channel" in bot.parts.reception.command(elsewhere).text
    assert "not for guests" in asked(bot, user="cy", trigger="t2")


@pytest.mark.parametrize("value", ["", "x" * 200, "0" * 64 + "{}"])
def test_s12_a_button_that_this_bot_did_not_make_shows_nothing(
    bot: HandDriven, past: Past, value: str
) -> None:
    past.ran(days=1)
    asked(bot)
    for trigger in ("c1", "c1"):
        bot.parts.reception.leaf(
            Click(value, bot.person("ana"), bot.stage.channel, trigger, "", is_private=True)
        )
    assert "from before the bot was started anew" in bot.told("c1")
    turned = [act.detail["why"] for act in Audit(bot.parts.database).acts() if act.what == What.TURNED_AWAY]
    assert turned == ["not_kept"]


def older_of_eleven(bot: HandDriven, past: Past) -> str:
    """What the button carries that leads to the second page of ana's."""
    for day in range(11):
        past.ran(days=day)
    asked(bot)
    notes = bot.posts.owed()
    elements = [e for note in notes for b in note.message.blocks for e in b.get("elements", ())]
    [value] = [str(element["value"]) for element in elements if "value" in element]
    return value


def test_s14_where_slack_tells_nothing_the_log_tells_it_under_the_mark_that_is_read(
    bot: HandDriven, past: Past, caplog: pytest.LogCaptureFixture
) -> None:
    value = older_of_eleven(bot, past)
    bot.wait(6 * 60)
    bot.stage.slack.revoke_scope("users:read")
    bot.parts.reception.leaf(Click(value, bot.person("ana"), bot.stage.channel, "c1", "", is_private=True))
    bot.parts.doorkeeper.step()

    [said] = [note.message for note in bot.posts.owed() if note.id == "c1"]
    assert "Slack did not say whether you may" in said.text
    assert f"In the bot's log: `{mark('c1')}`" in str(said.blocks[-1])
    assert f"[{mark('c1')}] {bot.person('ana').user} may not, for Slack did not say" in caplog.text


def test_s12_a_page_is_turned_by_whom_it_was_made_for(bot: HandDriven, past: Past) -> None:
    older = older_of_eleven(bot, past)
    for user, says in (("bo", "from before the bot was started anew"), ("ana", "11 runs")):
        click = Click(older, bot.person(user), bot.stage.channel, f"c-{user}", "", is_private=True)
        bot.parts.reception.leaf(click)
        bot.parts.doorkeeper.step()
        assert says in bot.told(f"c-{user}")


def test_hosts_that_were_sent_away_keep_their_history(stage: Stage, bot: HandDriven, past: Past) -> None:
    past.ran("web-2", days=1)
    Store(bot.parts.database).dismiss("web-2", now())
    assert found(asked(bot, "web-2")) == ["web-2"]
