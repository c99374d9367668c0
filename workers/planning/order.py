"""What has to go before what: children before parents, containers before what they hold (pure)."""

from collections.abc import Iterable, Mapping

from workers.contract import Kind
from workers.planning.ages import uses
from workers.planning.inventory import CacheRecord, Container, Image, Inventory
from workers.planning.networks import attached
from workers.planning.versions import repositories

STAGES = tuple(Kind)
Needs = Mapping[str, frozenset[str]]


def needs(inventory: Inventory, leaving: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return, by id, the ids that must be gone first, among those that leave.

    An image needs every leaving container of its repositories, not of itself alone: with such a container
    still there the repository would count as used, and the image as its way back (S9).
    """
    containers = [c for c in inventory.containers if c.id in leaving]
    images = [i for i in inventory.images if i.id in leaving]
    found = {i.id: _image_needs(i, images, containers) for i in images}
    for network in (n for n in inventory.networks if n.id in leaving):
        found[network.id] = frozenset(c.id for c in attached(network, tuple(containers)))
    records = [r for r in inventory.cache if r.id in leaving]
    return {**found, **{r.id: _children(r, records) for r in records}}


def _image_needs(image: Image, images: list[Image], containers: list[Container]) -> frozenset[str]:
    ours = repositories(image)
    children = {other.id for other in images if other.parent == image.id}
    users = {c.id for c in containers if uses(c, image) or ours & _used_by(c)}
    return frozenset(children | users)


def _used_by(container: Container) -> frozenset[str]:
    return frozenset(f"{name.registry}/{name.repository}" for name in container.references)


def _children(record: CacheRecord, records: list[CacheRecord]) -> frozenset[str]:
    return frozenset(other.id for other in records if record.id in other.parents)


def sequence(ids: Iterable[str], needed: Needs) -> list[str]:
    """Order ids so that whatever one needs comes before it; otherwise as given."""
    done: dict[str, None] = {}
    for start in ids:
        waiting = [start]
        while waiting:
            current = waiting[-1]
            missing = [n for n in sorted(needed.get(current, ())) if n not in done and n not in waiting]
            if missing:
                waiting.append(missing[0])
            else:
                done[waiting.pop()] = None
    return list(done)


def closure(id_: str, needed: Needs) -> set[str]:
    """Return an id with everything it needs, directly or not."""
    found, waiting = {id_}, [id_]
    while waiting:
        for one in needed.get(waiting.pop(), frozenset()) - found:
            found.add(one)
            waiting.append(one)
    return found
