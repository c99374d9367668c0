"""Which build cache records may go: leaf first, cache mounts and what a build uses never."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from workers.contract import Kind, Reference, Verdict
from workers.planning.facts import Case, age_reasons, only_young, unread_reasons
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
    if record.last_used_at:
        yield from age_reasons(record.last_used_at, grace, case.now, Code.USED_LATELY)
    else:
        yield from age_reasons(record.created_at, grace, case.now, Code.YOUNG, evidence="created")


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
    """Keep every ancestor of a kept record: the engine would refuse it, and its child would be useless.

    What only waits for its age says nothing of a child that does too: both can go later.
    """
    held, waiting = set[str](), [one for one in judged.values() if one.kept]
    while waiting:
        child = waiting.pop()
        for parent in (judged[p] for p in child.record.parents if p in judged and p not in held):
            only_wait = all(only_young(one.kept) and one.record.id not in held for one in (child, parent))
            if not only_wait:
                held.add(parent.record.id)
                waiting.append(parent)
    children: dict[str, str] = {}
    for record in (one.record for id_, one in judged.items() if one.kept or id_ in held):
        shown = record.description[:120] or record.id
        children |= {parent: min(shown, children.get(parent, shown)) for parent in record.parents}
    return judged | {id_: _needed(judged[id_], children[id_]) for id_ in held}


def _needed(judged: _Judged, child: str) -> _Judged:
    return replace(judged, kept=(*judged.kept, reason(Code.CACHE_PARENT, child=child)))
