"""Just enough of the bolt file format to find values in an engine's databases and overwrite them in place.

Data pages carry no checksum: a value may be replaced by one of the same length while the file is closed.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.stage.errors import UnknownFormat

MAGIC, VERSION = 0xED0CDAED, 2
PAGE = struct.Struct("<QHHI")  # id, flags, count, overflow
META = struct.Struct(
    "<IIIIQQQQQ"
)  # magic, version, page size, flags, root page, sequence, freelist, pages, txid
LEAF = struct.Struct("<IIII")  # flags, position, key size, value size
BRANCH = struct.Struct("<IIQ")  # position, key size, page
BUCKET = struct.Struct("<QQ")  # root page (0: the page follows here), sequence
BRANCH_PAGE, LEAF_PAGE = 0x01, 0x02
IS_BUCKET = 0x01


@dataclass(frozen=True)
class Entry:
    """One value: the names of its buckets and its key, and where its bytes lie in the file."""

    path: tuple[bytes, ...]
    start: int
    value: bytes


class BoltFile:
    """A bolt database that no process has open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = bytearray(path.read_bytes())
        self._page_size, self._root = self._newest_meta()

    def entries(self) -> Iterator[Entry]:
        return self._page((), self._root * self._page_size)

    def replace(self, entry: Entry, value: bytes) -> None:
        if len(value) != len(entry.value):
            raise UnknownFormat(f"{value!r} does not fit in place of {entry.value!r} in {self._path}")
        self._bytes[entry.start : entry.start + len(value)] = value

    def save(self) -> None:
        self._path.write_bytes(self._bytes)

    def _newest_meta(self) -> tuple[int, int]:
        size = META.unpack_from(self._bytes, PAGE.size)[2]
        starts = [start for start in (0, size) if start + PAGE.size + META.size <= len(self._bytes)]
        found = [META.unpack_from(self._bytes, start + PAGE.size) for start in starts]
        metas = [meta for meta in found if meta[:2] == (MAGIC, VERSION)]
        if not metas:
            raise UnknownFormat(f"{self._path} is not a bolt database")
        newest = max(metas, key=lambda meta: meta[8])
        return newest[2], newest[4]

    def _page(self, path: tuple[bytes, ...], start: int) -> Iterator[Entry]:
        _, flags, count, _ = PAGE.unpack_from(self._bytes, start)
        walk = {BRANCH_PAGE: self._branch, LEAF_PAGE: self._leaf}.get(flags)
        if walk is None:
            raise UnknownFormat(f"page with flags {flags:#x} at {start} of {self._path}")
        for number in range(count):
            yield from walk(path, start + PAGE.size + 16 * number)

    def _branch(self, path: tuple[bytes, ...], element: int) -> Iterator[Entry]:
        page = BRANCH.unpack_from(self._bytes, element)[2]
        return self._page(path, page * self._page_size)

    def _leaf(self, path: tuple[bytes, ...], element: int) -> Iterator[Entry]:
        flags, position, key_size, value_size = LEAF.unpack_from(self._bytes, element)
        key_start = element + position
        start = key_start + key_size
        name = (*path, bytes(self._bytes[key_start:start]))
        if flags & IS_BUCKET:
            yield from self._bucket(name, start)
        else:
            yield Entry(name, start, bytes(self._bytes[start : start + value_size]))

    def _bucket(self, path: tuple[bytes, ...], start: int) -> Iterator[Entry]:
        page, _ = BUCKET.unpack_from(self._bytes, start)
        return self._page(path, page * self._page_size if page else start + BUCKET.size)
