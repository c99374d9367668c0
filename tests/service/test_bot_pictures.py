"""S14: the picture of a run's disk comes once, late or never, and the report never waits for it."""

import json
import logging
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import feed
from bot.easel import MOST_KEPT, SIGNATURE, Easel, Undrawn
from bot.memory.posts import Note
from bot.render import EXECUTE, Message
from bot.render.picture import Figure, picture
from tests.service.bot_stage import Clock, HandDriven, Stage, wait_until
from tests.unit.picture_values import GB, RUN, at, disk, run, usage

NAME = ("r1", "web-1")
FIGURE = picture(RUN, [at(day, (20 + day) * GB) for day in range(29, 0, -1)]).figure
SLOW = (sys.executable, "-c", "import time; time.sleep(600)")


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def figure() -> Figure:
    return FIGURE


@pytest.fixture
def easel() -> Iterator[Easel]:
    made = Easel()
    yield made
    made.close()


def asked(easel: Easel, shown: Figure = FIGURE, name: tuple[str, str] = NAME) -> bytes | Undrawn:
    """What comes of a picture in the end."""

    def ended() -> tuple[bytes | Undrawn] | None:
        drawn = easel.ask(name, lambda: shown)
        return None if drawn is Undrawn.YET else (drawn,)

    (drawn,) = wait_until(ended, what="the end of the drawing", seconds=180)
    return drawn


# Drawing


def test_what_is_drawn_is_a_picture_of_a_phone_s_width(easel: Easel) -> None:
    drawn = asked(easel)

    assert isinstance(drawn, bytes)
    assert drawn.startswith(SIGNATURE)
    assert struct.unpack(">II", drawn[16:24]) == (1080, 1000)
    assert 20_000 < len(drawn) < 400_000
    assert b"matplotlib" not in drawn


def test_sizes_beyond_all_disks_and_names_like_formulas_are_drawn(easel: Easel) -> None:
    huge = disk(2**60, total=2**61, path="/$\\frac{1}{0}$ \U0001f4a3 日本語")
    many = usage(2**60, huge, disk(1, path="/b"), containers=2**60, build_cache=0)

    drawn = asked(easel, picture(run(many, many), [at(1, 0)]).figure)

    assert isinstance(drawn, bytes)


def test_nothing_at_all_is_drawn_as_nothing(easel: Easel) -> None:
    nothing = usage(0, volumes=0)

    assert isinstance(asked(easel, picture(run(nothing, nothing), []).figure), bytes)


