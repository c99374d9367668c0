"""What a host has now, as far as a restore has to know: a few lists, and the room on the engine's disk."""

from collections.abc import Iterator, Mapping
from typing import Any

from workers import measuring
from workers.contract import DiskPart, EngineIdentity, FromArchive
from workers.engine import Engine
from workers.planning import answers
from workers.references import BadName, listed_names
from workers.restore import networks
from workers.restore.planning import Present


def look(
    engine: Engine, identity: EngineIdentity, archived: Mapping[str, FromArchive], *, local: bool
) -> Present:
    """Ask the engine; `archived` lies in the archive; `local`: its files can be looked at from here."""
    listed = engine.images()
    return Present(
        images=frozenset(map(answers.id_of, listed)),
        tags={name: answers.id_of(raw) for raw in listed for name in _tags(raw)},
        networks={answers.id_of(raw): networks.described(raw) for raw in engine.networks()},
        containers=frozenset(map(answers.id_of, engine.containers())),
        archived=archived,
        free=free(identity) if local else None,
    )


def _tags(raw: Mapping[str, Any]) -> Iterator[str]:
    try:
        yield from (name.full() for name in listed_names(raw.get("RepoTags")))
    except BadName:
        # A name that nobody can write is no name that was kept.
        return


def free(identity: EngineIdentity) -> int | None:
    """Bytes that are left under the engine's images; None where they cannot be read."""
    found = measuring.measure(identity, ()).filesystems
    return next((disk.free for disk, holds in found if DiskPart.IMAGES in holds), None)
