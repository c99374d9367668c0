"""What is remembered of images: whatever could not be read is asked for again."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from tests.unit.facts_host import NOW, an_image_id
from workers.engine import Engine
from workers.errors import EngineError
from workers.image_details import ImageDetails
from workers.memory.sightings import Sightings
from workers.planning import answers

APP = an_image_id("app:1")
LISTED = {"Id": APP, "RepoTags": ["app:1"]}
INSPECTED = {"Id": APP, "RepoTags": ["app:1"], "Metadata": {}, "RootFS": {"Layers": ["sha256:a"]}, "Size": 7}


class Hesitant:
    """An engine that tells the history of an image before it can tell of the image itself."""

    def __init__(self, *, failures: int) -> None:
        self.failures, self.inspected = failures, 0

    def inspect_image(self, _name: str) -> dict[str, Any]:
        self.inspected += 1
        if self.inspected <= self.failures:
            raise EngineError("inspect image: 500")
        return INSPECTED

    def history(self, _id: str) -> list[dict[str, Any]]:
        return [{"Size": 7, "CreatedBy": "COPY . /"}]


def looked_at(engine: Hesitant, sightings: Sightings) -> dict[str, Any] | None:
    with ThreadPoolExecutor(1) as pool:
        details = ImageDetails(cast("Engine", engine), sightings, pool, NOW)
        [(_, told)] = details.of([LISTED], {})
        details.histories([APP])
        details.keep()
    return told


def test_an_image_that_could_not_be_read_once_is_asked_about_again(sightings: Sightings) -> None:
    engine = Hesitant(failures=1)
    first, second = looked_at(engine, sightings), looked_at(engine, sightings)

    assert first == {answers.UNREAD: "inspect image: 500"}
    assert second is not None
    assert (second["layers"], second["names"]) == (["sha256:a"], ["app:1"])


def test_what_is_remembered_is_not_asked_for(sightings: Sightings) -> None:
    engine = Hesitant(failures=0)
    first, second = looked_at(engine, sightings), looked_at(engine, sightings)

    assert first is not None
    assert second is not None
    assert (second["layers"], engine.inspected) == (first["layers"], 1)


def test_the_layers_of_an_image_that_is_listed_no_more_are_remembered(sightings: Sightings) -> None:
    looked_at(Hesitant(failures=0), sightings)
    with ThreadPoolExecutor(1) as pool:
        details = ImageDetails(cast("Engine", Hesitant(failures=0)), sightings, pool, NOW)

    assert details.remembered_layers(APP) == ("sha256:a",)
    assert details.remembered_layers(an_image_id("never:1")) == ()
