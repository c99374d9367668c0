"""The layers of all images as one forest, and the size of each, as far as the engine's answers tell it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from workers.contract import Bytes
from workers.planning.histories import EMPTY_DIFF, HistoryStep, Reading, agreed_sums, makers_of, read_history


@dataclass(frozen=True, kw_only=True)
class LayeredImage:
    """What an engine tells of an image's layers.

    `layers` are diff ids, lowest first; `history` is newest first, None where it could not be read; `size` is
    the listed one; `content` is the part of it that blobs take, which is what inspect tells as size on a
    containerd store, and None on a graph-driver store. A container whose image is in no list holds layers
    like one, without blobs; its size may have a little more than they.
    """

    id: str
    layers: tuple[str, ...]
    history: tuple[HistoryStep, ...] | None
    size: int
    content: int | None = None
    is_container: bool = False

    @property
    def unpacked(self) -> int:
        """The bytes of its layers on disk."""
        return max(0, self.size - (self.content or 0)) - self.foreign

    @property
    def foreign(self) -> int:
        """The bytes of what it has for other platforms: on a containerd store they are listed too."""
        if self.content is None or not self.history:
            return 0
        told = sum(step.size for step in self.history)
        return max(0, self.size - self.content - told) if told or not self.layers else 0


@dataclass(frozen=True)
class Layers:
    """Every layer by its chain id, which names it together with all that lie below it.

    `chains` are the layers of each image, lowest first; `below` is the layer a layer lies on, None at the
    bottom; `stacks` are the bytes of a layer and all below it: these, not the layers' own, are what images
    agree on; `makers` are the commands that may have made a layer.
    """

    chains: Mapping[str, tuple[str, ...]]
    below: Mapping[str, str | None]
    stacks: Mapping[str, Bytes]
    makers: Mapping[str, frozenset[str]]

    @cached_property
    def above(self) -> Mapping[str | None, frozenset[str]]:
        """The layers that lie on a layer; those at the bottom lie on None."""
        found: dict[str | None, set[str]] = defaultdict(set)
        for layer, lower in self.below.items():
            found[lower].add(layer)
        return {lower: frozenset(layers) for lower, layers in found.items()}

    def stack(self, layer: str) -> Iterable[str]:
        """Yield the layer and all below it, which it needs."""
        lower: str | None = layer
        while lower is not None:
            yield lower
            lower = self.below[lower]

    def bytes_of(self, layers: Iterable[str]) -> Bytes:
        """The bytes of these layers together, each counted once.

        A layer is its stack less the stack below: a stack that is added and taken away again cancels out, so
        sizes that are unknown one by one do no harm where only their sum matters.
        """
        times: Counter[str] = Counter()
        for layer in set(layers):
            times[layer] += 1
            lower = self.below[layer]
            if lower is not None:
                times[lower] -= 1
        low = sum(
            n * (self.stacks[layer].low if n > 0 else self.stacks[layer].high) for layer, n in times.items()
        )
        high = sum(
            n * (self.stacks[layer].high if n > 0 else self.stacks[layer].low) for layer, n in times.items()
        )
        return Bytes(low=max(0, low), high=max(0, high))


def read_layers(images: Iterable[LayeredImage]) -> Layers:
    """Put the layers of all images together and settle their sizes; what stays open is an interval."""
    known = {image.id: image for image in images}
    chains, below = chains_of(known.values())
    tops = _tops((image for image in known.values() if not image.is_container), chains)
    read = (reading_of(image, chains[image.id]) for image in known.values())
    readings = tuple(reading for reading in read if reading is not None)
    sums = agreed_sums(readings, tops)
    # What a container tells counts where no image tells anything: a containerd store counts its first files.
    rest = _tops((one for one in known.values() if one.is_container), chains)
    sums = {layer: frozenset({size}) for layer, size in rest.items()} | sums
    return Layers(chains, below, _stacks(chains.values(), sums), makers_of(readings, sums))


def _tops(images: Iterable[LayeredImage], chains: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """The bytes up to the uppermost layer of each."""
    return {chains[image.id][-1]: image.unpacked for image in images if image.layers}


def layer_sizes(layers: Layers) -> dict[str, Bytes]:
    """The bytes of each layer alone."""
    return {layer: layers.bytes_of((layer,)) for layer in layers.below}


def chains_of(
    images: Iterable[LayeredImage],
) -> tuple[dict[str, tuple[str, ...]], dict[str, str | None]]:
    """Return the layers of each image, lowest first, and for each layer the one it lies on."""
    below: dict[str, str | None] = {}
    return {image.id: _chain(image.layers, below) for image in images}, below


def _chain(diff_ids: Sequence[str], below: dict[str, str | None]) -> tuple[str, ...]:
    chain: list[str] = []
    for diff_id in diff_ids:
        lower = chain[-1] if chain else None
        layer = diff_id if lower is None else _chain_id(lower, diff_id)
        below[layer] = lower
        chain.append(layer)
    return tuple(chain)


@lru_cache(maxsize=1 << 16)
def _chain_id(lower: str, diff_id: str) -> str:
    return "sha256:" + hashlib.sha256(f"{lower} {diff_id}".encode()).hexdigest()


def reading_of(image: LayeredImage, chain: tuple[str, ...]) -> Reading | None:
    """Read an image's history, as far as one is known that agrees with its size."""
    if image.history is None or sum(step.size for step in image.history) != image.unpacked:
        return None
    diff_ids = zip(chain, image.layers, strict=True)
    empty = frozenset(layer for layer, diff_id in diff_ids if diff_id == EMPTY_DIFF)
    return read_history(image.history[::-1], chain, empty=empty)


def _stacks(chains: Iterable[tuple[str, ...]], agreed: Mapping[str, frozenset[int]]) -> dict[str, Bytes]:
    """Bound each stack by the sums agreed on or, where there are none, by the stacks below and above it."""
    lows: dict[str, int] = {}
    highs: dict[str, int] = {}
    for chain in chains:
        low = 0
        for layer in chain:
            low = lows[layer] = min(agreed[layer]) if layer in agreed else low
        high = max(agreed[chain[-1]]) if chain else 0
        for layer in reversed(chain):
            bound = max(agreed[layer]) if layer in agreed else high
            high = highs[layer] = min(bound, highs.get(layer, bound))
    return {layer: Bytes(low=min(low, highs[layer]), high=highs[layer]) for layer, low in lows.items()}
