"""What a plan frees without the steps that are left out or refused (pure)."""

from collections.abc import Collection, Iterable, Sequence

from workers.contract import Bytes, Kind, LayerGroup, Outcome, Plan, StepOutcome, Store


def closed(plan: Plan, excluded: Collection[int]) -> frozenset[int]:
    """What is left out, with all that cannot happen without it."""
    left = frozenset(excluded)
    while more := {s.index for s in plan.steps if s.index not in left and not left.isdisjoint(s.needs)}:
        left |= more
    return left


def expected(
    plan: Plan, excluded: Collection[int], gone: Collection[int] = (), *, kind: Kind | None = None
) -> Bytes:
    """What the other steps free together, or those of one kind, where some find their object gone by itself.

    An object that stays keeps its layers, so whichever step would have been the last to hold them frees less;
    one that has gone leaves its share to who is the last after it.
    """
    if not excluded and not gone:
        return plan.expected(kind)
    left = {*excluded, *gone}
    done = {step.index: step.expected for step in plan.steps if step.index not in left}
    counted = {step.index for step in plan.steps if kind in (None, step.object.kind)}
    total = sum((freed for index, freed in done.items() if index in counted), Bytes())
    more, less = _moved(plan.layers, stays=set(excluded), done=done, counted=counted)
    placed = _placed(plan)
    holding = placed | {step.index for step in plan.steps if step.expected.low < step.expected.high}
    # Whether or not a step that is left out holds what is unplaced matters to those that hold layers as well.
    matters = not holding.isdisjoint(left) and not holding.isdisjoint(counted & done.keys())
    loose = plan.unplaced if matters else 0
    blobs = _left_blobs(plan, placed.intersection(gone)) if matters else 0
    low = total.low + more.low - less.high - loose
    high = total.high + max(more.high, blobs) - less.low + loose
    return Bytes(low=max(0, low), high=max(0, min(high, plan.expected().high)))


def _placed(plan: Plan) -> frozenset[int]:
    """The steps whose objects hold layers: images, build cache, and containers that do alone."""
    always = {step.index for step in plan.steps if step.object.kind in (Kind.IMAGE, Kind.BUILD_CACHE)}
    return frozenset(always.union(*(group.held_by for group in plan.layers)))


def _left_blobs(plan: Plan, gone: Collection[int]) -> int:
    """What those that have gone may leave to others with their blobs, of which no group of layers tells."""
    if plan.engine.store is not Store.CONTAINERD:
        return 0
    return sum(step.expected.high for step in plan.steps if step.index in gone)


def expected_of_removed(plan: Plan, outcomes: Iterable[StepOutcome]) -> Bytes:
    """What the steps that removed their object free together."""
    ended = {outcome.index: outcome.outcome for outcome in outcomes}
    gone = {index for index, outcome in ended.items() if outcome is Outcome.GONE}
    removed = {index for index, outcome in ended.items() if outcome is Outcome.REMOVED}
    return expected(plan, {step.index for step in plan.steps} - removed - gone, gone)


def _moved(
    groups: Sequence[LayerGroup], *, stays: set[int], done: Collection[int], counted: Collection[int]
) -> tuple[Bytes, Bytes]:
    """The layers that go with another step than their last holder, and those that stay though it is done."""
    holders = [set(group.held_by) for group in groups]
    more, less = Bytes(), Bytes()
    for position in reversed(range(len(groups))):
        group, held_by = groups[position], holders[position]
        if group.lies_on is not None:
            holders[group.lies_on] |= held_by
        last, takes_over = max(held_by, default=-1), max(held_by.intersection(done), default=-1)
        goes = takes_over != -1 and held_by.isdisjoint(stays)
        if goes and last not in done and takes_over in counted:
            more += group.size
        if last in done and last in counted and not goes:
            less += group.size
    return more, less
