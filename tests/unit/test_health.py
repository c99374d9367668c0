"""Whether services are well, before, during and after a run, is told of facts alone (S5, S6)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import NOW, a_container, a_policy, an_id, days, running
from workers.contract import HealthChange
from workers.execution import health
from workers.execution.health import Vital
from workers.planning.facts import PROJECT, SERVICE
from workers.reasons import Code

CRITICAL = a_policy(critical_containers=["web"])


def a_vital(name: str = "web", **facts: Any) -> Vital:
    usual: dict[str, Any] = {
        "container": running(name, labels={PROJECT: "shop", SERVICE: name}),
        "state": "running",
        "health": "healthy",
        "restarts": 0,
        "started_at": days(1),
        "checked_at": NOW,
    }
    return Vital(**(usual | facts))


def looked(*vitals: Vital) -> dict[str, Vital]:
    return {vital.container.id: vital for vital in vitals}


def unfit(now: Vital | None, before: Vital | None = None) -> list[Code]:
    """What a pre-check says that looks twice."""
    second = looked(now) if now else {}
    return [one.code for one in health.pre_check([before or a_vital()], second, CRITICAL)]


# Read from an inspection


def inspected(state: dict[str, Any], **facts: Any) -> Vital:
    raw = {"State": {"Status": "running", **state}, "RestartCount": 2, **facts}
    return health.vital({"Id": an_id("web"), "Names": ["/web"], "State": "running"}, raw)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "running"),
        ({"Paused": True}, "paused"),
        ({"Restarting": True}, "restarting"),
        ({"Status": "exited"}, "exited"),
        ({"Health": {"Status": "unhealthy"}}, "unhealthy"),
        ({"Health": {"Status": "none"}}, "running"),
        ({"Paused": True, "Health": {"Status": "healthy"}}, "paused"),
    ],
)
def test_s5_a_paused_or_restarting_container_does_not_run_whatever_its_status_says(
    state: dict[str, Any], words: str
) -> None:
    assert inspected(state).words == words


@pytest.mark.parametrize("log", [None, []])
def test_a_check_that_never_ran_has_no_time(log: Any) -> None:
    assert inspected({"Health": {"Status": "starting", "Log": log}}).checked_at is None


def test_s6_a_check_counts_from_its_beginning() -> None:
    log = [{"Start": "2026-01-01T00:00:00Z", "End": "2026-01-01T00:00:30Z"}]

    assert inspected({"Health": {"Status": "healthy", "Log": log}}).checked_at == datetime.fromisoformat(
        log[0]["Start"]
    )


@pytest.mark.parametrize(
    ("check", "seconds"),
    [
        ({"Test": ["CMD", "true"], "Interval": 2e9, "Timeout": 1e9, "Retries": 3}, 7),
        ({"Test": ["CMD", "true"]}, 120),
        ({"Test": ["NONE"], "Interval": 2e9}, 0),
        ({}, 0),
    ],
)
def test_s6_how_long_a_check_takes_to_notice(check: dict[str, Any], seconds: float) -> None:
    assert inspected({}, Config={"Healthcheck": check}).check_takes == timedelta(seconds=seconds)


# Before


def test_s5_a_service_that_runs_and_holds_still_is_fit() -> None:
    assert unfit(a_vital()) == []
    assert unfit(a_vital(health="")) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": "exited"}, Code.CRITICAL_NOT_RUNNING),
        ({"state": "paused"}, Code.CRITICAL_NOT_RUNNING),
        ({"state": "restarting"}, Code.CRITICAL_NOT_RUNNING),
        ({"state": "created"}, Code.CRITICAL_NOT_RUNNING),
        ({"restarts": 1}, Code.CRITICAL_UNSTEADY),
        ({"started_at": NOW}, Code.CRITICAL_UNSTEADY),
        ({"health": "unhealthy"}, Code.CRITICAL_UNHEALTHY),
        ({"health": "starting"}, Code.CRITICAL_STARTING),
    ],
)
def test_s5_a_service_that_is_not_well_is_refused(change: dict[str, Any], expected: Code) -> None:
    assert unfit(a_vital(**change)) == [expected]


def test_s5_a_service_that_went_away_between_two_looks_is_refused() -> None:
    assert unfit(None) == [Code.CRITICAL_NOT_RUNNING]
    assert unfit(a_vital(container=replace(running("web"), id=an_id("again")))) == [Code.CRITICAL_NOT_RUNNING]


@pytest.mark.parametrize("entry", ["wbe", "compose:shop/db", "we", "web-?"])
def test_s5_an_entry_that_matches_nothing_is_refused(entry: str) -> None:
    policy = a_policy(critical_containers=[entry])
    found = health.pre_check([a_vital()], looked(a_vital()), policy)

    assert [(one.code, one.params) for one in found] == [(Code.CRITICAL_MATCHES_NOTHING, {"entry": entry})]


def test_s5_every_service_that_is_not_well_is_named_with_its_state() -> None:
    sick = [a_vital("one", state="exited"), a_vital("two", state="paused")]
    found = health.pre_check(sick, looked(*sick), a_policy(critical_containers=["one", "two", "three"]))

    assert [one.params for one in found] == [
        {"entry": "three"},
        {"container": "one", "state": "exited"},
        {"container": "two", "state": "paused"},
    ]


def test_s5_of_a_glob_every_container_must_be_well() -> None:
    both = [a_vital("web-1"), a_vital("web-2", state="exited")]

    assert len(health.pre_check(both, looked(*both), a_policy(critical_containers=["web-*"]))) == 1


def test_what_is_not_critical_refuses_nothing() -> None:
    sick = a_vital("batch", state="exited")

    assert health.pre_check([a_vital(), sick], looked(a_vital(), sick), CRITICAL) == []


@pytest.mark.parametrize(
    ("vital", "expected"),
    [
        (a_vital(health="starting"), True),
        (a_vital(), False),
        (a_vital("batch", health="starting"), False),
        (a_vital(health="starting", state="exited"), False),
    ],
)
def test_s5_only_what_is_critical_and_starting_is_waited_for(vital: Vital, expected: bool) -> None:
    assert health.is_waiting([vital], CRITICAL) is expected


STATES = st.sampled_from(["running", "exited", "paused", "restarting", "removing", "dead", "created"])
HEALTHS = st.sampled_from(["", "healthy", "unhealthy", "starting"])


@given(STATES, HEALTHS, st.integers(0, 1), st.sampled_from([days(1), NOW]))
def test_s5_only_running_well_and_still_passes(
    state: str, checked: str, restarts: int, started: datetime
) -> None:
    now = a_vital(state=state, health=checked, restarts=restarts, started_at=started)
    fit = state == "running" and checked in ("", "healthy") and (restarts, started) == (0, days(1))

    assert (unfit(now) == []) is fit


# Between


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (a_vital(), a_vital(), []),
        (a_vital(), None, [Code.CONTAINER_LOST]),
        (a_vital(), a_vital(state="exited"), [Code.HEALTH_REGRESSED]),
        (a_vital(), a_vital(state="paused"), [Code.HEALTH_REGRESSED]),
        (a_vital(), a_vital(health="unhealthy"), [Code.HEALTH_REGRESSED]),
        (a_vital(), a_vital(restarts=1), [Code.HEALTH_REGRESSED]),
        (a_vital(), a_vital(started_at=NOW), [Code.HEALTH_REGRESSED]),
        (a_vital(health="unhealthy"), a_vital(health="unhealthy"), []),
        (a_vital(health="unhealthy"), a_vital(health="unhealthy", started_at=NOW), []),
        (a_vital(health="unhealthy"), a_vital(state="exited"), [Code.HEALTH_REGRESSED]),
        (a_vital(state="restarting"), a_vital(restarts=9), []),
        (a_vital(unsteady=True), a_vital(restarts=1), []),
        (a_vital(unsteady=True), a_vital(restarts=1, state="restarting"), []),
        (a_vital(unsteady=True), a_vital(restarts=1, health="unhealthy"), [Code.HEALTH_REGRESSED]),
        (a_vital(unsteady=True), a_vital(restarts=1, state="exited"), [Code.HEALTH_REGRESSED]),
        (a_vital(unsteady=True), a_vital(state="restarting"), [Code.HEALTH_REGRESSED]),
        (a_vital(unsteady=True), None, [Code.CONTAINER_LOST]),
    ],
)
def test_s6_what_got_worse_is_a_regression(before: Vital, now: Vital | None, expected: list[Code]) -> None:
    found = health.regressions([before], looked(now) if now else {})

    assert [(vital, why.code) for vital, why in found] == [(before, code) for code in expected]


def test_s6_a_container_that_restarted_between_two_looks_is_called_so() -> None:
    marked = health.unsteady_marked(
        looked(a_vital(), a_vital("db")), looked(a_vital(restarts=1), a_vital("db"))
    )

    assert [vital.state for vital in marked.values()] == ["restarting", "running"]


@pytest.mark.parametrize(
    ("name", "restarts", "ago", "expected"),
    [
        ("api", 57, timedelta(seconds=8), True),
        ("api", 57, timedelta(minutes=2), False),
        ("api", 0, timedelta(seconds=8), False),
        # It is critical.
        ("web", 57, timedelta(seconds=8), False),
    ],
)
def test_s6_what_its_engine_restarted_a_moment_ago_is_unsteady(
    name: str, restarts: int, ago: timedelta, expected: bool
) -> None:
    vital = a_vital(name, restarts=restarts, started_at=NOW - ago)
    [marked] = health.just_restarted_marked(looked(vital), CRITICAL, NOW).values()

    assert (marked.unsteady, marked.words) == (expected, "healthy")


def test_one_that_never_started_is_not_called_unsteady() -> None:
    [marked] = health.just_restarted_marked(looked(a_vital("api", started_at=None)), CRITICAL, NOW).values()

    assert not marked.unsteady


# After


def line(before: Vital, now: Vital | None) -> tuple[str, str, HealthChange]:
    [found] = health.lines([before], looked(now) if now else {}, CRITICAL, last_removal=NOW)
    return found.before, found.after, found.change


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (a_vital(), a_vital(), ("healthy", "healthy", HealthChange.SAME)),
        (a_vital(), a_vital(checked_at=days(0.001)), ("healthy", "healthy", HealthChange.NOT_RECHECKED)),
        (a_vital(), a_vital(checked_at=None), ("healthy", "healthy", HealthChange.NOT_RECHECKED)),
        (a_vital(health=""), a_vital(health="", checked_at=None), ("running", "running", HealthChange.SAME)),
        (a_vital(), None, ("healthy", "gone", HealthChange.GONE)),
        (a_vital(), a_vital(state="exited"), ("healthy", "exited", HealthChange.REGRESSED)),
        (a_vital(), a_vital(restarts=1), ("healthy", "restarted", HealthChange.REGRESSED)),
        (a_vital(health="unhealthy"), a_vital(), ("unhealthy", "healthy", HealthChange.RECOVERED)),
        (
            a_vital(state="paused", health=""),
            a_vital(state="paused", health=""),
            ("paused", "paused", HealthChange.SAME),
        ),
    ],
)
def test_s6_each_service_is_compared_with_how_it_was(
    before: Vital, now: Vital | None, expected: object
) -> None:
    assert line(before, now) == expected


ENDED = {"State": {"Status": "exited", "ExitCode": 0}, "HostConfig": {"RestartPolicy": {"Name": "no"}}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"HostConfig": {"RestartPolicy": {"Name": ""}}}, True),
        ({"HostConfig": {"RestartPolicy": {"Name": "always"}}}, False),
        ({"HostConfig": {"RestartPolicy": {"Name": "on-failure"}}}, False),
        ({"HostConfig": {}}, False),
        ({"HostConfig": None}, False),
        ({"State": {"Status": "exited", "ExitCode": 1}}, False),
        ({"State": {"Status": "exited"}}, False),
        ({"State": {"Status": "running", "ExitCode": 0}}, False),
        ({"State": {"Status": "dead", "ExitCode": 0}}, False),
    ],
)
def test_a_job_that_ended_well_is_told_from_a_service_that_fell(
    change: dict[str, Any], expected: bool
) -> None:
    raw = {**ENDED, **change}

    assert inspected(raw.pop("State"), **raw).ended_well is expected


def test_what_removes_itself_says_so() -> None:
    assert inspected({}, HostConfig={"AutoRemove": True}).removes_itself
    assert not inspected({}, HostConfig={"AutoRemove": False}).removes_itself
    assert not inspected({}).removes_itself


@pytest.mark.parametrize(
    ("before", "now", "stays"),
    [
        ({"removes_itself": True}, None, False),
        ({"removes_itself": True}, {"state": "removing"}, False),
        ({"removes_itself": True}, {"state": "paused"}, True),
        ({"removes_itself": True}, {}, True),
        ({}, {"state": "exited", "ended_well": True}, False),
        ({}, {"state": "exited"}, True),
        ({}, {"state": "removing"}, True),
        ({}, None, True),
    ],
)
def test_s6_a_job_that_is_over_is_not_worse_unless_it_is_called_critical(
    before: dict[str, Any], now: dict[str, Any] | None, stays: bool
) -> None:
    for name, watched in (("job", stays), ("web", True)):
        baseline = [a_vital(name, **before)]
        looks = looked(*([] if now is None else [a_vital(name, **now)]))
        found = health.lasting(baseline, looks, CRITICAL, ended={baseline[0].container.id})

        assert found == (baseline if watched else [])


@pytest.mark.parametrize("now", [None, {"state": "removing"}])
def test_s6_what_removed_itself_and_ended_in_a_way_that_nobody_tells_is_missed(
    now: dict[str, Any] | None,
) -> None:
    baseline = [a_vital("job", removes_itself=True)]
    looks = looked(*([] if now is None else [a_vital("job", **now)]))

    assert health.lasting(baseline, looks, CRITICAL) == baseline


def test_an_end_is_a_good_one_by_its_last_exit_code() -> None:
    codes = (
        ("good", "0"),
        ("bad", "1"),
        ("killed", "137"),
        ("again", "1"),
        ("again", "0"),
        ("fell", "0"),
        ("fell", "1"),
    )
    deaths = [{"Actor": {"ID": id_, "Attributes": {"exitCode": code}}} for id_, code in codes]

    assert health.ended_well([*deaths, {}, {"Actor": {"ID": "silent"}}]) == {"good", "again"}


AGAIN = {"started_at": NOW}


@pytest.mark.parametrize(
    ("web", "api", "carried"),
    [
        (AGAIN, AGAIN, [NOW, NOW]),
        (AGAIN, {"state": "exited"} | AGAIN, [NOW, days(1)]),
        (AGAIN, {"restarts": 2} | AGAIN, [NOW, days(1)]),
        (AGAIN, {}, [days(1), days(1)]),
        ({}, {}, [days(1), days(1)]),
        ({"state": "exited"}, {"state": "exited"}, [days(1), days(1)]),
    ],
)
def test_s6_what_starts_with_its_engine_is_no_worse_for_it_and_what_falls_by_itself_is(
    web: dict[str, Any], api: dict[str, Any], carried: list[datetime]
) -> None:
    both, now = (
        [a_vital("web", restarts=1), a_vital("api", restarts=1)],
        [a_vital("web", **web), a_vital("api", **api)],
    )

    assert [one.started_at for one in health.carried_over(both, looked(*now))] == carried


def test_lines_are_sorted_and_say_what_is_critical() -> None:
    both = [a_vital("web"), a_vital("api")]
    found = health.lines(both, looked(*both), CRITICAL, last_removal=NOW)

    assert [(one.name, one.critical) for one in found] == [("api", False), ("web", True)]


@pytest.mark.parametrize(
    ("keys", "takes", "seconds"),
    [
        ({}, timedelta(0), 10),
        ({}, timedelta(seconds=50), 50),
        ({}, timedelta(hours=1), 180),
        ({"settle": "0s"}, timedelta(seconds=50), 0),
        ({"settle": "5min"}, timedelta(0), 300),
    ],
)
def test_s6_settling_lasts_as_long_as_the_slowest_check_within_bounds(
    keys: dict[str, str], takes: timedelta, seconds: int
) -> None:
    watched = [a_vital(check_takes=takes), a_vital("batch")]

    assert health.settle_time(a_policy(**keys), watched) == timedelta(seconds=seconds)


def test_settling_with_nothing_to_watch_has_a_length_too() -> None:
    assert health.settle_time(a_policy(), []) == health.SETTLE_AT_LEAST


def test_critical_means_a_name_and_not_a_state() -> None:
    stopped = a_vital(container=a_container("web"), state="exited")

    assert health.critical([stopped, a_vital("batch")], CRITICAL) == [stopped]
