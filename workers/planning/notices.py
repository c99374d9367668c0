"""What a plan says above its list: rules that match nothing, what is unusual, what will go later (pure)."""

from collections.abc import Iterator
from datetime import datetime

from workers.contract import Kind, Restorable, Step, Verdict
from workers.planning.containers import is_critical
from workers.planning.facts import Case
from workers.planning.inventory import Image
from workers.reasons import Code, Reason, reason
from workers.references import NamePattern


def notices(case: Case, steps: tuple[Step, ...], verdicts: tuple[Verdict, ...]) -> tuple[Reason, ...]:
    """Collect them, the gravest first."""
    return (
        *filter(None, (case.inventory.engine.read_only,)),
        *_critical(case),
        *_idle_patterns(case),
        *_unusual(case, steps),
        *_unrestorable(steps),
        *_waiting(verdicts),
        *_unknown_use(case),
        *(reason(Code.KEY_NOT_IN_EFFECT, key=key) for key in case.policy.not_in_effect()),
    )


def _critical(case: Case) -> Iterator[Reason]:
    if not case.policy.critical_containers and not case.policy.probes:
        yield reason(Code.NOTHING_CRITICAL)
    for entry in case.policy.critical_containers:
        if not any(is_critical(c, entry) for c in case.inventory.containers):
            yield reason(Code.PATTERN_MATCHES_NOTHING, key="critical_containers", pattern=entry)


def _idle_patterns(case: Case) -> Iterator[Reason]:
    """A protection that protects nothing is most often a spelling mistake."""
    policy, inventory = case.policy, case.inventory
    names = [name for image in inventory.images for name in (*image.names, *image.digests)]
    for pattern in policy.image_protections():
        if not any(pattern.matches(name) for name in names):
            yield _idle("protected_images", pattern.text)
    for text in policy.protected_containers:
        if not any(NamePattern.parse(text).matches(c.name) for c in inventory.containers):
            yield _idle("protected_containers", text)
    for text in policy.protected_networks:
        if not any(NamePattern.parse(text).matches(n.name) for n in inventory.networks):
            yield _idle("protected_networks", text)


def _idle(key: str, pattern: str) -> Reason:
    return reason(Code.PATTERN_MATCHES_NOTHING, key=key, pattern=pattern)


def share(images: tuple[Image, ...], steps: tuple[Step, ...]) -> int:
    """Return the share of the host's images that would go, in percent."""
    going = sum(step.object.kind is Kind.IMAGE for step in steps)
    return round(100 * going / len(images)) if images else 0


def _unusual(case: Case, steps: tuple[Step, ...]) -> Iterator[Reason]:
    found, limit = share(case.inventory.images, steps), round(100 * case.policy.max_share)
    if found > limit:
        yield reason(Code.UNUSUAL_SHARE, share=found, limit=limit)


def _unrestorable(steps: tuple[Step, ...]) -> Iterator[Reason]:
    doubtful = (Restorable.NO, Restorable.NOT_PROBED)
    count = sum(s.object.kind is Kind.IMAGE and s.restorable in doubtful for s in steps)
    if count:
        yield reason(Code.UNRESTORABLE_COUNT, count=count)


def _waiting(verdicts: tuple[Verdict, ...]) -> Iterator[Reason]:
    """What only its age keeps: so that an empty plan says when there will be a fuller one."""
    young = [v for v in verdicts if v.keep and all(r.code is Code.YOUNG for r in v.reasons)]
    if young:
        until = min(_until(v) for v in young)
        size = sum(v.size or 0 for v in young)
        yield reason(Code.WAITING, count=len(young), size=size, until=until.isoformat())


def _until(verdict: Verdict) -> datetime:
    return max(datetime.fromisoformat(str(r.params["until"])) for r in verdict.reasons)


def _unknown_use(case: Case) -> Iterator[Reason]:
    """Docker does not record use: what came before the ledger is not known to be unused (moby#4237)."""
    since = case.memory.since or case.now
    if case.now - since < case.policy.image_unused_for:
        yield reason(Code.USE_UNKNOWN_BEFORE, since=since.isoformat())
