"""What the follower makes of events: whom it asks for what they leave out, and how often."""

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from tests.stage.recording import Replayed
from tests.unit.facts_host import NOW, an_id, an_image_id
from tests.unit.replayed_host import RECORDING
from workers.engine import Engine
from workers.errors import EngineError
from workers.memory import follower
from workers.memory.follower import Follower, Known
from workers.memory.ledger import Ledger
from workers.memory.sightings import Heard, Sightings
from workers.planning.fields import moment
from workers.references import listed_names
from workers.transport.stillness import Stillness, Troubles

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


def moved_from(container: dict[str, Any]) -> dict[str, Any]:
    """The recorded engine's answers, had the name of this container's image moved since."""
    lines = [
        raw | {"Image": raw["ImageID"]} if raw["Id"] == container["Id"] else raw
        for raw in RECORDING["containers"]
    ]
    images = [
        raw | {"RepoTags": [tag for tag in raw["RepoTags"] or () if tag != container["Config"]["Image"]]}
        for raw in RECORDING["images"]
    ]
    return RECORDING | {"containers": lines, "images": images}


@pytest.mark.parametrize("answers", [RECORDING, moved_from(WEB)], ids=["named", "moved"])
def test_s9_how_all_is_and_was_called_is_learned_at_the_beginning(answers: dict[str, Any]) -> None:
    known = Known(cast("Engine", Replayed(answers)), Stillness())
    known.running(NOW)
    names = known.names(NOW)
    listed = [(tag, raw["Id"]) for raw in answers["images"] for tag in raw["RepoTags"] or ()]
    tagged = [(name.full(), id_, NOW) for tag, id_ in listed for name in listed_names([tag])]

    assert [one for one in names if one[2] == NOW] == tagged
    assert ("docker.io/library/app:2", WEB["Image"]) in [(name, id_) for name, id_, at in names if at != NOW]


def test_a_container_that_cannot_be_asked_leaves_the_names_of_the_others_known() -> None:
    answers = moved_from(WEB)
    answers["container"] = {id_: raw for id_, raw in answers["container"].items() if id_ != WEB["Id"]}
    known = Known(cast("Engine", Replayed(answers)), Stillness())
    known.running(NOW)

    assert known.names(NOW)


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


@dataclass
class Clockwork:
    """An engine where nothing happens but that its clock goes on, and by one of these steps in a pause.

    It is the word to stop as well, said after the last of them.
    """

    steps: list[timedelta]
    time: datetime = NOW
    running: list[Any] = field(default_factory=list)
    pausing: Callable[[], None] = lambda: None
    looks: list[tuple[datetime, datetime]] = field(default_factory=list)

    def now(self, _zone: object) -> datetime:
        return self.time

    def id(self) -> str:
        return "ENG:1"

    def containers(self) -> list[Any]:
        return self.running

    def images(self) -> list[Any]:
        return []

    def close(self) -> None:
        pass

    def events(self, wanted: Mapping[str, Any], *, since: datetime, until: datetime) -> list[Any]:
        if wanted:
            self.looks.append((since, until))
            self.time = until
        return []

    def wait(self, _seconds: float) -> None:
        self.pausing()
        self.time += self.steps.pop(0)

    def is_set(self) -> bool:
        return not self.steps


def followed(engine: Clockwork, ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "datetime", engine)
    stillness = Stillness()
    following = Follower(lambda: cast("Engine", engine), ledger, stillness, Troubles(stillness))
    following.run(cast("threading.Event", engine))


def test_s9_after_a_clock_has_gone_back_all_that_the_engine_tells_is_heard_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still, back = timedelta(0), -timedelta(hours=2)
    engine = Clockwork([still, still, back, still, still])
    followed(engine, tmp_path / "ledger.db", monkeypatch)

    assert [until - since for since, until in engine.looks][3] > timedelta(days=1)
    assert all(since < until for since, until in engine.looks)
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        sightings = Sightings(ledger, "ENG:1")
        # The first look after it is written down at once.
        assert (sightings.taken_in("events") or NOW) < NOW
        assert sightings.followed_since(engine.time) == NOW + 3 * follower.LOOK + back


WORK = {
    "Id": an_id("work"),
    "Image": "app:1",
    "ImageID": an_image_id("app:1"),
    "Created": 1_790_000_000,
    "State": "running",
    "NetworkSettings": {"Networks": {"front": {"NetworkID": an_id("front")}}},
}


def test_s9_what_runs_for_long_is_in_use_each_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    still, hour = timedelta(0), timedelta(hours=1)
    found: list[dict[str, datetime]] = []

    def peek() -> None:
        with closing(Ledger(tmp_path / "ledger.db")) as ledger:
            found.append(Sightings(ledger, "ENG:1").uses())

    engine = Clockwork([still, hour, still], running=[WORK], pausing=peek)
    followed(engine, tmp_path / "ledger.db", monkeypatch)

    later = NOW + hour + 3 * follower.LOOK
    assert found == [dict.fromkeys((WORK["ImageID"], an_id("front")), at) for at in (NOW, NOW, later)]


@pytest.mark.parametrize(("ended", "used"), [(False, 2 * follower.LOOK), (True, timedelta(seconds=3))])
def test_s9_what_runs_is_in_use_up_to_the_last_look_before_the_engine_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool, used: timedelta
) -> None:
    engine = Clockwork([timedelta(0)] * 3, running=[WORK])
    died = event("die", an_id("work"), "app:1") | {"time": int((NOW + used).timestamp())}
    looks = iter(([], [died] if ended else []))

    def events(wanted: Mapping[str, Any], *, since: datetime, until: datetime) -> list[Any]:
        if wanted and (told := next(looks, None)) is None:
            raise EngineError("gone")
        engine.time = until
        return told if wanted else []

    monkeypatch.setattr(engine, "events", events)
    followed(engine, tmp_path / "ledger.db", monkeypatch)

    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        assert Sightings(ledger, "ENG:1").uses()[an_image_id("app:1")] == NOW + used
