"""A host's disk as it was measured for a plan, before a run and after it: points of its history (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from workers.contract import DiskUsage, Event, ExecutionFinished, PlanReady


class Moment(StrEnum):
    """What a disk was measured for."""

    PLAN = "plan"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Measured:
    """One measurement; `order_id` names the run it belongs to, nothing where it is a plan's."""

    usage: DiskUsage
    moment: Moment = Moment.PLAN
    order_id: str = ""


def measured(event: Event) -> Iterator[Measured]:
    """What an event tells of its host's disk."""
    match event:
        case PlanReady(plan=plan):
            yield Measured(plan.usage)
        case ExecutionFinished(report=report):
            for moment, usage in ((Moment.BEFORE, report.usage_before), (Moment.AFTER, report.usage_after)):
                if usage is not None:
                    yield Measured(usage, moment, report.order_id)
        case _:
            return
