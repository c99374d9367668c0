"""Images made on the spot from the machine's static busybox: no registry, any layers, any build date."""

import hashlib
import io
import json
import random
import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from docker import APIClient

from tests.stage.engine import DisposableEngine
from tests.stage.errors import StageError

BUSYBOX = Path("/bin/busybox")
APPLETS = (
    "sh",
    "cat",
    "date",
    "echo",
    "false",
    "head",
    "httpd",
    "ls",
    "mkdir",
    "rm",
    "sleep",
    "tail",
    "test",
    "touch",
    "true",
    "wget",
)
LONG_AGO = datetime(2024, 3, 1, tzinfo=UTC)
MEGABYTE = 1_000_000
LOADED_ID = re.compile(r"Loaded image ID: (sha256:[0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Archived:
    """One image of a docker-archive; layers that are equal are stored and shared once."""

    tags: tuple[str, ...] = ()
    layers: tuple[bytes, ...]
    built: datetime = LONG_AGO
    command: tuple[str, ...] = ("sh",)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def config(self) -> bytes:
        # Not strftime, which writes the year 1 without its zeros.
        built = f"{self.built.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
        content = {
            "architecture": "amd64",
            "os": "linux",
            "created": built,
            "config": {"Cmd": self.command, "Labels": dict(self.labels)},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}" for layer in self.layers]},
            "history": [
                {"created": built, "created_by": f"COPY {_digest(one)[:12]} /"} for one in self.layers
            ],
        }
        return json.dumps(content).encode()

    @property
    def id(self) -> str:
        """The image's id on a graph-driver store, which is the digest of its configuration."""
        return f"sha256:{_digest(self.config)}"


@cache
def base_layer() -> bytes:
    """A root file system in which shell commands and a small web server work."""
    links = {f"bin/{applet}": "busybox" for applet in APPLETS}
    files = {"etc/passwd": b"root:x:0:0:root:/:/bin/sh\n", "srv/index.html": b"ok\n", "tmp/.keep": b""}
    return _tar({"bin/busybox": BUSYBOX.read_bytes(), **files}, links)


def layer(files: Mapping[str, bytes]) -> bytes:
    return _tar(files, {})


def noise(name: str, megabytes: float) -> bytes:
    """Bytes that do not compress; always the same for the same name and size."""
    return random.Random(name).randbytes(int(megabytes * MEGABYTE))


def load(client: APIClient, images: Sequence[Archived]) -> list[str]:
    """Load all images as one archive; their ids, in order."""
    if not images:
        # A containerd store refuses an archive of nothing ("image might be filtered out").
        return []
    with tempfile.TemporaryFile() as archive:
        _write_archive(archive, images)
        archive.seek(0)
        told = "".join(_streamed(client.load_image(archive)))  # type: ignore[no-untyped-call]
    named = {image.tags: image_id(client, image.tags[0]) for image in images if image.tags}
    # A containerd store makes ids of its own, and tells them of images without a tag.
    made = (found for found in LOADED_ID.findall(told) if found not in named.values())
    return [named.get(image.tags) or next(made, image.id) for image in images]


def import_layer(client: APIClient, content: bytes, tag: str) -> str:
    client.import_image_from_data(content, repository=tag)
    return image_id(client, tag)


def build_classic(client: APIClient, dockerfile: str, tag: str) -> str:
    """Build with the classic builder, which leaves an untagged image per instruction."""
    _no_error(
        client.build(
            fileobj=io.BytesIO(dockerfile.encode()), tag=tag, network_mode="none", rm=True, decode=True
        )
    )
    return image_id(client, tag)


def build_with_cache(engine: DisposableEngine, dockerfile: str, tag: str) -> str:
    """Build with BuildKit, which leaves records in the engine's build cache."""
    engine.cli("build", "--network", "none", "--tag", tag, "-", stdin=dockerfile.encode())
    return image_id(engine.client, tag)


def add_tags(client: APIClient, image: str, tags: Iterable[str]) -> None:
    for tag in tags:
        repository, _, name = tag.rpartition(":")
        client.tag(image, repository, name)


def image_id(client: APIClient, reference: str) -> str:
    return str(inspect(client, reference)["Id"])


def references_of(client: APIClient, image: str) -> list[str]:
    """Its tags, or the digests it was pulled by where it has none."""
    found = inspect(client, image)
    return list(found["RepoTags"] or found["RepoDigests"])


def inspect(client: APIClient, image: str) -> dict[str, Any]:
    found: dict[str, Any] = client.inspect_image(image)  # type: ignore[no-untyped-call]
    return found


def _write_archive(archive: IO[bytes], images: Sequence[Archived]) -> None:
    files: dict[str, bytes] = {}
    for image in images:
        files[f"{_digest(image.config)}.json"] = image.config
        files |= {f"{_digest(one)}/layer.tar": one for one in image.layers}
    files["manifest.json"] = json.dumps([_manifest(image) for image in images]).encode()
    _write_tar(archive, files, {})


def _manifest(image: Archived) -> dict[str, Any]:
    layers = [f"{_digest(one)}/layer.tar" for one in image.layers]
    return {"Config": f"{_digest(image.config)}.json", "RepoTags": list(image.tags), "Layers": layers}


def _no_error(answers: Iterable[Mapping[str, Any]]) -> None:
    for _ in _streamed(answers):
        pass


def _streamed(answers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for answer in answers:
        if "error" in answer:
            raise StageError(f"engine: {answer['error']}")
        yield answer.get("stream", "")


def _tar(files: Mapping[str, bytes], links: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    _write_tar(buffer, files, links)
    return buffer.getvalue()


def _write_tar(target: IO[bytes], files: Mapping[str, bytes], links: Mapping[str, str]) -> None:
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
        for name, aim in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, aim
            tar.addfile(link)


@cache
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
