"""Where a host's disk went."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, SerializerFunctionWrapHandler, model_serializer

from workers.contract.values import Bytes, Value


class Filesystem(Value):
    """A filesystem as statvfs tells it; inodes are 0 where it has no fixed number of them.

    `free` is what everybody may still write, `reserved` what is kept for root beyond that. `device` is the
    number of what it lies on; None where that has none of its own, and from older workers.
    """

    path: str
    total: int
    free: int
    inodes: int
    inodes_free: int
    reserved: int = 0
    device: int | None = None

    @model_serializer(mode="wrap")
    def _as_before_where_nothing_is_new(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A plan of an older worker has the digest that its host knows it by, whoever reads and writes it."""
        return {name: value for name, value in whole(self).items() if (name, value) != ("device", None)}

    @property
    def used(self) -> int:
        """Bytes that something lies in."""
        return self.total - self.free - self.reserved

    @property
    def capacity(self) -> int:
        """Bytes that can be in use before it is full for everybody but root."""
        return self.total - self.reserved


class DiskUsage(Value):
    """The engine's accounting in bytes, beside the filesystems under its data.

    `images` is None where the engine's figure cannot be told from that of other things.
    """

    taken_at: AwareDatetime
    containers: int
    images: int | None
    build_cache: int
    volumes: int
    filesystems: tuple[Filesystem, ...] = ()

    @property
    def engine_bytes(self) -> int | None:
        """What a plan can bring down: volumes are counted, never removed, so they do not belong here."""
        return None if self.images is None else self.containers + self.images + self.build_cache

    @property
    def free(self) -> int | None:
        """What the filesystems have left, one that lies under two places counted once.

        Those of no known device are taken for one where they are of one size, as the parts of a pool are.
        """
        left = {found.device or (found.total, found.inodes): found.free for found in self.filesystems}
        return sum(left.values()) if left else None


class DiskPart(StrEnum):
    """What an engine fills a disk with; more than a plan may hold, for here it is only told (S1)."""

    IMAGES = "images"
    WRITABLE_LAYERS = "writable-layers"
    LOGS = "logs"
    VOLUMES = "volumes"
    BUILD_CACHE = "build-cache"


class PartUse(Value):
    """What one part holds: of `count` things, `unsized` have no known size and are not in `size`.

    A size that is not known at all is None, never 0.
    """

    part: DiskPart
    size: int | None
    count: int
    unsized: int = 0


class LogUse(Value):
    """The log files of one container, rotated ones included."""

    container: str
    size: int


class VolumeUse(Value):
    """A volume as people ask about it; `users` are the containers that mount it now, in any state."""

    name: str
    size: int | None
    created_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = None
    users: tuple[str, ...] = ()


class FilesystemUse(Value):
    """A filesystem under the engine's data, with the parts that lie on it.

    `rest` is what is in use there beyond those whose size is known.
    """

    filesystem: Filesystem
    holds: tuple[DiskPart, ...]
    rest: Bytes


class DiskAttribution(Value):
    """Where the disk went; of logs and volumes the biggest are named."""

    parts: tuple[PartUse, ...]
    filesystems: tuple[FilesystemUse, ...] = ()
    logs: tuple[LogUse, ...] = ()
    volumes: tuple[VolumeUse, ...] = ()
