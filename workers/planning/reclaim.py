"""The bytes that a set of removals frees: set arithmetic over layers, never a sum of image sizes.

A layer is freed when the last one that needs it goes: an image, an untagged one or an intermediate as much as
any other, or a record of the build cache. What the engine does not tell is an interval, never a guess.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from workers.contract import Bytes, Store
from workers.planning.cache_layers import LookAlikes, has_no_step, look_alikes, record_layers
from workers.planning.inventory import CacheRecord
from workers.planning.layers import LayeredImage, Layers, read_layers

NEVER = float("inf")
# What packing adds at most to what does not compress, and what manifest and configuration take.
PACKING, HEADERS, PAPERS = 50, 4096, 16_384


def freed(
    removed: Collection[str],
    images: Sequence[LayeredImage],
    cache: Sequence[CacheRecord] = (),
    *,
    store: Store,
) -> Bytes:
    """The bytes that go with these images and records of the build cache, all together."""
    return sum(attribution(tuple(removed), images, cache, store=store).values(), Bytes())


def attribution(
    order: Sequence[str],
    images: Sequence[LayeredImage],
    cache: Sequence[CacheRecord] = (),
    *,
    store: Store,
) -> dict[str, Bytes]:
    """The bytes that each removal frees, in this order of ids: a layer counts where its last holder goes.

    Together they free the sum. Where a record of the cache may be one of several look-alike layers, the sum
    is sure, and which of their removals frees less is not. Ids of other objects count nothing.
    """
    layers = read_layers(images)
    candidates = record_layers(_holders(cache, store), layers)
    turns = {object_id: turn for turn, object_id in enumerate(order)}
    until = _surely_needed(layers, candidates, turns)
    kept = look_alikes([record for record in cache if record.id not in turns], candidates)
    perhaps = _hold_look_alikes(kept, until, layers)
    gone = _by_turn(until)
    own = _record_bytes(cache, candidates, store)
    if store is Store.CONTAINERD:
        own |= _blob_bytes(images, layers, turns)
    return {
        object_id: layers.bytes_of(gone[turn]) + Bytes(high=perhaps[turn]) + own.get(object_id, Bytes())
        for object_id, turn in turns.items()
    }


def _holders(cache: Sequence[CacheRecord], store: Store) -> Sequence[CacheRecord]:
    """The records, those that hold no layer of an image marked as not shared.

    On a containerd store a build step has a copy of its own beside the image's layer; only what a build began
    from is shared, and such a record tells nothing of where it came from.
    """
    if store is Store.GRAPH_DRIVER:
        return cache
    return [
        replace(record, description="from") if has_no_step(record) else replace(record, shared=False)
        for record in cache
    ]


def _surely_needed(
    layers: Layers, candidates: Mapping[str, Collection[str]], turns: Mapping[str, int]
) -> dict[str, float]:
    """The turn up to which each layer is needed for sure."""
    until: dict[str, float] = dict.fromkeys(layers.below, -1)
    for image, chain in layers.chains.items():
        _need(until, chain, turns.get(image, NEVER))
    for record, found in candidates.items():
        stacks = [set(layers.stack(layer)) for layer in found]
        _need(until, set.intersection(*stacks) if stacks else (), turns.get(record, NEVER))
    return until


def _need(until: dict[str, float], layers: Iterable[str], turn: float) -> None:
    for layer in layers:
        until[layer] = max(until[layer], turn)


def _hold_look_alikes(
    kept: Sequence[LookAlikes], until: dict[str, float], layers: Layers
) -> Mapping[float, int]:
    """Let kept records hold as much as they can, and tell what each turn frees beyond if they hold the least.

    One layer each: where fewer of a group stay than there are records, the others hold layers that would go.
    """

    def going(layer: str) -> list[str]:
        return [lower for lower in layers.stack(layer) if until[lower] < NEVER]

    perhaps: Counter[float] = Counter()
    for group in kept:
        goes = [layer for layer in group.layers if until[layer] < NEVER]
        held = sorted(goes, key=lambda layer: layers.bytes_of(going(layer)).high)[-group.records :]
        must_hold = max(0, group.records - (len(group.layers) - len(goes)))
        least = sorted(layers.bytes_of((layer,)).low for layer in goes)[:must_hold]
        surely_held = [*reversed(least), *[0] * (len(held) - len(least))]
        for layer, surely in zip(reversed(held), surely_held, strict=True):
            turn, stack = until[layer], going(layer)
            perhaps[turn] += max(0, layers.bytes_of(stack).high - surely)
            _need(until, stack, NEVER)
    return perhaps


def _by_turn(until: Mapping[str, float]) -> Mapping[float, Collection[str]]:
    gone: dict[float, set[str]] = defaultdict(set)
    for layer, turn in until.items():
        gone[turn].add(layer)
    return gone


def _record_bytes(
    cache: Iterable[CacheRecord], candidates: Mapping[str, Collection[str]], store: Store
) -> dict[str, Bytes]:
    """What each record takes beside the layers of images."""
    read = _step_bytes if store is Store.GRAPH_DRIVER else _copy_bytes
    return {record.id: read(record, known=bool(candidates.get(record.id))) for record in cache}


def _step_bytes(record: CacheRecord, *, known: bool) -> Bytes:
    """A record that is an image's layer counts as that layer; one that is none is its size."""
    if not record.shared:
        return Bytes(low=record.size, high=record.size)
    return Bytes() if known else Bytes(high=record.size)


def _copy_bytes(record: CacheRecord, *, known: bool) -> Bytes:
    """On a containerd store the size of what a build began from leaves out its blob."""
    found = _step_bytes(record, known=known)
    return found + Bytes(high=_packed(record.size, layers=1)) if has_no_step(record) else found


def _blob_bytes(images: Iterable[LayeredImage], layers: Layers, turns: Mapping[str, int]) -> dict[str, Bytes]:
    """What the blobs of each image may take: the engine tells their sum, and not which are others' too.

    At most those of the layers that no image has after it. The build cache may hold any of them.
    """
    gone = _by_turn(_surely_needed(layers, {}, turns))
    going = [(image, gone[turns[image.id]]) for image in images if image.id in turns]
    return {
        image.id: Bytes(
            high=min(image.content or 0, _packed(layers.bytes_of(last).high, layers=len(last)) + PAPERS)
        )
        for image, last in going
    }


def _packed(size: int, *, layers: int) -> int:
    """What layers of this size take at most as blobs."""
    return size + size // PACKING + HEADERS * layers
