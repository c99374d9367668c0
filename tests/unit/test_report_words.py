"""What a report says of services and of what did not go."""

from dataclasses import replace

import pytest

from bot.render import report
from bot.render.headlines import outcome
from bot.render.live import live
from bot.render.policy import policy
from bot.requests import Phase
from tests.unit.render_text import text_of
from tests.unit.render_values import ALL_REMOVED, NOW, POLICY, ran, request, run
from workers.contract import HealthChange, HealthLine, Outcome, Restorable, Status, StepOutcome
from workers.reasons import Code, reason


def told(*health: HealthLine) -> str:
    drawn = report(ran(run(health=health)), NOW)
    return "\n".join(block["text"]["text"] for block in drawn.blocks if block["type"] == "section")


def line(before: str, after: str, change: HealthChange, name: str = "api") -> HealthLine:
    return HealthLine(name=name, critical=False, before=before, after=after, change=change)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (line("healthy", "healthy", HealthChange.SAME), "As before: `api`."),
        (line("running", "running", HealthChange.SAME), "As before: `api`."),
        (line("unhealthy", "unhealthy", HealthChange.SAME), "As before: `api` (`unhealthy`)."),
        (
            line("healthy", "starting", HealthChange.NOT_RECHECKED),
            "Not yet re-checked: `api` (`healthy` before, `starting` now).",
        ),
        (
            line("paused", "running", HealthChange.RECOVERED),
            "is better: `paused` before, `running` now",
        ),
        (line("healthy", "gone", HealthChange.GONE), "`api` is gone: `healthy` before, `gone` now"),
    ],
)
def test_of_each_service_it_is_said_how_it_was_and_is(one: HealthLine, words: str) -> None:
    assert words in told(one)


def test_services_with_long_names_and_states_are_counted_where_there_is_no_room_for_them() -> None:
    many = [line("b" * 99, "a" * 99, HealthChange.NOT_RECHECKED, name=f"{n:02}{'x' * 99}") for n in range(40)]
    [listed] = [text for text in told(*many).split("\n") if text.startswith("Not yet")]

    assert len(listed) < 2_800
    assert listed.count("before") + int(listed.rsplit(" and ", 1)[1].split()[0]) == 40


def test_what_was_saved_comes_back_from_the_archive() -> None:
    part = ran(run())
    assert part.plan is not None
    steps = tuple(s.model_copy(update={"restorable": Restorable.ARCHIVED}) for s in part.plan.steps)
    saved = replace(part, plan=part.plan.model_copy(update={"steps": steps}))
    drawn = text_of(report(saved, NOW))

    assert "can come back from the archive" in drawn
    assert "none known" not in drawn


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (None, "are planned, marked and counted."),
        (100_000_000_000, "are saved first, up to 100 GB, or stay."),
    ],
)
def test_the_policy_says_what_becomes_of_images_that_no_registry_gives_back(
    most: int | None, words: str
) -> None:
    told = POLICY.model_copy(update={"archive_max_bytes": most})

    assert f"Images that no registry is known to give back {words}" in text_of(
        policy("web-1", told, NOW, NOW)
    )


EXCLUDED = reason(Code.EXCLUDED)


@pytest.mark.parametrize(
    ("last", "words", "title"),
    [
        ({}, ", but not all there is well. 1 of 1 services does not", "Pruned web-1 ·"),
        ({"outcome": Outcome.GONE}, ", but not all there is well.", "Pruned web-1 ·"),
        (
            {"outcome": Outcome.NOT_ATTEMPTED, "reason": EXCLUDED},
            ", but not all there is well.",
            "Pruned web-1 ·",
        ),
        ({"outcome": Outcome.FAILED}, ", but not everything was removed.", "Pruned web-1 in part ·"),
    ],
)
def test_a_run_that_removed_all_and_harmed_a_service_is_not_said_to_have_left_anything(
    last: dict[str, object], words: str, title: str
) -> None:
    ended: list[StepOutcome] = [*ALL_REMOVED[:-1], ALL_REMOVED[-1].model_copy(update=last)]
    fallen = line("healthy", "unhealthy", HealthChange.REGRESSED)
    part = ran(run(status=Status.PARTIAL, outcomes=tuple(ended), health=(fallen,)))
    [task] = live(request(part, phase=Phase.FINISHED), NOW, room=9_000)["tasks"]

    assert words in outcome(part)
    assert task["title"].startswith(title)
    assert task["status"] == "error"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([Code.NOT_LOOKED_AT], "but not all there could be looked at. "),
        ([Code.VOLUMES_NOT_SEEN], "but not all there could be looked at. "),
        ([Code.NOT_MEASURED, Code.NOT_LOOKED_AT], "but not all there could be looked at. "),
        ([Code.NOT_LOOKED_AT, Code.VOLUME_MISSING], "but not all there is well. "),
        ([Code.VOLUME_MISSING], "but not all there is well. "),
    ],
)
def test_what_could_not_be_seen_is_not_said_to_be_ill(found: list[Code], words: str) -> None:
    findings = tuple(reason(code, detail="list containers: no answer", volume="data") for code in found)
    part = ran(run(status=Status.PARTIAL, outcomes=ALL_REMOVED, findings=findings))

    assert words in outcome(part)
