"""What a report says was freed: measured by whoever can tell."""

import pytest

from tests.unit.render_values import run
from workers.contract import DiskUsage, Filesystem, Report, Store


def a_filesystem(path: str, *, free: int, total: int = 1000) -> Filesystem:
    return Filesystem(path=path, total=total, free=free, inodes=10, inodes_free=5)


def measured(report: Report, store: Store, before: DiskUsage, after: DiskUsage) -> Report:
    engine = report.engine.model_copy(update={"store": store})
    return report.model_copy(update={"engine": engine, "usage_before": before, "usage_after": after})


def usage(*filesystems: Filesystem, images: int) -> DiskUsage:
    known = run().usage_before
    assert known is not None
    empty = {"containers": 0, "build_cache": 0, "images": images, "filesystems": filesystems}
    return known.model_copy(update=empty)


BEFORE = usage(a_filesystem("/var/lib/docker", free=100), images=500)
AFTER = usage(a_filesystem("/var/lib/docker", free=180), images=450)


@pytest.mark.parametrize(("store", "freed"), [(Store.GRAPH_DRIVER, 50), (Store.CONTAINERD, 80)])
def test_the_engine_tells_what_was_freed_and_the_filesystem_where_it_cannot(store: Store, freed: int) -> None:
    assert measured(run(), store, BEFORE, AFTER).freed == freed


def test_a_filesystem_under_two_places_is_counted_once() -> None:
    before, after = (
        usage(
            *(a_filesystem(place, free=free) for place in ("/var/lib/docker", "/var/lib/containerd")),
            images=0,
        )
        for free in (100, 180)
    )
    assert measured(run(), Store.CONTAINERD, before, after).freed == 80


def test_two_filesystems_of_one_size_are_added_where_they_are_known_to_be_two() -> None:
    before, after = (
        usage(
            a_filesystem("/a", free=10).model_copy(update={"device": 2049}),
            a_filesystem("/b", free=free).model_copy(update={"device": 2065}),
            images=0,
        )
        for free in (60, 85)
    )

    assert (before.free, after.free) == (70, 95)
    assert measured(run(), Store.CONTAINERD, before, after).freed == 25


def test_a_device_under_two_places_is_counted_once_whatever_was_written_in_between() -> None:
    twice = [
        a_filesystem(path, free=free).model_copy(update={"device": 2049})
        for path, free in (("/a", 10), ("/b", 9))
    ]

    assert usage(*twice, images=0).free == 9


def test_two_filesystems_are_added() -> None:
    before, after = (
        usage(a_filesystem("/a", free=free), a_filesystem("/b", free=free, total=2000), images=0)
        for free in (100, 180)
    )
    assert measured(run(), Store.CONTAINERD, before, after).freed == 160


def test_where_the_engine_does_not_tell_the_size_of_images_nothing_is_claimed() -> None:
    unknown = BEFORE.model_copy(update={"images": None})

    assert measured(run(), Store.GRAPH_DRIVER, unknown, AFTER).freed is None
    assert measured(run(), Store.GRAPH_DRIVER, BEFORE, unknown).freed is None
    assert measured(run(), Store.CONTAINERD, unknown, unknown).freed == 0


def test_where_no_filesystem_can_be_asked_nothing_is_claimed() -> None:
    far = usage(images=500)

    assert measured(run(), Store.CONTAINERD, far, usage(images=450)).freed is None
