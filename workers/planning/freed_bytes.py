"""How many bytes each step of a plan frees: containers their writable layer, the rest by layers (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from workers.contract import Bytes, Store
from workers.planning import reclaim
from workers.planning.inventory import Container, Image, Inventory
from workers.planning.layers import LayeredImage
from workers.planning.reclaim import Reckoning


def freed_bytes(inventory: Inventory, order: Sequence[str]) -> Reckoning:
    """Reckon what removals in this order free; together the bytes are what all of them free."""
    store = inventory.engine.store
    holding = holders(inventory.images, inventory.containers, store)
    found = reclaim.reckoned(order, holding, inventory.cache, store=store)
    found = _with_unread(found, _unread(inventory, holding))
    own = _container_bytes(inventory.containers, holding if store is Store.CONTAINERD else ())
    return replace(found, bytes={id_: size + own.get(id_, Bytes()) for id_, size in found.bytes.items()})


def _container_bytes(containers: Iterable[Container], holding: Iterable[LayeredImage]) -> dict[str, Bytes]:
    """What each container takes by itself: its writable layer, and the few files with which it begins.

    Of these a containerd store makes a layer between that and the image's, which a graph driver leaves out of
    all its figures.
    """
    images = {image.id: image.unpacked for image in holding}
    return {c.id: _own_bytes(c, images.get(c.image_id)) for c in containers}


def _own_bytes(container: Container, image: int | None) -> Bytes:
    written = max(0, container.writable or 0)
    begun = 0 if image is None or container.below is None else max(0, container.below - image)
    return Bytes(low=written, high=written + begun)


def _unread(inventory: Inventory, holding: Iterable[LayeredImage]) -> dict[str, int | None]:
    """What holds layers of which nothing tells, by id: how many bytes of them at most, as far as told."""
    known = {one.id for one in holding if one.layers or not one.unpacked}
    listed = {image.id for image in inventory.images}
    images = {i.id: i.size for i in inventory.images if i.id not in known or not (i.readable or i.layers)}
    orphans = (c for c in inventory.containers if c.image_id not in listed)
    return {**images, **{c.id: c.below for c in orphans if c.id not in known}}


def _with_unread(found: Reckoning, unread: Mapping[str, int | None]) -> Reckoning:
    """The same with what may be held besides: it goes with its holder, or is not sure to go at all.

    A holder that goes may still be left out of the plan later, so what it may hold is unplaced.
    """
    if unread.keys() - found.bytes.keys():
        found = _perhaps(found)
    everything = sum(found.bytes.values(), Bytes()).high
    most = {id_: everything if size is None else size for id_, size in unread.items() if id_ in found.bytes}
    sizes = {id_: size + Bytes(high=most.get(id_, 0)) for id_, size in found.bytes.items()}
    return replace(found, bytes=sizes, unplaced=found.unplaced + sum(most.values()))


def _perhaps(found: Reckoning) -> Reckoning:
    """The same with nothing of it sure: what is held by something that was not read may be any of these."""
    sizes = {id_: Bytes(high=size.high) for id_, size in found.bytes.items()}
    groups = (group.model_copy(update={"size": Bytes(high=group.size.high)}) for group in found.layers)
    return replace(found, bytes=sizes, layers=tuple(groups))


def holders(images: Iterable[Image], containers: Iterable[Container], store: Store) -> list[LayeredImage]:
    """All of which the layers are known: images, and containers whose image is in no list any more."""
    orphans = (_orphan(c, c.below) for c in containers if c.layers and c.below is not None)
    return [*layered_images(images, store), *orphans]


def layered_images(images: Iterable[Image], store: Store) -> list[LayeredImage]:
    """What the engine tells of the layers of images."""
    return [_layered(image, store) for image in images]


def _orphan(container: Container, size: int) -> LayeredImage:
    """A container as a holder: there is no history to ask for any more."""
    return LayeredImage(id=container.id, layers=container.layers, history=(), size=size, is_container=True)


def _layered(image: Image, store: Store) -> LayeredImage:
    return LayeredImage(
        id=image.id,
        layers=image.layers,
        history=image.history,
        size=image.size,
        content=image.content if store is Store.CONTAINERD else None,
    )
