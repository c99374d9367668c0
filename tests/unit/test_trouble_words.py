"""The message that calls people says what it must, whatever there is of it."""

import re
from datetime import timedelta

import pytest

from bot import questions
from bot.questions import Ask
from bot.render import CHECK, RESTORE_RUN, RESTORE_USED, trouble
from bot.render.blocks import TEXT_BUDGET, called, weight
from bot.wanted import Restore, Wanted, read
from tests.unit.render_text import text_of
from tests.unit.render_values import API_WORSE, APP, GONE_RUN, NOW, TROUBLED_RUN, WENT, gone
from workers.contract import (
    Condition,
    HealthLine,
    Kind,
    LogLine,
    LogTail,
    Reference,
    Report,
    Restorable,
    Tie,
    Topic,
    Trouble,
)


def with_trouble(**facts: object) -> Report:
    assert TROUBLED_RUN.trouble is not None
    return TROUBLED_RUN.model_copy(update={"trouble": TROUBLED_RUN.trouble.model_copy(update=facts)})


def test_with_much_of_everything_there_is_room_for_some_of_each() -> None:
    names = [f"service-{n}-{'x' * 40}" for n in range(20)]
    log = LogTail(lines=tuple(LogLine(text=f"{n} {'y' * 230}", at=NOW) for n in range(40)))
    bad = TROUBLED_RUN.health[0]
    run = TROUBLED_RUN.model_copy(
        update={
            "health": tuple(bad.model_copy(update={"name": name}) for name in names),
            "trouble": Trouble(
                worse=tuple(API_WORSE.model_copy(update={"name": name, "log": log}) for name in names),
                removed=tuple(gone(1, 300 - n, index=n, pull=APP, names=("shop/app:1",)) for n in range(40)),
                more=900,
            ),
        }
    )
    drawn = trouble(run)
    text = text_of(drawn)

    assert weight(drawn.blocks) <= TEXT_BUDGET
    assert text.count("The end of the log of") == 5
    assert "+15 more logs not shown." in text
    # The newest lines, and of the rest how many there are.
    assert text.count("39 yyy") == 5
    services, objects = (int(found) for found in re.findall(r"\+(\d+) more (?:service|object)s", text))
    assert services + text.count("• `service-") == 20
    assert objects + text.count("• image ") == 940


def test_what_went_after_it_was_seen_is_not_said_to_have_gone_before() -> None:
    late = gone(0, 0, at=API_WORSE.seen_at + timedelta(seconds=1), index=9)
    text = text_of(trouble(with_trouble(removed=(*WENT[1:], late))))

    assert "import-2026-10" not in text
    assert "shop/app:1.4.0" in text


def test_where_all_went_after_it_was_seen_nothing_had_been_removed() -> None:
    late = gone(0, 0, at=API_WORSE.seen_at + timedelta(seconds=1))

    assert "had removed nothing before that was seen" in text_of(trouble(with_trouble(removed=(late,))))


@pytest.mark.parametrize(
    ("ping", "called"),
    [
        (tuple(f"U0P{n}" for n in range(9)), [f"<@U0P{n}>" for n in range(5)]),
        (("!channel", "U0ANA"), ["<@U0ANA>"]),
        # Nobody by an id: then those who had a part in it.
        (("!channel", "<!here>"), ["<@U0BO>", "<@U0ANA>"]),
        ((), ["<@U0BO>", "<@U0ANA>"]),
    ],
)
def test_a_handful_is_called_by_their_ids(ping: tuple[str, ...], called: list[str]) -> None:
    text = trouble(TROUBLED_RUN.model_copy(update={"ping": ping})).text

    assert re.findall(r"<[^>]*>", text) == called


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        ("U0ANA", "<@U0ANA>"),
        ("W0ANA", "<@W0ANA>"),
        ("S0ONCALL", "<!subteam^S0ONCALL>"),
        ("S<!channel>", "`S&lt;!channel&gt;`"),
        ("C0OPS", "`C0OPS`"),
        ("here", "`here`"),
    ],
)
def test_only_an_id_of_a_person_or_a_group_becomes_a_mention(one: str, shown: str) -> None:
    assert called(one) == shown


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("unhealthy", "was healthy before this run and is unhealthy now."),
        ("exited", "was healthy before this run and has exited."),
        ("restarted", "was healthy before this run and has restarted since."),
        ("gone", "was healthy before this run and is gone now."),
        ("<!channel>", "was healthy before this run and is `&lt;!channel&gt;` now."),
    ],
)
def test_the_first_line_says_what_is_broken_where(after: str, words: str) -> None:
    line: HealthLine = GONE_RUN.health[0].model_copy(update={"after": after})
    first = trouble(GONE_RUN.model_copy(update={"health": (line,)})).text.split("\n")[0]

    assert first == f"*`api` on web-1 {words}*"


