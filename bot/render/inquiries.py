"""What a host answers about itself, or why it does not: read by who asked, and by nobody else."""

from collections.abc import Callable, Iterator
from datetime import datetime

from bot.commands import parse
from bot.decisions import Protect, Verb
from bot.edits import lasting
from bot.questions import Inquiry, Unanswered, Why
from bot.render.answers import said
from bot.render.blocks import (
    SECTION,
    TEXT_BUDGET,
    Block,
    Message,
    code,
    context,
    date,
    detail,
    fit,
    mention,
    message,
    packed,
    plain,
    printable,
    section,
    slack_voice,
)
from bot.render.checking import checked
from bot.render.policy import policy
from bot.render.summary import sentences
from bot.requests import PLAN_WITHIN
from workers import explaining, whereabouts
from workers.contract import (
    Answered,
    NotAnswered,
    ObjectAnswer,
    ObjectExplanation,
    OrderRefused,
    PartUse,
    PolicyAnswer,
    Report,
    ServicesAnswer,
    Topic,
    VolumesAnswer,
)
from workers.reasons import Code
from workers.wording import Voice, amount, size, span

# What the title and the lines around the list may take besides is far less.
ROOM = TEXT_BUDGET - SECTION
KEEP_ALWAYS = "prune_keep"
# Slack takes 2,000 characters of a button's value, and 300 in its dialog.
VALUE = 2_000
PROTECTED = frozenset(
    {
        Code.PROTECTED_REFERENCE,
        Code.PROTECTED_LABEL,
        Code.PROTECTED_NAME,
        Code.PROTECTED_FROM_SLACK,
    }
)
ABOUT = {
    Topic.OBJECT: "{object}",
    Topic.POLICY: "its policy",
    Topic.VOLUMES: "its volumes",
    Topic.SERVICES: "its services after the run {object}",
}
BY_HAND = (
    "Safe Prune never removes a volume. What nobody needs any more is for somebody to remove on the host, by"
    " hand and after a look inside: nothing brings a volume back."
)
ASK_AGAIN = "Ask again."
ID = 8
# What ends work on a host is told in words for runs.
CUT_OFF = {
    Code.TERMINATED: "its worker was told to stop",
    Code.DEADLINE: "that took too long",
    Code.INTERRUPTED: "the work on it died",
    Code.EXPIRED: "the question came to it too late",
}


def answered(
    asked: Inquiry,
    event: Answered | NotAnswered | OrderRefused,
    now: datetime,
    run: Report | None = None,
) -> Message:
    """What the host said; `run`: the report of the one that was asked about."""
    if not isinstance(event, Answered):
        reasons = (event.reason,) if isinstance(event, NotAnswered) else event.reasons
        return _not_answered(asked, reasons[0].code, sentences(reasons, now))
    match event.answer:
        case ObjectAnswer():
            return explained(asked, event.answer, event.at, now)
        case VolumesAnswer():
            return volumes(asked.host, event.answer)
        case PolicyAnswer():
            return policy(asked.host, event.answer, event.at, now)
        case ServicesAnswer():
            return checked(asked, event.answer, run)


def _not_answered(asked: Inquiry, code_: Code, told: list[str]) -> Message:
    why = f"{CUT_OFF[code_]}. {ASK_AGAIN}" if code_ in CUT_OFF else ""
    first = f"{code(asked.host)} could not tell about {_about(asked)}"
    return _said(asked, f"{first}: {why}") if why else _said(asked, f"{first}.", "\n".join(told)[:SECTION])


def _said(asked: Inquiry, what: str, then: str = "") -> Message:
    """What went wrong with a question, and what finds it in the logs of the bot and of the host."""
    by = f" · Asked for by {mention(asked.by)}" if asked.thread else ""
    return message(what, [*([section(then)] if then else []), context(f"Question {asked.id[:ID]}{by}")])


def _about(asked: Inquiry) -> str:
    return ABOUT[asked.topic].format(object=code(asked.object))


# Why an object stays or goes


def explained(asked: Inquiry, answer: ObjectAnswer, at: datetime, now: datetime) -> Message:
    """One object in full; of several what becomes of each, and why."""
    every = len(answer.found) + answer.more
    if not every:
        return _unknown(asked, answer)
    voice, what, lines = slack_voice(now), code(asked.object), list[str]()
    keep: list[Block] = []
    if len(answer.found) == every == 1:
        [one] = answer.found
        keep = _keep_button(asked.host, one)
        title, lines = explaining.verdict(one, voice), list(_in_full(one, voice))
    else:
        title = f"{amount(every, 'object')} on {code(asked.host)} may be meant by {what}"
        lines = [line for one in answer.found for line in _in_short(one, voice)]
    told = _counted(lines, answer.more, _more_objects if answer.more else _more_lines)
    place = f"On {code(asked.host)}, as it was {date(at)}. To explain is not to plan: nothing is removed."
    return message(_capital(title), [*map(section, packed(told)), context(place), *keep])


def _keep_button(host: str, one: ObjectExplanation) -> list[Block]:
    """What protects the object from now on, as if it were typed; none for what no pattern names for good."""
    found = lasting(one.kind, one.name)
    if found is None or any(why.code in PROTECTED for why in one.reasons):
        return []
    kind, pattern = found
    typed = f"{Verb.PROTECT} {host} {kind}:{pattern}"
    if parse(typed) != Protect(Verb.PROTECT, host, kind, pattern) or len(typed) > VALUE:
        return []
    what = (
        f"{printable(pattern)} stays on {host} from now on, until somebody lifts that (/prune protections)."
    )
    button = {
        "type": "button",
        "action_id": KEEP_ALWAYS,
        "text": plain("Always Keep"),
        "value": typed,
        "confirm": {
            "title": plain("Always keep it?"),
            "text": plain(what),
            "confirm": plain("Always Keep"),
            "deny": plain("Not Now"),
        },
    }
    return [{"type": "actions", "elements": [button]}]


