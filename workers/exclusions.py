"""What a plan frees without the steps that are left out or refused (pure)."""

from collections.abc import Collection, Iterable, Sequence

from workers.contract import Bytes, LayerGroup, Outcome, Plan, StepOutcome


def expected(plan: Plan, excluded: Collection[int], gone: Collection[int] = ()) -> Bytes:
    """What the other steps free together, where some find that their object has gone by itself.

    An object that stays keeps its layers, so whichever step would have been the last to hold them frees less;
    one that has gone leaves its share to who is the last after it.
    """
    if not excluded and not gone:
        return plan.expected()
    left = {*excluded, *gone}
    done = {step.index: step.expected for step in plan.steps if step.index not in left}
    total = sum(done.values(), Bytes())
    more, less = _moved(plan.layers, stays=set(excluded), done=done)
    # What look-alike layers free may be reckoned to a step that is left out, or to one that is not.
    low = total.low + more.low - less.high - plan.unplaced
    high = total.high + more.high - less.low + plan.unplaced
    return Bytes(low=max(0, low), high=max(0, min(high, plan.expected().high)))


def expected_of_removed(plan: Plan, outcomes: Iterable[StepOutcome]) -> Bytes:
    """What the steps that removed their object free together."""
    ended = {outcome.index: outcome.outcome for outcome in outcomes}
    gone = {index for index, outcome in ended.items() if outcome is Outcome.GONE}
    removed = {index for index, outcome in ended.items() if outcome is Outcome.REMOVED}
    return expected(plan, {step.index for step in plan.steps} - removed - gone, gone)


def _moved(groups: Sequence[LayerGroup], *, stays: set[int], done: Collection[int]) -> tuple[Bytes, Bytes]:
    """The layers that go with another step than their last holder, and those that stay though it is done."""
    holders = [set(group.held_by) for group in groups]
    more, less = Bytes(), Bytes()
    for position in reversed(range(len(groups))):
        group, held_by = groups[position], holders[position]
        if group.lies_on is not None:
            holders[group.lies_on] |= held_by
        goes = held_by.isdisjoint(stays) and not held_by.isdisjoint(done)
        is_reckoned = max(held_by, default=-1) in done
        if goes and not is_reckoned:
            more += group.size
        if is_reckoned and not goes:
            less += group.size
    return more, less
