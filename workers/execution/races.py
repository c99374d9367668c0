"""Races that were lost: a container was made of an image in the moment it went (S7)."""

import json
from collections.abc import Mapping, Sequence

from workers.contract import Step
from workers.engine import Engine
from workers.errors import EngineError
from workers.execution import aftermath
from workers.execution.restoring import put_back
from workers.planning import inventory
from workers.planning.inventory import Container, Inventory
from workers.reasons import Code, Reason, reason
from workers.references import ImageName


def lost_races(engine: Engine, removed: Sequence[Step], before: Inventory) -> Mapping[str, Container]:
    """Look for containers of removed images; by image id, the container that was made of it."""
    # Images last: a container's own must have been there before it.
    containers = [inventory.container(raw, None, writable=None) for raw in engine.containers()]
    present = {raw["Id"] for raw in engine.images()} if removed else set()
    return aftermath.lost_races(containers, removed, before, present=present)


def bring_back(engine: Engine, step: Step, way_back: str) -> Reason:
    """Pull the image by its digest and give it its names again, where a registry still has it."""
    source = aftermath.way_back_of(json.loads(way_back))
    try:
        if source is None:
            return reason(Code.NOT_BROUGHT_BACK, image=step.object.name)
        engine.pull(*source)
        # A pull that fails half-way says so only in a text that docker-py does not read.
        engine.inspect_image(step.object.id)
    except EngineError:
        return reason(Code.NOT_BROUGHT_BACK, image=step.object.name)
    put_back(engine, step.object.id, [ImageName.parse(name) for name in step.untags])
    return reason(Code.BROUGHT_BACK, image=step.object.name)
