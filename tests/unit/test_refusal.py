"""Why a command was not done: the same for people and for programs."""

import json

import pytest

from tests.unit.facts_host import a_case, a_plan, an_image
from workers.cli import refusal
from workers.cli.refusal import Exit, Refusal
from workers.cli.terminal import progress_line
from workers.contract import Doing, Kind
from workers.errors import (
    AnswerLost,
    EngineError,
    EngineUnreachable,
    LedgerError,
    PolicyError,
    RefusedError,
    SettingsError,
    UsageError,
    WorkerError,
)
from workers.execution.progress import Progress
from workers.reasons import Code, reason

BUSY = reason(Code.BUSY, detail="its lock is taken")
PLAN = a_plan(a_case(an_image("waste:1")))


def told(why: Refusal | None) -> tuple[str, str, list[str]]:
    """What a program reads of it: how it ended, what was said, the codes of its reasons."""
    assert why is not None
    read = json.loads(why.as_json())
    return read["ended"], read["said"], [one["code"] for one in read["reasons"]]


@pytest.mark.parametrize(
    ("error", "ended", "word", "codes"),
    [
        (RefusedError(BUSY), "refused", "Another run holds this engine", ["busy"]),
        (PolicyError("/p", "colour is not a key"), "refused", "Nothing was removed.", ["policy_invalid"]),
        (LedgerError("the disk is full"), "refused", "Nothing was removed.", []),
        (EngineUnreachable("unix:///s: nobody"), "failed", "DOCKER_HOST (unix:///s)", ["engine_unreachable"]),
        (AnswerLost("info: no answer in time"), "failed", "DOCKER_HOST (unix:///s)", ["engine_unreachable"]),
        (
            EngineError("info: no luck"),
            "failed",
            "info: no luck. Look at the engine's log.",
            ["engine_error"],
        ),
        (UsageError("no plan abc"), "usage", "no plan abc", []),
        (SettingsError("PRUNE_HOST is not set"), "usage", "PRUNE_HOST is not set", []),
        (WorkerError("something"), "failed", "something", []),
    ],
)
def test_an_error_is_told_with_its_reasons(
    error: WorkerError, ended: str, word: str, codes: list[str]
) -> None:
    found = told(refusal.of_error(error, address="unix:///s"))

    assert (found[0], word in found[1], found[2]) == (ended, True, codes)


def test_a_reason_has_its_values_and_its_sentence() -> None:
    [read] = json.loads(refusal.of_error(RefusedError(BUSY), address="").as_json())["reasons"]

    assert read["params"] == {"detail": "its lock is taken"}
    assert read["sentence"].startswith("Another run holds this engine (its lock is taken).")


def test_a_plan_that_is_not_executed_is_told_with_what_its_notices_say() -> None:
    notices = (reason(Code.NOT_ALL_READ, kind="image", object="a", what="b"), reason(Code.NOTHING_CRITICAL))
    unread = PLAN.model_copy(update={"complete": False, "notices": notices})
    empty = PLAN.model_copy(update={"steps": ()})

    assert told(refusal.of_plan(unread, unusual_too=True))[2] == ["not_all_read"]
    assert told(refusal.of_plan(empty, unusual_too=True))[::2] == ("done", ["nothing_to_do"])
    assert refusal.of_plan(PLAN, unusual_too=True) is None
    assert {refusal.no_terminal().ending, refusal.not_confirmed().ending} == {Exit.REFUSED}


def test_what_a_run_does_is_said_with_how_long_that_may_take() -> None:
    said = {doing: progress_line(Progress(doing, seconds=90, kind=Kind.IMAGE, count=3)) for doing in Doing}
    timed = (Doing.WATCHING_FOR_QUIET, Doing.HOLDING_STILL, Doing.SETTLING)

    assert all("90 s" in said[doing] for doing in timed)
    assert "3 images" in said[Doing.REMOVING]
    assert all(line.endswith(".") and "{" not in line for line in said.values())
