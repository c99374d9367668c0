"""Where a host stands with a restore, made of what it has told of that (pure)."""

from collections.abc import Sequence
from dataclasses import replace

from bot.requests import HostPart, Stage
from workers.contract import Event, RestoreFinished, RestoreStepBegun


def is_restore_of(order_id: str, event: Event) -> bool:
    """Whether an event tells of the restore that this order had begun."""
    if isinstance(event, RestoreFinished):
        return event.report.order_id == order_id
    return isinstance(event, RestoreStepBegun) and event.order_id == order_id


def bringing(part: HostPart, events: Sequence[Event]) -> HostPart:
    """The host as it stands with a restore that all these events tell of, in whatever order and how often."""
    finished = [event for event in events if isinstance(event, RestoreFinished)]
    if finished:
        last = max(finished, key=lambda event: event.at)
        return replace(part, stage=Stage.FINISHED, since=last.at, restored=last.report)
    begun = [event for event in events if isinstance(event, RestoreStepBegun)]
    newest = max(begun, key=lambda event: event.index)
    return replace(
        part,
        stage=Stage.EXECUTING,
        since=min(event.at for event in begun),
        told_at=max(event.at for event in begun),
        steps=len(part.back.steps) if part.back else 0,
        steps_done=newest.index,
        bringing=newest.object,
    )
