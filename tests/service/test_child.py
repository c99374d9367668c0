"""Work in a forked process: cut off only where nothing is left half done, whatever the work swallows."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.queue_stage import until
from workers.errors import EngineError
from workers.halt import Halt
from workers.reasons import Code
from workers.transport.child import FAILED, OUT_OF_TIME, TOLD_TO_STOP, Child, Limits, signals_held

CHANGES_NOTHING = Limits(20)
FINISHES_FIRST = Limits(20, grace=20)


def forked(work: Callable[[Halt], None], limits: Limits) -> Child:
    with signals_held():
        return Child.fork(work, limits)


def exit_code(child: Child) -> int:
    ends: list[int] = []

    def ended() -> bool:
        end = child.ended(within=0.1)
        ends.extend([] if end is None else [end])
        return bool(ends)

    until(ended, "the child to end")
    return ends[0]


def swallow_everything(_: Halt) -> None:
    while True:
        try:
            signal.pause()
        except Exception:  # noqa: BLE001 - what this test is about
            continue


def end_when_asked(halt: Halt) -> None:
    while not halt.requested:
        signal.pause()


def test_work_that_is_done_ends_well() -> None:
    assert exit_code(forked(lambda _: None, CHANGES_NOTHING)) == 0


@pytest.mark.parametrize("error", [RuntimeError("a mistake of ours"), EngineError("gone"), SystemExit(0)])
def test_work_that_fails_ends_badly(error: BaseException) -> None:
    def fail(_: Halt) -> None:
        raise error

    assert exit_code(forked(fail, CHANGES_NOTHING)) == FAILED


def test_a_time_limit_is_not_swallowed() -> None:
    assert exit_code(forked(swallow_everything, Limits(1))) == OUT_OF_TIME


def test_s11_at_its_time_limit_work_is_asked_first_and_finishes_the_object_in_hand() -> None:
    assert exit_code(forked(end_when_asked, Limits(1, grace=20))) == 0


def test_a_time_limit_is_not_swallowed_by_work_that_was_asked_either() -> None:
    assert exit_code(forked(swallow_everything, Limits(1, grace=1))) == OUT_OF_TIME


def test_work_that_changes_nothing_is_cut_off() -> None:
    child = forked(swallow_everything, CHANGES_NOTHING)

    child.stop()

    assert exit_code(child) == TOLD_TO_STOP


def test_being_told_again_while_it_ends_changes_nothing() -> None:
    child, ends = forked(swallow_everything, CHANGES_NOTHING), list[int | None]()

    def told_again() -> bool:
        child.stop()
        ends.append(child.ended(within=0))
        return ends[-1] is not None

    until(told_again, "the child to end")

    assert ends[-1] == TOLD_TO_STOP


def test_s11_work_that_changes_something_is_asked_and_says_why(tmp_path: Path) -> None:
    def work(halt: Halt) -> None:
        end_when_asked(halt)
        (tmp_path / "why").write_text(" ".join(why.code for why in halt.reasons))

    child = forked(work, FINISHES_FIRST)
    child.stop()

    assert exit_code(child) == 0
    assert (tmp_path / "why").read_text() == Code.TERMINATED


def test_s11_a_signal_sent_before_the_child_could_listen_is_heard() -> None:
    with signals_held():
        child = Child.fork(end_when_asked, FINISHES_FIRST)
        child.stop()

    assert exit_code(child) == 0


def test_s14_a_machine_out_of_memory_kills_the_work_and_not_who_tells_of_it(tmp_path: Path) -> None:
    def score() -> int:
        return int(Path("/proc/self/oom_score_adj").read_text())

    def work(_: Halt) -> None:
        (tmp_path / "score").write_text(str(score()))

    assert exit_code(forked(work, CHANGES_NOTHING)) == 0
    assert int((tmp_path / "score").read_text()) > score()


def test_a_killed_child_is_known_by_its_signal() -> None:
    child = forked(lambda _: os.kill(os.getpid(), signal.SIGKILL), FINISHES_FIRST)

    assert exit_code(child) == -signal.SIGKILL


def test_to_stop_a_child_that_has_ended_is_no_error() -> None:
    child = forked(lambda _: None, CHANGES_NOTHING)
    exit_code(child)

    child.stop()
