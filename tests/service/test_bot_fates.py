"""S11, S14, S15: a bot that dies before or after any effect, or loses Redis, Slack or its memory there.

A few of the effects are tried each time; PRUNE_EVERY_EFFECT=1 tries them all, which takes a while.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.service.bot_stage import RedisServer
from tests.service.fate import Fate
from tests.service.small_request import Play, stage_set
from tests.workspace import Workspace

EVERY = bool(os.environ.get("PRUNE_EVERY_EFFECT"))
MOST = 130
PRUNED = "Pruned 200 MB on web-1. The one service still runs."
WHEN = {False: "before", True: "after"}


def effects(*few: int, first: int = 1) -> list[int]:
    """The numbers of the effects at which something happens."""
    return list(range(first, MOST)) if EVERY else list(few)


@pytest.fixture(scope="module")
def server(stage_place: Callable[[], Path]) -> Iterator[RedisServer]:
    folder = stage_place()
    folder.mkdir()
    made = RedisServer(folder).start()
    yield made
    made.stop()


@pytest.fixture
def fate() -> Fate:
    return Fate()


@pytest.fixture
def play(tmp_path: Path, server: RedisServer, fate: Fate) -> Iterator[Play]:
    with Workspace.start() as slack, stage_set(tmp_path, server, slack, fate) as made:
        yield made


def strike(play: Play, at: int, happens: Callable[[], None], *, after: bool = False) -> None:
    """Play the request; at its effect of that number something happens."""
    play.fate.at, play.fate.after, play.fate.happens = at, after, happens
    play.go()
    if not play.fate.has_struck:
        pytest.skip(f"there are but {len(play.fate.effects)} effects")


def check_truth(play: Play) -> None:
    """Whatever has happened: one root and each part once, and they say what the host has done."""
    assert len(play.stage.roots()) == 1
    root, replies = play.first_lines()
    assert len(replies) == len(set(replies))
    assert play.root_controls() == ()
    assert len(play.host.runs) <= 1
    assert (root == PRUNED) == bool(play.host.runs)
    assert play.reports() == play.host.runs
    assert play.host.waiting == []
    assert play.stage.slack.violations == ()


def check_pruned(play: Play) -> None:
    assert len(play.host.runs) == 1
    assert len(play.first_lines()[1]) == 5


def test_with_nothing_befalling_it(play: Play) -> None:
    play.go()

    assert len(play.fate.effects) < MOST
    check_truth(play)
    check_pruned(play)


@pytest.mark.parametrize("after", [False, True], ids=WHEN.get)
@pytest.mark.parametrize("at", effects(9, 13, 18, 24, 37, 42, 82, 84))
def test_s15_a_bot_that_dies_at_any_effect_goes_on_with_nothing_lost_or_shown_twice(
    play: Play, at: int, after: bool
) -> None:
    strike(play, at, play.fate.die, after=after)

    check_truth(play)
    check_pruned(play)


@pytest.mark.parametrize("at", effects(14, 17, 33, 43))
def test_s15_a_redis_emptied_at_any_effect_loses_no_event(play: Play, at: int) -> None:
    strike(play, at, lambda: play.stage.server.client.flushall())

    check_truth(play)


@pytest.mark.parametrize("at", effects(8, 21, 32, 45, 83, first=2))
def test_s14_a_slack_away_for_an_hour_shows_the_true_end_afterwards(play: Play, at: int) -> None:
    def go_away() -> None:
        play.is_slack_away = True
        play.stage.slack.go_away()

    strike(play, at, go_away)

    check_truth(play)


@pytest.mark.parametrize("at", effects(24, 48, 58))
def test_s15_a_bot_that_has_lost_its_memory_takes_up_the_numbers_where_the_host_is(
    play: Play, at: int
) -> None:
    def lose() -> None:
        play.is_memory_lost = True
        play.fate.die()

    strike(play, at, lose)
    play.host.patience_ends()
    play.round()
    assert len(play.host.runs) <= 1
    assert play.host.waiting == []
    before = len(play.host.runs)

    play.name = "second"
    play.go()

    assert play.first_lines()[0] == PRUNED
    assert len(play.host.runs) == before + 1
    assert play.host.runs[-1] in play.reports()
    assert play.host.waiting == []
