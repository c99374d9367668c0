"""The folder of an archive: one compressed file for each image, whole or not there."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

import zstandard

from workers.archive.contents import Incomplete, require_whole
from workers.errors import ArchiveError, NoRoom

NAME, UNFINISHED, DAMAGED = ".tar.zst", ".part", ".damaged"
# The quickest: level 3 makes files that are some percent smaller, and takes five times the processor's time.
LEVEL = 1
PIECE = 1 << 20
# Every tar ends with two empty blocks; an error that came instead does not.
END = bytes(1024)


@dataclass(frozen=True)
class Written:
    """A file that is on the disk, under a name that does not count yet."""

    file: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Shelf:
    """One ledger's folder of the archive.

    Raises:
        ArchiveError: it cannot take or give an image; with the reason.
    """

    folder: Path

    @property
    def used(self) -> int:
        """Bytes that lie here, also of files that are damaged or that nobody knows."""
        with _told("read"):
            return sum(entry.stat().st_size for entry in _entries(self.folder))

    @property
    def damaged(self) -> tuple[str, ...]:
        """The files that were set aside."""
        with _told("read"):
            return tuple(sorted(entry.name for entry in _entries(self.folder) if DAMAGED in entry.name))

    @property
    def free(self) -> int:
        """Bytes that are left on its disk."""
        with _told("read"):
            disk = os.statvfs(self.folder if self.folder.exists() else self.folder.parent)
            return disk.f_frsize * disk.f_bavail

    def has(self, file: str, *, size: int | None = None) -> bool:
        """Whether a file is there, with its bytes; what stands in them is read before it is used."""
        with suppress(OSError):
            return (self.folder / file).stat().st_size == size or size is None
        return False

    def write(self, image_id: str, pieces: Iterator[bytes], *, most: int) -> Written:
        """Write what an engine sends of an image, at most so many bytes, and read it again."""
        file = f"{image_id.removeprefix('sha256:')}{NAME}"
        path = self.folder / f"{file}{UNFINISHED}"
        try:
            with _told("write"):
                self.folder.mkdir(mode=0o700, exist_ok=True)
                written = _written(path, file, image_id, pieces, most)
                if _checksum(path) != written.sha256:
                    raise OSError(errno.EIO, "what was read back is not what was written")
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return written

    def finish(self, file: str) -> None:
        """Give a written file its name."""
        with _told("write"):
            os.replace(self.folder / f"{file}{UNFINISHED}", self.folder / file)
            _sync_folder(self.folder)

    def is_good(self, file: str, sha256: str) -> bool:
        """Read a whole file and compare it with its checksum."""
        with _told("read"):
            return _checksum(self.folder / file) == sha256

    def pieces(self, file: str) -> Iterator[bytes]:
        """What an engine sent, piece by piece, as it was."""
        with _told("read"), (self.folder / file).open("rb") as opened:
            yield from zstandard.ZstdDecompressor().read_to_iter(opened, read_size=PIECE, write_size=PIECE)

    def drop(self, file: str) -> None:
        """Have a file gone."""
        with _told("remove from"):
            (self.folder / file).unlink(missing_ok=True)
            _sync_folder(self.folder)

    def set_aside(self, file: str) -> str:
        """Give a damaged file another name, under which nobody looks for it; returns the name."""
        with _told("rename in"):
            number = sum(entry.name.startswith(f"{file}{DAMAGED}") for entry in _entries(self.folder))
            name = f"{file}{DAMAGED}{number or ''}"
            os.replace(self.folder / file, self.folder / name)
            _sync_folder(self.folder)
        return name

    def sweep(self) -> None:
        """Remove what was not finished. Hold the engine's lock: one may be under way."""
        with suppress(OSError):
            for entry in _entries(self.folder):
                if entry.name.endswith(UNFINISHED):
                    os.unlink(entry)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what goes wrong on the archive's disk into our own errors; the engine's own pass."""
    try:
        yield
    except OSError as error:
        kind = NoRoom if error.errno in (errno.ENOSPC, errno.EDQUOT) else ArchiveError
        raise kind(f"{what} the archive: {error.strerror or error}") from error
    except (Incomplete, zstandard.ZstdError) as error:
        raise ArchiveError(str(error)) from error


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []


class _Writer:
    """Compresses what comes into a file, and reads as what came."""

    def __init__(self, file: IO[bytes], pieces: Iterator[bytes], most: int) -> None:
        self._file, self._pieces, self._most = file, pieces, most
        self._hash, self._tail = hashlib.sha256(), b""
        # Its own checksum as well, so that whoever unpacks it by hand is told.
        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self._compressor = compressor.compressobj()
        self.size = 0

    def read(self, _most: int = -1) -> bytes:
        """Give the next piece, after it is on its way to the disk; nothing at the end."""
        piece = next(self._pieces, b"")
        if piece:
            self._tail = (self._tail + piece[-len(END) :])[-len(END) :]
            self._put(self._compressor.compress(piece))
        return piece

    def finish(self) -> str:
        """Take what is left, and have all of it on the disk; returns the checksum."""
        while self.read():
            pass
        if self._tail != END:
            raise Incomplete("what the engine sent has no end")
        self._put(self._compressor.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.hexdigest()

    def _put(self, packed: bytes) -> None:
        self.size += len(packed)
        if self.size > self._most:
            raise OSError(errno.ENOSPC, "it is larger than there is room")
        self._hash.update(packed)
        self._file.write(packed)


def _written(path: Path, file: str, image_id: str, pieces: Iterator[bytes], most: int) -> Written:
    path.unlink(missing_ok=True)
    with open(path, "xb", opener=partial(os.open, mode=0o600)) as opened:
        writer = _Writer(opened, pieces, most)
        require_whole(cast("IO[bytes]", writer), image_id)
        checksum = writer.finish()
        return Written(file, writer.size, checksum)


def _checksum(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Without this a name, or its end, may be forgotten with the power."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
