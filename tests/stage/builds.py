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
Record = Mapping[str, Any]


def build_all(engine: DisposableEngine, builds: Sequence[Build]) -> Iterator[Placed]:
    """The old builds, then the new ones; cache records that only the old ones used are waste."""
    old = [build for build in builds if build.built is not None]
    makers: dict[str, str] = {}
    made = [placed for build in old for placed in _build(engine, build, makers)]
    before = _cache(engine.client)
    new = [build for build in builds if build.built is None]
    made += [placed for build in new for placed in _build(engine, build, makers)]
    # On a containerd store a build that takes over a tag drops the image that had it.
    there = _image_ids(engine.client)
    yield from (placed for placed in made if placed.found.id in there)
    since = max((build.built for build in old if build.built), default=None)
    yield from _judge_cache(before, _cache(engine.client), since, makers)


def _build(engine: DisposableEngine, build: Build, makers: dict[str, str]) -> Iterator[Placed]:
    """Build it, and note under which name a record of the cache was first made."""
    for number in range(1, build.times + 1):
        before = _image_ids(engine.client)
        result = _run(engine, build, number)
        name = build.tag if number == build.times else f"{build.tag} build {number}"
        yield Placed(Found("image", result), name, build.fate, build.built)
        for step, image in enumerate(sorted(_image_ids(engine.client) - before - {result}), 1):
            yield Placed(Found("image", image), f"{name} step {step}", build.fate, build.built)
        if build.builder == "kit":
            for id_, record in _cache(engine.client).items():
                makers.setdefault(id_, f"{name} {_what(record)}")


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


def _judge_cache(
    before: Mapping[str, Record],
    after: Mapping[str, Record],
    age: timedelta | None,
    makers: Mapping[str, str],
) -> Iterator[Placed]:
    fresh = {
        name
        for name, record in after.items()
        if before.get(name, {}).get("LastUsedAt") != record["LastUsedAt"]
    }
    kept = fresh | {parent for name in fresh for parent in _ancestors(name, after)}
    for name, record in after.items():
        fate: Fate = "kept" if name in kept or record["Type"] == CACHE_MOUNT else "waste"
        yield Placed(Found("cache", name), makers[name], fate, None if name in kept else age)


def _ancestors(name: str, records: Mapping[str, Record]) -> Iterator[str]:
    # Engine 20.10 names one parent, later ones a list under a key that begins with a space.
    record = records[name]
    for parent in record.get(" Parents") or record.get("Parents") or filter(None, [record.get("Parent")]):
        yield parent
        yield from _ancestors(parent, records)
