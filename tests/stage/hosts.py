"""Hosts full of things, and the judgement on what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.stage.catalogue import Catalogue, Life
from tests.stage.engine import DisposableEngine
from tests.stage.errors import StageError
from tests.stage.fill import fill
from tests.stage.hazard_host import HAZARDS
from tests.stage.objects import Found, Kind, contents
from tests.stage.web_host import CALM, WEB


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

    @property
    def policy_toml(self) -> str:
        return (
            f"protected_images = {_toml_list(self.catalogue.protected_images)}\n"
            f"critical_containers = {_toml_list(self.catalogue.critical_containers)}\n"
        )

    def id_of(self, kind: Kind, name: str) -> str:
        """The full id of an object by the name it has in the catalogue."""
        objects = {**self.kept, **self.waste}
        return next(found.id for found, known_as in objects.items() if (found.kind, known_as) == (kind, name))

    def lost(self) -> list[str]:
        """What should have stayed and is gone: objects, tags, running services."""
        there = contents(self.engine.client)
        objects = [f"{found.kind} {name}" for found, name in self.kept.items() if found not in there]
        return sorted([*objects, *self._lost_references(), *self._fallen_services()])

    def left(self) -> list[str]:
        """What should have gone and is still there."""
        there = contents(self.engine.client)
        return sorted(f"{found.kind} {name}" for found, name in self.waste.items() if found in there)

    def _lost_references(self) -> list[str]:
        tagged = {
            tag: image["Id"] for image in self.engine.client.images() for tag in image["RepoTags"] or ()
        }
        return [f"tag {tag}" for tag, image in self.references.items() if tagged.get(tag) != image]

    def _fallen_services(self) -> list[str]:
        up = {name.lstrip("/") for found in self.engine.client.containers() for name in found["Names"]}
        services = (one.name for one in self.catalogue.containers if one.life in (Life.RUNNING, Life.PAUSED))
        return [f"service {name}" for name in services if name not in up]


def web_host(engine: DisposableEngine, name: str, *, scale: float = 1) -> FilledHost:
    """A host of a small web shop after a few months of deployments."""
    return place(engine, name, WEB, scale=scale)


def calm_web_host(engine: DisposableEngine, name: str, *, scale: float = 1) -> FilledHost:
    """Its sister, with the same services and less left over."""
    return place(engine, name, CALM, scale=scale)


def hazard_host(engine: DisposableEngine, name: str = "hazard", *, scale: float = 1) -> FilledHost:
    """A host full of traps, every kind of which has cost somebody data."""
    return place(engine, name, HAZARDS, scale=scale)


def place(engine: DisposableEngine, name: str, catalogue: Catalogue, *, scale: float = 1) -> FilledHost:
    """Fill the engine; every object on it must be accounted for."""
    placed = fill(engine, catalogue, scale=scale)
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
    )


def _references(engine: DisposableEngine, kept: Mapping[Found, str]) -> dict[str, str]:
    return {
        tag: image["Id"]
        for image in engine.client.images()
        for tag in image["RepoTags"] or ()
        if Found("image", image["Id"]) in kept and tag != "<none>:<none>"
    }


def _toml_list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"
