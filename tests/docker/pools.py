"""Random pools of images and build cache, as adversarial as an engine allows, and what it tells of them."""

import contextlib
import random
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import stat_result
from pathlib import Path
from typing import Any

from docker import APIClient

from tests.stage import images as factory
from tests.stage.engine import DisposableEngine
from tests.stage.errors import StageError
from tests.stage.objects import usage
from workers.contract import Store
from workers.planning.accounting import cache_record
from workers.planning.histories import HistoryStep
from workers.planning.inventory import CacheRecord
from workers.planning.layers import LayeredImage

# Few tags, so that they move and leave dangling images; few sizes, so that look-alike layers abound.
TAGS = tuple(f"{name}:{version}" for name in ("app", "shop/api", "base") for version in (1, 2, 3))
ALIASES = tuple(f"alias:{number}" for number in range(6))
SIZES = (0, 1, 4096, 50_000, 50_000, 123_457)
EMPTY_ARCHIVE = bytes(10240)


class Pool:
    """Fills an engine step by step; the same seed takes the same steps."""

    def __init__(self, engine: DisposableEngine, seed: int, *, cache: bool) -> None:
        self.engine = engine
        self.client = engine.client
        self._random = random.Random(seed)
        self._tags: list[str] = []
        self._layers: list[bytes] = []
        self._ways: list[Callable[[str], None]] = [
            *(self._build, self._build, self._commit, self._squash, self._load, self._save_and_load),
            *(self._add_tag, self._add_alias, self._import, self._build_in_vain),
            *([self._build_with_cache] * 8 if cache else []),
        ]

    def fill(self, steps: int) -> None:
        self._make(self._import, "base:1")
        self._make(self._import, "base:2")
        for _ in range(steps):
            self._make(self._random.choice(self._ways), self._random.choice(TAGS))

    def _make(self, way: Callable[[str], None], tag: str) -> None:
        way(tag)
        self._tags = sorted(tag for image in self.client.images() for tag in image["RepoTags"] or ())
        self._tags = [tag for tag in self._tags if tag != "<none>:<none>"]

    def _any(self) -> str:
        return self._random.choice(self._tags)

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.choice(SIZES))

    def _import(self, tag: str) -> None:
        factory.import_layer(
            self.client, _joined(factory.base_layer(), factory.layer({"new": self._noise()})), tag
        )

    def _instructions(self) -> Iterator[str]:
        for number in range(self._random.randint(1, 5)):
            size = self._random.choice(SIZES)
            yield self._random.choice(
                (
                    f"RUN head -c {size} /dev/urandom > /file{number}",
                    f"RUN head -c {size} /dev/zero > /zero{number}",
                    f"RUN touch /empty{number}",
                    "RUN true",
                    "RUN rm -f /file0 /zero1",
                    f"WORKDIR /work{number}",
                    f"ENV NUMBER={number}",
                    f"LABEL number={number}",
                    'CMD ["sh"]',
                    "STOPSIGNAL 9",
                )
            )

    def _dockerfile(self) -> str:
        return "\n".join([f"FROM {self._any()}", *self._instructions(), ""])

    def _build(self, tag: str) -> None:
        factory.build_classic(self.client, self._dockerfile(), tag)

    def _build_with_cache(self, tag: str) -> None:
        dockerfile = self._dockerfile()
        if self._random.random() < 0.5:
            first = f"FROM {self._any()} AS first\nRUN head -c {len(self._noise())} /dev/urandom > /made\n"
            dockerfile = first + dockerfile + "COPY --from=first /made /got\n"
        options = ("--no-cache",) if self._random.random() < 0.3 else ()
        self._build_kit(*options, "--tag", tag, dockerfile=dockerfile)

    def _build_in_vain(self, tag: str) -> None:
        """A build that fails leaves the steps before its end: as images, or as records of the cache."""
        dockerfile = self._dockerfile() + "RUN false\n"
        with contextlib.suppress(StageError):
            factory.build_classic(self.client, dockerfile, tag)
        for left in self.client.containers(all=True):
            self.client.remove_container(left["Id"])
        if self._build_with_cache in self._ways:
            with contextlib.suppress(subprocess.SubprocessError):
                self._build_kit("--tag", tag, dockerfile=dockerfile)

    def _build_kit(self, *options: str, dockerfile: str) -> None:
        self.engine.cli("build", "--network", "none", *options, "-", stdin=dockerfile.encode())

    @contextlib.contextmanager
    def _container(self, command: str) -> Iterator[str]:
        container = self.client.create_container(self._any(), ["sh", "-c", command], network_disabled=True)[
            "Id"
        ]
        self.client.start(container)
        self.client.wait(container)
        yield container
        self.client.remove_container(container)

    def _commit(self, tag: str) -> None:
        command = self._random.choice(("true", f"head -c {len(self._noise())} /dev/urandom > /made"))
        with self._container(command) as container:
            repository, version = tag.split(":")
            changes = self._random.choice((None, "ENV A=b"))
            self.client.commit(container, repository, version, changes=changes)

    def _squash(self, tag: str) -> None:
        with self._container("true") as container:
            # Not an export: engine 26.1 never lets go of the layers of a container that was exported.
            content, _ = self.client.get_archive(container, "/.")
            factory.import_layer(self.client, b"".join(content), tag)

    def _load(self, tag: str) -> None:
        """An archive of another tool, with layers that other archives share, and empty ones."""
        new = factory.layer({f"loaded{self._random.random()}": self._noise()})
        self._layers += [new, EMPTY_ARCHIVE]
        layers = (factory.base_layer(), *self._random.choices(self._layers, k=self._random.randint(1, 4)))
        labels = {"load": str(self._random.random())}
        factory.load(self.client, [factory.Archived(tags=(tag,), layers=layers, labels=labels)])

    def _save_and_load(self, tag: str) -> None:
        """The same image again, after its tag may have moved away: it moves back."""
        content = b"".join(self.client.get_image(self._any()))
        self._random.choice((self._add_tag, self._build))(tag)
        for _ in self.client.load_image(content):
            pass

    def _add_tag(self, tag: str) -> None:
        factory.add_tags(self.client, self._any(), [tag])

    def _add_alias(self, tag: str) -> None:
        factory.add_tags(self.client, self._any(), [self._random.choice(ALIASES)])


