"""Whether an object is there, and names given again where it did not go (S2)."""

from collections.abc import Iterable

from workers.contract import Kind, Reference
from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.planning.answers import id_of
from workers.references import ImageName


def is_there(object_: Reference, engine: Engine) -> bool:
    """Ask the engine afresh whether it has the object."""
    try:
        return _found(object_, engine)
    except NotFound:
        return False


def _found(object_: Reference, engine: Engine) -> bool:
    match object_.kind:
        case Kind.CONTAINER:
            engine.inspect_container(object_.id)
        case Kind.IMAGE:
            engine.inspect_image(object_.id)
        case Kind.NETWORK:
            engine.inspect_network(object_.id)
        case Kind.BUILD_CACHE:
            return any(id_of(raw, "ID") == object_.id for raw in engine.cache_records())
    return True


def is_being_removed(object_: Reference, engine: Engine) -> bool:
    """Ask the engine whether it is at it now; only of containers does it tell."""
    try:
        raw = engine.inspect_container(object_.id) if object_.kind is Kind.CONTAINER else {}
    except NotFound:
        return False
    state = raw.get("State")
    return isinstance(state, dict) and state.get("Status") == "removing"


def put_back(engine: Engine, image_id: str, names: Iterable[ImageName]) -> list[ImageName]:
    """Give an image its names again; returns those that could not be given.

    A name that has come to mean something else meanwhile stays with that: it would be taken from it.
    """
    return [name for name in names if not _is_given(engine, image_id, name)]


def _is_given(engine: Engine, image_id: str, name: ImageName) -> bool:
    try:
        engine.inspect_image(name.full())
    except NotFound:
        return _give(engine, image_id, name)
    except EngineError:
        return False
    return True


def _give(engine: Engine, image_id: str, name: ImageName) -> bool:
    try:
        engine.tag(image_id, f"{name.registry}/{name.repository}", name.tag or "latest")
    except EngineError:
        return False
    return True
