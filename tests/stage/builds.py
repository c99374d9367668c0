"""Builds on an engine: images under moving tags, what the classic builder leaves behind, build cache."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from docker import APIClient

from tests.stage import images
from tests.stage.catalogue import Build, Fate
from tests.stage.engine import DisposableEngine
from tests.stage.objects import Found, usage
from tests.stage.placed import Placed

CACHE_MOUNT = "exec.cachemount"
JUST_NOW = timedelta()
Record = Mapping[str, Any]


class Builds:
    """What a catalogue has built: `made` are the results, and images of steps, of what was built so far."""

    def __init__(self, engine: DisposableEngine, wanted: Sequence[Build]) -> None:
        self._engine = engine
        self._old = [build for build in wanted if build.built is not None]
        self._new = [build for build in wanted if build.built is None]
        self.made: list[Placed] = []
        # By the id of a record in the cache: under which name it was first made, when it was last used.
        self._makers: dict[str, str] = {}
        self._used: dict[str, timedelta] = {}

    def before_containers(self) -> None:
        for build in self._old:
            for number in build.first_times:
                self._build(build, number)

    def after_containers(self) -> None:
        """What took the tags of images that have containers by now; at last the builds of just now."""
        late = [(build, build.last_times) for build in self._old]
        late += [(build, range(1, build.times + 1)) for build in self._new]
        for build, times in late:
            for number in times:
                self._build(build, number)

    def left(self) -> Iterator[Placed]:
        """What lies there of it all. On a containerd store a build that takes over a tag drops its image."""
        there = _image_ids(self._engine.client)
        yield from (placed for placed in self.made if placed.found.id in there)
        yield from self._judged_cache()

    def _build(self, build: Build, number: int) -> None:
        client, name = self._engine.client, build.result(number)
        images_before, cache_before = _image_ids(client), _cache(client)
        result = _run(self._engine, build, number)
        self.made.append(Placed(Found("image", result), name, build.fate, build.built))
        for step, image in enumerate(sorted(_image_ids(client) - images_before - {result}), 1):
            self.made.append(Placed(Found("image", image), f"{name} step {step}", build.fate, build.built))
        age = build.built or JUST_NOW
        for id_, record in _cache(client).items():
            self._makers.setdefault(id_, f"{name} {_what(record)}")
            if cache_before.get(id_, {}).get("LastUsedAt") != record["LastUsedAt"]:
                self._used[id_] = min(age, self._used.get(id_, age))

    def _judged_cache(self) -> Iterator[Placed]:
        """Records that only old builds used are waste, but for what builds write to."""
        records = _cache(self._engine.client)
        fresh = {id_ for id_ in records if self._used[id_] == JUST_NOW}
        kept = fresh | {parent for id_ in fresh for parent in _ancestors(id_, records)}
        for id_, record in records.items():
            fate: Fate = "kept" if id_ in kept or record["Type"] == CACHE_MOUNT else "waste"
            age = None if id_ in kept else self._used[id_]
            yield Placed(Found("cache", id_), self._makers[id_], fate, age)


def _what(record: Record) -> str:
    """A word for a record: the file its step made, or what kind it is."""
    if record["Type"] != "regular":
        return "mount" if record["Type"] == CACHE_MOUNT else "source"
    step: str = record["Description"]
    return step.rpartition("/")[2] if " from exec " in step else "base"


def _run(engine: DisposableEngine, build: Build, number: int) -> str:
    dockerfile = (
        f"FROM {build.parent}\n"
        f"RUN echo {number} > /build && head -c {build.kilobytes * 1000} /dev/urandom > /artefact\n"
        f"RUN echo {build.tag} {number} > /release\n"
    )
    if build.cache_mount:
        dockerfile += "RUN --mount=type=cache,target=/kept echo 1 > /kept/one; echo 1 > /filled\n"
    if build.builder == "kit":
        return images.build_with_cache(engine, dockerfile, build.tag)
    return images.build_classic(engine.client, dockerfile, build.tag)


def _image_ids(client: APIClient) -> set[str]:
    return {str(found["Id"]) for found in client.images(all=True)}


def _cache(client: APIClient) -> dict[str, Record]:
    """The records, once the engine has written down the end of the last build."""
    seen, again = None, _records(client)
    while seen != again:
        seen, again = again, _records(client)
    return again


def _records(client: APIClient) -> dict[str, Record]:
    return {record["ID"]: record for record in usage(client)["BuildCache"] or ()}


def _ancestors(name: str, records: Mapping[str, Record]) -> Iterator[str]:
    # Engine 20.10 names one parent, later ones a list under a key that begins with a space.
    record = records[name]
    for parent in record.get(" Parents") or record.get("Parents") or filter(None, [record.get("Parent")]):
        yield parent
        yield from _ancestors(parent, records)
