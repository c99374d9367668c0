"""A host from which objects go one by one, and which refuses what engines refuse or what would hurt."""

from dataclasses import replace

from workers.contract import Kind, Plan, Reference
from workers.memory.sightings import Sighting
from workers.planning.ages import seen_uses
from workers.planning.bases import BASE
from workers.planning.facts import Case
from workers.planning.inventory import Container, Inventory

FIELDS = {
    Kind.CONTAINER: "containers",
    Kind.IMAGE: "images",
    Kind.NETWORK: "networks",
    Kind.BUILD_CACHE: "cache",
}


def written_down(case: Case) -> Case:
    """The case as a worker judges it: its ledger has just been told what containers and builds used."""
    known = dict(case.memory.sightings)
    begun = {(BASE, id_): min(at, case.now) for id_, at in case.inventory.built_upon.items()}
    for key, used in (seen_uses(case.inventory) | begun).items():
        before = known.get(key, Sighting(case.now, case.now))
        known[key] = replace(before, last_used=max(used, before.last_used or used))
    return replace(case, memory=replace(case.memory, sightings=known))


def refusal(inventory: Inventory, gone: Reference) -> str:
    """Why the object cannot go by now; empty where it can."""
    match gone.kind:
        case Kind.CONTAINER:
            [it] = [c for c in inventory.containers if c.id == gone.id]
            guests = [c.name for c in inventory.containers if _joins(c, it)]
            return "" if it.stopped and not guests else f"{it.state}, joined by {guests}"
        case Kind.IMAGE:
            users = [c.name for c in inventory.containers if gone.id in (c.image_id, *c.image_mounts)]
            children = [i.id for i in inventory.images if i.parent == gone.id]
            return f"used by {users}, below {children}" if users or children else ""
        case Kind.NETWORK:
            # Engines refuse for running containers only; a stopped one could not start any more.
            users = [c.name for c in inventory.containers if c.networks & {gone.id, gone.name}]
            return f"used by {users}" if users else ""
        case Kind.BUILD_CACHE:
            children = [r.id for r in inventory.cache if gone.id in r.parents]
            return f"below {children}" if children else ""


def _joins(guest: Container, holder: Container) -> bool:
    """Whether it takes the network, processes, memory or volumes of another: it could not start without."""
    others = {*guest.joins, *(n.removeprefix("container:") for n in guest.networks if ":" in n)}
    return bool(others & {holder.name, holder.id, holder.id[:12]})


def without(inventory: Inventory, gone: Reference) -> Inventory:
    left = [thing for thing in getattr(inventory, FIELDS[gone.kind]) if thing.id != gone.id]
    return replace(inventory, **{FIELDS[gone.kind]: tuple(left)})


def refusals(case: Case, plan: Plan) -> list[str]:
    """What goes wrong when the steps are done in their order."""
    inventory, found = case.inventory, []
    for step in plan.steps:
        found.append(refusal(inventory, step.object))
        inventory = without(inventory, step.object)
    return [one for one in found if one]


def after(case: Case, plan: Plan) -> Case:
    """The host when all steps are done; the ledger knows which images went, and whose cache may have gone."""
    inventory = replace(case.inventory, built_upon={})
    for step in plan.steps:
        inventory = without(inventory, step.object)
    gone = {step.object.id: case.now for step in plan.steps if step.object.kind is Kind.IMAGE}
    memory = replace(case.memory, removed_images={**case.memory.removed_images, **gone})
    return replace(case, inventory=inventory, memory=memory)
