"""What a restore brings back, from where, and what does not come back; and what came of each object."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bot.past import IS_THERE
from bot.render.blocks import Block, code, context, date, listed, mention, paragraphs, slack_voice, weight
from bot.render.parts import told_of
from bot.render.returning import NO_TAG_IS_TAKEN, counted
from bot.render.summary import sentences
from bot.render.titles import NOUNS
from bot.requests import SETTLED_STAGES, HostPart, Phase, Request, Stage
from workers.contract import (
    FromArchive,
    FromDescription,
    FromRegistry,
    Kind,
    Restored,
    RestoreOutcome,
    RestorePlan,
    RestoreReport,
    RestoreStep,
    Source,
    StaysAway,
    TakenTag,
)
from workers.reasons import Code
from workers.wording import amount, bytes_range, fragment, listing, names_apart, short, size

TAGS = 4
STOPS = "the object in hand is finished, the rest is not brought back."
OUTCOMES = {
    Restored.RESTORED: "back",
    Restored.ALREADY_THERE: "was there already",
    Restored.REFUSED: "refused",
    Restored.FAILED: "failed",
    Restored.NOT_ATTEMPTED: "not attempted",
}


def restore_blocks(request: Request, now: datetime, *, room: int) -> list[Block]:
    """Everything the root message says of a restore between its title and its record."""
    [part] = request.parts
    lines = _lines(part, request, now)
    is_open = request.phase is Phase.READY and not request.is_expired(now)
    end = [context(NO_TAG_IS_TAKEN)] if is_open else []
    return [*paragraphs(lines, room=room - weight(end), more=_more), *end]


def _more(left: int) -> str:
    return f"+{amount(left, 'more line')}, all of them in the thread."


def _lines(part: HostPart, request: Request, now: datetime) -> list[str]:
    if part.restored:
        return [*_ended(part.restored, now), *_away_with_commands(part.back)]
    if part.ordered:
        return [*_at_work(part, now)]
    if part.back is None:
        first, *rest = told_of(part, now)
        return [f"*{part.host}* {first}", *rest]
    return list(_plan(part, part.back, request, now))


def _at_work(part: HostPart, now: datetime) -> Iterator[str]:
    if part.halt and part.stage not in SETTLED_STAGES:
        yield f"Stopped by {mention(part.halt.by)} {date(part.halt.at)}: {STOPS}"
    if part.stage is not Stage.EXECUTING or part.bringing is None:
        first, *rest = told_of(part, now)
        # Of what is over the title says it.
        yield from [] if part.stage in SETTLED_STAGES else [f"*{part.host}* {first}"]
        yield from rest
        return
    what = f"{NOUNS[part.bringing.kind]} {code(part.bringing.name)}"
    since = f", since {date(part.since)}" if part.since else ""
    yield f"*{part.host}* brings back {what}, {part.steps_done + 1} of {part.steps}{since}."
    yield from sentences([part.trouble] if part.trouble else [], now)


def _plan(part: HostPart, plan: RestorePlan, request: Request, now: datetime) -> Iterator[str]:
    """Of a plan that is decided or over, what it was about is enough."""
    yield f"*{part.host}* Run {code(short(plan.run))} of {date(plan.run_at)}."
    if request.settlement is not None or request.is_expired(now):
        return
    yield from sentences([part.withheld] if part.withheld else [], now)
    yield from sentences(plan.notices, now)
    if request.phase is Phase.READY:
        names = names_apart([*(s.object for s in plan.steps), *(a.object for a in plan.away)])
        yield from (f"• {_step(step, names[step.object])}" for step in plan.steps)
    yield from _away(plan, now)


def _step(step: RestoreStep, name: str) -> str:
    """One object in a line: from where it comes, what it takes, which tags it gets."""
    takes = f", {bytes_range(step.needs)}" if step.needs.high else ""
    tags = f"; gets the tags {_names(step.tags)}" if step.tags else ""
    return f"{NOUNS[step.object.kind]} {code(name)} {_source(step)}{takes}{tags}{_taken(step.taken)}"


def _source(step: RestoreStep) -> str:
    if not step.sources:
        return "is here and lacks tags"
    return f"from {listing(map(_from, step.sources))}"


def _from(source: Source) -> str:
    match source:
        case FromArchive(size=bytes_):
            return f"the archive of its host ({size(bytes_)} there)"
        case FromDescription(network=network):
            subnets = listing(code(pool.subnet) for pool in network.pools)
            return f"its description ({' '.join(filter(None, (code(network.driver), subnets)))})"
        case FromRegistry(repository=repository, digest=digest, asked=asked):
            said = "" if asked else ", which was not asked"
            return f"{code(f'{repository}@{short(digest)}')}{said}"


def _taken(taken: Sequence[TakenTag]) -> str:
    if not taken:
        return ""
    return f"; {_names([tag.name for tag in taken])} {'names' if len(taken) == 1 else 'name'} another image"


def _names(names: Sequence[str]) -> str:
    return listed([code(name) for name in names], TAGS)


def _away(plan: RestorePlan, now: datetime) -> Iterator[str]:
    """What does not come back, each with why; the build cache in a number."""
    shown = [one for one in plan.away if one.object.kind is not Kind.BUILD_CACHE]
    if plan.away:
        yield f"*Not brought back:* {listing(counted(one.object.kind for one in plan.away))}."
    names, voice = names_apart([one.object for one in shown]), slack_voice(now)
    for one in shown:
        why = fragment(one.reason, voice)
        yield f"• {NOUNS[one.object.kind]} {code(names[one.object])}: {why}{_taken(one.taken)}"
    yield from _commands(shown)


def _commands(away: Iterable[StaysAway]) -> Iterator[str]:
    if count := sum(bool(one.command) for one in away):
        yield f"What would create {amount(count, 'container')} like that is in the thread, to finish by hand."


def _away_with_commands(plan: RestorePlan | None) -> list[str]:
    return list(_commands(plan.away)) if plan else []


def _ended(report: RestoreReport, now: datetime) -> Iterator[str]:
    """What became of each object, those to look at first."""
    voice = slack_voice(now)
    yield from (f"*Stopped:* {why}" for why in sentences(report.stopped_by, now))
    yield from (f"*Found:* {why}" for why in sentences(report.findings, now))
    names = names_apart([one.object for one in report.outcomes])
    for one in sorted(report.outcomes, key=lambda one: one.outcome in IS_THERE):
        why = f": {fragment(one.reason, voice)}" if _says_more(one) and one.reason else ""
        tags = f", tagged {_names(one.tags)}" if one.tags else ""
        yield f"• {NOUNS[one.object.kind]} {code(names[one.object])} {OUTCOMES[one.outcome]}{tags}{why}"


def _says_more(one: RestoreOutcome) -> bool:
    return one.reason is not None and one.reason.code is not Code.ALREADY_THERE
