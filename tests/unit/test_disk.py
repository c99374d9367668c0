"""Where the disk went: what is known is told to the byte, and what is not is never told as nothing."""

import json
from typing import Any

import pytest

from tests.unit.facts_host import (
    ENGINE,
    NOW,
    Thing,
    a_case,
    a_container,
    a_plan,
    a_record,
    a_volume,
    an_id,
    an_image,
    days,
    running,
)
from workers.contract import (
    Bytes,
    DiskAttribution,
    DiskPart,
    DiskUsage,
    Filesystem,
    LogUse,
    PartUse,
    Plan,
    Store,
)
from workers.memory.sightings import VOLUME, Sighting
from workers.planning.disk import BIGGEST, attribution
from workers.planning.facts import Memory
from workers.planning.inventory import Measured
from workers.signing import digest, digest_of

EVERYTHING = frozenset(DiskPart)
ROOT = Filesystem(path="/data", total=1000, free=100, inodes=50, inodes_free=40, reserved=50)


def usage(images: int) -> DiskUsage:
    return DiskUsage(taken_at=NOW, containers=0, images=images, build_cache=0, volumes=0)


def measured(
    logs: dict[str, int] | None = None, *, holds: frozenset[DiskPart] = EVERYTHING, on: Filesystem = ROOT
) -> Measured:
    """Logs by the container's name, and one filesystem."""
    return Measured(
        logs={an_id(name): size for name, size in (logs or {}).items()}, filesystems=((on, holds),)
    )


def told(*things: Thing, memory: Memory | None = None, **facts: Any) -> DiskAttribution:
    return attribution(a_case(*things, memory=memory, **facts))


def part(found: DiskAttribution, wanted: DiskPart) -> PartUse:
    return next(use for use in found.parts if use.part is wanted)


def test_every_part_is_told_with_what_is_counted_in_it() -> None:
    found = told(
        *(a_container("one", writable=7), running("two", writable=8)),
        *(an_image("app:1"), a_volume("data", size=30), a_record(size=20), a_record("shared", shared=True)),
        usage=usage(100),
        measured=measured({"one": 3, "two": 4}),
    )

    assert [(use.part, use.size, use.count, use.unsized) for use in found.parts] == [
        (DiskPart.IMAGES, 100, 1, 0),
        (DiskPart.WRITABLE_LAYERS, 15, 2, 0),
        (DiskPart.LOGS, 7, 2, 0),
        (DiskPart.VOLUMES, 30, 1, 0),
        (DiskPart.BUILD_CACHE, 20, 1, 0),
    ]


def test_what_is_in_use_beyond_all_of_it_is_the_rest() -> None:
    [use] = told(
        *(running("web", writable=1), an_image("app:1"), a_volume(size=30)),
        usage=usage(100),
        measured=measured({"web": 9}),
    ).filesystems

    assert use.rest == Bytes(low=850 - 140, high=850 - 140)


def test_what_root_alone_may_write_is_not_in_use() -> None:
    assert (ROOT.used, ROOT.capacity) == (850, 950)


def test_the_rest_is_never_less_than_nothing() -> None:
    """Engines count a sparse file by its length, a filesystem by what it holds."""
    [use] = told(a_volume(size=10_000), measured=measured()).filesystems

    assert use.rest == Bytes()


def test_only_what_lies_on_a_filesystem_is_taken_off_it() -> None:
    [use] = told(
        a_volume(size=30),
        usage=usage(500),
        measured=measured(holds=frozenset({DiskPart.VOLUMES})),
    ).filesystems

    assert (use.holds, use.rest.low) == ((DiskPart.VOLUMES,), 820)


def test_a_store_that_counts_build_cache_twice_leaves_the_rest_between_two_bounds() -> None:
    containerd = ENGINE.model_copy(update={"store": Store.CONTAINERD})
    [use] = told(a_record(size=50), engine=containerd, usage=usage(100), measured=measured()).filesystems

    assert use.rest == Bytes(low=700, high=750)


# What is not known


def test_logs_that_nobody_could_read_are_unknown() -> None:
    found = told(running("web"), running("db"))

    assert part(found, DiskPart.LOGS) == PartUse(part=DiskPart.LOGS, size=None, count=2, unsized=2)
    assert (found.filesystems, found.logs) == ((), ())


