"""The hosts of a run under way, a task for each; what is finished keeps its result."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from bot.render.blocks import NESTING, Block, bulk, date, fit, mention
from bot.render.headlines import BAD, freed_words, is_harmed, removed, services
from bot.render.parts import told_of
from bot.render.rich import rich_text
from bot.render.summary import NOTES, sentences, what_became
from bot.requests import SETTLED_STAGES, HostPart, Phase, Request, Stage
from workers.contract import Bytes, Doing, Kind, Report, Status, WorkBegun
from workers.wording import amount, bytes_range, objects, span

# Slack takes 50 tasks.
TASKS = 50
LINES = 900
STOPS = "the object in hand is finished, the rest is not touched."
ENDS = "nothing more is removed, and the services are watched no longer."
AFTER_THE_LAST = (Doing.SETTLING, Doing.MEASURING)


class State(StrEnum):
    """How a task stands, in Slack's words; those to look at come first."""

    ERROR = "error"
    UNDER_WAY = "in_progress"
    WAITING = "pending"
    DONE = "complete"


STATES = {
    Stage.ORDERED: State.WAITING,
    Stage.EXECUTING: State.UNDER_WAY,
}
TITLES = {
    Stage.ORDERED: "{host} waits for its worker",
    Stage.UNREACHABLE: "{host} was not sent the order",
    Stage.WITHDRAWN: "{host} was given no order",
    Stage.REFUSED: "{host} refused",
    Stage.NOT_EXECUTED: "{host} did not begin in time",
    Stage.LOST: "{host} is not heard of",
}
ENDED = {
    Status.DONE: "Pruned {host}",
    Status.PARTIAL: "Pruned {host} in part",
    Status.STOPPED: "Stopped on {host}",
    Status.REFUSED: "{host} refused",
    Status.FAILED: "Failed on {host}",
    Status.INTERRUPTED: "Interrupted on {host}",
}
WORK = {
    Doing.WATCHING_FOR_QUIET: "Checking {host}",
    Doing.LOOKING: "Checking {host}",
    Doing.HOLDING_STILL: "Checking {host}",
    Doing.REMOVING: "Pruning {host}",
    Doing.SETTLING: "Watching {host}",
    Doing.MEASURING: "Measuring {host}",
}


def live(request: Request, now: datetime, *, room: int) -> Block:
    """The hosts that were told to execute, those that free most first, within so many characters."""
    parts = sorted((part for part in request.parts if part.ordered), key=lambda part: -part.expected.high)
    drawings: Sequence[Callable[[HostPart], Block]] = (
        lambda part: _task(part, _details(part, now, is_alone=len(parts) == 1)),
        lambda part: _task(part, _details(part, now)[:1] if _state(part) is State.ERROR else ()),
        lambda part: _task(part, ()),
    )
    title = _title(request, parts)
    drawn = ([draw(part) for part in parts[:TASKS]] for draw in drawings)
    fitting = next((tasks for tasks in drawn if bulk(tasks) + len(title) <= room), None)
    if fitting is None or len(parts) > TASKS:
        fitting = _grouped(parts, room=room - len(title))
    return {"type": "plan", "title": title, "tasks": fitting}


def _title(request: Request, parts: Sequence[HostPart]) -> str:
    """How much of it is done, and in the end what came of it."""
    planned = sum(map(_planned, parts))
    if request.phase is Phase.EXECUTING:
        if len(parts) == 1:
            return f"{amount(planned, 'object')}, {bytes_range(parts[0].expected)} expected"
        done, freed = sum(p.steps_done for p in parts), sum((p.freed_so_far for p in parts), Bytes())
        return f"{done} of {amount(planned, 'object')} done{_so_far(freed)}"
    gone = sum(removed(part.report) for part in parts if part.report)
    unheard = sum(part.stage is Stage.LOST for part in parts)
    unknown = f", {amount(unheard, 'host')} not heard of" if unheard else ""
    return f"{gone} of {amount(planned, 'object')} removed{unknown}"


def _planned(part: HostPart) -> int:
    return part.steps or len(part.chosen_steps)


def _so_far(freed: Bytes) -> str:
    return f" · {bytes_range(freed)} so far" if freed.high else ""


def _grouped(parts: Sequence[HostPart], *, room: int) -> list[Block]:
    """As many as there is room for, those to look at before others, and a task that counts the rest."""
    urgent = sorted(parts, key=lambda part: list(State).index(_state(part)))
    shown: list[HostPart] = []
    for part in urgent[: TASKS - 1]:
        room -= bulk(_task(part, ()))
        if room < len(_rest_title(parts)) + 2 * NESTING:
            break
        shown.append(part)
    rest = [part for part in parts if part not in shown]
    return [*(_task(part, ()) for part in parts if part in shown), *([_rest(rest)] if rest else [])]


def _rest(parts: Sequence[HostPart]) -> Block:
    states = {_state(part) for part in parts}
    worst = next(state for state in State if state in states)
    return {"type": "task_card", "task_id": "others", "title": _rest_title(parts), "status": worst}


REST = {State.ERROR: "to look at", State.UNDER_WAY: "under way", State.WAITING: "waiting", State.DONE: "done"}


def _rest_title(parts: Iterable[HostPart]) -> str:
    found = Counter(map(_state, parts))
    counts = ", ".join(f"{found[state]} {REST[state]}" for state in State if found[state])
    return f"{amount(found.total(), 'more host')}: {counts}"


