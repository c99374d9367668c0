"""One host of a request in a few lines: where it stands, what would go, what stays, what to do."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.render.blocks import date, detail, fit, with_people
from bot.render.locks import being_pruned, way_out
from bot.render.summary import by_kind, gone_for_good, kept, left_out, notes, sentences
from bot.render.unheard import done
from bot.requests import PLAN_WITHIN, SILENT_AFTER, HostPart, Phase, Request, Stage
from workers.contract import Plan
from workers.exclusions import expected
from workers.wording import amount, bytes_range, listing, span

LINES = 2_200
PATIENCE = timedelta(minutes=1)
START_WORKER = "Start its worker and ask again."
AFTER_THAT = "Ask again when that is over."
REPORT_FOLLOWS = "Nothing goes on by itself; the host's report follows when it is back."


def host_text(part: HostPart, request: Request, now: datetime, *, counts: bool = True) -> str:
    """Everything the root message says about a host; `counts` where no table has them."""
    first, *rest = _lines(part, request, now, counts=counts)
    return "\n".join([f"*{part.host}* {first}", *fit(rest, LINES, _more)])


def host_line(part: HostPart, request: Request, now: datetime) -> str:
    """The same in one line, where there are many hosts."""
    return f"*{part.host}* {_lines(part, request, now, counts=False)[0]}"


def told_of(part: HostPart, now: datetime) -> list[str]:
    """Where a host stands that has neither a plan nor a run; the first line follows its name."""
    told = STAGES[part.stage](part, now)
    return [*told, *sentences([part.trouble], now)] if part.trouble else told


def _more(left: int) -> str:
    return f"+{amount(left, 'more line')} in the thread."


def _lines(part: HostPart, request: Request, now: datetime, *, counts: bool) -> list[str]:
    if part.stage is Stage.PLANNED:
        return _planned(part, request, now, counts=counts)
    return told_of(part, now)


def _nothing_done(part: HostPart) -> str:
    return f"Nothing was {done(part)} there."


def _anew(part: HostPart) -> str:
    return "Ask for it again." if part.is_restore else "Ask for a new preview."


def _perhaps_older(part: HostPart) -> str:
    """A job that a worker does not know has nobody whom it could tell."""
    return " One of an older version knows no restores." if part.is_restore else ""


def _asked(part: HostPart, _: datetime) -> list[str]:
    if part.error:
        return [f"is not reached yet, the queue does not answer{_error(part)}. It is tried again."]
    if part.holder:
        return [f"{being_pruned(part.holder)}. Its plan comes when that is over.", way_out(part.host)]
    return [f"was asked{_at(part)}."]


def _planning(part: HostPart, now: datetime) -> list[str]:
    slow = part.since is not None and now - part.since > PATIENCE
    return [
        f"is planning{_since(part)}.",
        *(["A first look at a big image store takes minutes."] if slow else []),
    ]


def _without_plan(part: HostPart, now: datetime) -> list[str]:
    return ["made no plan.", *sentences(part.reasons, now), _nothing_done(part)]


def _refused(part: HostPart, now: datetime) -> list[str]:
    return [f"refused, nothing was {done(part)}.", *sentences(part.reasons, now)]


def _unreached(part: HostPart, _: datetime) -> list[str]:
    if part.ordered:
        return [f"was not sent the order{_error(part)}.", f"{_nothing_done(part)} {_anew(part)}"]
    then = f"{_nothing_done(part)} Ask again when Redis answers."
    return [f"was not reached: the queue does not answer{_error(part)}.", then]


def _withdrawn(part: HostPart, _: datetime) -> list[str]:
    return [
        f"was given no order, nothing was {done(part)}.",
        f"Too few of those who agreed still may ({with_people(part.error)}). Ask again.",
    ]


def _silent(part: HostPart, now: datetime) -> list[str]:
    if part.last_seen is None:
        return ["has never answered.", f"{_nothing_done(part)} {START_WORKER}"]
    if now - part.last_seen > SILENT_AFTER:
        return [f"is not answering since {date(part.last_seen)}.", f"{_nothing_done(part)} {START_WORKER}"]
    if part.holder:
        return [
            f"{being_pruned(part.holder)}, and is not waited for any longer.",
            f"{_nothing_done(part)} {AFTER_THAT}",
            way_out(part.host),
        ]
    return [
        f"gave no plan within {span(PLAN_WITHIN.total_seconds())} and is not waited for any longer.",
        f"{_nothing_done(part)} Look at its worker's log and ask again.{_perhaps_older(part)}",
    ]


def _ordered(part: HostPart, _: datetime) -> list[str]:
    if part.error:
        return [f"is confirmed, but was not sent the order yet{_error(part)}. It is tried again."]
    if part.holder:
        return [f"is confirmed and waits, for it {being_pruned(part.holder)}.", way_out(part.host)]
    return [f"is confirmed and waits for its worker{_since(part)}."]


def _lost(part: HostPart, _: datetime) -> list[str]:
    seen = f" since {date(part.last_seen)}" if part.last_seen else ""
    if part.steps_done:
        return [f"is not answering{seen}, after {part.steps_done} of {part.steps} steps.", REPORT_FOLLOWS]
    return [
        f"has not said that it began{_error(part)}. What was {done(part)} is not known yet.",
        f"Last heard of{seen.replace(' since', '') or ' never'}. {REPORT_FOLLOWS}",
    ]


def _not_executed(part: HostPart, _: datetime) -> list[str]:
    return [
        f"did not take the order before it expired, so nothing was {done(part)}.",
        f"See in its worker's log whether it was down or busy. {_anew(part)}",
    ]


def _planned(part: HostPart, request: Request, now: datetime, *, counts: bool) -> list[str]:
    plan = part.plan
    if plan is None:
        return ["has a plan."]
    said = notes(plan, now)
    if not plan.applicable:
        return [*_nothing(plan), *said]
    if request.phase in (Phase.EXECUTING, Phase.FINISHED):
        return ["was left out, nothing was removed."]
    if part.withheld:
        return [_would_free(part), *sentences([part.withheld], now), *said]
    if request.phase is Phase.CLOSED or request.is_expired(now):
        return [_would_free(part)]
    return _offered(part, plan, said, counts=counts)


def _nothing(plan: Plan) -> list[str]:
    if not plan.complete:
        return ["could not be read completely, so nothing can be removed."]
    if plan.engine.read_only is not None:
        return ["is only read, so nothing can be removed."]
    return ["has nothing to remove.", *kept(plan)]


def _offered(part: HostPart, plan: Plan, said: list[str], *, counts: bool) -> list[str]:
    if part.is_left_out:
        return [f"is left out. It {_would_free(part)}"]
    removes = listing(by_kind(plan, part.excluded))
    first = [f"frees {bytes_range(part.expected)}.", *([f"Removes {removes}."] if counts else [])]
    return [*first, *left_out(part), *kept(plan), *gone_for_good(part.chosen_steps), *said]


def _would_free(part: HostPart) -> str:
    """What would have gone, or would go; of a host left out all of its plan."""
    if part.plan is None:
        return ""
    out = () if part.is_left_out else part.excluded
    return f"would free {bytes_range(expected(part.plan, out))}: {listing(by_kind(part.plan, out))}."


def _since(part: HostPart) -> str:
    return f" since {date(part.since)}" if part.since else ""


def _at(part: HostPart) -> str:
    return f" {date(part.since)}, no answer yet" if part.since else ""


def _error(part: HostPart) -> str:
    return f" ({detail(part.error)})" if part.error else ""


STAGES: dict[Stage, Callable[[HostPart, datetime], list[str]]] = {
    Stage.ASKED: _asked,
    Stage.PLANNING: _planning,
    Stage.PLAN_FAILED: _without_plan,
    Stage.REFUSED: _refused,
    Stage.UNREACHABLE: _unreached,
    Stage.SILENT: _silent,
    Stage.ORDERED: _ordered,
    Stage.LOST: _lost,
    Stage.NOT_EXECUTED: _not_executed,
    Stage.WITHDRAWN: _withdrawn,
}
