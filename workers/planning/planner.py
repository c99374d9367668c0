"""Verdicts become a closed, ordered list of steps with the bytes each frees (pure)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from workers.contract import Bytes, Kind, Plan, PlanRequest, Restorable, Step, Verdict
from workers.planning import fingerprints, plan_size
from workers.planning.archiving import way_back_of, with_copies
from workers.planning.disk import attribution
from workers.planning.facts import Case
from workers.planning.inventory import Inventory
from workers.planning.judgement import judge, kept
from workers.planning.networks import never_again
from workers.planning.notices import is_unusual, notices
from workers.planning.order import Needs, needs, sequence, short_of_room, stages, without_order
from workers.planning.plan_size import within_size
from workers.planning.reclaim import Reckoning
from workers.reasons import Code, Reason, reason
from workers.signing import digest

PLAN_LIFE = timedelta(minutes=60)
Reckon = Callable[[Inventory, list[str]], Reckoning]


def make_plan(
    case: Case,
    *,
    host: str,
    request_id: str,
    kinds: tuple[Kind, ...],
    freed: Reckon,
    said: tuple[Reason, ...] = (),
) -> Plan:
    """Plan what goes from a host. `freed` reckons what the removals free, in their order.

    `said` is what the host itself has to say above the plan.
    """
    wanted = tuple(kind for kind in case.policy.kinds if kind in kinds)
    verdicts, needed = _in_order(case, judge(case, wanted))
    fitted = with_copies(case, within_size(case, verdicts, needed), needed)
    if _going(fitted) != _going(verdicts):
        needed = needs(case, _going(fitted))
    verdicts = fitted
    steps, reckoning = _steps(case, verdicts, needed, freed)
    return Plan(
        request_id=request_id,
        host=host,
        engine=case.inventory.engine,
        policy_digest=digest(case.policy),
        made_at=case.now,
        expires_at=case.now + PLAN_LIFE,
        kinds=wanted,
        steps=steps,
        verdicts=verdicts,
        notices=(
            *said,
            *_asked_in_vain(case, kinds),
            *plan_size.notices(case, verdicts),
            *notices(case, wanted, steps, verdicts),
        ),
        usage=case.inventory.usage,
        disk=attribution(case),
        layers=reckoning.layers,
        unplaced=reckoning.unplaced,
        complete=case.inventory.complete,
        unusual=is_unusual(case, steps),
    )


def _asked_in_vain(case: Case, kinds: tuple[Kind, ...]) -> Iterator[Reason]:
    """Who names kinds is told which of them the policy never plans; of all, each object says it."""
    if set(kinds) != set(Kind):
        for kind in kinds:
            if kind not in case.policy.kinds:
                yield reason(Code.KIND_NOT_PLANNED, kind=kind)


def requested_kinds(request: PlanRequest | None) -> tuple[Kind, ...]:
    """The kinds somebody asked for; all where nobody said."""
    return request.kinds if request and request.kinds else tuple(Kind)


def _going(verdicts: tuple[Verdict, ...]) -> frozenset[str]:
    return frozenset(v.object.id for v in verdicts if not v.keep)


def _in_order(case: Case, verdicts: tuple[Verdict, ...]) -> tuple[tuple[Verdict, ...], Needs]:
    """Keep what could only go after itself, and what waits for that; say what the rest needs."""
    needed = needs(case, _going(verdicts))
    stuck = without_order(needed)
    if not stuck:
        return verdicts, needed
    ordered = tuple(
        kept(v, Code.NEEDS_KEPT, object=v.object.name) if v.object.id in stuck else v for v in verdicts
    )
    return ordered, needs(case, _going(ordered))


def _steps(
    case: Case, verdicts: tuple[Verdict, ...], needed: Needs, freed: Reckon
) -> tuple[tuple[Step, ...], Reckoning]:
    going = {v.object.id: v for v in verdicts if not v.keep}
    ordered = _sequence(case, going, needed, {id_: v.size or 0 for id_, v in going.items()})
    reckoning = freed(case.inventory, ordered)
    if short_of_room(case.inventory.usage):
        # Much of what is listed as large may be shared: there what is sure to free most comes first.
        ordered = _sequence(case, going, needed, {id_: one.low for id_, one in reckoning.bytes.items()})
        reckoning = freed(case.inventory, ordered)
    index = {id_: position for position, id_ in enumerate(ordered)}
    facts = _step_facts(case, frozenset(going))
    steps = tuple(
        Step(
            index=index[id_],
            object=going[id_].object,
            reasons=going[id_].reasons,
            expected=reckoning.bytes.get(id_, Bytes()),
            needs=tuple(sorted(index[n] for n in needed.get(id_, ()))),
            **facts[id_],
        )
        for id_ in ordered
    )
    return steps, reckoning


def _sequence(
    case: Case, going: Mapping[str, Verdict], needed: Needs, weights: Mapping[str, int]
) -> list[str]:
    """By stage; in each what weighs most first, but for what it needs."""
    stage = stages(case.inventory.usage).index
    ranked = sorted(going, key=lambda id_: (stage(going[id_].object.kind), -weights.get(id_, 0), id_))
    ordered = sequence(ranked, needed)
    return sorted(ordered, key=lambda id_: stage(going[id_].object.kind))


def _step_facts(case: Case, going: frozenset[str]) -> dict[str, dict[str, object]]:
    """What a step carries of its object, by id."""
    inventory = case.inventory
    facts: dict[str, dict[str, object]] = {}
    for c in (c for c in inventory.containers if c.id in going):
        facts[c.id] = {"fingerprint": fingerprints.of_container(c), "leaves": c.volumes}
    for i in (i for i in inventory.images if i.id in going):
        facts[i.id] = {
            "fingerprint": fingerprints.of_image(i),
            "untags": tuple(name.familiar() for name in i.names),
            "restorable": way_back_of(i, case),
        }
    for n in (n for n in inventory.networks if n.id in going):
        again = Restorable.NO if never_again(n) else Restorable.RECREATED
        facts[n.id] = {"fingerprint": fingerprints.of_network(n), "restorable": again}
    for r in (r for r in inventory.cache if r.id in going):
        facts[r.id] = {"fingerprint": fingerprints.of_cache_record(r), "restorable": Restorable.RECREATED}
    return facts
