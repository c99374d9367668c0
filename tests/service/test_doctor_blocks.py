"""`python -m bot doctor --blocks`: Slack's own `blocks.validate` looks at everything that the bot draws."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot import examples
from bot.errors import AccessLost, MessageRefused, SlackAway
from bot.slack.threads import web_client
from bot.slack.validation import TRIES, block_findings
from tests.service.bot_stage import Stage, bot_process
from tests.workspace import Workspace

Json = dict[str, Any]
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "Hello"}}
GOOD: Json = {"text": "Hello", "blocks": [SECTION]}
TOO_LONG = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
VIEW: Json = {"type": "modal", "title": {"type": "plain_text", "text": "T"}}


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace.start() as workspace:
        yield workspace


def found(slack: Workspace, *drawn: Json, waits: list[float] | None = None) -> list[tuple[bool, str]]:
    client = web_client(slack.bot_token, slack.api_url)
    named = [(f"example {number}", one) for number, one in enumerate(drawn, 1)]
    waited: list[float] = [] if waits is None else waits
    return [(one.is_good, one.says) for one in block_findings(client, named, wait=waited.append)]


def test_slack_takes_every_message_and_form_that_the_bot_draws(stage: Stage) -> None:
    process = bot_process(stage, "doctor", "--blocks", REDIS_URL="", SLACK_APP_TOKEN="", PRUNE_CHANNELS="")
    said, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert said.splitlines() == [f"ok       {name}: taken" for name, _ in examples.drawn()]
    assert len(stage.slack.calls("blocks.validate")) == len(said.splitlines()) > 50
    assert stage.slack.violations == ()


def test_what_slack_refuses_is_told_with_its_place_and_the_rest_is_looked_at(slack: Workspace) -> None:
    bad = {"text": "Hello", "blocks": [SECTION, TOO_LONG, {"type": "alert"}]}

    assert found(slack, bad, GOOD, {**VIEW, "blocks": [TOO_LONG]}) == [
        (
            False,
            "/blocks/1/text/text: must be less than 3001 characters; /blocks/2/type: unsupported type: alert",
        ),
        (True, "taken"),
        (False, "/blocks/0/text/text: must be less than 3001 characters"),
    ]


def test_a_form_is_looked_at_as_a_form(slack: Workspace) -> None:
    alert = {"type": "alert", "text": {"type": "plain_text", "text": "Careful"}}

    assert found(slack, {**VIEW, "blocks": [alert]}, {"text": "Careful", "blocks": [alert]}) == [
        (True, "taken"),
        (False, "/blocks/0/type: unsupported type: alert"),
    ]


def test_the_command_ends_with_1_where_slack_refuses_one(stage: Stage) -> None:
    stage.slack.refuse_next("blocks.validate", "invalid_message")
    process = bot_process(stage, "doctor", "--blocks")
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert [line.split()[0] for line in said.splitlines()].count("REFUSED") == 1
    assert said.startswith("REFUSED  answers 1: invalid_message\n")


def test_slack_is_waited_for_where_it_asks_for_that(slack: Workspace) -> None:
    waits: list[float] = []
    slack.fail_next("blocks.validate", 429, retry_after=7)
    slack.fail_next("blocks.validate", 429, retry_after=None)

    assert found(slack, GOOD, waits=waits) == [(True, "taken")]
    assert waits == [7, 30]


@pytest.mark.parametrize(
    ("failures", "error"),
    [
        ({"status": 500}, SlackAway),
        ({"status": 429, "times": TRIES + 1}, SlackAway),
        ({"error": "invalid_auth"}, AccessLost),
        ({"error": "invalid_arguments"}, MessageRefused),
    ],
)
def test_where_slack_does_not_say_it_is_not_guessed(
    slack: Workspace, failures: Json, error: type[Exception]
) -> None:
    order = slack.refuse_next if "error" in failures else slack.fail_next
    order("blocks.validate", **failures)

    with pytest.raises(error):
        found(slack, GOOD)


def test_without_an_answer_the_command_says_so_and_ends_with_1(stage: Stage) -> None:
    stage.slack.go_away()
    process = bot_process(stage, "doctor", "--blocks")
    said, errors = process.communicate(timeout=60)

    assert (process.returncode, said) == (1, "")
    assert errors.startswith("bot: blocks.validate: ")
