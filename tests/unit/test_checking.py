"""What a post-check named as worse is looked at again, and judged as the post-check judges."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.facts_host import NOW, a_policy, days, running
from tests.unit.render_values import TROUBLED_RUN
from tests.unit.test_health import a_vital, looked
from workers.contract import HealthChange, HealthLine, Report, ServicesAnswer
from workers.errors import LedgerError
from workers.execution import checking, health
from workers.execution.health import Vital
from workers.signing import digest

POLICY = a_policy(critical_containers=["web"])
REMOVED_AT = NOW - timedelta(minutes=5)
ILL = {"health": "unhealthy"}
ANEW = {"restarts": 3, "started_at": NOW - timedelta(minutes=1)}
STARTING = {**ANEW, "health": "starting", "checked_at": None}


def a_report(*names: str, change: HealthChange = HealthChange.REGRESSED) -> Report:
    lines = [
        HealthLine(name=name, critical=False, before="healthy", after="unhealthy", change=change)
        for name in names
    ]
    return TROUBLED_RUN.model_copy(update={"health": tuple(lines), "trouble": None})


def answered(before: list[Vital], *now: Vital, known: list[Vital] | None = None) -> ServicesAnswer:
    report = a_report(*(one.name for one in before))
    judged = {"policy": POLICY, "since": REMOVED_AT, "at": NOW}
    return checking.answer(report, before, known or before, looked(*now), **judged)  # type: ignore[arg-type]


def test_only_what_the_post_check_named_is_looked_at() -> None:
    baseline = [a_vital("web"), a_vital("api"), a_vital("db")]

    assert [one.name for one in checking.named(a_report("api"), baseline)] == ["api"]
    assert checking.named(a_report("api", change=HealthChange.NOT_RECHECKED), baseline) == []


def test_where_it_is_not_kept_how_a_service_was_nobody_says_that_all_are_well() -> None:
    with pytest.raises(LedgerError, match="how api ran before run"):
        checking.named(a_report("web", "api"), [a_vital("web")])


@pytest.mark.parametrize(
    ("now", "change", "counts"),
    [
        ({}, HealthChange.SAME, (0, 0)),
        (ILL, HealthChange.REGRESSED, (1, 0)),
        ({"state": "exited"}, HealthChange.REGRESSED, (1, 0)),
        ({"state": "restarting"}, HealthChange.REGRESSED, (1, 0)),
        # That somebody has started it again is no fault of it by now.
        (ANEW, HealthChange.SAME, (0, 0)),
        ({**ANEW, **ILL}, HealthChange.REGRESSED, (1, 0)),
        (STARTING, HealthChange.NOT_RECHECKED, (0, 1)),
        ({"checked_at": REMOVED_AT - timedelta(seconds=1)}, HealthChange.NOT_RECHECKED, (0, 1)),
        (None, HealthChange.GONE, (1, 0)),
    ],
)
def test_it_is_judged_by_how_it_is_and_not_by_that_it_was_started_again(
    now: dict[str, Any] | None, change: HealthChange, counts: tuple[int, int]
) -> None:
    found = answered([a_vital()], *([] if now is None else [a_vital(**now)]))

    [one] = found.services
    assert one.line.change is change
    assert (found.worse, found.unchecked) == counts
    assert (one.line.critical, one.was, one.now is None) == (True, "unhealthy", now is None)


def test_what_was_ill_before_the_run_is_not_called_worse_by_it() -> None:
    [one] = answered([a_vital(**ILL)], a_vital(**ILL)).services

    assert (one.line.change, one.is_ill) == (HealthChange.SAME, True)


@pytest.mark.parametrize("state", ["exited", "restarting"])
def test_what_was_ill_before_the_run_and_runs_no_more_is_not_well_again(state: str) -> None:
    before = a_vital(**ILL, checked_at=REMOVED_AT - timedelta(seconds=1))
    found = answered([before], replace(before, state=state))

    assert (found.worse, found.unchecked, found.services[0].line.change) == (1, 0, HealthChange.REGRESSED)


def test_what_is_as_ill_as_before_comes_before_what_is_well() -> None:
    found = answered([a_vital("a"), a_vital("b", **ILL)], a_vital("a"), a_vital("b", **ILL))

    assert [one.line.name for one in found.services] == ["b", "a"]


def test_one_that_has_its_name_by_now_stands_in_for_it() -> None:
    before = a_vital("web", container=running("web", id="0" * 64), started_at=days(9))
    now = a_vital("web", started_at=NOW)
    known = health.under_their_names([before, a_vital("api")], [now.container])
    [one] = answered([before], now, known=known[:1]).services

    assert (one.line.change, one.replaced) == (HealthChange.SAME, True)
    assert known[1] == a_vital("api")


def test_one_that_is_there_is_not_taken_for_another_with_its_name() -> None:
    before = a_vital("web")
    others = [before.container, running("web", id="1" * 64)]

    assert health.under_their_names([before], others) == [before]


def test_those_that_are_worse_come_first_and_what_is_left_out_is_counted() -> None:
    names = [f"s{n:02}" for n in range(30)]
    before = [a_vital(name) for name in names]
    found = answered(before, *(a_vital(name, **(ILL if name == "s29" else {})) for name in names))

    assert [one.line.name for one in found.services[:2]] == ["s29", "s00"]
    assert (len(found.services) + found.more, found.worse) == (30, 1)
    assert digest(found) == digest(ServicesAnswer.model_validate_json(found.model_dump_json()))
