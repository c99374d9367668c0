"""Builds on an engine: images under moving tags, what the classic builder leaves behind, build cache."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from docker import APIClient

from tests.stage import images
from tests.stage.catalogue import Build
from tests.stage.engine import DisposableEngine
from tests.stage.objects import Found, usage
from tests.stage.placed import Placed

Record = Mapping[str, Any]


def build_all(engine: DisposableEngine, builds: Sequence[Build]) -> Iterator[Placed]:
    """The old builds, then the new ones; cache records that only the old ones used are waste."""
    old = [build for build in builds if build.built is not None]
    made = [placed for build in old for placed in _build(engine, build)]
    before = _cache(engine.client)
    made += [placed for build in builds if build.built is None for placed in _build(engine, build)]
    # On a containerd store a build that takes over a tag drops the image that had it.
    there = _image_ids(engine.client)
    yield from (placed for placed in made if placed.found.id in there)
    yield from _judge_cache(
        before, _cache(engine.client), max((build.built for build in old if build.built), default=None)
    )


def _build(engine: DisposableEngine, build: Build) -> Iterator[Placed]:
    for number in range(1, build.times + 1):
        before = _image_ids(engine.client)
        result = _run(engine, build, number)
        name = build.tag if number == build.times else f"{build.tag} build {number}"
        yield Placed(Found("image", result), name, build.fate, build.built)
        for step, image in enumerate(sorted(_image_ids(engine.client) - before - {result}), 1):
            yield Placed(
                Found("image", image), f"{build.tag} build {number} step {step}", build.fate, build.built
            )


def _run(engine: DisposableEngine, build: Build, number: int) -> str:
    dockerfile = (
        f"FROM {build.parent}\n"
        f"RUN echo {number} > /build && head -c {build.kilobytes * 1000} /dev/urandom > /artefact\n"
        f"RUN echo {build.tag} {number} > /release\n"
    )
    if build.builder == "kit":
        return images.build_with_cache(engine, dockerfile, build.tag)
    return images.build_classic(engine.client, dockerfile, build.tag)


def _image_ids(client: APIClient) -> set[str]:
    return {str(found["Id"]) for found in client.images(all=True)}


def _cache(client: APIClient) -> dict[str, Record]:
    return {record["ID"]: record for record in usage(client)["BuildCache"] or ()}


def _judge_cache(
    before: Mapping[str, Record], after: Mapping[str, Record], age: timedelta | None
) -> Iterator[Placed]:
    fresh = {
        name
        for name, record in after.items()
        if before.get(name, {}).get("LastUsedAt") != record["LastUsedAt"]
    }
    kept = fresh | {parent for name in fresh for parent in _ancestors(name, after)}
    for name, record in after.items():
        label = f"{record['Type']} {record['Description']} {name}"
        if name in kept:
            yield Placed(Found("cache", name), label, "kept", None)
        else:
            yield Placed(Found("cache", name), label, "waste", age)


def _ancestors(name: str, records: Mapping[str, Record]) -> Iterator[str]:
    # Engine 20.10 names one parent, later ones a list under a key that begins with a space.
    record = records[name]
    for parent in record.get(" Parents") or record.get("Parents") or filter(None, [record.get("Parent")]):
        yield parent
        yield from _ancestors(parent, records)
