"""Restores in every state that people see, and arbitrary ones with names that try to be mark-up."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from bot.requests import Asked, Halt, HostPart, Phase, Request, Settled, Settlement, Stage
from bot.wanted import Wanted
from tests.unit.render_strategies import NAMES, bytes_, objects, reasons, settlements
from tests.unit.render_values import ANA, BO, NO_LEDGER, NOW, ago
from tests.unit.restores_told import DIGEST, RUN, restore_plan, restore_report
from workers.contract import (
    AddressPool,
    Bytes,
    FromDescription,
    FromRegistry,
    Kind,
    NetworkDescription,
    Reference,
    Restored,
    RestoreOutcome,
    RestorePlan,
    RestoreReport,
    RestoreStep,
    Status,
    StaysAway,
    TakenTag,
)
from workers.reasons import Code, reason
from workers.signing import digest


def ref(kind: Kind, number: int, name: str) -> Reference:
    id_ = f"{number:064x}"
    return Reference(kind=kind, id=f"sha256:{id_}" if kind is Kind.IMAGE else id_, name=name)


NEEDS = Bytes(low=310_000_000, high=420_000_000)
FRONT = NetworkDescription(name="front", driver="bridge", pools=(AddressPool(subnet="10.77.0.0/24"),))
API, WEB = ref(Kind.IMAGE, 1, "shop/api:1.4.0"), ref(Kind.IMAGE, 2, "shop/web:2.0")
STEPS = (
    RestoreStep(index=0, object=ref(Kind.NETWORK, 9, "front"), sources=(FromDescription(network=FRONT),)),
    RestoreStep(
        index=1,
        object=API,
        sources=(FromRegistry(repository="registry.example/shop/api", digest=DIGEST, asked=True),),
        tags=("shop/api:1.4.0", "shop/api:stable"),
        taken=(TakenTag(name="shop/api:latest", image=WEB.id),),
        needs=NEEDS,
    ),
    RestoreStep(index=2, object=WEB, tags=("shop/web:2.0",)),
)
AWAY = (
    StaysAway(object=ref(Kind.IMAGE, 3, "shop/legacy:1.0"), reason=reason(Code.NO_SOURCE)),
    StaysAway(
        object=ref(Kind.CONTAINER, 4, "migrate-41"),
        reason=reason(Code.ONLY_SHOWN),
        command="docker create --name migrate-41 --env TOKEN=FILL_IN shop/api:1.4.0",
    ),
    *(
        StaysAway(object=ref(Kind.BUILD_CACHE, n, f"cache {n}"), reason=reason(Code.COMES_WITH_BUILDS))
        for n in (5, 6)
    ),
)
PLAN = restore_plan(
    at=ago(minutes=6),
    steps=STEPS,
    away=AWAY,
    needs=Bytes(low=310_000_000, high=420_000_000),
    free=38_200_000_000,
)
TIGHT = PLAN.model_copy(
    update={"free": 1000, "notices": (reason(Code.NO_ROOM, needed=310_000_000, free=1000),)}
)
UNASKED = PLAN.model_copy(update={"notices": (reason(Code.REGISTRIES_NOT_ASKED, count=1),), "free": None})
ASKED = Asked("r-9", "restore", "C0OPS", ANA, ("web-1",), ago(minutes=7), wanted=Wanted(RUN[:8], ("front",)))
CONFIRMED = Settlement(Settled.CONFIRMED, ago(minutes=5), BO, "set")
PLANNED = HostPart(
    *("web-1", Stage.PLANNED, ago(minutes=6)),
    is_restore=True,
    back=PLAN,
    plan_digest=digest(PLAN),
    last_seen=NOW,
)
HALT = Halt(ANA, ago(seconds=5))
ORDERED = replace(PLANNED, stage=Stage.ORDERED, ordered=True, since=ago(seconds=9))
OUTCOMES = (
    RestoreOutcome(index=0, object=STEPS[0].object, outcome=Restored.RESTORED),
    RestoreOutcome(index=1, object=API, outcome=Restored.RESTORED, tags=STEPS[1].tags),
    RestoreOutcome(
        index=2, object=WEB, outcome=Restored.ALREADY_THERE, reason=reason(Code.ALREADY_THERE), tags=()
    ),
)


def not_attempted(one: RestoreOutcome) -> RestoreOutcome:
    """The same object, which did not get its turn."""
    return RestoreOutcome(
        index=one.index,
        object=one.object,
        outcome=Restored.NOT_ATTEMPTED,
        reason=reason(Code.RESTORE_ENDED),
    )


FAILED = (
    OUTCOMES[0],
    RestoreOutcome(
        index=1,
        object=API,
        outcome=Restored.FAILED,
        reason=reason(Code.ENGINE_ERROR, detail="manifest unknown"),
    ),
    not_attempted(OUTCOMES[2]),
)
REPORT = restore_report("o-9", PLAN, digest(PLAN), at=ago(minutes=1)).model_copy(
    update={"outcomes": OUTCOMES}
)
BROKEN = REPORT.model_copy(
    update={
        "status": Status.INTERRUPTED,
        "outcomes": FAILED,
        "stopped_by": (reason(Code.RESTORE_INTERRUPTED),),
    }
)


STOPPED = REPORT.model_copy(
    update={
        "status": Status.STOPPED,
        "outcomes": (OUTCOMES[0], *(not_attempted(one) for one in OUTCOMES[1:])),
        "stopped_by": (reason(Code.RESTORE_STOPPED, by=ANA.spelled),),
    }
)


def of(part: HostPart, phase: Phase, settlement: Settlement | None = None) -> Request:
    return Request(ASKED, (part,), settlement, phase)


def finished(report: object) -> HostPart:
    return replace(ORDERED, stage=Stage.FINISHED, restored=report)  # type: ignore[arg-type]


NO_PLAN = HostPart(
    *("web-1", Stage.PLAN_FAILED, ago(minutes=6)),
    is_restore=True,
    reasons=(reason(Code.NOT_REMOVED_BY_RUN, object="frnt", run=RUN, alike="front"),),
)
RESTORES: dict[str, Request] = {
    "planning": of(HostPart("web-1", Stage.PLANNING, ago(minutes=2), is_restore=True), Phase.PLANNING),
    "ready": of(PLANNED, Phase.READY),
    "ready-unasked": of(replace(PLANNED, back=UNASKED), Phase.READY),
    "no-room": of(replace(PLANNED, back=TIGHT), Phase.CLOSED),
    "nothing": of(replace(PLANNED, back=PLAN.model_copy(update={"steps": ()})), Phase.CLOSED),
    "no-plan": of(NO_PLAN, Phase.CLOSED),
    "cancelled": of(PLANNED, Phase.CLOSED, Settlement(Settled.CANCELLED, ago(minutes=2), BO)),
    "confirmed": of(ORDERED, Phase.EXECUTING, CONFIRMED),
    "executing": of(
        replace(ORDERED, stage=Stage.EXECUTING, steps=3, steps_done=1, bringing=API, told_at=NOW),
        Phase.EXECUTING,
        CONFIRMED,
    ),
    "stopping": of(
        replace(ORDERED, stage=Stage.EXECUTING, steps=3, steps_done=1, bringing=API, halt=HALT),
        Phase.EXECUTING,
        CONFIRMED,
    ),
    "stopping-ordered": of(replace(ORDERED, halt=HALT), Phase.EXECUTING, CONFIRMED),
    "stopped": of(finished(STOPPED), Phase.FINISHED, CONFIRMED),
    "executing-no-ledger": of(
        replace(ORDERED, stage=Stage.EXECUTING, steps=3, bringing=API, trouble=NO_LEDGER),
        Phase.EXECUTING,
        CONFIRMED,
    ),
    "finished": of(finished(REPORT), Phase.FINISHED, CONFIRMED),
    "interrupted": of(finished(BROKEN), Phase.FINISHED, CONFIRMED),
    "refused": of(
        replace(ORDERED, stage=Stage.REFUSED, reasons=(reason(Code.BUSY, detail="order o-4"),)),
        Phase.FINISHED,
        CONFIRMED,
    ),
    "slow": of(
        replace(NO_PLAN, stage=Stage.SILENT, reasons=(), last_seen=NOW, since=ago(minutes=16)), Phase.CLOSED
    ),
    "lost": of(replace(ORDERED, stage=Stage.LOST), Phase.FINISHED, CONFIRMED),
}

# Whatever a host may tell

TAKEN = st.lists(st.builds(TakenTag, name=NAMES, image=NAMES), max_size=5).map(tuple)
TAGS = st.lists(NAMES, max_size=8).map(tuple)
SOURCES = st.builds(FromRegistry, repository=NAMES, digest=st.just(DIGEST), asked=st.booleans()) | st.builds(
    FromDescription,
    network=st.builds(
        NetworkDescription,
        name=NAMES,
        driver=NAMES,
        pools=st.lists(st.builds(AddressPool, subnet=NAMES), max_size=3).map(tuple),
    ),
)
RESTORE_STEPS = st.builds(
    RestoreStep,
    index=st.just(0),
    object=objects(),
    sources=st.lists(SOURCES, max_size=3).map(tuple),
    tags=TAGS,
    taken=TAKEN,
    needs=bytes_(),
)
UNPLANNED = (
    *(Stage.ASKED, Stage.PLANNING, Stage.PLAN_FAILED),
    *(Stage.UNREACHABLE, Stage.SILENT, Stage.REFUSED),
)
SENT = (
    *(Stage.ORDERED, Stage.EXECUTING, Stage.REFUSED, Stage.LOST, Stage.UNREACHABLE),
    *(Stage.NOT_EXECUTED, Stage.WITHDRAWN),
)
WITHHELD = st.sampled_from([reason(Code.CLOCK_OFF, seconds=900), reason(Code.KEY_NOT_HELD, key="k1")])
STAYING = st.builds(StaysAway, object=objects(), reason=reasons(), taken=TAKEN, command=NAMES)


@st.composite
def restore_plans(draw: st.DrawFn) -> RestorePlan:
    few, times = draw(st.lists(RESTORE_STEPS, min_size=1, max_size=3)), draw(st.sampled_from([1, 5, 100]))
    return PLAN.model_copy(
        update={
            "steps": tuple(step.model_copy(update={"index": n}) for n, step in enumerate(few * times)),
            "away": tuple(draw(st.lists(STAYING, max_size=4)) * times),
            "notices": tuple(draw(st.lists(reasons(), max_size=4))),
            "needs": draw(bytes_()),
            "free": draw(st.none() | st.sampled_from([0, 10**18])),
            "expires_at": NOW + timedelta(minutes=draw(st.sampled_from([-1, 30]))),
        }
    )


@st.composite
def restores(draw: st.DrawFn) -> Request:
    """One host in any stage, with or without what belongs to that."""
    plan, phase = draw(restore_plans()), draw(st.sampled_from(Phase))
    told = {"reasons": tuple(draw(st.lists(reasons(), max_size=4))), "error": draw(NAMES)}
    if phase in (Phase.EXECUTING, Phase.FINISHED):
        part = replace(draw(ordered(plan)), **told)
    elif phase is Phase.PLANNING or not plan.applicable or draw(st.booleans()):
        part = HostPart("web-1", draw(st.sampled_from(UNPLANNED)), ago(minutes=2), is_restore=True, **told)
        phase = phase if phase is Phase.PLANNING else Phase.CLOSED
    else:
        part = replace(PLANNED, back=plan, withheld=draw(st.none() | WITHHELD))
        phase = Phase.CLOSED if part.withheld else phase
    asked = replace(ASKED, wanted=Wanted(draw(st.sampled_from(["", RUN])), draw(TAGS)))
    return Request(asked, (part,), draw(st.none() | settlements()), phase)


@st.composite
def ordered(draw: st.DrawFn, plan: RestorePlan) -> HostPart:
    """A host that was told to restore: its plan may be lost, its report there or not."""
    stage = draw(st.sampled_from((*SENT, Stage.FINISHED)))
    part = replace(ORDERED, stage=stage, back=draw(st.just(plan) | st.none()), steps=len(plan.steps))
    part = replace(part, halt=draw(st.none() | st.just(HALT)))
    if stage is Stage.EXECUTING:
        return replace(part, bringing=draw(objects()))
    return replace(part, restored=draw(reports_of(plan))) if stage is Stage.FINISHED else part


@st.composite
def reports_of(draw: st.DrawFn, plan: RestorePlan) -> RestoreReport:
    few = [(draw(st.sampled_from(Restored)), draw(st.none() | reasons())) for _ in range(3)]
    ends = tuple(
        RestoreOutcome(
            index=step.index,
            object=step.object,
            outcome=few[step.index % 3][0],
            reason=few[step.index % 3][1],
            tags=step.tags,
        )
        for step in plan.steps
    )
    found, stops = (tuple(draw(st.lists(reasons(), max_size=3))) for _ in range(2))
    told = {"status": draw(st.sampled_from(Status)), "findings": found, "stopped_by": stops}
    return REPORT.model_copy(update={**told, "outcomes": ends})
