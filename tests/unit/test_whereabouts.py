"""Where the disk went, in words: what a person at the host and in Slack reads of it."""

from typing import Any

import pytest

from bot.render import details_file
from bot.requests import HostPart
from tests.unit.render_values import DISK, NOW, STEPS, ago, plan
from workers import whereabouts
from workers.cli.terminal import plan_lines
from workers.contract import (
    Bytes,
    DiskAttribution,
    DiskPart,
    Filesystem,
    FilesystemUse,
    Kind,
    PartUse,
    Plan,
    Reference,
    VolumeUse,
)
from workers.wording import PLAIN, names_apart

DISK_OF_0 = Filesystem(path="/data", total=0, free=0, inodes=0, inodes_free=0)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"created_at": ago(days=3)}, "made 3 days ago, mounted by no container, last use unknown"),
        ({"last_used_at": ago(days=9)}, "age unknown, mounted by no container, last used 9 days ago"),
        ({"users": ("a", "b"), "last_used_at": NOW}, "age unknown, mounted by a and b"),
        ({"users": ("a",), "last_used_at": ago(days=9)}, "age unknown, mounted by a, last used 9 days ago"),
        ({"users": tuple("abcde")}, "age unknown, mounted by a, b, c and 2 more, last use unknown"),
        (
            {"created_at": ago(days=-1), "last_used_at": ago(days=-1)},
            "age unknown, mounted by no container, last use unknown",
        ),
    ],
)
def test_a_volume_is_told_with_its_age_and_its_use(facts: dict[str, Any], expected: str) -> None:
    disk = DiskAttribution(parts=(), volumes=(VolumeUse(name="data", size=1, **facts),))

    assert [row.note for row in whereabouts.volume_rows(disk, PLAIN, NOW)] == [expected]


def test_an_unknown_size_is_never_written_as_a_number() -> None:
    parts = tuple(PartUse(part=part, size=None, count=2, unsized=2) for part in DiskPart)

    assert {row.figure for row in whereabouts.part_rows(DiskAttribution(parts=parts))} == {"unknown"}


def test_the_rest_says_what_may_be_hidden_in_it() -> None:
    parts = (
        PartUse(part=DiskPart.LOGS, size=None, count=2, unsized=2),
        PartUse(part=DiskPart.VOLUMES, size=5, count=2, unsized=1),
        PartUse(part=DiskPart.IMAGES, size=None, count=1),
    )
    use = FilesystemUse(
        filesystem=DISK_OF_0, holds=(DiskPart.LOGS, DiskPart.VOLUMES), rest=Bytes(low=3_000, high=4_000)
    )
    row = whereabouts.rest_row(use, DiskAttribution(parts=parts), PLAIN)

    assert row.figure == "3.00 to 4.00 kB"
    assert row.name == "everything else on /data"
    assert row.note == "with container logs and volumes of unknown size"


def test_a_filesystem_without_inodes_or_bytes_is_told_all_the_same() -> None:
    row = whereabouts.filesystem_row(FilesystemUse(filesystem=DISK_OF_0, holds=(), rest=Bytes()), PLAIN)

    assert row.note == "0 % of 0 B in use, 0 B free; no fixed number of inodes"


# At the host


def shown(made: Plan) -> list[str]:
    return list(plan_lines(made, now=made.made_at))


def test_a_preview_at_the_host_says_where_the_disk_went_before_it_lists_objects() -> None:
    lines = shown(plan())
    start = lines.index("where the disk went")

    assert start < lines.index("image: remove 3, 12.3 GB")
    assert [" ".join(line.split()) for line in lines[start : lines.index("", start)]] == [
        "where the disk went",
        "41.3 GB images 8 images",
        "96.0 MB writable layers 6 containers",
        "6.20 GB container logs 6 containers, 1 of unknown size",
        "18.4 GB volumes 3 volumes",
        "700 MB build cache 2 records",
        "11.9 GB everything else on /var/lib/docker with container logs of unknown size",
        "78.6 GB /var/lib/docker 79 % of 100 GB in use, 21.4 GB free; 10 % of 6,553,600 inodes in use",
        "biggest logs",
        "6.19 GB api",
        "10.0 MB import-2026-10",
        "biggest volumes, which always stay",
        "16.0 GB shop-db made 411 days ago, mounted by db",
        "2.40 GB import-data made 63 days ago, mounted by no container, last used 18 days ago",
        f"unknown {'9f' * 32} age unknown, mounted by no container, last use unknown",
    ]


def test_a_host_without_logs_and_volumes_has_no_empty_tables() -> None:
    lines = shown(plan(disk=DISK.model_copy(update={"logs": (), "volumes": ()})))

    assert not [line for line in lines if line.startswith("biggest")]
    assert "where the disk went" not in shown(plan(disk=None))


# Names that look alike


def record(name: str, id_: str) -> Reference:
    return Reference(kind=Kind.BUILD_CACHE, id=id_, name=name)


def test_objects_that_look_alike_show_the_start_of_their_id() -> None:
    alike = record("RUN npm ci", "abcdefghijklmnop"), record("RUN npm ci", "qrstuvwxyz0123456")
    image = Reference(kind=Kind.IMAGE, id="sha256:" + "ab" * 32, name="RUN npm ci")
    other = record("COPY . .", "0123456789abcdef")

    assert list(names_apart([*alike, image, other]).values()) == [
        "RUN npm ci abcdefghijkl",
        "RUN npm ci qrstuvwxyz01",
        "RUN npm ci",
        "COPY . .",
    ]


def test_the_same_object_twice_is_one() -> None:
    one = record("RUN npm ci", "abcdefghijklmnop")

    assert names_apart([one, one]) == {one: "RUN npm ci"}


def twins() -> Plan:
    ids = ("a" * 25, "b" * 25)
    objects = [record("RUN npm ci", id_) for id_ in ids]
    return plan(steps=tuple(STEPS[5].model_copy(update={"object": one}) for one in objects))


def test_a_preview_at_the_host_tells_two_records_of_one_name_apart() -> None:
    names = [line[9:] for line in shown(twins()) if line.startswith("  remove")]

    assert [name.split()[:4] for name in names] == [["RUN", "npm", "ci", letter * 12] for letter in "ab"]


def test_the_file_of_a_plan_tells_them_apart_as_well() -> None:
    _, text = details_file(HostPart("web-1", plan=twins()))

    assert ("RUN npm ci aaaaaaaaaaaa  " in text, "RUN npm ci bbbbbbbbbbbb  " in text) == (True, True)
