"""Which layers the records of a build cache hold on a graph-driver store: inferred, the engine does not tell.

A record that an image shares is one of that image's layers. Records lie on each other as layers do, and most
tell the size and command of their layer. Those of a base image tell neither, but lie below others.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from workers.contract import Bytes
from workers.planning.inventory import CacheRecord
from workers.planning.layers import Layers, layer_sizes

Candidates = dict[str, frozenset[str]]

BASE = re.compile(r"(pulled )?from ")
FILES = re.compile(r"COPY|ADD|WORKDIR")
RUN_PREFIX = re.compile(r"mount \S+ from exec ")
STAGE_PREFIX = re.compile(r"\[[^\]]*\] ")
OPTION = re.compile(r" --\S+")


@dataclass(frozen=True)
class LookAlikes:
    """Records that hold one each of these layers; which record which layer, nothing tells.

    So many `bases` are of base images and so many `steps` of steps of builds: two of one sort never hold the
    same layer, two of different sorts may.
    """

    layers: frozenset[str]
    bases: int = 0
    steps: int = 0

    @property
    def most(self) -> int:
        """How many of the layers are held at most."""
        return self.bases + self.steps

    @property
    def least(self) -> int:
        """How many of the layers are held at least."""
        return max(self.bases, self.steps)


def has_no_step(record: CacheRecord) -> bool:
    """Whether it came of no step of a build; a containerd store says so by saying nothing."""
    return record.type == "regular" and not record.description


def is_base(record: CacheRecord) -> bool:
    """Whether it is a layer of an image that a build began from: such a record tells no size."""
    return BASE.match(record.description) is not None


def record_layers(cache: Sequence[CacheRecord], layers: Layers) -> dict[str, frozenset[str]]:
    """Find for every record that an image shares the layers it may be: nearly always one, seldom more."""
    shared = {record.id: record for record in cache if record.shared}
    if not shared:
        return {}
    lower = _lower_records(shared)
    candidates: Candidates = {}
    sizes = layer_sizes(layers)
    # Engines newer than the version of the API they are asked by tell no parents at all.
    bottom = layers.above.get(None, frozenset()) if any(one.parents for one in cache) else layers.below
    for record in _lowest_first(shared, lower):
        below = candidates.get(lower.get(record.id, ""))
        scope = bottom if below is None else _on(below, layers)
        candidates[record.id] = _first_candidates(record, scope, layers, sizes)
    _agree(candidates, lower, layers)
    return candidates


def look_alikes(cache: Iterable[CacheRecord], candidates: Mapping[str, frozenset[str]]) -> list[LookAlikes]:
    """Put together the records that may be the same layer; no two groups have a layer in common."""
    groups: list[LookAlikes] = []
    for record in cache:
        if len(found := candidates.get(record.id, frozenset())) > 1:
            # A base image's layer has one record, and the build step that made it has another.
            base = is_base(record)
            groups = _joined(groups, LookAlikes(found, bases=int(base), steps=int(not base)))
    return groups


def _joined(groups: Iterable[LookAlikes], one: LookAlikes) -> list[LookAlikes]:
    apart: list[LookAlikes] = []
    for group in groups:
        if group.layers & one.layers:
            one = LookAlikes(group.layers | one.layers, group.bases + one.bases, group.steps + one.steps)
        else:
            apart.append(group)
    return [*apart, one]


def _lower_records(shared: Mapping[str, CacheRecord]) -> dict[str, str]:
    """The record on which each one lies, if it is shared too; the bottom ones lie on none."""
    lies_on = ((record.id, parent) for record in shared.values() for parent in record.parents[:1])
    return {record: parent for record, parent in lies_on if parent in shared}


def _lowest_first(shared: Mapping[str, CacheRecord], lower: Mapping[str, str]) -> list[CacheRecord]:
    def height(record: str) -> int:
        steps = 0
        while record in lower and steps < len(shared):
            record, steps = lower[record], steps + 1
        return steps

    return [shared[record] for record in sorted(shared, key=height)]


def _on(lower: Iterable[str], layers: Layers) -> frozenset[str]:
    """The layers that lie on any of these."""
    return frozenset[str]().union(*(layers.above.get(layer, frozenset()) for layer in lower))


def _first_candidates(
    record: CacheRecord, scope: Collection[str], layers: Layers, sizes: Mapping[str, Bytes]
) -> frozenset[str]:
    """The layers a record may be: best those that agree in place, size and command, else what there is."""
    if is_base(record):
        return frozenset(scope or layers.below)
    for place in (scope, layers.below):
        of_size = frozenset(layer for layer in place if sizes[layer].low <= record.size <= sizes[layer].high)
        by_command = frozenset(layer for layer in of_size if _is_command(record, layers.makers.get(layer)))
        if of_size:
            return by_command or of_size
    return frozenset(scope)


def _is_command(record: CacheRecord, makers: frozenset[str] | None) -> bool:
    """Whether the record's description tells one of these commands, as far as both are known."""
    if makers is None:
        return True
    if record.description == "fileop target":  # BuildKit of engine 20.10 says no more
        return any(FILES.match(command) for command in makers)
    told = RUN_PREFIX.sub("", STAGE_PREFIX.sub("", record.description, count=1), count=1)
    # `COPY --from=build /a /b` stands in the history without its options.
    return any(OPTION.sub("", told) in command or told in command for command in makers)


def _agree(candidates: Candidates, lower: Mapping[str, str], layers: Layers) -> None:
    """Let each record and the one below it rule out what does not fit the other: up, down, and up again."""
    upward = [(record, lower[record]) for record in candidates if record in lower]
    for record, below in reversed(upward):
        fitting = candidates[below] & {layers.below[layer] for layer in candidates[record]}
        candidates[below] = frozenset(filter(None, fitting)) or candidates[below]
    for record, below in upward:
        fitting = frozenset(layer for layer in candidates[record] if layers.below[layer] in candidates[below])
        candidates[record] = fitting or candidates[record]
