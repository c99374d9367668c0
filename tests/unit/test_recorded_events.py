"""What a host tells is read by this bot as it was recorded, also from a worker before it."""

from tests.unit.golden import FOLDER, assert_text
from tests.unit.render_values import NOW, STOPPED_RUN, TROUBLED_RUN
from workers.contract import EVENT, ExecutionFinished, Report


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
