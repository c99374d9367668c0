"""Measures an engine's files from outside: the filesystems under its data, and its containers' logs."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from workers.contract import DiskPart, EngineIdentity, Filesystem, Store
from workers.planning.inventory import Measured

CONTAINERD_ROOT = "/var/lib/containerd"
LAYERED = (DiskPart.IMAGES, DiskPart.WRITABLE_LAYERS, DiskPart.BUILD_CACHE)
# Paths are made of what an engine tells, and nonsense there (a zero byte, half a letter) is in no path.
NOT_THERE = (OSError, ValueError)


def measure(identity: EngineIdentity, container_ids: Iterable[str]) -> Measured:
    """Measure what the engine tells nobody; only stat is asked, and no volume is walked."""
    return Measured(
        logs=_logs(containers_folder(identity), container_ids), filesystems=tuple(_filesystems(identity))
    )


def containers_folder(identity: EngineIdentity) -> str:
    """Where an engine keeps its own files of each container, in a folder of its full id."""
    return os.path.join(identity.data_root, "containers")


def filesystems(identity: EngineIdentity) -> tuple[Filesystem, ...]:
    """Measure the filesystems under an engine's data, each once."""
    return tuple(measured for measured, _ in _filesystems(identity))


def devices(identity: EngineIdentity) -> frozenset[int]:
    """The devices under an engine's data, by number; none where it cannot be looked at from here.

    A worker in a container may see no more of it than the engine's records of images.
    """
    if not os.path.isdir(identity.data_root):
        return frozenset()
    layers = _layers(identity)
    folders = (identity.data_root, os.path.join(identity.data_root, "image"), *filter(None, (layers,)))
    return frozenset(device for device in map(_device, folders) if device is not None)


def _filesystems(identity: EngineIdentity) -> Iterator[tuple[Filesystem, frozenset[DiskPart]]]:
    if not os.path.isdir(identity.data_root):
        return
    folders = dict(_folders(identity))
    devices = {part: _device(path) for part, path in folders.items()}
    roots = [identity.data_root, *(os.path.dirname(path) for path in folders.values())]
    for path, device in _each_once([*roots, *folders.values()]):
        holds = frozenset(part for part, on in devices.items() if on == device)
        with suppress(*NOT_THERE):
            yield _filesystem(path, device), holds


def _folders(identity: EngineIdentity) -> Iterator[tuple[DiskPart, str]]:
    """Where each part lies; a part whose folder is not found is left out."""
    layers = _layers(identity)
    if layers:
        yield from ((part, layers) for part in LAYERED)
    yield DiskPart.LOGS, containers_folder(identity)
    yield DiskPart.VOLUMES, os.path.join(identity.data_root, "volumes")


def _each_once(paths: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The first path on each device; the others are the same filesystem under another name."""
    seen: set[int] = set()
    for path in paths:
        device = _device(path)
        if device is not None and device not in seen:
            seen.add(device)
            yield path, device


def _layers(identity: EngineIdentity) -> str | None:
    """The folder of images, writable layers and build cache; None where it is not found."""
    if identity.store is Store.GRAPH_DRIVER:
        return os.path.join(identity.data_root, identity.storage_driver)
    # An engine that finds no containerd running starts one of its own, with its data inside the engine's.
    roots = (os.path.join(identity.data_root, "containerd", "daemon"), CONTAINERD_ROOT)
    snapshots = f"io.containerd.snapshotter.v1.{identity.storage_driver}"
    return next(filter(os.path.isdir, (os.path.join(root, snapshots) for root in roots)), None)


def _device(path: str) -> int | None:
    """The device a folder lies on; of one that is kept from this process, its parent's."""
    try:
        found = os.stat(path)
    except NOT_THERE:
        parent = os.path.dirname(path)
        return _device(parent) if parent != path else None
    # systemd's InaccessiblePaths puts an empty folder without any permission over the real one.
    if stat.S_IMODE(found.st_mode):
        return found.st_dev
    return _device(os.path.dirname(path)) if _mounts_at(path) == 1 else None


def _mounts_at(path: str) -> int:
    """How many filesystems are mounted at a path, one over the other."""
    with suppress(OSError):
        return sum(line.split()[4] == path for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return 0


def _filesystem(path: str, device: int) -> Filesystem:
    told = os.statvfs(path)
    return Filesystem(
        path=path,
        total=told.f_blocks * told.f_frsize,
        free=told.f_bavail * told.f_frsize,
        inodes=told.f_files,
        inodes_free=told.f_ffree,
        reserved=max(0, told.f_bfree - told.f_bavail) * told.f_frsize,
        # Subvolumes of btrfs and datasets of ZFS share their bytes, and each has a number of no device (0:n).
        device=device if os.major(device) else None,
    )


def _logs(folder: str, container_ids: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for id_ in container_ids:
        with suppress(*NOT_THERE):
            found[id_] = sum(_log_files(os.path.join(folder, id_)))
    return found


def _log_files(folder: str) -> Iterator[int]:
    """The sizes of a container's log files, rotated and cached ones too, by any driver that writes files."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == "local-logs":
                yield from _log_files(entry.path)
            elif ".log" in entry.name:
                with suppress(FileNotFoundError):
                    # A log that is rotated at this moment has a new name.
                    yield entry.stat(follow_symlinks=False).st_size
