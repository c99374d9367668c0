"""What is told of decisions stays within Slack's limits, however many hosts and patterns there are."""

import pytest

from bot import render
from bot.decisions import Decided, State, Verb
from bot.render.blocks import SECTION, TEXT_BUDGET, Message, weight
from tests.unit.bot_values import ANA, NOON
from workers.contract import Kind
from workers.reasons import Code, reason

LONG = "registry.example/some/where/" + "a" * 90
WHY = reason(Code.BAD_PATTERN, pattern=LONG, detail="d" * 300)


def decided(number: int, state: State) -> Decided:
    return Decided(
        *("d1", f"host-{number}", Verb.PROTECT, NOON, ANA, "COPS"),
        kind=Kind.IMAGE,
        pattern=f"{LONG}:{number}",
        state=state,
        reasons=(WHY,) if state is State.REFUSED else (),
    )


def texts(message: Message) -> list[str]:
    return [block["text"]["text"] for block in message.blocks if block["type"] == "section"]


@pytest.mark.parametrize("count", [1, 40, 300])
@pytest.mark.parametrize("state", [State.OPEN, State.KEPT, State.REFUSED])
def test_no_text_is_longer_than_slack_takes(count: int, state: State) -> None:
    all_of_them = [decided(number, state) for number in range(count)]
    for drawn in (render.protections(all_of_them, NOON), render.decision(all_of_them)):
        assert max(map(len, texts(drawn))) <= SECTION
        assert weight(drawn.blocks) <= TEXT_BUDGET


def test_what_there_is_no_room_for_is_counted() -> None:
    everything = [decided(number, State.KEPT) for number in range(300)]
    refused = [decided(number, State.REFUSED) for number in range(300)]
    assert (
        "more; /prune protections HOST shows those of one host."
        in texts(render.protections(everything, NOON))[-1]
    )
    assert "more hosts" in texts(render.decision(refused))[-1]


def test_what_every_host_refused_is_not_told_as_done() -> None:
    refused, kept = decided(1, State.REFUSED), decided(2, State.KEPT)
    assert render.decision([refused]).text.endswith(" on `host-1`; it was refused.")
    assert render.decision([refused, kept]).text.endswith(" on `host-2`.")
