"""What the follower makes of events: whom it asks for what they leave out, and how often."""

from typing import Any, cast

import pytest

from tests.stage.recording import Replayed
from tests.unit.replayed_host import RECORDING
from workers.engine import Engine
from workers.memory.follower import Known
from workers.memory.sightings import Heard
from workers.planning.fields import moment
from workers.transport.stillness import Stillness

[WEB] = [raw for raw in RECORDING["container"].values() if raw["Name"] == "/web"]


class Asked(Replayed):
    """The recorded engine, which counts how often it is asked about a container."""

    def __init__(self) -> None:
        super().__init__(RECORDING)
        self.times = 0

    def inspect_container(self, id_: str) -> Any:
        self.times += 1
        return super().inspect_container(id_)


@pytest.fixture
def engine() -> Asked:
    return Asked()


@pytest.fixture
def known(engine: Asked) -> Known:
    return Known(cast("Engine", engine), Stillness())


def event(action: str, id_: str, image: str) -> dict[str, Any]:
    actor = {"ID": id_, "Attributes": {"image": image}}
    return {"Type": "container", "Action": action, "Actor": actor, "time": 1_790_000_000}


def uses_and_names(heard: Heard) -> tuple[list[str], list[str]]:
    return list(heard.uses), [name for name, _, _ in heard.names]


def test_s9_what_a_container_was_made_of_is_learned_with_its_first_use(known: Known, engine: Asked) -> None:
    first, second = (known.heard([event("start", WEB["Id"], "app:2")]) for _ in range(2))

    assert first.names == (("docker.io/library/app:2", WEB["Image"], moment(WEB["Created"])),)
    assert uses_and_names(second) == ([WEB["Image"]], [])
    assert engine.times == 1


def test_a_container_that_is_gone_is_asked_for_once_by_the_name_it_was_made_of(
    known: Known, engine: Asked
) -> None:
    told = [event(action, "c" * 64, "unknown:1") for action in ("start", "die")]

    assert [uses_and_names(known.heard([one])) for one in told] == [([], []), ([], [])]
    assert engine.times == 1


def test_s9_a_container_that_is_gone_has_used_the_image_that_had_its_name_then(known: Known) -> None:
    before = f"sha256:{'b' * 64}"
    tagged = {
        "Type": "image",
        "Action": "tag",
        "Actor": {"ID": before, "Attributes": {"name": "app:2"}},
        "time": 1_790_000_000,
    }

    # The name is another image's by now.
    assert list(known.heard([tagged, event("start", "c" * 64, "app:2")]).uses) == [before]
