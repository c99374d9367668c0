"""The stories of the demo, as `deploy/demo --story` plays and judges them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import restore_story


def test_a_service_that_a_removal_broke_is_healthy_again_after_restore_what_it_used(
    stage_place: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with restore_story.company(stage_place()) as company:
        status = restore_story.play(company)
    told, objections = capsys.readouterr()

    assert (status, objections) == (0, "")
    order = [told.index(words) for words in TURNS]
    assert order == sorted(order)


TURNS = (
    "job-scheduler is healthy",
    "[ Prune web-1 ] and confirms",
    "job-scheduler on web-1 was healthy before this run and is unhealthy now.",
    "job-scheduler is unhealthy, 127.0.0.1:5000/shop/jobs:invoices is not there",
    "ana presses [ Check Again ]",
    "Not well yet on web-1",
    "ana presses [ Restore What It Used ]",
    "Bring back 1 image on web-1?",
    "[ Restore 1 Object ] and confirms",
    "Brought back 1 object on web-1.",
    "All is well again",
    "Checked on the engine itself: job-scheduler is healthy",
)
