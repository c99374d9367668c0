"""What a real engine answers to a survey, as JSON: read again where an engine would be in the way.

`python -m tests.stage.recording FILE` makes a small host on a disposable engine and records it; paths of the
machine do not get into the file.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.stage import images
from tests.stage.engine import DisposableEngine
from workers.engine import Engine
from workers.errors import NotFound
from workers.planning.activity import ClockReading
from workers.planning.mentions import event_time
from workers.replies import a_list, an_object

Answers = dict[str, Any]
STAY = ["sh", "-c", "exec tail -f /dev/null"]


def furnish(engine: DisposableEngine) -> None:
    """One of everything that a survey reads: in use, spent, moved, untagged, built on each other."""
    client = engine.client
    for tags in (("base:1",), ("app:1", "elsewhere.example:5000/team/app:1"), ("app:2",), ("waste:1",)):
        layer = images.layer({"content": tags[0].encode()})
        images.load(client, [images.Archived(tags=tags, layers=(images.base_layer(), layer))])
    images.build_classic(client, "FROM base:1\nENV A=1\nENV B=2", "built:1")
    for content in ("old", "new"):
        images.build_with_cache(engine, f"FROM base:1\nRUN echo {content} > /one", "moved:latest")
    for name in ("front", "loose"):
        client.create_network(name, driver="bridge", labels={"team": name})
    client.create_volume("precious")
    client.start(_create(engine, "web", "app:2", STAY, network="none"))
    _spend(engine, "spent", "app:1", volumes=["/data"], labels={"team": "web"})
    _spend(engine, "attached", "base:1", network="front")
    _create(engine, "never", "base:1", STAY, network="none")


def _spend(engine: DisposableEngine, name: str, of: str, *, network: str = "none", **options: Any) -> None:
    id_ = _create(engine, name, of, ["true"], network=network, **options)
    if network == "none":
        engine.client.start(id_)
        engine.client.wait(id_)


def _create(
    engine: DisposableEngine, name: str, of: str, command: list[str], *, network: str, **options: Any
) -> str:
    config = engine.client.create_host_config(network_mode=network)
    made = engine.client.create_container(of, command, name=name, host_config=config, **options)
    return str(made["Id"])


def record(engine: DisposableEngine) -> Answers:
    """Ask all that a survey could ask."""
    with closing(Engine(engine.url)) as asked:
        now = datetime.now(UTC)
        listed, lines = asked.containers(), asked.images()
        answers = {
            "identity": asked.identity().model_dump(mode="json"),
            "at": now.isoformat(),
            "containers": listed,
            "images": lines,
            "networks": asked.networks(),
            "services": asked.services(),
            "usage": asked.usage(),
            "events": asked.activity_events(since=datetime(2020, 1, 1, tzinfo=UTC), until=now),
            "container": {raw["Id"]: asked.inspect_container(raw["Id"]) for raw in listed},
            "image": {raw["Id"]: asked.inspect_image(raw["Id"]) for raw in lines},
            "history": {raw["Id"]: asked.history(raw["Id"]) for raw in lines},
        }
    plain = json.dumps(answers).replace(str(engine.folder), "/engine")
    return dict(json.loads(plain))


class Replayed:
    """Answers a survey as the recording says. It has the reading methods of an engine, and no others."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def containers(self) -> list[Any]:
        return a_list("list containers", self._answers["containers"])

    def images(self) -> list[Any]:
        return a_list("list images", self._answers["images"])

    def networks(self) -> list[Any]:
        return a_list("list networks", self._answers["networks"])

    def services(self) -> list[Any]:
        return a_list("list services", self._answers["services"])

    def usage(self) -> Answers:
        return an_object("disk usage", self._answers["usage"])

    def volumes(self) -> list[Any]:
        return a_list("volumes", self._answers["usage"]["Volumes"])

    def activity_events(self, *, since: datetime, until: datetime) -> list[Any]:
        return list(self._answers["events"])

    def events(self, wanted: object, *, since: datetime, until: datetime) -> list[Any]:
        told = self.activity_events(since=since, until=until)
        return [one for one in told if not isinstance(one, dict) or (event_time(one) or since) >= since]

    def inspect_container(self, id_: str) -> Answers:
        return an_object("inspect container", self._of("container", id_))

    def inspect_image(self, name: str) -> Answers:
        return an_object("inspect image", self._of("image", name))

    def clock(self, *, anew: bool = True) -> ClockReading:
        now = datetime.now(UTC)
        return ClockReading(told=now, after=now, before=now)

    def history(self, image_id: str) -> list[Any]:
        return a_list("history", self._of("history", image_id))

    def _of(self, section: str, id_: str) -> object:
        if id_ not in self._answers[section]:
            raise NotFound(f"{section} {id_}")
        return self._answers[section][id_]


def shape(value: object, path: str = "") -> Iterator[str]:
    """The names of all fields, with what kind of value each holds; ids and tags as keys do not count."""
    match value:
        case dict():
            for key, inner in value.items():
                plain = path in (".container", ".image", ".history") or path.endswith(("Networks", "Labels"))
                yield from shape(inner, f"{path}.{'*' if plain else key}")
        case list():
            for inner in value:
                yield from shape(inner, f"{path}[]")
        case _:
            yield f"{path}: {'a value' if value is None else type(value).__name__}"


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, DisposableEngine(Path(folder, "e")) as engine:
        furnish(engine)
        target.write_text(json.dumps(record(engine), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
