"""Logs are read where the policy says so, within bounds, and asked for nowhere else."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.stage.talker import Talker, talking
from tests.unit.facts_host import NOW, a_policy, running
from tests.unit.test_health import a_vital
from tests.unit.test_log_lines import frame, texts
from workers.contract import LogTail
from workers.engine import Engine
from workers.execution import logs
from workers.execution.logs import MOST_BYTES, MOST_READ, log_tails
from workers.execution.trouble import Fallen


@pytest.fixture
def talker(tmp_path: Path) -> Iterator[Talker]:
    with talking(tmp_path / "s") as server:
        yield server


@pytest.fixture
def engine(talker: Talker) -> Iterator[Engine]:
    with closing(Engine(talker.address)) as opened:
        yield opened


def fell(name: str, *, is_there: bool = True, terminal: bool = False) -> Fallen:
    vital = a_vital(container=running(name), has_terminal=terminal)
    return Fallen(vital, vital if is_there else None, NOW)


def asked(talker: Talker) -> list[str]:
    """How many lines of a log were asked for, each time."""
    return [call.rpartition("tail=")[2] for call in talker.asked if "/logs" in call]


def read(engine: Engine, *fallen: Fallen, lines: int = 20) -> dict[str, LogTail]:
    found = log_tails(engine, fallen, a_policy(show_logs=lines))
    names = {one.id: one.before.name for one in fallen}
    return {names[id_]: one for id_, one in found.items()}


def test_where_the_policy_shows_no_logs_the_engine_is_not_asked_for_any(
    talker: Talker, engine: Engine
) -> None:
    before = len(talker.asked)

    assert log_tails(engine, [fell("web")], a_policy()) == {}
    assert len(talker.asked) == before


def test_as_many_lines_are_read_as_the_policy_says(talker: Talker, engine: Engine) -> None:
    talker.answers(frame("no such host\n"))

    assert texts(read(engine, fell("web"), lines=7)["web"]) == ["no such host"]
    assert asked(talker) == ["7"]


def test_a_terminal_has_no_frames(talker: Talker, engine: Engine) -> None:
    # What looks like the header of a short piece is what its program wrote.
    talker.answers(frame("no")[:8] + b"no such host\r\n")

    assert texts(read(engine, fell("web", terminal=True))["web"]) == ["no such host"]


def test_fewer_lines_are_asked_for_where_they_are_too_long(talker: Talker, engine: Engine) -> None:
    talker.answers(frame("x" * 2 * MOST_BYTES))
    found = read(engine, fell("web"))["web"]

    assert asked(talker) == ["20", "10", "5", "2", "1"]
    assert (len(found.lines), found.cut) == (1, True)


def test_a_log_that_cannot_be_read_is_said_to_be_and_the_next_one_is_read(
    talker: Talker, engine: Engine
) -> None:
    talker.answers(
        b'{"message": "configured logging driver does not support reading"}', HTTPStatus.NOT_IMPLEMENTED
    )
    found = read(engine, fell("web"), fell("api"))

    assert {one.unread.partition(": ")[2] for one in found.values()} == {
        "configured logging driver does not support reading"
    }
    assert len(asked(talker)) == 2


def test_what_is_gone_has_no_log(talker: Talker, engine: Engine) -> None:
    assert read(engine, fell("web", is_there=False)) == {}
    assert asked(talker) == []


def test_of_many_containers_the_first_ones_are_read(talker: Talker, engine: Engine) -> None:
    found = read(engine, *(fell(f"web-{n}") for n in range(MOST_READ + 2)))

    assert len(asked(talker)) == MOST_READ
    assert [name for name, one in found.items() if one.unread] == [
        f"web-{n}" for n in (MOST_READ, MOST_READ + 1)
    ]


def test_logs_for_which_no_time_is_left_are_said_to_be_unread(
    talker: Talker, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "TOGETHER", timedelta(0))

    assert "no time is left for it" in read(engine, fell("web"))["web"].unread
    assert asked(talker) == []


def test_an_engine_that_is_not_there_any_more_keeps_no_report_back(talker: Talker, engine: Engine) -> None:
    talker.breaks_off = True

    assert read(engine, fell("web"))["web"].unread
