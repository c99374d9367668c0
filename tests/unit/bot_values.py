"""Plans, events and reports as hosts make them, small and alike, for tests of the bot."""

from datetime import UTC, datetime, timedelta

from bot.requests import Asked
from workers.contract import (
    Bytes,
    DiskUsage,
    Doing,
    EngineIdentity,
    ExecutionFinished,
    ExecutionOrder,
    ExecutionStarted,
    FreezeOrder,
    HealthChange,
    HealthLine,
    Kind,
    OrderRefused,
    Outcome,
    Person,
    Plan,
    PlanFailed,
    PlanReady,
    PlanStarted,
    Reference,
    Report,
    Status,
    Step,
    StepFinished,
    StepOutcome,
    Store,
    Verdict,
    WorkBegun,
)
from workers.reasons import Code, reason

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANA, BO = Person(team="T1", user="U1"), Person(team="T1", user="U2")
ENGINE = EngineIdentity(
    id="engine-1",
    version="20.10.24",
    api_version="1.41",
    storage_driver="overlay2",
    store=Store.GRAPH_DRIVER,
    data_root="/data",
)
POLICY = "sha256:" + "0" * 64
SIZE = 100_000_000
PLAN_LIVES = timedelta(minutes=60)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def asked(*hosts: str, at: datetime = NOON, id_: str = "r1", verb: str = "preview") -> Asked:
    return Asked(id_, verb, "C1", ANA, hosts or ("web-1",), at)


def image(number: int) -> Reference:
    return Reference(kind=Kind.IMAGE, id=f"sha256:{number:064x}", name=f"app:{number}")


def usage(images: int, at: datetime = NOON) -> DiskUsage:
    return DiskUsage(taken_at=at, containers=0, images=images, build_cache=0, volumes=5)


def plan(host: str = "web-1", *, request: str = "r1", steps: int = 2, at: datetime = NOON) -> Plan:
    unused = (reason(Code.UNUSED, since=at.isoformat()),)
    return Plan(
        request_id=request,
        host=host,
        engine=ENGINE,
        policy_digest=POLICY,
        made_at=at,
        expires_at=at + PLAN_LIVES,
        kinds=tuple(Kind),
        steps=tuple(
            Step(
                index=n,
                object=image(n),
                reasons=unused,
                fingerprint={"id": image(n).id},
                expected=Bytes(low=SIZE, high=SIZE),
            )
            for n in range(steps)
        ),
        verdicts=tuple(Verdict(object=image(n), keep=False, reasons=unused, size=SIZE) for n in range(steps)),
        usage=usage(10 * SIZE, at),
    )


def chained(made: Plan, apart: int = 1) -> Plan:
    """The same plan, where each step needs the one that stands so far before it."""
    needs = {step.index: (step.index - apart,) for step in made.steps[apart:]}
    steps = [step.model_copy(update={"needs": needs.get(step.index, ())}) for step in made.steps]
    return made.model_copy(update={"steps": tuple(steps)})


def order(id_: str, plan_digest: str, *, requester: Person = ANA, approver: Person = BO) -> ExecutionOrder:
    return ExecutionOrder(
        key_id="k1",
        id=id_,
        host="web-1",
        issued_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        request_id="r1",
        reply_to="C1",
        requester=requester,
        engine_id=ENGINE.id,
        plan_digest=plan_digest,
        approver=approver,
    )


def freeze(id_: str, *, by: Person = ANA) -> FreezeOrder:
    return FreezeOrder(
        key_id="k1",
        id=id_,
        host="web-1",
        issued_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        request_id=id_,
        reply_to="C1",
        requester=by,
        decided_at=NOON,
        why="release",
    )


def plan_started(host: str = "web-1", *, request: str = "r1", at: datetime = NOON) -> PlanStarted:
    return PlanStarted(host=host, at=at, request_id=request)


def plan_ready(made: Plan | None = None, *, at: datetime = NOON) -> PlanReady:
    made = made or plan()
    return PlanReady(host=made.host, at=at, request_id=made.request_id, plan=made)


def plan_failed(host: str = "web-1", *, request: str = "r1", at: datetime = NOON) -> PlanFailed:
    why = reason(Code.ENGINE_UNREACHABLE, detail="refused")
    return PlanFailed(host=host, at=at, request_id=request, reason=why)


def refused(order_id: str, *, request: str = "r1", host: str = "web-1", at: datetime = NOON) -> OrderRefused:
    why = (reason(Code.POLICY_CHANGED),)
    return OrderRefused(host=host, at=at, request_id=request, order_id=order_id, reasons=why)


def started(order_id: str, made: Plan, *, at: datetime = NOON) -> ExecutionStarted:
    return ExecutionStarted(
        host=made.host, at=at, request_id=made.request_id, order_id=order_id, steps=len(made.steps)
    )


def work_begun(
    order_id: str, doing: Doing, *, at: datetime = NOON, kind: Kind | None = None, count: int = 0
) -> WorkBegun:
    about = {"doing": doing, "kind": kind, "count": count}
    return WorkBegun(host="web-1", at=at, request_id="r1", order_id=order_id, **about)


def removed(index: int) -> StepOutcome:
    return StepOutcome(
        index=index, object=image(index), outcome=Outcome.REMOVED, expected=Bytes(low=SIZE, high=SIZE)
    )


def step_finished(order_id: str, made: Plan, index: int, *, at: datetime = NOON) -> StepFinished:
    return StepFinished(
        host=made.host, at=at, request_id=made.request_id, order_id=order_id, step=removed(index)
    )


def report(order_id: str, made: Plan, plan_digest: str, *, at: datetime = NOON) -> Report:
    freed = SIZE * len(made.steps)
    line = HealthLine(name="shop", critical=True, before="healthy", after="healthy", change=HealthChange.SAME)
    return Report(
        request_id=made.request_id,
        order_id=order_id,
        host=made.host,
        engine=ENGINE,
        plan_digest=plan_digest,
        requester=ANA,
        approver=BO,
        started_at=at,
        finished_at=at,
        status=Status.DONE,
        outcomes=tuple(removed(step.index) for step in made.steps),
        expected=made.expected(),
        usage_before=usage(10 * SIZE, at),
        usage_after=usage(10 * SIZE - freed, at),
        health=(line,),
    )


def finished(run: Report, *, at: datetime = NOON) -> ExecutionFinished:
    return ExecutionFinished(host=run.host, at=at, request_id=run.request_id, report=run)
