"""Plans and reports at the host itself say whole names, and of a refused run that nothing happened."""

import json
import os
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import ENGINE, NOW, USAGE, a_case, a_network, a_plan, an_image, days, running
from workers.cli import refusal
from workers.cli.output import Out, aside, legible, say
from workers.cli.terminal import local_time, plan_lines, report_lines
from workers.contract import (
    Bytes,
    DiskUsage,
    Filesystem,
    Outcome,
    Person,
    Report,
    Status,
    StepOutcome,
    Store,
)
from workers.planning.inventory import Thing
from workers.reasons import Code, reason
from workers.signing import digest

LONG = "123456789012.dkr.ecr.eu-central-1.example.com/platform/checkout-service"
ANA = Person(team="T", user="U")
PLAN = a_plan(a_case(an_image(f"{LONG}:2026-11-01"), an_image(f"{LONG}:2026-11-09")))


def test_versions_of_a_long_name_are_told_apart_by_their_tags() -> None:
    lines = "\n".join(plan_lines(PLAN, now=NOW))

    assert (f"{LONG}:2026-11-01 " in lines, f"{LONG}:2026-11-09 " in lines) == (True, True)


def test_a_network_is_spoken_of_only_where_it_cannot_be_made_again() -> None:
    told = {
        source: "\n".join(plan_lines(a_plan(a_case(a_network(config_from=source))), now=NOW))
        for source in ("", "vlan7-conf")
    }

    assert [source for source, lines in told.items() if "not restorable" in lines] == ["vlan7-conf"]


def test_a_time_at_the_host_names_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts stand in several zones, and whoever is called at night in another one."""
    monkeypatch.setenv("TZ", "XYZ-3")
    time.tzset()
    try:
        assert local_time("2026-11-29T22:30:00+00:00") == "2026-11-30 01:30 XYZ"
        expires = local_time(PLAN.expires_at.isoformat())
        assert f"Valid until {expires}. To execute exactly this plan:" in list(plan_lines(PLAN, now=NOW))
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("young", "first"),
    [
        ((), "Nothing to remove on web-1: compared 1 object."),
        (
            (an_image("db:16", arrived=0.5, size=7),),
            "0 B now on web-1, up to 7 B from {}: compared 2 objects.",
        ),
        ((a_network(created_at=days(1)),), "Nothing to remove on web-1 yet: compared 2 objects."),
    ],
)
def test_a_plan_of_nothing_says_at_once_what_can_go_later(young: tuple[Thing, ...], first: str) -> None:
    usage = USAGE.model_copy(update={"images": 100})
    plan = a_plan(a_case(running("web", networks=frozenset({"host"})), *young, usage=usage))
    until = local_time((NOW + timedelta(hours=12)).isoformat())

    assert next(plan_lines(plan, now=NOW)) == first.format(until)


def test_a_plan_of_an_engine_that_is_only_read_promises_nothing_for_later() -> None:
    read_only = reason(Code.ENGINE_NOT_DOCKER, engine="Podman", ours="1.41 to 1.51")
    engine = ENGINE.model_copy(update={"read_only": read_only})
    plan = a_plan(a_case(an_image("db:16", arrived=0.5), engine=engine))

    assert next(plan_lines(plan, now=NOW)) == "Nothing to remove on web-1: compared 1 object."


def a_report(**facts: Any) -> Report:
    usual: dict[str, Any] = {
        "request_id": PLAN.request_id,
        "order_id": "order",
        "host": PLAN.host,
        "engine": PLAN.engine,
        "plan_digest": digest(PLAN),
        "requester": ANA,
        "approver": ANA,
        "started_at": NOW,
        "finished_at": NOW,
        "status": Status.DONE,
        "outcomes": (),
        "expected": Bytes(low=3, high=5),
        "usage_before": PLAN.usage,
    }
    return Report(**(usual | facts))


def a_disk(*, images: int, free: int) -> DiskUsage:
    filesystem = Filesystem(path="/", total=1000, free=free, inodes=10, inodes_free=5)
    return DiskUsage(
        taken_at=NOW, containers=0, images=images, build_cache=0, volumes=0, filesystems=(filesystem,)
    )


@pytest.mark.parametrize(
    ("store", "free", "words"),
    [
        (Store.GRAPH_DRIVER, 400, "4 B freed"),
        (Store.CONTAINERD, 400, "its disk has 300 B more room"),
        (Store.CONTAINERD, 40, "its disk has 60 B less room"),
        (Store.CONTAINERD, None, "an unknown size freed"),
    ],
)
def test_what_others_wrote_or_deleted_is_not_said_to_be_freed(
    store: Store, free: int | None, words: str
) -> None:
    after = None if free is None else a_disk(images=6, free=free)
    report = a_report(
        engine=PLAN.engine.model_copy(update={"store": store}),
        usage_before=a_disk(images=10, free=100),
        usage_after=after,
    )

    assert (
        next(report_lines(report, now=NOW)) == f"web-1: done. no objects removed, {words}, 3 to 5 B expected."
    )


def test_a_refused_run_says_that_nothing_was_removed_and_lists_nothing() -> None:
    stopped = reason(Code.RUN_STOPPED)
    outcomes = (
        StepOutcome(
            index=s.index, object=s.object, outcome=Outcome.NOT_ATTEMPTED, reason=stopped, expected=s.expected
        )
        for s in PLAN.steps
    )
    report = a_report(status=Status.REFUSED, stopped_by=(reason(Code.TERMINATED),), outcomes=tuple(outcomes))

    first, second = report_lines(report, now=NOW)
    assert (first, second[:4]) == (f"{PLAN.host}: refused. Nothing was removed.", "  ! ")


def test_s4_a_plan_that_is_incomplete_or_unusual_or_of_an_engine_only_read_is_not_executed() -> None:
    read_only = reason(Code.ENGINE_NOT_DOCKER, engine="Podman", ours="1.41 to 1.51")
    engine = PLAN.engine.model_copy(update={"read_only": read_only})
    for change, word in (
        ({"complete": False}, "could be read"),
        ({"unusual": True}, "--unusual"),
        ({"engine": engine}, "Podman"),
    ):
        why = refusal.of_plan(PLAN.model_copy(update=change), unusual_too=False)
        assert why is not None
        assert (why.ending, word in why.said[0]) == (refusal.Exit.REFUSED, True)
    assert refusal.of_plan(PLAN.model_copy(update={"unusual": True}), unusual_too=True) is None
    assert refusal.of_plan(PLAN.model_copy(update={"complete": False}), unusual_too=True)


# What a Dockerfile can put into the name of a build cache record: a title for the window, an empty screen.
OBEYED = "RUN \x1b]0;owned\x07 \x9b2J"


@pytest.mark.parametrize(("speak", "stream"), [(say, "stdout"), (aside, "stderr")])
def test_a_terminal_is_told_nothing_that_it_would_obey(
    monkeypatch: pytest.MonkeyPatch, speak: Out, stream: str
) -> None:
    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, stream, terminal)
        speak(f"{OBEYED}\n\tnext")
        terminal.flush()
        seen = os.read(reader, 1000).decode()
    os.close(reader)

    assert seen.splitlines() == [r"RUN \u001b]0;owned\u0007 \u009b2J", "\tnext"]


def test_a_program_is_told_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    say(OBEYED)

    assert capsys.readouterr().out == f"{OBEYED}\n"


@given(st.text() | st.lists(st.text()))
def test_json_says_the_same_at_a_terminal(value: object) -> None:
    shown = legible(json.dumps(value, ensure_ascii=False, indent=1))

    assert json.loads(shown) == value
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