def _unknown(asked: Inquiry, answer: ObjectAnswer) -> Message:
    alike = [code(name) for name in answer.nearest]
    return said(
        f"{_capital(explaining.unknown(code(asked.host), code(asked.object), alike))}.", explaining.NAME_IT
    )


def _in_full(one: ObjectExplanation, voice: Voice) -> Iterator[str]:
    yield from _because(one, voice)
    yield from (f"{name}: {fact}" for name, fact in explaining.known(one, voice))


def _in_short(one: ObjectExplanation, voice: Voice) -> Iterator[str]:
    yield f"*{explaining.verdict(one, voice)}*"
    yield from _because(one, voice)


def _because(one: ObjectExplanation, voice: Voice) -> Iterator[str]:
    yield from (f"• {why}" for why in explaining.because(one, voice))
    if one.more:
        yield f"• and {amount(one.more, 'reason')} more"


def _more_lines(left: int) -> str:
    return f"+{amount(left, 'more line')}; `python -m workers explain` on the host shows all."


def _more_objects(left: int) -> str:
    return f"+{left:,} more; name one by its tag or its id."


# The volumes


def volumes(host: str, answer: VolumesAnswer) -> Message:
    """Every volume with its size, age and last use; there is nothing to press."""
    voice, now = slack_voice(answer.taken_at), answer.taken_at
    rows = (whereabouts.volume_row(one, voice, now, more=one.more) for one in answer.volumes)
    lines = [f"*{row.figure}* {row.name} {row.note}" for row in rows]
    order = f"Biggest first, as it was {date(now)}." if lines else f"As it was {date(now)}."
    told = map(section, packed(_counted(lines, answer.more, _more_volumes)))
    return message(_held(host, answer.use), [context(BY_HAND), *told, context(order)])


def _held(host: str, use: PartUse) -> str:
    known = [f"{size(use.size)} in all"] if use.size is not None and use.count else []
    unsized = [f"{use.unsized:,} of unknown size"] if use.unsized else []
    return ", ".join([f"{_capital(amount(use.count, 'volume'))} on {code(host)}", *known, *unsized])


def _more_volumes(left: int) -> str:
    return f"+{amount(left, 'more volume')}; `docker system df -v` on the host lists all."


# What there is no answer to


def unanswered(asked: Inquiry, missing: Unanswered, now: datetime) -> Message:
    """Why nothing has come, and what to do."""
    return _said(asked, *WHYS[missing.why](asked, missing, now))


def _silent(asked: Inquiry, missing: Unanswered, _: datetime) -> tuple[str, str]:
    since = f"is not answering since {date(missing.last_seen)}" if missing.last_seen else "has never answered"
    return f"{code(asked.host)} {since}.", f"Start its worker. {STILL_SHOWN}"


def _slow(asked: Inquiry, _: Unanswered, __: datetime) -> tuple[str, str]:
    within = span(PLAN_WITHIN.total_seconds())
    return (
        f"{code(asked.host)} gave no answer within {within} and is not waited for any longer.",
        "A long run may have kept it busy, or its worker is of a version that knows no questions:"
        " look at its worker's log, and ask again.",
    )


def _not_sent(asked: Inquiry, missing: Unanswered, _: datetime) -> tuple[str, str]:
    error = f" ({detail(missing.error)})" if missing.error else ""
    return (
        f"{code(asked.host)} was not asked: the queue does not answer{error}.",
        "Ask again when Redis answers.",
    )


def _line_down(asked: Inquiry, missing: Unanswered, _: datetime) -> tuple[str, str]:
    error = f" ({detail(missing.error)})" if missing.error else ""
    return (
        f"{code(asked.host)} cannot be heard: Redis does not answer{error}.",
        f"Look at Redis. {STILL_SHOWN}",
    )


def _cannot(asked: Inquiry, missing: Unanswered, now: datetime) -> tuple[str, str]:
    told = "\n".join(sentences(missing.reasons, now))[:SECTION]
    return f"{code(asked.host)} cannot tell about {_about(asked)} now.", told


def _dismissed(asked: Inquiry, _: Unanswered, __: datetime) -> tuple[str, str]:
    return f"{code(asked.host)} was sent away meanwhile.", "`/prune hosts` shows which hosts there are."


STILL_SHOWN = f"What it answers within {span(PLAN_WITHIN.total_seconds())} of the question still comes here."
WHYS: dict[Why, Callable[[Inquiry, Unanswered, datetime], tuple[str, str]]] = {
    Why.SILENT: _silent,
    Why.SLOW: _slow,
    Why.NOT_SENT: _not_sent,
    Why.LINE_DOWN: _line_down,
    Why.CANNOT: _cannot,
    Why.DISMISSED: _dismissed,
}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _counted(lines: list[str], beyond: int, more: Callable[[int], str]) -> list[str]:
    """As many lines as there is room for; what is left of them is counted with what did not come at all."""
    kept = fit(lines, ROOM, lambda left: more(left + beyond))
    return [*kept, more(beyond)] if beyond and kept == lines else kept
