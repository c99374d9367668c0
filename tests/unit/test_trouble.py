"""What is told of services that fell, and of what a run removed before that: what is proven, and no more."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.facts_host import NOW, an_id, an_image_id, days, names, running
from tests.unit.test_health import a_vital, inspected
from workers.contract import (
    Bytes,
    Kind,
    LogLine,
    LogTail,
    Outcome,
    Reference,
    Restorable,
    Step,
    StepOutcome,
    Tie,
    Trouble,
)
from workers.execution.health import Failing, Vital
from workers.execution.trouble import MOST_REMOVED, MOST_WORSE, Fallen, condition, trouble
from workers.planning.facts import PROJECT
from workers.planning.inventory import Container
from workers.reasons import Code, reason

WEB = running(
    "web",
    of="docker.io/shop/app:3",
    labels={PROJECT: "shop"},
    networks=frozenset({"front", an_id("front"), "bridge"}),
    references=names("shop/app:3"),
)
ASKED = tuple[Step, datetime, str]


def fallen(service: Container = WEB, now: Vital | None = None, *, seen_at: datetime = NOW) -> Fallen:
    return Fallen(a_vital(container=service), now, seen_at)


def asked(
    kind: Kind, name: str, kept: dict[str, Any] | None = None, *, before: float = 60, **step: Any
) -> ASKED:
    """A removal so many seconds before now; its index in the plan comes of its name."""
    index = step.pop("index", None)
    id_ = an_image_id(name) if kind is Kind.IMAGE else an_id(name)
    made = Step(
        index=int(an_id(name)[:6], 16) if index is None else index,
        object=Reference(kind=kind, id=id_, name=name),
        reasons=(reason(Code.UNUSED, since=""),),
        fingerprint={},
        expected=Bytes(),
        **step,
    )
    return made, NOW - timedelta(seconds=before), json.dumps(kept or {})


def told(*removals: ASKED, of: tuple[Fallen, ...] = (fallen(),), **logs: Any) -> Trouble:
    done = [
        StepOutcome(index=step.index, object=step.object, outcome=Outcome.REMOVED) for step, _, _ in removals
    ]
    found = trouble(of, removals, done, logs=logs.get("logs", {}))
    assert found is not None
    return found


def ties(*removals: ASKED, service: Container = WEB) -> dict[str, tuple[Tie, ...]]:
    """What the service had to do with what went, by its name."""
    found = told(*removals, of=(fallen(service),))
    by_index = {one.index: one.object.name for one in found.removed}
    return {by_index[index]: of for index, of in found.worse[0].ties.items()}


# How a service is


def test_how_a_service_is_that_its_check_calls_ill() -> None:
    found = condition(a_vital(health="unhealthy", restarts=2, failing=Failing(days(0.1), earlier=True)))

    assert (found.state, found.health, found.restarts, found.exit_code) == ("running", "unhealthy", 2, None)
    assert (found.since, found.earlier) == (days(0.1), True)


@pytest.mark.parametrize("state", ["exited", "dead", "restarting"])
def test_how_a_service_is_that_has_ended(state: str) -> None:
    over = running("web", finished_at=days(0.2), exit_code=137)
    found = condition(a_vital(container=over, state=state, health=""))

    assert (found.state, found.exit_code, found.since) == (state, 137, days(0.2))


def test_a_service_that_runs_again_has_no_end_and_one_that_is_paused_no_time() -> None:
    ended_once = running("web", finished_at=days(0.2), exit_code=1)
    runs = condition(a_vital(container=ended_once, started_at=days(0.1), health=""))
    paused = condition(a_vital(container=ended_once, state="paused"))

    assert (runs.exit_code, runs.since) == (None, days(0.1))
    assert (paused.exit_code, paused.since) == (None, None)


CHECKS = [{"Start": f"2026-01-01T00:00:0{n}Z", "ExitCode": 1} for n in range(5)]
PASSED = {"Start": "2026-01-01T00:00:00Z", "ExitCode": 0}


@pytest.mark.parametrize(
    ("log", "second", "earlier"),
    [
        ([PASSED, *CHECKS[1:]], 1, False),
        ([CHECKS[0], PASSED, *CHECKS[3:]], 3, False),
        (CHECKS, 0, True),
        # Fewer than are kept: there was none before.
        (CHECKS[2:], 2, False),
    ],
)
def test_since_when_a_check_fails_is_read_from_those_that_are_kept(
    log: list[dict[str, Any]], second: int, earlier: bool
) -> None:
    vital = inspected({"Health": {"Status": "unhealthy", "Log": log}})

    since = datetime.fromisoformat(f"2026-01-01T00:00:0{second}Z")
    assert vital.failing == Failing(since, earlier=earlier)


@pytest.mark.parametrize("log", [[], [PASSED], [*CHECKS, PASSED]])
def test_a_check_that_passed_last_does_not_fail(log: list[dict[str, Any]]) -> None:
    assert inspected({"Health": {"Status": "unhealthy", "Log": log}}).failing is None


def test_what_is_gone_is_in_no_condition() -> None:
    [worse] = told(of=(fallen(),)).worse

    assert (worse.name, worse.before.health, worse.now) == ("web", "healthy", None)


# What went before


def test_a_network_a_service_was_attached_to_is_tied_by_its_id_alone() -> None:
    same_name = asked(Kind.NETWORK, "front")
    another = (
        same_name[0].model_copy(update={"object": same_name[0].object.model_copy(update={"id": an_id("x")})}),
    )

    assert ties(same_name) == {"front": (Tie.NETWORK,)}
    assert ties((*another, *same_name[1:])) == {}


@pytest.mark.parametrize(
    ("kind", "kept", "expected"),
    [
        (Kind.CONTAINER, {"Project": "shop"}, (Tie.PROJECT,)),
        (Kind.NETWORK, {"Labels": {PROJECT: "shop"}}, (Tie.PROJECT,)),
        (Kind.CONTAINER, {"Project": "shop-2"}, None),
        (Kind.CONTAINER, {"Project": None}, None),
        (Kind.NETWORK, {"Labels": None}, None),
    ],
)
def test_what_was_of_the_same_project_is_tied(
    kind: Kind, kept: dict[str, Any], expected: tuple[Tie, ...] | None
) -> None:
    assert ties(asked(kind, "thing", kept)).get("thing") == expected
    assert ties(asked(kind, "thing", kept), service=running("alone")) == {}


@pytest.mark.parametrize(
    ("untags", "digests", "is_tied"),
    [
        (("shop/app:1",), [], True),
        (("docker.io/shop/app:1", "other:1"), [], True),
        ((), [f"shop/app@sha256:{'0' * 64}"], True),
        (("shop/app2:1",), [], False),
        (("example.com/shop/app:1",), [], False),
        ((), ["<none>@<none>"], False),
        ((), None, False),
    ],
)
def test_an_image_is_tied_to_what_was_made_of_its_repository(
    untags: tuple[str, ...], digests: list[str] | None, is_tied: bool
) -> None:
    gone = asked(Kind.IMAGE, "old", {"RepoDigests": digests}, untags=untags)

    assert ties(gone) == ({"old": (Tie.REPOSITORY,)} if is_tied else {})


def test_what_went_after_a_service_was_seen_to_be_worse_is_not_tied_to_that() -> None:
    before, after = (
        asked(Kind.IMAGE, name, untags=(f"shop/app:{name}",), before=seconds)
        for name, seconds in (("1", 30), ("2", 10))
    )
    found = told(before, after, of=(fallen(seen_at=NOW - timedelta(seconds=20)),))

    assert list(found.worse[0].ties) == [before[0].index]
    assert len(found.removed) == 2


def test_what_was_refused_or_failed_did_not_go() -> None:
    gone, stayed = asked(Kind.NETWORK, "front"), asked(Kind.NETWORK, "back")
    ends = [
        StepOutcome(index=step.index, object=step.object, outcome=how)
        for (step, _, _), how in ((gone, Outcome.REMOVED), (stayed, Outcome.FAILED))
    ]
    found = trouble([fallen()], [gone, stayed], ends, logs={})

    assert found is not None
    assert [one.object.name for one in found.removed] == ["front"]


def test_where_nothing_fell_there_is_no_trouble() -> None:
    assert trouble([], [asked(Kind.NETWORK, "front")], [], logs={}) is None


def test_the_order_is_that_of_the_removals_and_not_of_the_plan() -> None:
    late, soon = asked(Kind.IMAGE, "b", index=0, before=5), asked(Kind.IMAGE, "a", index=1, before=9)

    assert [one.object.name for one in told(soon, late).removed] == ["a", "b"]


def test_of_too_many_those_that_are_tied_and_the_last_ones_are_told_in_their_order() -> None:
    many = [asked(Kind.IMAGE, f"i{n}", index=n, before=900 - n) for n in range(100)]
    tied = asked(Kind.NETWORK, "front", before=2000, index=100)
    found = told(tied, *many)

    assert (len(found.removed), found.more) == (MOST_REMOVED, 101 - MOST_REMOVED)
    assert found.removed[0].object.name == "front"
    assert [one.index for one in found.removed[1:]] == list(range(101 - MOST_REMOVED, 100))


def test_of_too_many_services_the_first_are_told() -> None:
    found = told(of=tuple(fallen(running(f"web-{n}")) for n in range(MOST_WORSE + 5)))

    assert [one.name for one in found.worse] == [f"web-{n}" for n in range(MOST_WORSE)]


# The ways back

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("kind", "kept", "restorable", "expected"),
    [
        (Kind.IMAGE, {"RepoDigests": [f"shop/app@{DIGEST}"]}, Restorable.YES, f"shop/app@{DIGEST}"),
        (Kind.IMAGE, {"RepoDigests": [f"shop/app@{DIGEST}"]}, Restorable.NOT_PROBED, f"shop/app@{DIGEST}"),
        # Its registry said that it has dropped it.
        (Kind.IMAGE, {"RepoDigests": [f"shop/app@{DIGEST}"]}, Restorable.NO, ""),
        (Kind.IMAGE, {"RepoDigests": []}, Restorable.NOT_PROBED, ""),
        (Kind.IMAGE, {}, Restorable.NOT_PROBED, ""),
        (Kind.NETWORK, {"RepoDigests": [f"shop/app@{DIGEST}"]}, Restorable.RECREATED, ""),
    ],
)
def test_the_way_back_is_the_digest_that_the_ledger_has(
    kind: Kind, kept: dict[str, Any], restorable: Restorable, expected: str
) -> None:
    [gone] = told(asked(kind, "old", kept, restorable=restorable, untags=("shop/app:1",))).removed

    assert (gone.pull, gone.names, gone.restorable) == (expected, ("shop/app:1",), restorable)


def test_the_end_of_a_log_stands_with_its_service() -> None:
    tail = LogTail(lines=(LogLine(text="no such host: db"),))
    both = (fallen(), fallen(running("api")))
    found = told(of=both, logs={WEB.id: tail})

    assert [one.log for one in found.worse] == [tail, None]
