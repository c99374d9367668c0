"""The stage reads and rewrites bolt files, and nothing else."""

from pathlib import Path

import pytest

from tests.stage.bolt import (
    BRANCH_PAGE,
    BUCKET,
    IS_BUCKET,
    LEAF,
    LEAF_PAGE,
    MAGIC,
    META,
    PAGE,
    VERSION,
    BoltFile,
)
from tests.stage.errors import UnknownFormat

SIZE = 4096
META_PAGE = 0x04


def page(number: int, flags: int, count: int, body: bytes) -> bytes:
    return (PAGE.pack(number, flags, count, 0) + body).ljust(SIZE, b"\0")


def meta(number: int, *, root: int, transaction: int) -> bytes:
    body = META.pack(MAGIC, VERSION, SIZE, 0, root, 0, 2, 5, transaction)
    return page(number, META_PAGE, 0, body)


def leaf(flags: int, key: bytes, value: bytes) -> bytes:
    return LEAF.pack(flags, LEAF.size, len(key), len(value)) + key + value


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two metas; the newer one's root branches to a leaf that holds a bucket whose page lies inside it."""
    inline = PAGE.pack(0, LEAF_PAGE, 1, 0) + leaf(0, b"key", b"value")
    bucket = BUCKET.pack(0, 0) + inline
    branch = (0).to_bytes(4, "little") + (0).to_bytes(4, "little") + (4).to_bytes(8, "little")
    pages = [
        meta(0, root=9, transaction=1),
        meta(1, root=3, transaction=2),
        page(2, 0x10, 0, b""),
        page(3, BRANCH_PAGE, 1, branch),
        page(4, LEAF_PAGE, 1, leaf(IS_BUCKET, b"bucket", bucket)),
    ]
    path = tmp_path / "some.db"
    path.write_bytes(b"".join(pages))
    return path


def test_values_are_found_by_bucket_and_key(database: Path) -> None:
    assert [(found.path, found.value) for found in BoltFile(database).entries()] == [
        ((b"bucket", b"key"), b"value")
    ]


def test_a_value_is_replaced_by_one_of_the_same_length(database: Path) -> None:
    before = database.read_bytes()
    opened = BoltFile(database)
    opened.replace(next(opened.entries()), b"VALUE")
    opened.save()

    assert database.read_bytes() == before.replace(b"value", b"VALUE")


def test_a_value_of_another_length_is_refused(database: Path) -> None:
    opened = BoltFile(database)

    with pytest.raises(UnknownFormat, match="does not fit"):
        opened.replace(next(opened.entries()), b"longer than before")


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(b"x" * 3 * SIZE)

    with pytest.raises(UnknownFormat, match="not a bolt database"):
        BoltFile(path)
