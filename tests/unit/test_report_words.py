"""What a report says of services and of what did not go."""

import pytest

from bot.render import report
from tests.unit.render_values import NOW, ran, run
from workers.contract import HealthChange, HealthLine


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