def _joined(first: bytes, second: bytes) -> bytes:
    """One tar archive of two: the first loses its end, which is blocks of zeros."""
    blocks = -(-len(first.rstrip(b"\0")) // 512)
    return first[: blocks * 512] + second


def images_of(client: APIClient) -> list[LayeredImage]:
    """What a worker reads of every image, intermediates and untagged ones included."""
    return [_image(client, listed) for listed in client.images(all=True)]


def _image(client: APIClient, listed: Mapping[str, Any]) -> LayeredImage:
    inspected = client.inspect_image(listed["Id"])
    history = client.history(listed["Id"])
    return LayeredImage(
        id=listed["Id"],
        layers=tuple(inspected["RootFS"].get("Layers") or ()),
        history=tuple(HistoryStep(step["Size"], step["CreatedBy"]) for step in history),
        size=listed["Size"],
        content=inspected["Size"] if inspected["Size"] != listed["Size"] else None,
    )


def cache_of(client: APIClient) -> list[CacheRecord]:
    """What a worker reads of the build cache."""
    return [cache_record(record) for record in usage(client)["BuildCache"] or ()]


def accounted_bytes(client: APIClient) -> int:
    """The engine's own accounting: the layers of images, and the records of the cache that are none."""
    disk = usage(client)
    unshared = (record["Size"] for record in disk["BuildCache"] or () if not record["Shared"])
    return int(disk["LayersSize"]) + sum(unshared)


def stored_bytes(engine: DisposableEngine) -> int:
    """What images and cache take on the disk, as the engine's store counts it."""
    return file_bytes(engine) if engine.kind.store is Store.GRAPH_DRIVER else containerd_bytes(engine)


def containerd_bytes(engine: DisposableEngine) -> int:
    """The blocks of all snapshots and the bytes of all blobs, once the engine has let go what it will."""
    looks = [_containerd_bytes(engine)]
    while len(looks) < 3 or len(set(looks[-3:])) > 1:
        engine.client.version()
        looks.append(_containerd_bytes(engine))
    return looks[-1]


def _containerd_bytes(engine: DisposableEngine) -> int:
    plugins = engine.data_root / "containerd/daemon"
    snapshots = (plugins / "io.containerd.snapshotter.v1.overlayfs/snapshots").glob("*/fs")
    blobs = (plugins / "io.containerd.content.v1.content/blobs").glob("*/*")
    du = subprocess.run(
        ["du", "-s", "-c", "-B1", *snapshots, "/dev/null"], check=False, capture_output=True, text=True
    )
    return int(du.stdout.split()[-2]) + sum(blob.stat().st_size for blob in blobs if blob.exists())


def file_bytes(engine: DisposableEngine) -> int:
    """The bytes of all files in all layers on the disk, counted as the engine does: two names, one file."""
    files: dict[tuple[int, int], int] = {}
    for layer in (engine.data_root / "overlay2").glob("*/diff"):
        files |= {(found.st_dev, found.st_ino): found.st_size for found in _files(layer)}
    return sum(files.values())


def _files(folder: Path) -> Iterator[stat_result]:
    return (found for path in folder.rglob("*") if not stat.S_ISDIR((found := path.lstat()).st_mode))


def some_images(client: APIClient, chance: random.Random, share: float) -> list[str]:
    """Images at random that no container uses, in an order in which the engine lets them go one by one."""
    parents = {
        image["Id"]: client.inspect_image(image["Id"]).get("Parent") for image in client.images(all=True)
    }
    used = {container["ImageID"] for container in client.containers(all=True)}
    wanted = {image for image in sorted(parents.keys() - used) if chance.random() < share}
    return _uppermost_first(parents, wanted, chance)


def some_records(cache: Sequence[CacheRecord], chance: random.Random, share: float) -> list[str]:
    """Records at random, in an order in which the engine lets them go one by one."""
    parents = {record.id: next(iter(record.parents), None) for record in cache}
    return _uppermost_first(
        parents, {record for record in sorted(parents) if chance.random() < share}, chance
    )


def _uppermost_first(parents: Mapping[str, str | None], wanted: set[str], chance: random.Random) -> list[str]:
    order: list[str] = []
    while True:
        needed = {parent for child, parent in parents.items() if child not in order}
        free = sorted(wanted - needed - set(order))
        if not free:
            return order
        order.append(chance.choice(free))


def remove_image(client: APIClient, image: str) -> None:
    """As a run does it: the last tag goes with the image, the others before it, and nothing else goes."""
    for tag in client.inspect_image(image)["RepoTags"][1:]:
        client.remove_image(tag, noprune=True)
    client.remove_image(image, noprune=True)


def remove_record(client: APIClient, record: str) -> None:
    answer = client.prune_builds(filters={"id": [record]}, all=True)
    assert answer["CachesDeleted"] == [record], answer
