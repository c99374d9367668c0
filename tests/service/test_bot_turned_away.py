"""Who was turned away, and which presses did not count: noted with the answer, once (S12, S13)."""

from collections.abc import Iterator

import pytest

from bot.memory.audit import Act, Audit, What
from bot.render import CANCEL, EXECUTE
from tests.service.bot_stage import HandDriven, Stage, bot_stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with bot_stage(tmp_path_factory.mktemp("bot"), "web-1") as made:
        yield made


def acts(bot: HandDriven, what: What) -> list[Act]:
    return [act for act in Audit(bot.parts.database).acts() if act.what == what]


def ready(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(6)


def test_s12_a_command_that_is_not_allowed_is_noted(stage: Stage, bot: HandDriven) -> None:
    bot.command("execute web-1", user="cy")

    noted = acts(bot, What.TURNED_AWAY)[-1]
    assert noted.who == bot.person("cy").spelled
    assert noted.detail == {"why": "not_named", "wanted": "execute", "channel": stage.channel}


def test_presses_that_do_not_count_are_noted_once_and_the_one_that_counts_decides(
    stage: Stage, bot: HandDriven
) -> None:
    ready(stage, bot)
    known = len(acts(bot, What.TURNED_AWAY))
    for _ in range(2):
        bot.click(EXECUTE, user="cy", trigger="c1")
    bot.click(EXECUTE, user="bo", trigger="c2")
    bot.click(CANCEL, user="ana", trigger="c3")

    turned = [(a.who, a.detail["why"], a.detail["wanted"]) for a in acts(bot, What.TURNED_AWAY)[known:]]
    assert turned == [
        (bot.person("cy").spelled, "not_named", "confirmed"),
        (bot.person("ana").spelled, "already_settled", "cancelled"),
    ]
    (confirmed,) = acts(bot, What.CONFIRMED)
    (shown,) = acts(bot, What.SHOWN)
    assert confirmed.who == bot.person("bo").spelled
    assert (shown.detail["set"], shown.detail["plans"]) == (
        confirmed.detail["set"],
        confirmed.detail["plans"],
    )
