"""A verdict for every object on the host, in the order in which a plan would remove them (pure)."""

from dataclasses import replace

from workers.contract import Kind, Verdict
from workers.planning import build_cache, containers, images, networks
from workers.planning.facts import Case
from workers.reasons import Code, reason
from workers.references import ImageName


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


def worth_asking(case: Case, kinds: tuple[Kind, ...]) -> tuple[ImageName, ...]:
    """Return the digests of the images that would go if every registry gave everything back."""
    trusting = replace(case, policy=case.policy.model_copy(update={"unrestorable_images": "flag"}))
    going = {v.object.id for v in judge(trusting, kinds) if not v.keep}
    asked = (digest for image in case.inventory.images if image.id in going for digest in image.digests)
    return tuple(dict.fromkeys(asked))
