"""Plans and reports of restores as hosts tell of them, small and alike, for tests of transport and bot."""

from datetime import datetime, timedelta
from typing import Any

from tests.unit.bot_values import ANA, BO, ENGINE, NOON, POLICY, SIZE, image
from workers.contract import (
    Bytes,
    FromDescription,
    FromRegistry,
    Kind,
    NetworkDescription,
    Reference,
    Restored,
    RestoreFinished,
    RestoreOutcome,
    RestorePlan,
    RestorePlanned,
    RestoreReport,
    RestoreStep,
    RestoreStepBegun,
    Status,
    StaysAway,
)
from workers.reasons import Code, reason

RUN = "ab12" * 8
DIGEST = f"sha256:{'d' * 64}"
FRONT = Reference(kind=Kind.NETWORK, id="f" * 64, name="front")
JOB = Reference(kind=Kind.CONTAINER, id="c" * 64, name="job")


def restore_plan(
    host: str = "web-1", request: str = "r1", *, at: datetime = NOON, **more: Any
) -> RestorePlan:
    """A network and an image come back, a container does not."""
    needs = Bytes(low=SIZE, high=2 * SIZE)
    source = FromRegistry(repository="registry.example/app", digest=DIGEST, asked=True)
    usual: dict[str, Any] = {
        "request_id": request,
        "host": host,
        "engine": ENGINE,
        "run": RUN,
        "run_plan_digest": POLICY,
        "run_at": at - timedelta(days=1),
        "made_at": at,
        "expires_at": at + timedelta(minutes=60),
        "steps": (
            RestoreStep(
                index=0,
                object=FRONT,
                sources=(FromDescription(network=NetworkDescription(name="front", driver="bridge")),),
            ),
            RestoreStep(index=1, object=image(1), sources=(source,), tags=("app:1",), needs=needs),
        ),
        "away": (
            StaysAway(object=JOB, reason=reason(Code.ONLY_SHOWN), command="docker create --name job app:1"),
        ),
        "needs": needs,
        "free": 100 * SIZE,
    }
    return RestorePlan.model_validate(usual | more)


def restore_planned(made: RestorePlan, *, at: datetime = NOON) -> RestorePlanned:
    return RestorePlanned(host=made.host, at=at, request_id=made.request_id, plan=made)


def restore_report(
    order_id: str, made: RestorePlan, digest: str, status: Status = Status.DONE, *, at: datetime = NOON
) -> RestoreReport:
    return RestoreReport(
        request_id=made.request_id,
        order_id=order_id,
        host=made.host,
        engine=ENGINE,
        plan_digest=digest,
        run=made.run,
        requester=ANA,
        approver=BO,
        started_at=at,
        finished_at=at,
        status=status,
        outcomes=tuple(
            RestoreOutcome(index=s.index, object=s.object, outcome=Restored.RESTORED, tags=s.tags)
            for s in made.steps
        ),
    )


def restore_finished(report: RestoreReport) -> RestoreFinished:
    return RestoreFinished(
        host=report.host, at=report.finished_at, request_id=report.request_id, report=report
    )


def step_begun(order_id: str, made: RestorePlan, index: int, *, at: datetime = NOON) -> RestoreStepBegun:
    about = {"order_id": order_id, "index": index, "object": made.steps[index].object}
    return RestoreStepBegun(host=made.host, at=at, request_id=made.request_id, **about)
