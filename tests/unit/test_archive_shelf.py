"""A file of the archive is an image, whole and without names, or it is not there."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from workers.archive.shelf import Shelf
from workers.errors import ArchiveError, EngineUnreachable, NoRoom

CONFIG = b'{"os": "linux"}'
DIGITS = hashlib.sha256(CONFIG).hexdigest()
IMAGE, FILE = f"sha256:{DIGITS}", f"{DIGITS}.tar.zst"
PLENTY = 10**9


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def tar(**members: bytes) -> bytes:
    """What an engine sends; only what is named is otherwise than it should be."""
    listed: list[dict[str, Any]] = [{"Config": f"{DIGITS}.json", "RepoTags": None, "Layers": ["l/layer.tar"]}]
    usual = {
        "manifest.json": json.dumps(listed).encode(),
        f"{DIGITS}.json": CONFIG,
        "l/layer.tar": b"x" * 9000,
    }
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as made:
        for name, content in (usual | members).items():
            if content != b"":
                told = tarfile.TarInfo(name)
                told.size = len(content)
                made.addfile(told, io.BytesIO(content))
    return whole.getvalue()


def pieces(content: bytes, size: int = 1000) -> Iterator[bytes]:
    return iter([content[at : at + size] for at in range(0, len(content), size)])


def manifest(**changes: object) -> bytes:
    listed = {"Config": f"{DIGITS}.json", "RepoTags": None, "Layers": ["l/layer.tar"], **changes}
    return json.dumps([listed]).encode()


def names(shelf: Shelf) -> list[str]:
    return sorted(os.listdir(shelf.folder))


def test_what_was_written_is_read_again_as_it_was(shelf: Shelf) -> None:
    written = shelf.write(IMAGE, pieces(tar()), most=PLENTY)
    assert names(shelf) == [f"{FILE}.part"]
    shelf.finish(written.file)

    assert (written.file, names(shelf), shelf.used) == (FILE, [FILE], written.size)
    assert shelf.is_good(FILE, written.sha256)
    assert b"".join(shelf.pieces(FILE)) == tar()
    path = shelf.folder / FILE
    assert hashlib.sha256(path.read_bytes()).hexdigest() == written.sha256
    assert (path.stat().st_mode & 0o777, shelf.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert shelf.has(FILE, size=written.size)
    assert not shelf.has(FILE, size=written.size - 1)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What was brought to the disk: (inode, size then) of each."""
    found: list[tuple[int, int]] = []
    sync = os.fsync

    def noted(number: int) -> None:
        status = os.fstat(number)
        found.append((status.st_ino, status.st_size))
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_s15_a_file_is_on_the_disk_before_it_counts_and_so_is_its_name(
    shelf: Shelf, synced: list[tuple[int, int]]
) -> None:
    written = shelf.write(IMAGE, pieces(tar()), most=PLENTY)
    inode = (shelf.folder / f"{FILE}.part").stat().st_ino
    assert synced == [(inode, written.size)]

    shelf.finish(written.file)
    assert [inode for inode, _ in synced[1:]] == [shelf.folder.stat().st_ino]


