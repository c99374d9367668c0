"""Whoever is turned away from an engine is told who holds it, since when, with which plan."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from workers.errors import RefusedError
from workers.execution.lock import Holder, engine_file, engine_lock, is_held
from workers.reasons import Code, Reason, reason
from workers.wording import sentence

ENGINE = "ENGINE:WEB:1"
BO = Holder("T0HOME/U0BO", "2026-11-24T10:40:00+00:00", "sha256:7f3a" + "0" * 60)


def refusal(folder: Path) -> Reason:
    with pytest.raises(RefusedError) as refused, engine_lock(folder, ENGINE):
        pass
    [why] = refused.value.reasons
    return why


def test_s11_who_holds_an_engine_is_named(tmp_path: Path) -> None:
    with engine_lock(tmp_path, ENGINE, BO):
        why = refusal(tmp_path)

    assert why == reason(Code.HELD, by=BO.by, since=BO.since, plan=BO.plan)
    assert sentence(why).startswith(
        "Another run holds this engine, confirmed by T0HOME/U0BO and under way since 2026-11-24 10:40 UTC"
        " (plan 7f3a00000000). Try again when it is over."
    )


def test_s11_whether_an_engine_is_held_is_seen_without_taking_it(tmp_path: Path) -> None:
    before = is_held(tmp_path, ENGINE)
    with engine_lock(tmp_path, ENGINE, BO):
        during = is_held(tmp_path, ENGINE)
        why = refusal(tmp_path)

    assert (before, during, is_held(tmp_path, ENGINE)) == (False, True, False)
    assert why.code is Code.HELD


def test_s11_an_engine_that_is_let_go_is_free(tmp_path: Path) -> None:
    for _ in range(2):
        with engine_lock(tmp_path, ENGINE, BO):
            pass


def test_who_held_it_before_is_not_named(tmp_path: Path) -> None:
    with engine_lock(tmp_path, ENGINE, BO):
        pass
    with engine_lock(tmp_path, ENGINE):
        assert refusal(tmp_path) == reason(Code.BUSY, detail="its lock is taken")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"by": 1}', "\xff", "{" * 9999, '{"by": "x"'])
def test_s11_what_names_nobody_turns_away_all_the_same(tmp_path: Path, text: str) -> None:
    with engine_lock(tmp_path, ENGINE, BO):
        engine_file(tmp_path, ENGINE, "lock").write_text(text, encoding="latin-1")

        assert refusal(tmp_path).code is Code.BUSY


def test_another_engine_is_free(tmp_path: Path) -> None:
    with engine_lock(tmp_path, ENGINE, BO), engine_lock(tmp_path, "ENGINE:WEB:2", BO):
        pass


def test_s4_where_its_folder_cannot_be_made_nobody_holds_an_engine(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()

    assert refusal(in_the_way).code is Code.NO_LOCK


def test_s4_where_no_lock_can_be_taken_nobody_holds_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network disk whose server keeps no locks: no file system of a test machine refuses one."""

    def refused(_file: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)

    assert refusal(tmp_path).code is Code.NO_LOCK
