"""What a host tells is read by this bot as it was recorded, also from a worker before it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.golden import FOLDER, assert_text
from tests.unit.render_values import NOW, STOPPED_RUN, TROUBLED_RUN, work
from workers.contract import EVENT, LONGEST_WORK, Doing, ExecutionFinished, Kind, Report, WorkBegun
from workers.execution.progress import Progress


def finished(report: Report) -> ExecutionFinished:
    return ExecutionFinished(host="web-1", at=NOW, request_id="r-1", reply_to="C0OPS", report=report)


def test_a_report_of_trouble_is_told_as_recorded_and_read_as_it_was_told() -> None:
    told = finished(TROUBLED_RUN)
    text = told.model_dump_json(indent=1) + "\n"

    assert_text("execution-finished.json", text)
    assert EVENT.validate_json(text) == told


def test_a_report_of_a_worker_that_tells_nothing_of_trouble_is_read() -> None:
    text = (FOLDER / "execution-finished-before-trouble.json").read_text()

    assert "trouble" not in text
    assert EVENT.validate_json(text) == finished(STOPPED_RUN)
    assert (STOPPED_RUN.trouble, STOPPED_RUN.ping) == (None, ())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("seconds", value) for value in (-1, -1e-9, LONGEST_WORK + 1, 1e18, 1e308)),
        *(("seconds", float(value)) for value in ("inf", "-inf", "nan")),
        ("count", -1),
    ],
)
def test_work_that_takes_no_time_that_there_is_cannot_be_read(field: str, value: float) -> None:
    told = json.loads(work("web-1", Doing.SETTLING, request_id="r-1").model_dump_json())

    assert EVENT.validate_json(json.dumps(told))
    with pytest.raises(ValidationError, match=field):
        EVENT.validate_json(json.dumps({**told, field: value}))


@given(st.floats(allow_nan=False) | st.floats(0, LONGEST_WORK), st.integers(min_value=0, max_value=10**6))
def test_whatever_time_a_run_takes_is_told_and_read(seconds: float, count: int) -> None:
    told = WorkBegun(
        host="web-1", at=NOW, order_id="o-1", **Progress(Doing.SETTLING, seconds, Kind.IMAGE, count).told()
    )

    assert EVENT.validate_json(told.model_dump_json()) == told
    assert (told.doing, told.kind, told.count) == (Doing.SETTLING, Kind.IMAGE, count)
    assert told.seconds == sorted((0, seconds, LONGEST_WORK))[1]
