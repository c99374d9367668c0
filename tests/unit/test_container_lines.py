"""Which containers are inspected for a plan: those of which the list does not tell enough."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from tests.unit.facts_host import NOW, an_id, an_image_id
from workers.container_lines import ContainerLines
from workers.engine import Engine
from workers.memory.sightings import Sightings


class Inspecting:
    """An engine that tells of each container only how it shares memory, and remembers who was asked for."""

    def __init__(self, ipc: dict[str, str]) -> None:
        self._ipc = ipc
        self.asked: list[str] = []

    def inspect_container(self, id_: str) -> dict[str, Any]:
        [name] = [name for name in self._ipc if an_id(name) == id_]
        self.asked.append(name)
        return {"Id": id_, "State": {}, "Config": {}, "HostConfig": {"IpcMode": self._ipc[name]}}


def a_line(name: str, state: str) -> dict[str, Any]:
    listed = {"Id": an_id(name), "Names": [f"/{name}"], "Image": "app:1", "ImageID": an_image_id("app:1")}
    return {**listed, "State": state, "Labels": {}, "Mounts": [], "HostConfig": {}}


@pytest.mark.parametrize(
    ("stopped", "asked"), [("private", {"holder"}), ("shareable", {"holder", "guest", "web"})]
)
def test_s17_what_runs_is_inspected_where_it_may_have_joined_a_stopped_ones_memory(
    sightings: Sightings, stopped: str, asked: set[str]
) -> None:
    engine = Inspecting({"holder": stopped, "guest": f"container:{an_id('holder')}", "web": "private"})
    states = {"holder": "exited", "guest": "running", "web": "running"}
    with ThreadPoolExecutor(1) as pool:
        lines = ContainerLines(cast("Engine", engine), sightings, pool, NOW, folder="")
        lines.of([a_line(name, state) for name, state in states.items()], [])

    assert set(engine.asked) == asked
