"""What Slack's answers mean, how long each of them lasts, and under which mark it is told."""

import threading
from datetime import datetime, timedelta

import pytest

from bot.errors import (
    AccessLost,
    ChannelClosed,
    MessageGone,
    MessageRefused,
    OutOfTurn,
    SlackAway,
    SlackError,
)
from bot.marks import mark
from bot.service import patiently
from bot.slack.answers import ACCESS_SECONDS, LIMITED_SECONDS, code_in, of_answer
from bot.slack.turns import Turns
from tests.unit.bot_values import NOON


def said(code: str, status: int = 200, retry_after: str = "") -> SlackError:
    return of_answer("chat.update", status=status, code=code, retry_after=retry_after)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ratelimited", 429, SlackAway),
        ("ratelimited", 200, SlackAway),
        ("", 429, SlackAway),
        ("internal_error", 200, SlackAway),
        ("", 503, SlackAway),
        ("missing_scope", 200, AccessLost),
        ("token_revoked", 200, AccessLost),
        ("account_inactive", 200, AccessLost),
        ("not_in_channel", 200, ChannelClosed),
        ("is_inactive", 200, ChannelClosed),
        ("channel_is_archived", 410, ChannelClosed),
        ("restricted_action_thread_locked", 200, ChannelClosed),
        ("message_not_found", 200, MessageGone),
        ("invalid_blocks", 200, MessageRefused),
        ("something_new", 200, MessageRefused),
    ],
)
def test_an_answer_is_of_a_kind(code: str, status: int, kind: type[SlackError]) -> None:
    assert type(said(code, status)) is kind


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("45", 45), ("0", 0), ("", LIMITED_SECONDS), ("soon", LIMITED_SECONDS)]
)
def test_a_limit_lasts_as_long_as_slack_says(retry_after: str, seconds: float) -> None:
    limited = said("", 429, retry_after)

    assert isinstance(limited, SlackAway)
    assert (limited.seconds, limited.certain, limited.code) == (seconds, True, "ratelimited")


def test_a_closed_channel_and_a_lost_token_say_what_opens_them() -> None:
    assert said("is_archived").told == "chat.update: is_archived; unarchive the channel, or use another one"
    assert said("token_revoked").told.startswith("chat.update: token_revoked; set SLACK_BOT_TOKEN to what")
    assert said("invalid_blocks").told == "chat.update: invalid_blocks"


def test_a_connection_is_another_token_s() -> None:
    lost = of_answer("apps.connections.open", status=200, code="invalid_auth")

    assert lost.remedy.startswith("set SLACK_APP_TOKEN to what")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"ok": false, "error": "used_url"}', "used_url"),
        ("invalid_blocks", "invalid_blocks"),
        ("[]", "[]"),
        ("", ""),
    ],
)
def test_a_response_url_answers_in_json_or_in_a_word(body: str, code: str) -> None:
    assert code_in(body) == code


# Turns


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


def refusal(turns: Turns, method: str, target: str = "") -> SlackAway | None:
    try:
        turns.wait_for(method, target)
    except SlackAway as error:
        return error
    return None


def limited(turns: Turns, error: SlackError) -> None:
    with pytest.raises(SlackError), turns.obeying("chat.update"):
        raise error


def test_a_limited_method_rests_for_everybody_and_others_do_not() -> None:
    clock = Clock()
    turns = Turns(clock)
    limited(turns, said("", 429, "45"))
    clock.time += timedelta(seconds=15)
    waits = refusal(turns, "chat.update")
    other = refusal(turns, "chat.postMessage", "C1")
    clock.time += timedelta(seconds=30)

    assert isinstance(waits, OutOfTurn)
    assert (waits.seconds, waits.code) == (30, "ratelimited")
    assert other is None
    assert refusal(turns, "chat.update") is None


def test_our_own_pace_is_no_word_of_slack_s() -> None:
    turns = Turns(Clock())
    turns.rest("chat.postMessage C1", timedelta(seconds=1))
    waits = refusal(turns, "chat.postMessage", "C1")

    assert waits is not None
    assert (type(waits), waits.code) == (OutOfTurn, "")
    assert refusal(turns, "chat.postMessage", "C2") is None


def test_what_a_person_has_to_mend_is_told_to_everybody_who_waits_for_it() -> None:
    turns = Turns(Clock())
    lost = of_answer("chat.update", status=200, code="missing_scope", needed="chat:write")
    limited(turns, lost)
    again = refusal(turns, "chat.update")

    assert isinstance(again, AccessLost)
    assert (again.told, again.scopes, again.seconds) == (lost.told, ("chat:write",), ACCESS_SECONDS)


def test_what_is_only_broken_is_asked_again_at_once() -> None:
    turns = Turns(Clock())
    limited(turns, said("", 500))

    assert refusal(turns, "chat.update") is None


def test_at_the_start_slack_is_left_alone_for_as_long_as_it_says() -> None:
    stopping, asked = threading.Event(), list[int]()

    def ask() -> None:
        asked.append(1)
        threading.Timer(2.5, stopping.set).start()
        raise SlackAway("auth.test: ratelimited", seconds=60, certain=True)

    patiently(ask, stopping)

    assert asked == [1]


# Marks


def test_what_comes_of_a_request_has_its_mark() -> None:
    assert mark("r1") == mark("r1 not_in_channel") != mark("r2")
    assert len(mark("1700000000.1.abc")) == 6
