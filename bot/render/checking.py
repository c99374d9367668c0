"""How services are now that were worse after a run: read in the thread that called people to them."""

from collections.abc import Sequence

from bot.questions import Inquiry
from bot.render.blocks import (
    TEXT_BUDGET,
    Block,
    Message,
    code,
    context,
    date,
    fit,
    mention,
    message,
    packed,
    section,
    weight,
)
from bot.render.headlines import BAD
from bot.render.report import service
from bot.render.services import STATE, how
from bot.render.summary import sentences
from bot.render.ways_back import call_buttons, can_restore
from workers.contract import CheckedService, HealthChange, Report, ServicesAnswer
from workers.wording import amount, listing

NAME, NAMED = 60, 3
NONE_WORSE = "No service on {host} was worse after that run."
WELL = "All is well again on {host}: {names} {run} as before that run."
UNSURE = "Not known yet on {host}: {names} {run}, not yet re-checked."
WORSE = "Not well yet on {host}: {names}."
AS_ILL = "As ill as before that run on {host}: {names}."
PROBES = "Not well yet on {host}: {probes} not answer well, though {names} {run} as before that run."
OTHERS = " {well} of {every} services {run} as before that run."
BECAME = {
    **dict.fromkeys(BAD, "is still worse"),
    HealthChange.NOT_RECHECKED: "runs, not yet re-checked",
}
REPLACED = "; another container has its name now"
STILL_STAND = "The ways back still stand, under the message that called you to this."
NOT_BY_ITSELF = "Nothing is put back by itself; the ways back still stand."


def checked(asked: Inquiry, answer: ServicesAnswer, run: Report | None) -> Message:
    """Each service before the run, at its post-check and now; `run`: its report, as far as it is known."""
    title, end = _title(asked.host, answer), [*_ways_back(answer, run), _record(asked, answer)]
    room = TEXT_BUDGET - len(title) - weight(end)
    probes = sentences(answer.failing, answer.taken_at)
    lines = [*(f"• {told}" for told in probes), *(_card(one) for one in answer.services)]
    return message(title, [*map(section, packed(_counted(lines, room, answer))), *end])


def _counted(lines: list[str], room: int, answer: ServicesAnswer) -> list[str]:
    """As many lines as there is room for, and the count of what did not come at all."""
    beyond = [_more(0, answer)] if answer.more else []
    kept = fit(lines, room - sum(map(len, beyond)), lambda left: _more(left, answer))
    return [*kept, *(beyond if kept == lines else [])]


def _title(host: str, answer: ServicesAnswer) -> str:
    every = len(answer.services) + answer.more
    if not every:
        return NONE_WORSE.format(host=host)
    if answer.worse:
        well = every - answer.worse - answer.unchecked
        others = OTHERS.format(well=well, every=f"{every:,}", run=_run(well)) if every > 1 else ""
        return WORSE.format(host=host, names=_names(answer.services, answer.worse)) + others
    if (ill := [one for one in answer.services if one.is_ill]) and not answer.unchecked:
        return AS_ILL.format(host=host, names=_names(ill, len(ill)))
    count = answer.unchecked or every
    about = {"host": host, "names": _names(answer.services, count), "run": _run(count)}
    if answer.failing and not answer.unchecked:
        probes = f"{amount(len(answer.failing), 'probe')} {'does' if len(answer.failing) == 1 else 'do'}"
        return PROBES.format(probes=probes, **about)
    return (UNSURE if answer.unchecked else WELL).format(**about)


def _run(count: int) -> str:
    return "runs" if count == 1 else "run"


def _names(services: Sequence[CheckedService], count: int) -> str:
    """The first of so many, which stand first."""
    names = [code(one.line.name, NAME) for one in services[: min(count, NAMED)]]
    return listing([*names, *([f"{count - len(names)} more"] if count > len(names) else [])])


def _card(one: CheckedService) -> str:
    line = one.line
    then = how(one.was, "at the post-check", one.then) if one.then else _in_a_word(one.was)
    now = how(line.after, "now", one.now) if one.now else "gone now"
    told = "; ".join([how(line.before, "before the run", one.before), then, now])
    became = BECAME.get(line.change, "is as ill as before the run" if one.is_ill else "is well again")
    return f"• {service(line)} {became}: {told}{REPLACED if one.replaced else ''}"


def _in_a_word(was: str) -> str:
    return f"{was if was == 'gone' else code(was, STATE)} at the post-check"


def _more(left: int, answer: ServicesAnswer) -> str:
    return f"+{amount(left + answer.more, 'more service')}."


def _ways_back(answer: ServicesAnswer, run: Report | None) -> list[Block]:
    if not any((answer.worse, answer.unchecked, answer.failing, *(one.is_ill for one in answer.services))):
        return [context(STILL_STAND)] if run and can_restore(run) else []
    stand = [section(NOT_BY_ITSELF)] if run and can_restore(run) else []
    return [*stand, *(call_buttons(run) if run else [])]


def _record(asked: Inquiry, answer: ServicesAnswer) -> Block:
    facts = (
        f"Asked for by {mention(asked.by)}",
        f"Looked at {date(answer.taken_at)}",
        f"Post-check {date(answer.checked_at)}",
    )
    return context(" · ".join(facts))
