"""Hosts full of things, and the judgement on what became of them."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.stage import images
from tests.stage.catalogue import Catalogue
from tests.stage.engine import DisposableEngine
from tests.stage.errors import StageError
from tests.stage.fates import Fates, fates_on, traits_of
from tests.stage.fill import fill
from tests.stage.hazard_host import hazards_on
from tests.stage.objects import Found, Kind, contents
from tests.stage.onlooker import Onlooker
from tests.stage.placed import Placed, ids_by_name
from tests.stage.web_host import CALM, WEB


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a cleaning came to: `wrong` is lost and should have stayed, `left` should have gone."""

    wrong: tuple[str, ...]
    volumes: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FilledHost:
    """What lies on an engine; under the default policy all of `kept` stays and all of `waste` goes."""

    name: str
    engine: DisposableEngine
    catalogue: Catalogue
    kept: Mapping[Found, str]
    waste: Mapping[Found, str]
    references: Mapping[str, str]
    """The tags that stay, each with the id of the image it names."""
    protected_digests: tuple[str, ...]
    ledger_file: Path
    """What a worker has seen of the host in earlier days, if any did."""

    @property
    def policy(self) -> dict[str, str]:
        """The keys of the owners' policy that are not at their defaults, as they stand in TOML."""
        catalogue = self.catalogue
        keys = {
            "protected_images": (*catalogue.protected_images, *self.protected_digests),
            "critical_containers": catalogue.critical_containers,
        }
        more = {
            "protected_containers": catalogue.protected_containers,
            "protected_networks": catalogue.protected_networks,
        }
        keys |= {key: names for key, names in more.items() if names}
        return {key: _toml_list(names) for key, names in keys.items()}

    @property
    def policy_toml(self) -> str:
        return "".join(f"{key} = {value}\n" for key, value in self.policy.items())

    @property
    def objects(self) -> dict[Found, str]:
        return {**self.kept, **self.waste}

    def hand_over_ledger(self, ledger_file: Path) -> None:
        """Give a worker what was seen of the host before, if anybody looked."""
        if self.ledger_file.exists():
            ledger_file.parent.mkdir(exist_ok=True)
            shutil.copy(self.ledger_file, ledger_file)

    def used_bytes(self) -> int:
        """The engine's own accounting: layers of images, what containers wrote, cache that is no image's."""
        disk = self.engine.client.df()
        written = sum(container.get("SizeRw") or 0 for container in disk["Containers"] or ())
        cache: int = sum(record["Size"] for record in disk["BuildCache"] or () if not record["Shared"])
        return int(disk["LayersSize"]) + written + cache

    def id_of(self, kind: Kind, name: str) -> str:
        """The full id of an object by the name it has in the catalogue."""
        return next(
            found.id for found, known_as in self.objects.items() if (found.kind, known_as) == (kind, name)
        )

    def lost(self) -> list[str]:
        """What should have stayed and is gone: objects, tags, running services."""
        there = contents(self.engine.client)
        objects = [f"{found.kind} {name}" for found, name in self.kept.items() if found not in there]
        return sorted([*objects, *self._lost_references(there), *self._fallen_services()])

    def left(self) -> list[str]:
        """What should have gone and is still there."""
        there = contents(self.engine.client)
        return sorted(f"{found.kind} {name}" for found, name in self.waste.items() if found in there)

    def score(self) -> Score:
        """Judge whoever has cleaned the host, with volumes in a column of their own."""
        lost = self.lost()
        volumes = tuple(one for one in lost if one.startswith("volume "))
        wrong = tuple(one for one in lost if one not in volumes)
        return Score(wrong=wrong, volumes=volumes, left=tuple(self.left()))

    def _lost_references(self, there: set[Found]) -> list[str]:
        """Names that are gone or moved while their image is there; those of a lost image are lost with it."""
        tagged = {
            tag: image["Id"] for image in self.engine.client.images() for tag in image["RepoTags"] or ()
        }
        held = {tag: image for tag, image in self.references.items() if Found("image", image) in there}
        return [f"tag {tag}" for tag, image in held.items() if tagged.get(tag) != image]

    def _fallen_services(self) -> list[str]:
        up = {name.lstrip("/") for found in self.engine.client.containers() for name in found["Names"]}
        services = (one.name for one in self.catalogue.containers if one.is_up)
        return [f"service {name}" for name in services if name not in up]


def web_host(engine: DisposableEngine, name: str, *, scale: float = 1) -> FilledHost:
    """A host of a small web shop after a few months of deployments."""
    return place(engine, name, WEB, scale=scale)


def calm_web_host(engine: DisposableEngine, name: str, *, scale: float = 1) -> FilledHost:
    """Its sister, with the same services and less left over."""
    return place(engine, name, CALM, scale=scale)


def hazard_host(engine: DisposableEngine, name: str = "hazard", *, scale: float = 1) -> FilledHost:
    """A host full of traps, every kind of which has cost somebody data."""
    traits = traits_of(engine)
    return place(engine, name, hazards_on(traits), fates_on(traits), scale=scale)


def place(
    engine: DisposableEngine,
    name: str,
    catalogue: Catalogue,
    fates: Fates | None = None,
    *,
    scale: float = 1,
) -> FilledHost:
    """Fill the engine; every object on it must be accounted for; a table, if given, has its fate."""
    onlooker = Onlooker(engine, engine.folder / "worker" / "ledger.db")
    placed = fill(engine, catalogue, onlooker, scale=scale)
    if fates is not None:
        placed = _as_written(name, placed, fates)
    kept = {one.found: one.name for one in placed if one.fate == "kept"}
    waste = {one.found: one.name for one in placed if one.fate == "waste"}
    unexpected = contents(engine.client) ^ (kept.keys() | waste.keys())
    if unexpected or kept.keys() & waste.keys():
        raise StageError(f"{name}: not accounted for, or not made: {', '.join(map(str, unexpected))}")
    return FilledHost(
        name=name,
        engine=engine,
        catalogue=catalogue,
        kept=kept,
        waste=waste,
        references=_references(engine, kept),
        protected_digests=tuple(_digests(engine, placed, catalogue.protected_digests)),
        ledger_file=onlooker.ledger_file,
    )


def _as_written(name: str, placed: Sequence[Placed], fates: Fates) -> tuple[Placed, ...]:
    """The table and what lies there must be one: neither may know of anything that the other does not."""
    there = {(one.found.kind, one.name) for one in placed}
    if there != fates.keys():
        raise StageError(f"{name}: not as the table of fates says: {sorted(there ^ fates.keys())}")
    return tuple(replace(one, fate=fates[one.found.kind, one.name].fate) for one in placed)


def _digests(engine: DisposableEngine, placed: Iterable[Placed], names: Iterable[str]) -> Iterable[str]:
    ids = ids_by_name("image", placed)
    for name in names:
        yield from images.inspect(engine.client, ids[name])["RepoDigests"]


def _references(engine: DisposableEngine, kept: Mapping[Found, str]) -> dict[str, str]:
    return {
        tag: image["Id"]
        for image in engine.client.images()
        for tag in image["RepoTags"] or ()
        if Found("image", image["Id"]) in kept and tag != "<none>:<none>"
    }


def _toml_list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"
