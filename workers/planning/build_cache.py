"""Which build cache records may go: leaf first, cache mounts and what a build uses never."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from workers.contract import Kind, Reference, Verdict
from workers.planning.facts import Case, age_reasons, unread_reasons
from workers.planning.inventory import CacheRecord
from workers.reasons import Code, Reason, reason

CACHE_MOUNT = "exec.cachemount"


@dataclass(frozen=True)
class _Judged:
    record: CacheRecord
    kept: tuple[Reason, ...]


def judge(case: Case) -> tuple[Verdict, ...]:
    """Return one verdict for every record."""
    judged = {r.id: _Judged(r, tuple(_rules(r, case))) for r in case.inventory.cache}
    judged = _within_budget(judged, int(case.policy.build_cache_keep_bytes))
    judged = _with_parents(judged)
    return tuple(_verdict(one) for one in judged.values())


def _verdict(judged: _Judged) -> Verdict:
    record = judged.record
    since = last_used(record)
    why = reason(Code.CACHE_UNUSED, since=since.isoformat() if since else "")
    return Verdict(
        object=Reference(kind=Kind.BUILD_CACHE, id=record.id, name=record.description[:120] or record.type),
        keep=bool(judged.kept),
        reasons=judged.kept or (why,),
        size=record.size,
    )


def last_used(record: CacheRecord) -> datetime | None:
    """When a build last used it; a record that was never used again counts from its creation."""
    return record.last_used_at or record.created_at


def _rules(record: CacheRecord, case: Case) -> Iterator[Reason]:
    yield from unread_reasons(record)
    if record.in_use:
        yield reason(Code.CACHE_IN_USE)
    if record.type == CACHE_MOUNT:
        yield reason(Code.CACHE_MOUNT)
    grace = case.policy.cache_grace.total_seconds()
    yield from age_reasons(last_used(record), grace, case.now, "used")


def _within_budget(judged: dict[str, _Judged], budget: int) -> dict[str, _Judged]:
    """Keep the newest-used records up to a size; what is kept anyway does not count."""
    left = budget
    found = dict(judged)
    candidates = [j for j in judged.values() if not j.kept]
    for one in sorted(candidates, key=lambda j: (last_used(j.record), j.record.id), reverse=True):
        if budget == 0 or one.record.size > left:
            break
        left -= one.record.size
        found[one.record.id] = _Judged(one.record, (reason(Code.CACHE_BUDGET, keep=budget),))
    return found


def _with_parents(judged: dict[str, _Judged]) -> dict[str, _Judged]:
    """Keep every ancestor of a kept record: the engine would refuse it, and its child would be useless."""
    found = dict(judged)
    waiting = [j.record for j in judged.values() if j.kept]
    while waiting:
        record = waiting.pop()
        for parent in (found[p] for p in record.parents if p in found and not found[p].kept):
            why = reason(Code.CACHE_PARENT, child=record.description[:120] or record.id)
            found[parent.record.id] = _Judged(parent.record, (why,))
            waiting.append(parent.record)
    return found
