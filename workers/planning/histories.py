"""Which step of an image's history made which layer: the engine does not tell, images that share layers do.

A step that added bytes has made a layer; a step of size 0 has made an empty one or none. But a layer has one
size, whichever image is asked, and the layers of an image add up to its size: that settles nearly all.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

# The diff id of an empty archive: whatever step made it, the layer is empty.
EMPTY_DIFF = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

# Builders make no layer for these; the classic builder writes them behind `/bin/sh -c #(nop)`.
METADATA = re.compile(
    r"(/bin/sh -c #\(nop\)\s+)?"
    r"(ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b"
)


@dataclass(frozen=True)
class HistoryStep:
    """One step of an image's history: the bytes it added and the command that did."""

    size: int
    created_by: str


@dataclass(frozen=True)
class Reading:
    """The ways to read a history: which of its steps, oldest first, made which layer of the chain.

    Up to and including each step, `sums` are the bytes and `sure` is the number of steps that have certainly
    made a layer. Of the others, `spare` ones have not.
    """

    chain: tuple[str, ...]
    empty: frozenset[str]
    steps: tuple[HistoryStep, ...]
    sums: tuple[int, ...]
    sure: tuple[int, ...]

    @property
    def spare(self) -> int:
        """How many of the steps have made no layer."""
        return len(self.steps) - len(self.chain)

    def makers(self, agreed: Mapping[str, frozenset[int]]) -> tuple[frozenset[int], ...]:
        """For each layer, the steps that may have made it, given the sums on which images agree so far."""
        reached, upward = {-1}, []
        for at, layer in enumerate(self.chain):
            possible = (step for step in range(at, at + self.spare + 1) if self._fits(step, layer, agreed))
            reached = {step for step in possible if any(self._follows(step, last) for last in reached)}
            upward.append(reached)
        reached, downward = {len(self.steps)}, []
        for steps in reversed(upward):
            reached = {step for step in steps if any(self._follows(later, step) for later in reached)}
            downward.append(frozenset(reached))
        return tuple(reversed(downward))

    def _fits(self, step: int, layer: str, agreed: Mapping[str, frozenset[int]]) -> bool:
        if layer in self.empty and self.steps[step].size:
            return False
        return layer not in agreed or self.sums[step] in agreed[layer]

    def _follows(self, step: int, last: int) -> bool:
        """Whether all steps between the two can be spare."""
        return last < step and self._sure_up_to(step - 1) == self._sure_up_to(last)

    def _sure_up_to(self, step: int) -> int:
        return self.sure[step] if step >= 0 else 0


def read_history(
    oldest_first: tuple[HistoryStep, ...], chain: tuple[str, ...], *, empty: frozenset[str]
) -> Reading | None:
    """Read a history, or not at all if it cannot have made these layers."""
    for is_sure in (_made_a_layer, _added_bytes):
        steps = _layer_steps(oldest_first, is_sure, len(chain))
        if steps is not None:
            sums, sure = accumulate(step.size for step in steps), accumulate(map(is_sure, steps))
            return Reading(chain, empty, steps, tuple(sums), tuple(sure))
    return None


def _added_bytes(step: HistoryStep) -> bool:
    return step.size > 0


def _made_a_layer(step: HistoryStep) -> bool:
    # BuildKit makes a layer even where nothing changed; the classic builder does not.
    return step.size > 0 or step.created_by.endswith("# buildkit")


def _layer_steps(
    steps: tuple[HistoryStep, ...], is_sure: Callable[[HistoryStep], bool], layers: int
) -> tuple[HistoryStep, ...] | None:
    """The steps among which so many have made a layer: the sure ones, else the likely ones, else all."""
    sure = tuple(step for step in steps if is_sure(step))
    likely = tuple(step for step in steps if is_sure(step) or not METADATA.match(step.created_by))
    if len(sure) > layers:
        return None
    return next((chosen for chosen in (sure, likely, steps) if len(chosen) >= layers), None)


def agreed_sums(readings: Sequence[Reading], tops: Mapping[str, int]) -> dict[str, frozenset[int]]:
    """Narrow down, until nothing changes, which sums of bytes are possible up to each layer."""
    agreed = {top: frozenset({size}) for top, size in tops.items()}
    for reading in readings:
        if not reading.spare:
            for layer, size in zip(reading.chain, reading.sums, strict=True):
                agreed.setdefault(layer, frozenset({size}))
    ambiguous = [reading for reading in readings if reading.spare]
    changed = ambiguous
    while changed:
        changed = [reading for reading in ambiguous if _narrow(agreed, reading)]
    return agreed


def _narrow(agreed: dict[str, frozenset[int]], reading: Reading) -> bool:
    """Take what this history rules out from the sums agreed on; tell whether there was any."""
    makers = reading.makers(agreed)
    if not all(makers):
        return False
    found = {
        layer: frozenset(reading.sums[step] for step in steps)
        for layer, steps in zip(reading.chain, makers, strict=True)
    }
    news = {layer: sums for layer, sums in found.items() if agreed.get(layer) != sums}
    agreed.update(news)
    return bool(news)


def makers_of(readings: Sequence[Reading], agreed: Mapping[str, frozenset[int]]) -> dict[str, frozenset[str]]:
    """The commands that may have made each layer."""
    commands: dict[str, set[str]] = defaultdict(set)
    for reading in readings:
        for layer, steps in zip(reading.chain, reading.makers(agreed), strict=True):
            commands[layer].update(reading.steps[step].created_by for step in steps)
    return {layer: frozenset(made_by) for layer, made_by in commands.items()}