def test_who_draws_learns_no_secret(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    out = f"sys.stdout.buffer.write({SIGNATURE!r} + json.dumps(dict(os.environ)).encode())"
    easel.command = python(f"import json, os, sys; {out}")

    drawn = asked(easel)

    assert isinstance(drawn, bytes)
    surroundings = json.loads(drawn.removeprefix(SIGNATURE))
    assert "xoxb-secret" not in surroundings.values()
    assert "MPLCONFIGDIR" in surroundings


def test_who_draws_is_limited(easel: Easel) -> None:
    code = "import bot.drawing as d; d.limit(); x = bytearray(d.MEMORY)"
    easel.command = python(code)

    assert asked(easel) is Undrawn.AT_ALL


# What goes wrong

WRONG = {
    "it ends with an error": (python("raise ValueError('no paint')"), "exit code 1: ValueError: no paint"),
    "it is killed": (python("import os; os.kill(os.getpid(), 9)"), "exit code -9: it said nothing"),
    "it draws nothing": (python(""), "no picture"),
    "it draws something else": (python("print('<svg/>')"), "no picture"),
    "it draws without end": (
        python(f"import sys; sys.stdout.buffer.write({SIGNATURE!r} + bytes(3_000_000))"),
        "no picture of at most",
    ),
    "it cannot be begun": (("/nowhere/python",), "cannot be begun"),
}


@pytest.mark.parametrize("what", WRONG)
def test_there_is_no_picture_and_a_line_in_the_log(
    easel: Easel,
    what: str,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    easel.command, said = WRONG[what]

    assert asked(easel) is Undrawn.AT_ALL
    assert asked(easel) is Undrawn.AT_ALL
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert line.startswith("request r1, web-1: there is no picture: ")
    assert said in line
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_slow_is_ended(easel: Easel, caplog: pytest.LogCaptureFixture) -> None:
    easel.command, easel.seconds = SLOW, 0.2
    assert easel.ask(NAME, figure) is Undrawn.YET
    child = easel._child
    assert child is not None

    assert asked(easel) is Undrawn.AT_ALL
    assert child.process.returncode == -9
    assert not Path(child.folder.name).exists()
    assert "was not drawn within 0.2 s" in caplog.text


def test_a_figure_that_cannot_be_described_is_left_out(easel: Easel) -> None:
    def fails() -> Figure:
        raise OverflowError("date value out of range")

    easel.ask(NAME, fails)

    assert easel.ask(NAME, fails) is Undrawn.AT_ALL


def test_a_bot_that_stops_leaves_nobody_drawing(easel: Easel) -> None:
    easel.command = SLOW
    easel.ask(NAME, figure)
    child = easel._child
    assert child is not None

    easel.close()

    assert child.process.returncode == -9
    assert not Path(child.folder.name).exists()


def test_one_is_drawn_at_a_time_and_none_is_forgotten(easel: Easel) -> None:
    easel.command = python(f"import sys; sys.stdout.buffer.write({SIGNATURE!r})")
    names = [("r1", f"web-{n}") for n in range(4)]
    assert [easel.ask(name, figure) for name in names] == [Undrawn.YET] * 4

    assert [asked(easel, name=name) for name in names] == [SIGNATURE] * 4
    assert [easel.ask(name, figure) for name in names] == [SIGNATURE] * 4


def test_few_pictures_wait_for_a_slack_that_is_away(easel: Easel) -> None:
    easel.command = ("/nowhere/python",)
    for n in range(MOST_KEPT + 5):
        easel.ask((f"r{n}", "web-1"), figure)

    assert len(easel._ended) == MOST_KEPT
    easel.forget(f"r{MOST_KEPT}")
    assert len(easel._ended) == MOST_KEPT - 1


# In the thread


@pytest.fixture
def bot(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[HandDriven]:
    monkeypatch.setattr(feed, "BLOCK_MILLISECONDS", 1)
    made = HandDriven(stage, Clock())
    made.hear()
    yield made
    made.close()


def executed(stage: Stage, bot: HandDriven) -> None:
    """A request whose run is over, and heard of."""
    bot.command("preview web-1")
    bot.carry_on()
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(4)
    bot.click(EXECUTE)
    bot.carry_on()
    stage.host().execute(made)
    bot.hear()


def thread(stage: Stage) -> list[str]:
    (root,) = (root for root in stage.roots() if "web-1" in root.first_line)
    return [reply.first_line for reply in stage.slack.thread("ops", root.ts)[1:]]


def until_the_run_file(stage: Stage, bot: HandDriven) -> None:
    """Up to where the picture comes next."""
    while not any(line.startswith("[file] Run on") for line in thread(stage)):
        bot.carry_on()


def pictures(stage: Stage) -> list[str]:
    return [line for line in thread(stage) if line.startswith("[picture]")]


def test_the_picture_is_in_the_thread_after_the_report_with_its_words(stage: Stage, bot: HandDriven) -> None:
    executed(stage, bot)
    bot.carry_on(8)

    file = next(file for file in stage.slack.files("ops") if file.is_image)
    assert thread(stage)[-1] == f"[picture] Disk of web-1 ({file.name})"
    assert file.content.startswith(SIGNATURE)
    assert file.alt.startswith(
        "Pruned 200 MB on web-1. Before the run Docker held 0 B of containers, now 0 B;"
    )
    assert "3 measurements and 1 run" in file.alt
    assert bot.store.open_requests() == ()
    assert stage.slack.violations == ()


def test_the_report_and_other_requests_do_not_wait_for_it(stage: Stage, bot: HandDriven) -> None:
    bot.parts.easel.command = SLOW
    executed(stage, bot)
    for _ in range(8):
        bot.parts.desk.step()
        bot.wait(3)
    bot.command("preview web-2")
    for _ in range(2):
        bot.parts.desk.step()
        bot.wait(3)

    assert thread(stage)[-1].startswith("[file] Run on web-1")
    assert stage.host("web-2").queued == 1
    assert bot.parts.easel.ask(("other", "web-1"), figure) is Undrawn.YET


def test_what_a_channel_is_told_comes_before_it(stage: Stage, bot: HandDriven) -> None:
    executed(stage, bot)
    until_the_run_file(stage, bot)
    said = Message("A run is over.", ())
    bot.posts.owe(Note("n1", bot.clock(), stage.channel, "", said, is_public=True))
    bot.carry_on(2)

    (told,) = (m for m in stage.slack.messages("ops") if m.first_line == said.text)
    bot.carry_on(4)
    (root,) = (m for m in stage.roots() if "web-1" in m.first_line)
    assert told.ts < stage.slack.thread("ops", root.ts)[-1].ts
    assert len(pictures(stage)) == 1


def test_without_a_picture_the_request_ends_and_stays_ended(stage: Stage, bot: HandDriven) -> None:
    bot.parts.easel.command = python("raise SystemExit(3)")
    executed(stage, bot)
    bot.carry_on(8)
    bot.close()
    again = HandDriven(stage, bot.clock)
    again.store.record_sent(stage_request(again), [])
    again.carry_on(4)

    assert thread(stage)[-1].startswith("[file] Run on web-1")
    assert pictures(stage) == []
    assert again.store.open_requests() == ()
    again.close()


def stage_request(bot: HandDriven) -> str:
    """The one request there is, open or not."""
    with bot.parts.database.reading() as db:
        (row,) = db.execute("SELECT id FROM requests").fetchall()
        return str(row["id"])


def test_a_bot_that_dies_while_it_is_drawn_has_it_drawn_again(stage: Stage, bot: HandDriven) -> None:
    bot.parts.easel.command = SLOW
    executed(stage, bot)
    for _ in range(6):
        bot.parts.desk.step()
        bot.wait(3)
    assert pictures(stage) == []
    bot.close()

    again = HandDriven(stage, bot.clock)
    again.carry_on(6)

    assert len(pictures(stage)) == 1
    assert again.store.open_requests() == ()
    again.close()


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("after_effect", [False, True])
def test_an_upload_in_doubt_is_looked_for_before_it_is_made_again(
    stage: Stage, bot: HandDriven, method: str, after_effect: bool
) -> None:
    executed(stage, bot)
    until_the_run_file(stage, bot)
    stage.slack.fail_next(method, status=500, after_effect=after_effect)
    bot.carry_on(4)
    bot.close()

    again = HandDriven(stage, bot.clock)
    again.wait(120)
    again.carry_on(6)

    assert len(pictures(stage)) == 1
    assert again.store.open_requests() == ()
    again.close()
