"""What keeps Slack from showing something is known until it is over, or nobody waits for it any more."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.memory.database import Database
from bot.memory.posts import Posts
from bot.slack.answers import ACCESS_SECONDS, of_answer
from bot.slack.hindrances import Hindrances
from bot.slack.threads import Place
from tests.unit.bot_values import NOON

FIRST, SECOND = Place("r1", "root", "C1"), Place("r2", "root", "C1")
REVOKED = of_answer("chat.update", status=200, code="token_revoked")
BROKEN = of_answer("chat.update", status=500, code="")
CLOSED = of_answer("chat.postMessage", status=200, code="not_in_channel")


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def posts(tmp_path: Path) -> Iterator[Posts]:
    database = Database(tmp_path / "bot.sqlite3")
    yield Posts(database)
    database.close()


@pytest.fixture
def hindrances(posts: Posts, clock: Clock) -> Hindrances:
    return Hindrances(posts, clock)


def test_a_lost_token_holds_up_all_but_answers_to_one_person(hindrances: Hindrances, clock: Clock) -> None:
    hindrances.met(FIRST, REVOKED)

    assert not hindrances.allows(SECOND)
    assert hindrances.allows(SECOND, by_token=False)
    clock.time += timedelta(seconds=ACCESS_SECONDS)
    assert hindrances.allows(SECOND)


def test_a_closed_channel_holds_up_its_own_message_alone(hindrances: Hindrances) -> None:
    hindrances.met(FIRST, CLOSED)

    assert not hindrances.allows(FIRST)
    assert hindrances.allows(SECOND)


def test_a_broken_slack_holds_up_everything(hindrances: Hindrances) -> None:
    hindrances.met(FIRST, BROKEN)

    assert not hindrances.allows(SECOND)
    assert not hindrances.allows(SECOND, by_token=False)


def test_who_asked_is_told_once_of_each_trouble(hindrances: Hindrances, posts: Posts) -> None:
    for error in (CLOSED, CLOSED, REVOKED, CLOSED):
        hindrances.met(FIRST, error, "https://hooks")
    hindrances.waits(SECOND, "https://hooks")
    hindrances.waits(SECOND)

    told = [note.id for note in posts.owed()]
    assert told == ["r1 not_in_channel", "r1 token_revoked", "r2 token_revoked"]


def test_nobody_is_told_what_nobody_asked_for(hindrances: Hindrances, posts: Posts) -> None:
    hindrances.met(FIRST, CLOSED)
    hindrances.met(FIRST, BROKEN, "https://hooks")

    assert posts.owed() == ()


def test_a_lost_token_is_known_until_something_is_shown(hindrances: Hindrances) -> None:
    hindrances.met(FIRST, REVOKED)
    hindrances.over(SECOND, by_token=False)
    lost = hindrances.lost
    hindrances.over(SECOND)

    assert (str(lost), hindrances.lost) == ("chat.update: token_revoked", None)


def test_a_lost_token_is_nobody_s_trouble_once_nothing_waits_for_it(hindrances: Hindrances) -> None:
    hindrances.met(FIRST, REVOKED)
    hindrances.waits(SECOND)
    hindrances.forget("r1")
    still = hindrances.lost
    hindrances.forget("r2")

    assert (str(still), hindrances.lost) == ("chat.update: token_revoked", None)
