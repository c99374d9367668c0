"""How many bytes each step of a plan frees: containers their writable layer, the rest by layers (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from workers.contract import Bytes, Store
from workers.planning import reclaim
from workers.planning.inventory import Image, Inventory
from workers.planning.layers import LayeredImage
from workers.planning.reclaim import Reckoning


def freed_bytes(inventory: Inventory, order: Sequence[str]) -> Reckoning:
    """Reckon what removals in this order free; together the bytes are what all of them free."""
    store = inventory.engine.store
    layered = layered_images(inventory.images, store)
    found = reclaim.reckoned(order, layered, inventory.cache, store=store)
    if any(not image.readable and not image.layers for image in inventory.images):
        found = _perhaps(found)
    written = {c.id: Bytes(low=c.writable or 0, high=c.writable or 0) for c in inventory.containers}
    return replace(found, bytes={id_: written.get(id_, found.bytes.get(id_, Bytes())) for id_ in order})


def _perhaps(found: Reckoning) -> Reckoning:
    """The same with nothing of it sure: an image whose layers were not read may hold any of these."""
    sizes = {id_: Bytes(high=size.high) for id_, size in found.bytes.items()}
    groups = (group.model_copy(update={"size": Bytes(high=group.size.high)}) for group in found.layers)
    return replace(found, bytes=sizes, layers=tuple(groups))


def layered_images(images: Iterable[Image], store: Store) -> list[LayeredImage]:
    """What the engine tells of the layers of images."""
    return [_layered(image, store) for image in images]


def _layered(image: Image, store: Store) -> LayeredImage:
    return LayeredImage(
        id=image.id,
        layers=image.layers,
        history=image.history,
        size=image.size,
        content=image.content if store is Store.CONTAINERD else None,
    )
