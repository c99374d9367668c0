"""The bytes that a set of removals frees: set arithmetic over layers, never a sum of image sizes.

A layer is freed when the last one that needs it goes: an image, an untagged one or an intermediate as much as
any other, or a record of the build cache. What the engine does not tell is an interval, never a guess.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from workers.contract import Bytes, LayerGroup, Store
from workers.planning.cache_layers import LookAlikes, has_no_step, look_alikes, record_layers
from workers.planning.inventory import CacheRecord
from workers.planning.layers import LayeredImage, Layers, read_layers
from workers.planning.sharing import layer_groups, topmost

NEVER = float("inf")
# What packing adds at most to what does not compress, and what manifest and configuration take.
PACKING, HEADERS, PAPERS = 50, 4096, 16_384


@dataclass(frozen=True)
class Reckoning:
    """What removals in an order free: the bytes by id, the layers that go, and what of them is unplaced.

    Together the bytes are what all of them free. Where a record of the cache may be one of several look-alike
    layers, the sum is sure, and which of their removals frees less is not: `unplaced` is how much that is at
    most. A layer counts where its last holder goes. Ids of other objects count nothing.
    """

    bytes: Mapping[str, Bytes]
    layers: tuple[LayerGroup, ...] = ()
    unplaced: int = 0


def freed(
    removed: Collection[str],
    images: Sequence[LayeredImage],
    cache: Sequence[CacheRecord] = (),
    *,
    store: Store,
) -> Bytes:
    """The bytes that go with these images and records of the build cache, all together."""
    return sum(reckoned(tuple(removed), images, cache, store=store).bytes.values(), Bytes())


def reckoned(
    order: Sequence[str],
    images: Sequence[LayeredImage],
    cache: Sequence[CacheRecord] = (),
    *,
    store: Store,
) -> Reckoning:
    """Reckon what each removal frees, in this order of ids."""
    layers = read_layers(images)
    candidates = record_layers(_holders(cache, store), layers)
    turns = {object_id: turn for turn, object_id in enumerate(order)}
    until = _surely_needed(layers, candidates, turns)
    kept = look_alikes([record for record in cache if record.id not in turns], candidates)
    perhaps, held = _hold_look_alikes(kept, until, layers)
    gone = _by_turn(until)
    own = _record_bytes(cache, candidates, store)
    if store is Store.CONTAINERD:
        own |= _blob_bytes(images, layers, turns)
    unsure = {record: found for record, found in candidates.items() if record in turns and len(found) > 1}
    return Reckoning(
        bytes={
            object_id: _together(layers.bytes_of(gone[turn]), perhaps[turn], own.get(object_id))
            for object_id, turn in turns.items()
        },
        layers=layer_groups(
            layers,
            {layer for layer, turn in until.items() if 0 <= turn < NEVER},
            _ends(layers, candidates, turns),
        ),
        unplaced=held + sum(_tallest(found, layers) for found in unsure.values()),
    )


def _ends(
    layers: Layers, candidates: Mapping[str, Collection[str]], turns: Mapping[str, int]
) -> Mapping[str, Collection[int]]:
    """The removals after which a layer and those below it are needed no more, by that layer."""
    tops = {image: chain[-1] for image, chain in layers.chains.items() if chain}
    surely = {record: topmost(map(layers.stack, found), layers) for record, found in candidates.items()}
    ends: dict[str, set[int]] = defaultdict(set)
    for object_id, layer in [*tops.items(), *surely.items()]:
        if layer is not None and object_id in turns:
            ends[layer].add(turns[object_id])
    return ends


def _tallest(found: Iterable[str], layers: Layers) -> int:
    """How much a record can hold at most that is one of these layers."""
    return max(layers.bytes_of(layers.stack(layer)).high for layer in found)


def _together(sure: Bytes, perhaps: int, own: Bytes | None) -> Bytes:
    """Their sum; most often it is what is sure alone."""
    found = sure + Bytes(high=perhaps) if perhaps else sure
    return found + own if own else found


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
) -> tuple[Mapping[float, int], int]:
    """Let kept records hold as much as they can, and tell what each turn frees beyond if they hold the least.

    The second is how much they hold at most, together.
    """
    perhaps: Counter[float] = Counter()
    surely = [_least_held(group, until, layers) for group in kept]
    at_most = 0
    for group, turn, size in _held(kept, until, layers):
        perhaps[turn] += max(0, size - surely[group])
        surely[group] = max(0, surely[group] - size)
        at_most += size
    return perhaps, at_most


def _least_held(group: LookAlikes, until: Mapping[str, float], layers: Layers) -> int:
    """The bytes that records hold at least of what would go: where fewer layers stay than are held."""
    goes = [layer for layer in group.layers if until[layer] < NEVER]
    must_hold = max(0, group.least - (len(group.layers) - len(goes)))
    return sum(sorted(layers.bytes_of((layer,)).low for layer in goes)[:must_hold])


def _held(
    kept: Sequence[LookAlikes], until: dict[str, float], layers: Layers
) -> Iterator[tuple[int, float, int]]:
    """Let records hold what takes most of what would go; yield whose group, when it would, and its bytes.

    Layers are stacks that share their lower parts. Of those the stack that adds most to what is held already,
    time after time, makes the most of all: what it leaves over of another stack is a stack again.
    """
    groups = {layer: index for index, group in enumerate(kept) for layer in group.layers}
    # Sizes that are not known have no order: there any may be held.
    left = [group.most if _are_exact(group.layers, layers) else len(group.layers) for group in kept]
    ranked = [(-_going_bytes(layer, until, layers), layer) for layer in groups]
    heapify(ranked)
    while ranked:
        before, layer = heappop(ranked)
        size = _going_bytes(layer, until, layers)
        if size < -before:
            heappush(ranked, (-size, layer))
        elif left[groups[layer]] and until[layer] < NEVER:
            yield groups[layer], until[layer], size
            _need(until, layers.stack(layer), NEVER)
            left[groups[layer]] -= 1


def _going_bytes(layer: str, until: Mapping[str, float], layers: Layers) -> int:
    """The bytes at most of those layers of a stack that would go."""
    return layers.bytes_of(lower for lower in layers.stack(layer) if until[lower] < NEVER).high


def _are_exact(tops: Iterable[str], layers: Layers) -> bool:
    sizes = (layers.stacks[layer] for top in tops for layer in layers.stack(top))
    return all(size.low == size.high for size in sizes)


def _by_turn(until: Mapping[str, float]) -> Mapping[float, Set[str]]:
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

    The build cache may hold any of them, and containers hold none.
    """
    having = [image for image in images if not image.is_container]
    until: dict[str, float] = dict.fromkeys(layers.below, -1)
    for image in having:
        _need(until, layers.chains[image.id], turns.get(image.id, NEVER))
    gone = _by_turn(until)
    going = [(image, gone[turns[image.id]]) for image in having if image.id in turns]
    return {image.id: Bytes(high=_most_blobs(image, last, layers)) for image, last in going}


def _most_blobs(image: LayeredImage, last: Set[str], layers: Layers) -> int:
    """At most those of the layers that no image has after it; their sum is told where that is all of them."""
    content = image.content or 0
    if not last >= set(layers.chains[image.id]):
        content = min(content, _packed(layers.bytes_of(last).high, layers=len(last)) + PAPERS)
    return content + image.foreign


def _packed(size: int, *, layers: int) -> int:
    """What layers of this size take at most as blobs."""
    return size + size // PACKING + HEADERS * layers
