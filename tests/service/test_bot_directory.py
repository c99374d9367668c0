"""What the workspace tells of people and channels, as it is remembered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.facts import About, Fact, Lookup
from bot.memory.database import Database
from bot.memory.lookups import Lookups
from bot.slack import directory
from bot.slack.directory import Directory
from bot.slack.threads import web_client
from tests.service.bot_stage import now
from tests.workspace import Workspace


@pytest.fixture(scope="module")
def slack() -> Iterator[Workspace]:
    with Workspace.start(channels=("ops", "dba"), private=("dba",)) as made:
        yield made


@pytest.fixture
def asked(slack: Workspace, tmp_path: Path) -> Iterator[Directory]:
    database = Database(tmp_path / "bot.sqlite3")
    yield Directory(web_client(slack.bot_token, slack.api_url), Lookups(database), clock=now)
    database.close()


def told(asked: Directory, about: About, id_: str) -> Fact:
    what = Lookup(about, id_)
    assert asked.look_up([what]) == {}
    return asked.facts().known[what]


def test_a_person_is_known_by_their_names_and_their_clock(slack: Workspace, asked: Directory) -> None:
    slack.set_clock_of("ana", ahead=7200)
    ana = told(asked, About.PERSON, slack.user_id("ana"))
    assert (ana.names, ana.utc_offset) == (("ana", "Ana Ortega"), 7200)


def test_s12_a_channel_is_private_unless_slack_says_otherwise(slack: Workspace, asked: Directory) -> None:
    rooms = [told(asked, About.CHANNEL, slack.channel_id(name)) for name in ("ops", "dba")]
    assert [room.is_private for room in rooms] == [False, True]
    assert Fact(now()).is_private


def test_all_members_of_a_channel_are_found_page_by_page(
    slack: Workspace, asked: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "MEMBERS", 2)
    found = told(asked, About.MEMBERS, slack.channel_id("dba")).members
    people = {slack.user_id(name) for name in ("ana", "bo", "dee")}
    assert found == people | {slack.bot_user_id}
    assert len(slack.calls("conversations.members")) == 2

    monkeypatch.setattr(directory, "PAGES", 1)
    assert len(told(asked, About.MEMBERS, slack.channel_id("dba")).members) == 2
