"""What a run came to: how it ended, and what should not have happened."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import (
    NOW,
    a_case,
    a_plan,
    an_image,
    an_image_id,
    an_inventory,
    names,
    running,
)
from workers.contract import HealthChange, HealthLine, Outcome, Status, Step, StepOutcome
from workers.execution import aftermath, races
from workers.planning.inventory import Container, Volume
from workers.reasons import Code, reason

IMAGE = an_image("app:1", "app:old")
BEFORE = an_inventory(IMAGE, running("web", of="other:1"))
STOPPED = [reason(Code.TERMINATED)]


def removed_image() -> Step:
    [step] = a_plan(a_case(IMAGE)).steps
    return step


def ended(outcome: Outcome, code: Code | None = None) -> StepOutcome:
    why = reason(code) if code else None
    return StepOutcome(index=0, object=removed_image().object, outcome=outcome, reason=why)


REMOVED, GONE = ended(Outcome.REMOVED), ended(Outcome.GONE)
REFUSED, FAILED = ended(Outcome.REFUSED), ended(Outcome.FAILED)
EXCLUDED, LEFT = ended(Outcome.NOT_ATTEMPTED, Code.EXCLUDED), ended(Outcome.NOT_ATTEMPTED, Code.RUN_STOPPED)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([REMOVED, GONE], Status.DONE),
        ([REMOVED, EXCLUDED], Status.DONE),
        ([EXCLUDED], Status.DONE),
        ([REMOVED, REFUSED], Status.PARTIAL),
        ([REMOVED, FAILED], Status.PARTIAL),
        ([REFUSED, REFUSED], Status.REFUSED),
        ([REFUSED, FAILED], Status.FAILED),
        ([FAILED, EXCLUDED], Status.FAILED),
    ],
)
def test_how_a_run_ended_follows_from_its_outcomes(outcomes: list[StepOutcome], expected: Status) -> None:
    assert aftermath.status_of(outcomes, [], [], began=True) is expected


@pytest.mark.parametrize("outcomes", [[], [REMOVED], [REMOVED, LEFT]])
def test_a_run_that_was_stopped_is_stopped_whatever_it_did(outcomes: list[StepOutcome]) -> None:
    assert aftermath.status_of(outcomes, STOPPED, [], began=True) is Status.STOPPED
    assert aftermath.status_of(outcomes, STOPPED, [], began=False) is Status.REFUSED


@given(st.lists(st.sampled_from([REMOVED, GONE, REFUSED, FAILED, EXCLUDED, LEFT]), max_size=5), st.booleans())
def test_done_means_that_all_that_was_ordered_is_gone(outcomes: list[StepOutcome], stopped: bool) -> None:
    status = aftermath.status_of(outcomes, STOPPED if stopped else [], [], began=True)

    done = all(outcome in (REMOVED, GONE, EXCLUDED) for outcome in outcomes)
    assert (status is Status.DONE) == (done and not stopped)


# A container made of an image in the moment it went (S7)


@pytest.mark.parametrize(
    ("how", "is_asked_after"),
    [
        (REMOVED, True),
        # Without an answer, or with an odd one, it may have gone as well.
        (ended(Outcome.FAILED, Code.STATE_UNKNOWN), True),
        (ended(Outcome.FAILED, Code.UNPLANNED_REMOVAL), True),
        (FAILED, True),
        # A recovery has found it.
        (ended(Outcome.FAILED, Code.INTERRUPTED), False),
        (GONE, False),
        (REFUSED, False),
        (EXCLUDED, False),
    ],
)
def test_s7_what_may_have_gone_may_have_lost_its_race(how: StepOutcome, is_asked_after: bool) -> None:
    step = removed_image()
    assert races.perhaps_gone([step], {0: how}) == ([step] if is_asked_after else [])
    assert races.perhaps_gone([step], {}) == []


def lost(*containers: Container, present: tuple[str, ...] = (), before: Any = BEFORE) -> dict[str, str]:
    known = {container.id for container in before.containers}
    found = aftermath.lost_races(containers, [removed_image()], known=known, present=present)
    return {id_: container.name for id_, container in found.items()}


def test_s7_a_container_of_a_removed_image_is_a_lost_race() -> None:
    assert lost(running("new", of="app:1")) == {IMAGE.id: "new"}
    assert lost(running("new", of="app:1", image_id=IMAGE.id, references=())) == {IMAGE.id: "new"}


@pytest.mark.parametrize("name", ["app:1", "app:old", "docker.io/library/app:1"])
def test_s7_a_container_of_a_removed_name_is_a_lost_race(name: str) -> None:
    assert lost(running("new", image_id="sha256:unknown", references=names(name))) == {IMAGE.id: "new"}


def test_s7_a_container_of_another_image_is_none() -> None:
    assert lost(running("new", of="other:1"), running("newer", of="app:10")) == {}


def test_s7_a_name_that_was_given_to_a_new_image_is_none() -> None:
    rebuilt = running("new", image_id=an_image_id("rebuilt"), references=names("app:1"))

    assert lost(rebuilt, present=(an_image_id("rebuilt"),)) == {}
    assert lost(rebuilt) == {IMAGE.id: "new"}


def test_s7_an_image_that_was_pulled_again_meanwhile_is_none() -> None:
    assert lost(running("new", of="app:1"), present=(IMAGE.id,)) == {}


def test_s7_a_container_that_was_there_before_is_none() -> None:
    old = running("old", of="app:1")

    assert lost(old, before=an_inventory(IMAGE, old)) == {}


@pytest.mark.parametrize(
    ("took", "expected"),
    [([0.001], 0.25), ([0.05], 1.0), ([0.05, 0.05, 3.0], 1.0), ([0.01, 0.2], 2.1), ([2.0], 5.0)],
)
def test_s7_the_last_look_waits_longer_where_removals_take_longer(took: list[float], expected: float) -> None:
    removals = [(NOW - timedelta(seconds=seconds), NOW) for seconds in took]

    assert (aftermath.shown_by(removals) - NOW).total_seconds() == pytest.approx(expected)


# Volumes, health, the way back


def a_volume(name: str) -> Volume:
    return Volume(name=name, size=0, created_at=None, users=0)


def test_s1_a_volume_that_is_missing_is_a_finding() -> None:
    before = an_inventory(a_volume("data"), a_volume("cache"))

    assert aftermath.missing_volumes(before, ["data", "new"]) == [reason(Code.VOLUME_MISSING, volume="cache")]
    assert aftermath.missing_volumes(before, ["data", "cache"]) == []


def a_line(change: HealthChange) -> HealthLine:
    return HealthLine(name="web", critical=False, before="healthy", after="exited", change=change)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (HealthChange.SAME, []),
        (HealthChange.RECOVERED, []),
        (HealthChange.NOT_RECHECKED, []),
        (HealthChange.GONE, [Code.CONTAINER_LOST]),
        (HealthChange.REGRESSED, [Code.HEALTH_REGRESSED]),
    ],
)
def test_s6_a_service_that_is_worse_is_a_finding(change: HealthChange, expected: list[Code]) -> None:
    assert [one.code for one in aftermath.health_findings([a_line(change)])] == expected


@pytest.mark.parametrize(
    ("digests", "expected"),
    [
        (["registry.example:5000/app@sha256:ab"], ("registry.example:5000/app", "sha256:ab")),
        (["<none>@<none>", "app@sha256:cd"], ("app", "sha256:cd")),
        (["<none>@<none>"], None),
        ([], None),
        (None, None),
    ],
)
def test_the_way_back_is_a_repository_and_a_digest(digests: Any, expected: tuple[str, str] | None) -> None:
    assert aftermath.way_back_of({"RepoDigests": digests}) == expected


@pytest.mark.parametrize(
    "code",
    [
        Code.HEALTH_REGRESSED,
        Code.CONTAINER_LOST,
        Code.VOLUME_MISSING,
        Code.PROBE_FAILED,
        Code.NOT_LOOKED_AT,
        Code.VOLUMES_NOT_SEEN,
    ],
)
def test_s1_s6_a_run_after_which_something_is_worse_or_unseen_is_not_called_done(code: Code) -> None:
    assert aftermath.status_of([], [], [reason(code)], began=True) is Status.PARTIAL


def test_a_run_after_which_only_the_disk_was_not_measured_is_done() -> None:
    assert aftermath.status_of([REMOVED], [], [reason(Code.NOT_MEASURED)], began=True) is Status.DONE
