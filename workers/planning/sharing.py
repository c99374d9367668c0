"""The layers that go with a plan as groups, so that what is left out of it can be reckoned with (pure)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from workers.contract import LayerGroup
from workers.planning.layers import Layers


def layer_groups(
    layers: Layers, going: Collection[str], ends: Mapping[str, Collection[int]]
) -> tuple[LayerGroup, ...]:
    """Put together the layers that the same steps hold; the group that one lies on stands before it.

    `going` are the layers that go, `ends` the steps whose objects end in a layer.
    """
    heads = _heads(layers, going, ends)
    position = {head: index for index, head in enumerate(heads)}
    groups = []
    for head in heads:
        members, below = _members(head, layers, going, position)
        groups.append(
            LayerGroup(
                size=layers.bytes_of(members),
                lies_on=position.get(below or ""),
                held_by=tuple(sorted(ends.get(head, ()))),
            )
        )
    return tuple(groups)


def _heads(layers: Layers, going: Collection[str], ends: Mapping[str, Collection[int]]) -> list[str]:
    """The uppermost layer of each group, lower groups first: where an object ends, or layers part."""

    def is_head(layer: str) -> bool:
        above = layers.above.get(layer, frozenset())
        return layer in ends or sum(upper in going for upper in above) != 1

    height: dict[str, int] = defaultdict(int)
    for chain in layers.chains.values():
        height |= {layer: index for index, layer in enumerate(chain)}
    return sorted(filter(is_head, going), key=lambda layer: (height[layer], layer))


def _members(
    head: str, layers: Layers, going: Collection[str], heads: Mapping[str, int]
) -> tuple[list[str], str | None]:
    """The layers of the group, uppermost first, and the one that they lie on."""
    members, below = [head], layers.below[head]
    while below is not None and below in going and below not in heads:
        members.append(below)
        below = layers.below[below]
    return members, below


def topmost(stacks: Iterable[Iterable[str]], layers: Layers) -> str | None:
    """The uppermost of the layers that all of these stacks have; None where they have none in common."""
    found = [set(stack) for stack in stacks]
    common = set.intersection(*found) if found else set[str]()
    return next((layer for layer in common if not common & layers.above.get(layer, frozenset())), None)
