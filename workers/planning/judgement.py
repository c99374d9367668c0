"""A verdict for every object on the host, in the order in which a plan would remove them (pure)."""

from workers.contract import Kind, Verdict
from workers.planning import build_cache, containers, images, networks
from workers.planning.facts import Case
from workers.reasons import Code, reason


def judge(case: Case, kinds: tuple[Kind, ...]) -> tuple[Verdict, ...]:
    """Judge all objects. A plan simulates its own order: what containers go frees images and networks."""
    first = _within(kinds, containers.judge(case))
    leaving = frozenset(v.object.id for v in first if not v.keep)
    rest = (*images.judge(case, leaving), *networks.judge(case, leaving), *build_cache.judge(case))
    return (*first, *_within(kinds, rest))


def _within(kinds: tuple[Kind, ...], verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    return tuple(v if v.keep or v.object.kind in kinds else left_out(v) for v in verdicts)


def left_out(verdict: Verdict) -> Verdict:
    """Keep what this plan was asked not to look at."""
    return kept(verdict, Code.KIND_LEFT_OUT, kind=verdict.object.kind)


def kept(verdict: Verdict, code: Code, **params: str | int) -> Verdict:
    """Turn a removal into a keep, for a reason that is not the object's own."""
    return verdict.model_copy(update={"keep": True, "reasons": (reason(code, **params),)})