def test_logs_of_which_some_could_be_read_say_how_many_are_missing() -> None:
    found = told(running("web"), running("db"), measured=measured({"web": 5}))

    assert part(found, DiskPart.LOGS) == PartUse(part=DiskPart.LOGS, size=5, count=2, unsized=1)


def test_where_there_is_nothing_nothing_is_known_to_be_there() -> None:
    assert {use.size for use in told().parts} == {0}


@pytest.mark.parametrize(
    ("things", "wanted"),
    [
        ([a_volume(size=-1)], DiskPart.VOLUMES),
        ([running("web", writable=None)], DiskPart.WRITABLE_LAYERS),
        ([running("web", writable=-1), running("db", writable=-1)], DiskPart.WRITABLE_LAYERS),
        ([a_record(size=-1)], DiskPart.BUILD_CACHE),
        ([an_image("app:1", size=9)], DiskPart.IMAGES),
    ],
)
def test_s4_a_size_that_the_engine_did_not_tell_is_unknown(things: list[Thing], wanted: DiskPart) -> None:
    assert part(told(*things), wanted).size is None


@pytest.mark.parametrize("images", [0, -1])
def test_s4_images_without_any_bytes_are_not_believed(images: int) -> None:
    assert part(told(an_image("app:1", size=9), usage=usage(images)), DiskPart.IMAGES).size is None


# The biggest


def test_the_biggest_logs_come_first_and_empty_ones_not_at_all() -> None:
    names = [f"c{number}" for number in range(BIGGEST + 2)]
    found = told(*map(running, names), measured=measured({name: size for size, name in enumerate(names)}))

    assert found.logs == tuple(LogUse(container=f"c{size}", size=size) for size in range(BIGGEST + 1, 1, -1))


def test_the_biggest_volumes_come_first_and_unknown_ones_last() -> None:
    found = told(a_volume("a", size=-1), a_volume("b", size=5), a_volume("c", size=7))

    assert [(v.name, v.size) for v in found.volumes] == [("c", 7), ("b", 5), ("a", None)]


def test_a_volume_names_who_mounts_it_in_any_state_and_when_it_was_made() -> None:
    [volume] = told(
        a_container("old", volumes=("data",)), running("db", volumes=("data", "other")), a_volume("data")
    ).volumes

    assert (volume.users, volume.created_at) == (("db", "old"), days(50))


def used(ago: float) -> Memory:
    return Memory({(VOLUME, "data"): Sighting(days(90), NOW, days(ago))})


@pytest.mark.parametrize(
    ("memory", "expected"), [(Memory(), None), (used(31), days(31)), (used(50), days(50)), (used(51), None)]
)
def test_the_last_use_is_what_the_ledger_knows_of_this_volume(memory: Memory, expected: object) -> None:
    """What it knows from before the volume was made is of another one of that name."""
    [volume] = told(a_volume("data"), memory=memory).volumes

    assert volume.last_used_at == expected


# The contract


def test_a_plan_carries_it_and_one_of_the_version_before_is_read_without() -> None:
    plan = a_plan(a_case(running("web"), a_volume(), measured=measured({"web": 1})))
    older = plan.model_dump(mode="json", exclude={"disk"})
    older["usage"]["filesystems"] = [ROOT.model_dump(exclude={"reserved"})]
    read = Plan.model_validate(older)

    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.disk is not None
    assert (read.disk, read.usage.filesystems[0].used) == (None, 900)


def test_s3_a_plan_of_a_worker_that_tells_no_device_keeps_the_digest_of_its_host() -> None:
    plan = a_plan(a_case(running("web"), usage=usage(5).model_copy(update={"filesystems": (ROOT,)})))
    older = plan.model_dump(mode="json")
    [disk] = older["usage"]["filesystems"]
    disk.pop("device", None)
    spelled = json.dumps(older, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert digest(Plan.model_validate(older)) == digest_of(spelled)


def test_the_device_of_a_filesystem_is_carried() -> None:
    disk = ROOT.model_copy(update={"device": 2049})

    assert Filesystem.model_validate_json(disk.model_dump_json()) == disk


def test_s1_whatever_is_told_of_volumes_none_is_a_step_or_a_verdict() -> None:
    plan = a_plan(a_case(a_volume("data", size=10**12), measured=measured()))

    assert (plan.steps, plan.verdicts) == ((), ())