def test_s15_what_the_disk_keeps_otherwise_than_it_was_written_is_no_copy(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept_otherwise(number: int) -> None:
        os.pwrite(number, b"otherwise", 20)

    monkeypatch.setattr(os, "fsync", kept_otherwise)

    with pytest.raises(ArchiveError, match="read back"):
        shelf.write(IMAGE, pieces(tar()), most=PLENTY)
    assert names(shelf) == []


OTHER = b'{"os": "other"}'
BAD: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no tar": lambda: b"x" * 5000,
    "cut in a layer": lambda: tar()[:7000],
    "cut before its end": lambda: tar().rstrip(b"\0"),
    "an error instead of the end": lambda: tar().rstrip(b"\0") + b'{"error": "no space left"}\n',
    "an error after the end": lambda: tar() + b'{"error": "no space left"}\n',
    "no manifest": lambda: tar(**{"manifest.json": b""}),
    "an empty manifest": lambda: tar(**{"manifest.json": b"[]"}),
    "a manifest that is none": lambda: tar(**{"manifest.json": b"{]"}),
    "no layer": lambda: tar(**{"l/layer.tar": b""}),
    "no config": lambda: tar(**{f"{DIGITS}.json": b""}),
    "the config of another image": lambda: tar(**{f"{DIGITS}.json": OTHER}),
    "a tag": lambda: tar(**{"manifest.json": manifest(RepoTags=["web:1"])}),
    "a name of containerd's": lambda: tar(
        **{
            "index.json": json.dumps(
                {"manifests": [{"annotations": {"io.containerd.image.name": "docker.io/library/web:1"}}]}
            ).encode()
        }
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_what_could_not_be_loaded_as_that_image_alone_is_not_kept(shelf: Shelf, how: str) -> None:
    with pytest.raises(ArchiveError):
        shelf.write(IMAGE, pieces(BAD[how]()), most=PLENTY)

    assert names(shelf) == []


def test_a_layer_may_look_like_anything(shelf: Shelf) -> None:
    content = tar(**{"l/abc": b"\xff{", "index.json": b'{"manifests": [{"digest": "x"}]}'})
    assert shelf.write(IMAGE, pieces(content), most=PLENTY).size > 0


def test_the_content_may_lie_by_its_digest(shelf: Shelf) -> None:
    blob = f"blobs/sha256/{DIGITS}"
    content = tar(**{f"{DIGITS}.json": b"", blob: CONFIG, "manifest.json": manifest(Config=blob)})

    assert shelf.write(IMAGE, pieces(content), most=PLENTY).size > 0


def test_of_what_is_larger_than_the_room_nothing_is_left(shelf: Shelf) -> None:
    size = shelf.write(IMAGE, pieces(tar()), most=PLENTY).size
    assert shelf.write(IMAGE, pieces(tar()), most=size).size == size
    with pytest.raises(NoRoom):
        shelf.write(IMAGE, pieces(tar()), most=size - 1)

    assert names(shelf) == []


def test_an_engine_that_goes_away_is_told_as_that_and_leaves_nothing(shelf: Shelf) -> None:
    def breaking() -> Iterator[bytes]:
        yield tar()[:3000]
        raise EngineUnreachable("save: cut")

    with pytest.raises(EngineUnreachable):
        shelf.write(IMAGE, breaking(), most=PLENTY)
    assert names(shelf) == []


def test_what_was_left_unfinished_is_written_anew_and_swept(shelf: Shelf) -> None:
    shelf.folder.mkdir()
    (shelf.folder / f"{FILE}.part").write_bytes(b"half")
    shelf.finish(shelf.write(IMAGE, pieces(tar()), most=PLENTY).file)
    for name in ("other.tar.zst.part", "other.tar.zst", "other.tar.zst.damaged"):
        (shelf.folder / name).write_bytes(b"half")
    shelf.sweep()

    assert names(shelf) == sorted([FILE, "other.tar.zst", "other.tar.zst.damaged"])


def test_every_damaged_file_is_kept_under_a_name_of_its_own(shelf: Shelf) -> None:
    shelf.folder.mkdir()
    asides = []
    for content in (b"one", b"two", b"three"):
        (shelf.folder / FILE).write_bytes(content)
        asides.append(shelf.set_aside(FILE))

    assert len(set(asides)) == 3
    assert {(shelf.folder / name).read_bytes() for name in asides} == {b"one", b"two", b"three"}
    assert shelf.used == 11


def test_damage_is_found_by_the_checksum_and_while_it_is_unpacked(shelf: Shelf) -> None:
    written = shelf.write(IMAGE, pieces(tar()), most=PLENTY)
    shelf.finish(written.file)
    path = shelf.folder / FILE
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)

    assert not shelf.is_good(FILE, written.sha256)
    with pytest.raises(ArchiveError):
        list(shelf.pieces(FILE))


def test_what_is_away_says_so(shelf: Shelf) -> None:
    assert (shelf.used, shelf.has(FILE)) == (0, False)
    shelf.sweep()
    shelf.folder.mkdir()
    for look in (lambda: shelf.is_good(FILE, ""), lambda: list(shelf.pieces(FILE))):
        with pytest.raises(ArchiveError, match="read the archive"):
            look()
    shelf.drop(FILE)


def test_whoever_has_the_usual_program_can_unpack_it(shelf: Shelf) -> None:
    shelf.finish(shelf.write(IMAGE, pieces(tar()), most=PLENTY).file)
    with (shelf.folder / FILE).open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == tar()
