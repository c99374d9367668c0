"""What may be remembered of a stopped container, and what says that it may have changed."""

from itertools import permutations
from typing import Any

import pytest

from workers.planning import resting

NOON = 1_780_000_000
INSPECTED: dict[str, Any] = {
    "State": {"Status": "exited", "ExitCode": 0, "Pid": 0},
    "HostConfig": {"RestartPolicy": {"Name": "no"}, "Binds": ["/secret:/s"]},
    "Config": {"Image": "app:1", "Env": ["TOKEN=sesame"]},
}


def event(at: int, *, type_: str | None = "container", actor: object = None) -> dict[str, Any]:
    return {"Type": type_, "Action": "die", "Actor": actor or {"ID": "job"}, "time": at}


def test_only_what_facts_are_made_of_is_kept() -> None:
    assert resting.details(INSPECTED) == {
        "State": {"Status": "exited", "ExitCode": 0},
        "HostConfig": {"RestartPolicy": {"Name": "no"}},
        "Config": {"Image": "app:1"},
    }


@pytest.mark.parametrize("part", INSPECTED)
@pytest.mark.parametrize("nonsense", [None, "text", []])
def test_s4_nonsense_is_not_remembered(part: str, nonsense: object) -> None:
    assert resting.details(INSPECTED | {part: nonsense}) is None


def test_how_long_it_rests_is_no_change_but_its_end_is() -> None:
    lines = [
        {"State": "exited", "Status": f"Exited ({code}) {ago}"} for code, ago in ((0, "1 s"), (0, "2 s"))
    ]
    other = {"State": "exited", "Status": "Exited (1) 2 s"}

    assert resting.stands(lines[0]) == resting.stands(lines[1]) != resting.stands(other)


@pytest.mark.parametrize("listed", ["exited", "running"])
@pytest.mark.parametrize("told", ["exited", "running", "removing"])
def test_s4_only_what_list_and_inspection_both_call_stopped_rests(listed: str, told: str) -> None:
    rests = resting.is_resting({"State": listed}, {"State": {"Status": told}})

    assert rests == (listed == told == "exited")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event(NOON + 1), True),
        (event(NOON), True),
        (event(NOON - 1), False),
        (event(NOON + 1, actor={"ID": "other"}), False),
        (event(NOON + 1, type_="image"), False),
        (event(NOON + 1, actor={"ID": 7}), True),
        ({**event(NOON), "time": "noon"}, True),
    ],
    ids=["later", "same-second", "before", "another", "an-image", "unreadable", "at-some-time"],
)
def test_s4_an_event_since_then_that_may_be_of_it_means_ask_again(
    told: dict[str, Any], expected: bool
) -> None:
    assert resting.was_touched("job", NOON + 0.5, resting.touched([told])) is expected


@pytest.mark.parametrize(
    "told", [*permutations([event(NOON - 2, type_=None), event(NOON - 1), event(NOON + 1, type_=None)])]
)
def test_s4_of_several_events_that_may_be_of_it_the_latest_counts(told: tuple[dict[str, Any], ...]) -> None:
    assert resting.was_touched("job", NOON + 0.5, resting.touched(told))
    assert not resting.was_touched("job", NOON + 2, resting.touched(told))
