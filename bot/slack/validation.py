"""Whether Slack takes what the bot draws: asked of its own `blocks.validate`, which shows it to nobody."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.checks import Finding
from bot.errors import AccessLost, MessageRefused, SlackAway
from bot.slack.answers import named_errors

Drawn = Mapping[str, Any]
METHOD = "blocks.validate"
REFUSALS = ("invalid_blocks", "invalid_message", "invalid_view")
TRIES = 10


def block_findings(
    client: WebClient, examples: Iterable[tuple[str, Drawn]], *, wait: Callable[[float], object]
) -> Iterator[Finding]:
    """What Slack says to each, with a JSON pointer to every fault; `wait` lets the seconds pass it asks for.

    Raises:
        SlackError: Slack did not say.
    """
    for name, drawn in examples:
        faults = _patiently(client, _payload(drawn), wait)
        yield Finding(name, is_good=not faults, says="; ".join(faults) or "taken")


def _payload(drawn: Drawn) -> dict[str, Drawn]:
    """What is no part of the blocks, like a message's text, it does not look at, and refuses."""
    return {"view": drawn} if "type" in drawn else {"message": {"blocks": drawn["blocks"]}}


def _patiently(client: WebClient, payload: Drawn, wait: Callable[[float], object]) -> tuple[str, ...]:
    for _ in range(TRIES):
        try:
            return _faults(client, payload)
        except SlackAway as error:
            if isinstance(error, AccessLost) or not error.certain:
                raise
            wait(error.seconds)
    return _faults(client, payload)


def _faults(client: WebClient, payload: Drawn) -> tuple[str, ...]:
    try:
        with named_errors(METHOD):
            client.blocks_validate(**payload)
    except MessageRefused as error:
        if error.code not in REFUSALS:
            raise
        return _told(error)
    return ()


def _told(error: MessageRefused) -> tuple[str, ...]:
    answer = error.__cause__.response if isinstance(error.__cause__, SlackApiError) else {}
    found = [one for one in answer.get("errors") or () if isinstance(one, Mapping)]
    return tuple(f"{one.get('pointer')}: {one.get('message')}" for one in found) or (error.code,)
