"""Images that came from a registry, which serves an engine alone, in its network, while it is needed."""

from collections.abc import Iterable

from tests.stage.engine import DisposableEngine
from tests.stage.registry import Registry


def come_from_registry(engine: DisposableEngine, images: Iterable[tuple[str, str]]) -> None:
    """Send each (tag, "tag" or "digest") to a registry, remove it, pull it back by the one or the other."""
    with Registry(engine, engine.folder / "registry") as registry:
        for tag, how in images:
            name = tag.removeprefix(f"{registry.address}/")
            digest = registry.push(tag, name)
            engine.client.remove_image(tag)
            repository = name.rpartition(":")[0]
            registry.pull(f"{repository}@{digest}" if how == "digest" else name)
