"""A plan holds at most so many objects and bytes: what is put off, and what no plan will ever hold (pure)."""

from collections.abc import Iterator, Mapping

from workers.contract import Verdict
from workers.planning.facts import Case
from workers.planning.judgement import kept
from workers.planning.order import Needs, closure
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason

Going = Mapping[str, Verdict]


def within_size(case: Case, verdicts: tuple[Verdict, ...], needed: Needs) -> tuple[Verdict, ...]:
    """Keep what no plan may hold, and what this one has no room for."""
    possible = _without_larger(case.policy, verdicts, needed)
    going = {v.object.id: v for v in possible if not v.keep}
    limit, most = case.policy.max_objects, case.policy.max_bytes
    if len(going) <= limit and most is None:
        return possible
    chosen = _filled(case.policy, going, needed)
    full = f"{limit} objects" if most is None else f"{limit} objects or {most} bytes"
    return tuple(
        v if v.keep or v.object.id in chosen else kept(v, Code.OVER_SIZE, limit=full) for v in possible
    )


def _without_larger(policy: Policy, verdicts: tuple[Verdict, ...], needed: Needs) -> tuple[Verdict, ...]:
    """Keep what alone is more than a plan may hold, and what could only go after that."""
    if (most := policy.max_bytes) is None:
        return verdicts
    larger = {v.object.id: v for v in verdicts if not v.keep and (v.size or 0) > most}

    def judged(verdict: Verdict) -> Verdict:
        if verdict.object.id in larger:
            return kept(verdict, Code.LARGER_THAN_A_PLAN, size=verdict.size or 0, limit=int(most))
        if not verdict.keep and (first := closure(verdict.object.id, needed) & larger.keys()):
            return kept(verdict, Code.NEEDS_KEPT, object=larger[min(first)].object.name)
        return verdict

    return tuple(map(judged, verdicts))


def _filled(policy: Policy, going: Going, needed: Needs) -> set[str]:
    """Take the largest first, each with all it needs."""
    limit, most = policy.max_objects, policy.max_bytes
    chosen: set[str] = set()
    for verdict in sorted(going.values(), key=lambda v: (-(v.size or 0), v.object.id)):
        more = chosen | closure(verdict.object.id, needed)
        if len(more) <= limit and (most is None or sum(going[id_].size or 0 for id_ in more) <= most):
            chosen = more
        if len(chosen) == limit:
            break
    return chosen


def notices(case: Case, verdicts: tuple[Verdict, ...]) -> Iterator[Reason]:
    """Say how much is left for the next plans, and what none of them will hold."""
    if left := sum(_is_kept_for(v, Code.OVER_SIZE) for v in verdicts):
        yield reason(Code.PART_OF, left=left)
    if larger := [v for v in verdicts if _is_kept_for(v, Code.LARGER_THAN_A_PLAN)]:
        size, limit = sum(v.size or 0 for v in larger), int(case.policy.max_bytes or 0)
        yield reason(Code.PLAN_TOO_SMALL, count=len(larger), size=size, limit=limit)


def _is_kept_for(verdict: Verdict, code: Code) -> bool:
    return any(why.code is code for why in verdict.reasons)
