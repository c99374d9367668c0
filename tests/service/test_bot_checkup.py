"""The doctor in Slack says what is missing and what to do, to those who may prune somewhere."""

from collections.abc import Iterator

import pytest

from bot.scopes import NEXT_STEP, SCOPES
from tests.service.bot_stage import Stage


@pytest.fixture
def bot(stage: Stage) -> Iterator[None]:
    with stage.bot():
        yield


def test_the_doctor_names_what_is_missing_first(stage: Stage, bot: None) -> None:
    stage.host("web-1").beat()
    stage.slack.command("bo", "ops", "/prune doctor")
    told = stage.told("bo", "to mend").plain

    assert "host web-2: gives no sign of life; is its worker running?" in told
    assert "host web-1" in told.partition("In order:")[2]
    assert "scope chat:write" in told
    assert stage.slack.violations == ()


def test_all_is_well_where_it_is(stage: Stage, bot: None) -> None:
    for host in stage.hosts.values():
        host.beat()
    stage.slack.command("bo", "ops", "/prune doctor")
    assert "All is well:" in stage.told("bo", "looked at").plain


def test_a_missing_scope_is_named_with_its_use_and_the_next_step(stage: Stage, bot: None) -> None:
    stage.slack.revoke_scope("files:write")
    stage.slack.command("bo", "ops", "/prune doctor")
    told = stage.told("bo", "to mend").plain

    assert f"scope files:write: missing, needed {SCOPES['files:write']}; {NEXT_STEP}" in told
    assert "scope chat:write" in told.partition("In order:")[2]


@pytest.mark.parametrize("user", ["cy", "dee"])
def test_s12_it_is_for_those_who_may_prune_somewhere(stage: Stage, bot: None, user: str) -> None:
    stage.slack.command(user, "ops", "/prune doctor")
    assert "host web-1" not in stage.told(user, "may do this").plain


def test_a_redis_that_is_away_is_said_once_and_not_for_every_host(stage: Stage, bot: None) -> None:
    stage.server.stop()
    stage.slack.command("bo", "ops", "/prune doctor")
    told = stage.told("bo", "to mend").plain
    stage.server.start()

    assert "Redis: does not answer" in told
    assert "host web-1" not in told
