"""Which images builds began from: a build cache names none, so they are found by what lies on them (pure).

Only on a graph-driver store, where records are layers of images. A build writes a record for every layer of
the image that it began from, and its own steps lie on the topmost.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from workers.contract import Store
from workers.planning.build_cache import last_used
from workers.planning.cache_layers import is_base, record_layers
from workers.planning.freed_bytes import layered_images
from workers.planning.inventory import CacheRecord, Image
from workers.planning.layers import Layers, read_layers

# The kind under which a ledger remembers when a build last began from an image: its cache goes sooner.
BASE = "base"
Above = Mapping[str, Sequence[CacheRecord]]


def built_upon(images: Sequence[Image], cache: Sequence[CacheRecord], store: Store) -> dict[str, datetime]:
    """Return, by the id of each image from which a build began, when the newest record on it was used.

    A record that could be a layer of several images counts for none, unless steps on it tell which.
    """
    bases = [record for record in cache if record.shared and is_base(record)]
    if not bases or store is Store.CONTAINERD:
        return {}
    layers = read_layers(layered_images(images, store))
    candidates, above = record_layers(cache, layers), _above(cache)
    found: dict[str, datetime] = {}
    for record in bases:
        tops = _tops(record, above, candidates, layers)
        times = [used for one in _from(record, above) if (used := last_used(one))]
        for image in _ending_at(tops, images, layers) if times else ():
            found[image] = max([*times, found.get(image, times[0])])
    return found


def _above(cache: Iterable[CacheRecord]) -> Above:
    found: dict[str, list[CacheRecord]] = defaultdict(list)
    for record in cache:
        for parent in record.parents:
            found[parent].append(record)
    return found


def _tops(
    base: CacheRecord, above: Above, candidates: Mapping[str, frozenset[str]], layers: Layers
) -> frozenset[str]:
    """The layers of which one is surely the top of the image that a build began from; none if it is lower."""
    steps = [record for record in above.get(base.id, ()) if not is_base(record)]
    if above.get(base.id) and not steps:
        return frozenset()
    own = candidates.get(base.id, frozenset())
    below = {layers.below[layer] for step in steps for layer in candidates.get(step.id, ())}
    told = frozenset(layer for layer in below if layer is not None and layer in own)
    return told or (own if len(own) == 1 else frozenset())


def _ending_at(tops: frozenset[str], images: Iterable[Image], layers: Layers) -> list[str]:
    return [i.id for i in images if layers.chains[i.id] and layers.chains[i.id][-1] in tops]


def _from(record: CacheRecord, above: Above) -> list[CacheRecord]:
    """A record and all that lie on it, each once: a build that finds everything there uses the topmost."""
    found, waiting = {record.id: record}, [record]
    while waiting:
        new = [one for one in above.get(waiting.pop().id, ()) if one.id not in found]
        found.update((one.id, one) for one in new)
        waiting += new
    return list(found.values())