def pressable(run: Report) -> dict[str, tuple[str, Restore]]:
    """The buttons of a call that ask for a way back, by action: what stands on each, and what it asks for."""
    found = {}
    for block in trouble(run).blocks:
        for button in block.get("elements", ()) if block["type"] == "actions" else ():
            if button["action_id"] == CHECK:
                continue
            typed = read(button["value"])
            assert isinstance(typed, Restore)
            found[button["action_id"]] = (button["text"]["text"], typed)
    return found


def test_the_way_back_is_asked_for_with_a_press_for_what_was_used_and_for_all() -> None:
    tied = gone(1, 1, pull=APP, names=("shop/app:1.4.0",))
    loose = gone(2, 2, pull=APP, names=("shop/other:1",))
    worse = API_WORSE.model_copy(update={"ties": {1: (Tie.REPOSITORY,)}})
    asked = pressable(with_trouble(worse=(worse,), removed=(tied, loose)))

    used, every = asked[RESTORE_USED], asked[RESTORE_RUN]
    assert used[0] == "Restore What It Used"
    assert (used[1].host, used[1].wanted.run) == ("web-1", TROUBLED_RUN.order_id)
    assert used[1].wanted.objects == ("shop/app:1.4.0",)
    assert every == ("Restore All of This Run", Restore("web-1", Wanted(TROUBLED_RUN.order_id)))


def test_where_it_used_all_that_went_one_button_says_so() -> None:
    tied = gone(1, 1, pull=APP, names=("shop/app:1.4.0",))
    worse = API_WORSE.model_copy(update={"ties": {1: (Tie.REPOSITORY,)}})

    assert list(pressable(with_trouble(worse=(worse,), removed=(tied,)))) == [RESTORE_RUN]


def test_where_nothing_can_come_back_there_is_no_button() -> None:
    lost = gone(1, 1, restorable=Restorable.NO, names=("shop/app:1.4.0",))

    assert pressable(with_trouble(removed=(lost,))) == {}


@pytest.mark.parametrize("name", ["--for", "'quoted'", "two words", "x" * 3000])
def test_a_name_that_would_be_read_as_another_is_on_no_button(name: str) -> None:
    tied = gone(1, 1, pull=APP, names=(name,))
    loose = gone(2, 2, pull=APP, names=("shop/other:1",))
    worse = API_WORSE.model_copy(update={"ties": {1: (Tie.REPOSITORY,)}})

    assert list(pressable(with_trouble(worse=(worse,), removed=(tied, loose)))) == [RESTORE_RUN]


@pytest.mark.parametrize("run", [TROUBLED_RUN, GONE_RUN, TROUBLED_RUN.model_copy(update={"trouble": None})])
def test_whatever_is_known_the_host_can_be_had_to_look_again(run: Report) -> None:
    (buttons,) = (block["elements"] for block in trouble(run).blocks if block["type"] == "actions")
    first = buttons[0]

    assert (first["action_id"], first["text"]["text"]) == (CHECK, "Check Again")
    assert questions.pressed(first["value"]) == Ask(Topic.SERVICES, run.host, run.order_id)


def test_the_card_of_a_service_names_what_went_of_what_it_used() -> None:
    image = gone(1, 5, names=("shop/app:1.4.0",))
    sibling = gone(0, 4, index=7, object=Reference(kind=Kind.CONTAINER, id="c7", name="shop_import_1"))
    ties = {1: (Tie.REPOSITORY,), 4: (Tie.NETWORK, Tie.PROJECT), 7: (Tie.PROJECT,)}
    worse = API_WORSE.model_copy(update={"ties": ties})
    text = text_of(trouble(with_trouble(worse=(worse,), removed=(image, gone(4, 3), sibling, gone(2, 2)))))

    assert (
        "This run removed of what it used: image `shop/app:1.4.0` (of its image's repository), network"
        " `shop_old` (its network, of its compose project) and container `shop_import_1` (of its compose"
        " project)." in text
    )


def test_of_much_that_went_the_card_names_some_and_counts_the_rest() -> None:
    many = [gone(2, 30 - n, index=n) for n in range(9)]
    worse = API_WORSE.model_copy(update={"ties": dict.fromkeys(range(9), (Tie.REPOSITORY,))})

    assert "and 6 more objects.\n" in text_of(trouble(with_trouble(worse=(worse,), removed=many)))


def test_one_that_restarted_says_what_its_check_says_as_well() -> None:
    now = Condition(state="running", health="healthy", restarts=2, since=NOW)
    line = TROUBLED_RUN.health[0].model_copy(update={"after": "restarted"})
    run = with_trouble(worse=(API_WORSE.model_copy(update={"now": now}),))

    assert "`restarted` now, `healthy`, running since" in text_of(
        trouble(run.model_copy(update={"health": (line,)}))
    )
