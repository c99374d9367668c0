"""Whose history is asked for, so that the bytes of any removal are as exact as with all of them (pure).

A removal frees whole runs of layers. They begin at the top of an image, whose bytes are listed, and end where
two images part. So one history through each such fork is enough, if it can be read in one way only.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from workers.contract import Store
from workers.planning.inventory import CacheRecord
from workers.planning.layers import LayeredImage, chains_of, reading_of

Chains = Mapping[str, tuple[str, ...]]


def wanted_histories(
    images: Sequence[LayeredImage],
    cache: Iterable[CacheRecord] = (),
    *,
    store: Store,
    asked: Collection[str] = (),
) -> frozenset[str]:
    """Return the images to ask about next; none when enough is known. `asked` were asked about in vain."""
    unknown = {image.id for image in images if image.history is None and image.id not in asked}
    # Which layers the records of a build cache hold is told by the commands of all images, and which images
    # of a containerd store have other platforms' content by what their own layers take.
    if store is Store.CONTAINERD or any(record.shared for record in cache):
        return frozenset(unknown)
    chains, below = chains_of(images)
    parting = _forks(below) - _settled(images, chains)
    return frozenset(_one_through_each(parting, {id_: chains[id_] for id_ in chains if id_ in unknown}))


def _forks(below: Mapping[str, str | None]) -> set[str]:
    lying_on = Counter(lower for lower in below.values() if lower is not None)
    return {layer for layer, times in lying_on.items() if times > 1}


def _settled(images: Iterable[LayeredImage], chains: Chains) -> set[str]:
    """The layers up to which the bytes are known: the top of each image, and all of a clear history."""
    found: set[str] = set()
    for image in images:
        chain = chains[image.id]
        reading = reading_of(image, chain) if image.history is not None else None
        found.update(chain[-1:] if reading is None or reading.spare else chain)
    return found


def _one_through_each(parting: set[str], chains: Chains) -> Iterator[str]:
    if not parting:
        return
    through: dict[str, list[str]] = defaultdict(list)
    for id_, chain in chains.items():
        for layer in parting.intersection(chain):
            through[layer].append(id_)
    heights = {layer: height for chain in chains.values() for height, layer in enumerate(chain)}
    left = set(through)
    # From the highest down: its history tells of the lower ones too.
    for layer in sorted(through, key=lambda layer: (-heights[layer], layer)):
        if layer in left:
            chosen = min(through[layer])
            left.difference_update(chains[chosen])
            yield chosen