def _task(part: HostPart, lines: Sequence[str]) -> Block:
    more = {"details": rich_text(lines)} if lines else {}
    named = {"task_id": f"host-{part.host}", "title": _heading(part), "status": _state(part)}
    return {"type": "task_card", **named, **more}


def _state(part: HostPart) -> State:
    if part.report:
        return State.DONE if _is_well(part.report) else State.ERROR
    if part.trouble:
        return State.ERROR
    if part.work and part.stage is Stage.ORDERED:
        return State.UNDER_WAY
    return STATES.get(part.stage, State.ERROR)


def _is_well(report: Report) -> bool:
    return report.status is Status.DONE and not any(line.change in BAD for line in report.health)


def _heading(part: HostPart) -> str:
    """Present while it is at work, past when it is over; with its figures."""
    if part.report:
        status = Status.DONE if is_harmed(part.report) else part.report.status
        ended = ENDED[status].format(host=part.host)
        return f"{ended} · {freed_words(part.report) if removed(part.report) else 'nothing removed'}"
    if part.stage is Stage.ORDERED and part.work:
        return WORK[part.work.doing].format(host=part.host)
    if part.stage is Stage.EXECUTING and part.halt:
        return f"Stopping {part.host} · {part.steps_done} of {_planned(part)}{_so_far(part.freed_so_far)}"
    if part.stage is Stage.EXECUTING:
        doing = part.work.doing if part.work else Doing.REMOVING
        figures = f"{part.steps_done} of {_planned(part)}{_so_far(part.freed_so_far)}"
        return f"{WORK[doing].format(host=part.host)} · {figures}"
    title = TITLES.get(part.stage, "{host}").format(host=part.host)
    return f"{title} · after {part.steps_done} of {_planned(part)}" if part.steps_done else title


def _details(part: HostPart, now: datetime, *, is_alone: bool = False) -> list[str]:
    lines = [*_halt(part), *_told(part, now, is_alone=is_alone)]
    return fit(lines, LINES, lambda left: f"+{amount(left, 'more line')} in the thread.")


def _halt(part: HostPart) -> list[str]:
    if part.halt is None or part.stage in SETTLED_STAGES:
        return []
    stops = ENDS if _is_after_the_last(part) else STOPS
    return [f"Stopped by {mention(part.halt.by)} {date(part.halt.at)}: {stops}"]


def _is_after_the_last(part: HostPart) -> bool:
    return part.work is not None and part.work.doing in AFTER_THE_LAST


def _told(part: HostPart, now: datetime, *, is_alone: bool) -> list[str]:
    if part.stage is Stage.EXECUTING or (part.stage is Stage.ORDERED and part.work):
        return [*_at_work(part), *sentences(filter(None, [part.trouble]), now)]
    if part.stage is Stage.ORDERED and part.since and not part.error and not part.holder:
        return [f"Confirmed; waiting since {date(part.since)}."]
    if part.report:
        return _result(part.report, now, is_alone=is_alone)
    first, *rest = told_of(part, now)
    return [f"{first[:1].upper()}{first[1:]}", *rest]


def _result(report: Report, now: datetime, *, is_alone: bool) -> list[str]:
    """What became of the steps and, where the first line of the message does not say it, of the services."""
    health = "" if is_alone else services([report])
    found = [f"Found: {told}" for told in sentences(report.findings, now)[:NOTES]]
    return list(filter(None, [what_became(report), health, *sentences(report.stopped_by, now), *found]))


def _at_work(part: HostPart) -> list[str]:
    """What it does, and how long it has been at it when it last told of anything."""
    is_cut_short = part.halt and _is_after_the_last(part)
    work = [_work(part, part.work)] if part.work and not is_cut_short else []
    begun = [f"Since {date(part.since)}, {_elapsed(part)} so far."] if part.since and part.told_at else []
    return [*work, *begun] or ["At work."]


def _elapsed(part: HostPart) -> str:
    if part.since is None or part.told_at is None:
        return ""
    return span(max(0.0, (part.told_at - part.since).total_seconds()))


def _work(part: HostPart, work: WorkBegun) -> str:
    match work.doing:
        case Doing.WATCHING_FOR_QUIET:
            return f"Waiting for quiet until {_end(work)}: nobody may pull, load, tag or create meanwhile."
        case Doing.LOOKING:
            return "Looking at the host once more."
        case Doing.HOLDING_STILL:
            return f"Watching until {_end(work)} whether the critical containers hold still."
        case Doing.REMOVING if work.kind:
            count = _count(part, work.kind, work.count)
            return f"Removing {objects(work.kind, count)}: {part.done_of_kind} of {count}."
        case Doing.SETTLING:
            return f"Nothing more is removed. Watching the services until {_end(work)}."
        case _:
            return "Measuring what was freed."


def _count(part: HostPart, kind: Kind, told: int) -> int:
    """How many of a kind are to go; what the run tells counts those that people left out, too."""
    chosen = sum(step.object.kind is kind for step in part.chosen_steps)
    return chosen if part.plan else told


def _end(work: WorkBegun) -> str:
    try:
        return date(work.at + timedelta(seconds=work.seconds))
    except OverflowError:
        # By a host's clock there may be no time after this one.
        return date(work.at)
