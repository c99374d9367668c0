"""The engines a test can run on: the machine's own, and those of other Debian suites on either store."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stage.debian import Closure, unpacked, version_in
from tests.stage.errors import NotToBeHad
from workers.contract import Store

OWN = Path("/")
DOCKER = ("docker.io", "iptables", "ca-certificates", "mount")
PODMAN = ("podman", "crun", "runc", "conmon", "netavark", "aardvark-dns", "iptables", "mount")


@dataclass(frozen=True, kw_only=True)
class EngineKind:
    """Which engine to run: the folder its programs lie in, and where it shall keep its images."""

    root: Path = OWN
    store: Store = Store.GRAPH_DRIVER

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the configuration says of the store; left alone, engines choose differently."""
        if self.store is Store.CONTAINERD:
            return {"features": {"containerd-snapshotter": True}}
        return {"storage-driver": "overlay2", "features": {"containerd-snapshotter": False}}


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version of an engine and the suite that has it; `stable`: the suite will go on having it."""

    version: str
    closure: Closure
    stable: bool


MACHINE = EngineKind()
RELEASES = {
    release.version: release
    for release in (
        Release(version="26.1", closure=Closure(suite="trixie", packages=DOCKER), stable=True),
        Release(version="28.5", closure=Closure(suite="sid", packages=DOCKER), stable=False),
        Release(version="4.3", closure=Closure(suite="bookworm", packages=PODMAN), stable=False),
    )
}
STORES = {"": Store.GRAPH_DRIVER, "-containerd": Store.CONTAINERD}
MACHINES_OWN = "machine"
ENGINES = {
    MACHINES_OWN: (None, Store.GRAPH_DRIVER),
    **{
        f"{version}{suffix}": (RELEASES[version], store)
        for version in ("26.1", "28.5")
        for suffix, store in STORES.items()
    },
}


def engine_kind(name: str) -> EngineKind:
    """The engine of this name, with its programs at hand.

    Raises:
        NotToBeHad: its programs cannot be fetched here.
    """
    release, store = ENGINES[name]
    return EngineKind(root=programs(release), store=store) if release else MACHINE


def is_stable(name: str) -> bool:
    """Whether the engine of this name is to be had for as long as its suite is."""
    release, _ = ENGINES[name]
    return release is None or release.stable


def programs(release: Release) -> Path:
    """The folder with the programs of a release, which must be of its version: suites move on."""
    folder = unpacked(release.closure)
    found = version_in(folder, release.closure.packages[0])
    if not found.startswith(f"{release.version}."):
        raise NotToBeHad(f"{release.closure.suite} has {found} by now, not {release.version}")
    return folder
