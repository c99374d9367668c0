"""When a host is quiet enough: the pure guard, on events as engines write them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import NOW, a_case, a_plan, a_policy, a_record
from tests.unit.replayed_host import ReplayedHost
from workers.contract import Kind
from workers.engine import Engine
from workers.errors import EngineError
from workers.execution.activity import refusals
from workers.memory.ledger import Ledger
from workers.planning.activity import (
    ALL_BUT,
    MEMORY,
    Activity,
    ClockReading,
    activities,
    clock_off,
    forgotten_before,
    images_stood_still,
    unrest,
)
from workers.planning.mentions import SOME_TIME
from workers.reasons import Code, reason
from workers.wording import sentence

TWO_MINUTES = timedelta(minutes=2)
ID = "sha256:" + "a" * 64


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def an_event(type_: str, action: str, id_: str, name: str = "", *, at: datetime = NOW) -> dict[str, Any]:
    return {
        "Type": type_,
        "Action": action,
        "Actor": {"ID": id_, "Attributes": {"name": name}},
        "time": int(at.timestamp()),
        "timeNano": int(at.timestamp()) * 10**9,
    }


def an_arrival(seconds: float, name: str = "app:2", what: str = "pulled") -> Activity:
    return Activity(Kind.IMAGE, name, what, ago(seconds))


def codes(*seen: Activity, building: int = 0, quiet_for: timedelta = TWO_MINUTES) -> list[Code]:
    return [r.code for r in unrest(seen, building=building, quiet_for=quiet_for, now=NOW)]


@pytest.mark.parametrize(
    ("event", "kind", "name", "what"),
    [
        (an_event("image", "pull", "app:2", "app"), Kind.IMAGE, "app:2", "pulled"),
        (an_event("image", "pull", f"app@{ID}", "app"), Kind.IMAGE, f"app@{ID}", "pulled"),
        (an_event("image", "tag", ID, "x/y:2"), Kind.IMAGE, "x/y:2", "tagged"),
        (an_event("image", "load", ID, ID), Kind.IMAGE, ID[:19], "loaded"),
        (an_event("image", "import", ID, ID), Kind.IMAGE, ID[:19], "imported"),
        (an_event("container", "create", "c" * 64, "web"), Kind.CONTAINER, "web", "created"),
    ],
)
def test_what_an_event_tells_of(event: dict[str, Any], kind: Kind, name: str, what: str) -> None:
    assert activities([event]) == (Activity(kind, name, what, NOW),)


@pytest.mark.parametrize(
    ("type_", "action"),
    [
        ("image", "untag"),
        ("image", "delete"),
        ("image", "push"),
        ("container", "destroy"),
        ("container", "exec_create: true"),
        ("volume", "create"),
        ("network", "create"),
        ("", ""),
    ],
)
def test_what_a_run_itself_leaves_behind_is_no_activity(type_: str, action: str) -> None:
    assert activities([an_event(type_, action, ID), {}]) == ()


@pytest.mark.parametrize(
    ("events", "stood"),
    [
        ([], True),
        ([an_event("container", "start", ID)], True),
        ([an_event("container", "start", ID), an_event("image", "delete", ID)], False),
        ([{}], False),
        ([an_event("container", "exec_start", ID)] * MEMORY, False),
    ],
)
def test_images_stood_still_while_no_event_spoke_of_one_and_none_is_forgotten(
    events: list[dict[str, Any]], stood: bool
) -> None:
    assert images_stood_still(events, since=NOW - timedelta(days=9)) is stood


def test_a_quiet_host_gives_no_reason() -> None:
    assert codes() == []
    assert codes(an_arrival(120)) == []


def test_activity_is_refused_with_what_happened_when_and_until_when() -> None:
    [told] = unrest([an_arrival(40)], building=0, quiet_for=TWO_MINUTES, now=NOW)

    assert told == reason(
        Code.IMAGE_ARRIVED,
        image="app:2",
        what="pulled",
        ago=40,
        quiet=120,
        until="2026-06-01T12:02:00+00:00",
    )
    assert sentence(told) == (
        "Image app:2 was pulled 40 s earlier, so nothing may be removed before 2026-06-01 12:02 UTC "
        "(this host must be quiet for 2 min). Execute it then; once refused, ask for a new preview "
        "(on the host, --confirm takes this plan still)."
    )


def test_the_newest_of_each_kind_is_named() -> None:
    container = Activity(Kind.CONTAINER, "job", "created", ago(10))
    found = unrest(
        [an_arrival(20), an_arrival(50, "old:1"), container], building=0, quiet_for=TWO_MINUTES, now=NOW
    )

    assert {(r.code, r.params["ago"]) for r in found} == {
        (Code.IMAGE_ARRIVED, 20),
        (Code.CONTAINER_CREATED, 10),
    }


def test_a_build_under_way_is_never_cleaned_up_under() -> None:
    assert codes(building=3, quiet_for=timedelta(0)) == [Code.BUILD_UNDER_WAY]


def test_s4_an_event_without_a_time_is_taken_for_new() -> None:
    broken = [
        {**an_event("image", "pull", "app:2"), "time": nano, "timeNano": nano}
        for nano in (None, -1, "x", 10**30)
    ]

    assert [codes(*activities([one])) for one in broken] == [[Code.ACTIVITY_UNKNOWN]] * 4


def test_s4_an_event_in_the_future_is_no_quiet() -> None:
    assert codes(an_arrival(-3600)) == [Code.IMAGE_ARRIVED]


def test_a_full_memory_says_nothing_about_what_came_before() -> None:
    noise = [an_event("container", "exec_die", "c", at=ago(30 - n / 20)) for n in range(MEMORY)]

    assert forgotten_before(noise[ALL_BUT + 1 :]) is None
    assert forgotten_before(noise) == ago(30)
    assert forgotten_before([{}, *noise[1:]]) == SOME_TIME


def test_s4_what_came_while_the_question_was_on_its_way_is_no_sign_of_all_being_told() -> None:
    noise = [an_event("container", "exec_die", "c", at=ago(30 - n / 20)) for n in range(MEMORY)]

    assert forgotten_before(noise[1:]) is not None


@given(st.floats(0, 600), st.integers(1, 600))
def test_the_time_named_is_one_at_which_the_host_is_quiet(seconds: float, quiet: int) -> None:
    seen, quiet_for = [an_arrival(seconds)], timedelta(seconds=quiet)
    for told in unrest(seen, building=0, quiet_for=quiet_for, now=NOW):
        then = datetime.fromisoformat(str(told.params["until"])).astimezone(UTC)
        assert unrest(seen, building=0, quiet_for=quiet_for, now=then) == ()


def test_the_plan_says_first_what_an_execution_would_be_refused_for() -> None:
    case = a_case(a_record("step", in_use=True), activity=(an_arrival(40), an_arrival(600, "old:1")))

    assert [n.code for n in a_plan(case).notices[:2]] == [Code.BUILD_UNDER_WAY, Code.IMAGE_ARRIVED]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (0.0, None),
        (0.3, None),
        (0.34, None),
        (0.36, {"off": "0.06 s", "way": "ahead of"}),
        (9.7, {"off": "9.4 s", "way": "ahead of"}),
        (90.3, {"off": 90, "way": "ahead of"}),
        (-0.04, None),
        (-0.06, {"off": "0.06 s", "way": "behind"}),
    ],
)
def test_s7_an_engine_tells_what_happens_by_a_clock_like_the_workers(
    told: float, said: dict[str, Any] | None
) -> None:
    # The question took 0.3 s.
    found = clock_off(ClockReading(told=ago(-told), after=NOW, before=ago(-0.3)))

    assert (found and found.params) == said


@pytest.mark.parametrize(
    ("ahead", "expected"), [(0, []), (90, [Code.ENGINE_CLOCK_OFF]), (-90, [Code.ENGINE_CLOCK_OFF])]
)
def test_s7_no_order_is_begun_by_another_clock(ahead: float, expected: list[Code]) -> None:
    found = refusals(cast("Engine", Quiet(ahead)), a_policy())

    assert [why.code for why in found] == expected


def test_an_answer_that_was_gathered_for_somebody_before_is_no_wrong_clock() -> None:
    assert refusals(cast("Engine", Quiet(-90, -90, 0)), a_policy()) == ()


@pytest.mark.parametrize(
    ("ahead", "asked_anew", "said"),
    [
        ([0], 0, []),
        ([-90, 0], 1, []),
        ([-90, -90, 0], 2, []),
        ([90, 90, 90], 2, [Code.ENGINE_CLOCK_OFF]),
    ],
)
def test_s7_a_plan_says_that_the_clock_is_off_and_asks_for_it_only_where_it_seems_so(
    ledger: Ledger, ahead: list[int], asked_anew: int, said: list[Code]
) -> None:
    host = ReplayedHost(ledger, critical_containers=["web"])
    host.engine.ahead = [timedelta(seconds=seconds) for seconds in ahead]
    plan = host.plan()

    assert [n.code for n in plan.notices if n.code is Code.ENGINE_CLOCK_OFF] == said
    assert host.engine.clocks_read == [False, *[True] * asked_anew]


def test_s4_a_plan_says_that_the_clock_cannot_be_read(ledger: Ledger) -> None:
    host = ReplayedHost(ledger)
    host.engine.breaks(EngineError("info: 'noon' is no time"), "clock")

    assert host.plan().notices[0] == reason(Code.ACTIVITY_UNKNOWN, detail="info: 'noon' is no time")


def test_s7_by_a_clock_that_is_off_a_plan_says_nothing_of_when_things_were_done() -> None:
    off = reason(Code.ENGINE_CLOCK_OFF, off=90, way="ahead of")
    case = a_case(a_record("step", in_use=True), activity=(an_arrival(40),))
    first, second, *_ = a_plan(replace(case, inventory=replace(case.inventory, clock=off))).notices

    assert (first, second.code) == (off, Code.NOTHING_CRITICAL)


@pytest.mark.parametrize(("off", "words"), [("0.06 s", "0.06 s"), (90, "90 s"), (14_400, "4 h")])
def test_how_far_a_clock_is_off_is_said_in_words(off: str | int, words: str) -> None:
    assert sentence(reason(Code.ENGINE_CLOCK_OFF, off=off, way="ahead of")) == (
        f"Docker's clock is {words} ahead of this worker's, so what happens there is told too late and "
        "nothing may be removed. Set the clocks of both; once refused, ask for a new preview "
        "(on the host, --confirm takes this plan still)."
    )


class Quiet:
    """An engine on which nothing happens, with a clock of its own; by the last it goes on."""

    def __init__(self, *ahead: float) -> None:
        self._ahead = list(ahead)

    def clock(self) -> ClockReading:
        seconds = self._ahead[0] if len(self._ahead) == 1 else self._ahead.pop(0)
        now = datetime.now(UTC)
        return ClockReading(told=now + timedelta(seconds=seconds), after=now, before=now)

    def cache_records(self) -> list[Any]:
        return []

    def events(self, *_: object, **__: object) -> list[Any]:
        return []


def test_a_host_whose_owner_asks_for_no_quiet_gets_none() -> None:
    case = a_case(activity=(an_arrival(0),), policy=a_policy(quiet_for="0s"))

    assert Code.IMAGE_ARRIVED not in {n.code for n in a_plan(case).notices}
