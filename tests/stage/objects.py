"""The objects on an engine, seen through a client that can reach no other."""

import contextlib
from typing import Any, Literal, NamedTuple

from docker import APIClient
from docker.errors import NotFound

NEWEST_KNOWN_API = (1, 51)
COUNTS = 20
PREDEFINED_NETWORKS = frozenset({"bridge", "host", "none"})

Kind = Literal["container", "image", "network", "cache", "volume"]


class Found(NamedTuple):
    """One object on an engine; a volume's id is its name."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def connect(url: str) -> APIClient:
    """A client with a pinned version: never of the machine's engine, never of a version we have not seen."""
    with contextlib.closing(APIClient(base_url=url, version="auto")) as probe:
        served: Any = probe.version()["ApiVersion"]
    major, minor = min(tuple(map(int, served.split("."))), NEWEST_KNOWN_API)
    return APIClient(base_url=url, version=f"{major}.{minor}", timeout=120)


def usage(client: APIClient) -> dict[str, Any]:
    """The engine's own accounting; on a containerd store one part of it may take away what another counts."""
    for _ in range(COUNTS):
        with contextlib.suppress(NotFound):
            return client.df()
    return client.df()


def contents(client: APIClient) -> set[Found]:
    """Every object on the engine, apart from its predefined networks."""
    disk = usage(client)
    return {
        *(Found("container", found["Id"]) for found in disk["Containers"] or ()),
        *(Found("image", found["Id"]) for found in client.images(all=True)),
        *(Found("network", net["Id"]) for net in client.networks() if net["Name"] not in PREDEFINED_NETWORKS),
        *(Found("cache", found["ID"]) for found in disk["BuildCache"] or ()),
        *(Found("volume", found["Name"]) for found in disk["Volumes"] or ()),
    }
