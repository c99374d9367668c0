"""The message that calls people: a service is worse after a run, what went before that, and the ways back.

What a host tells is shown and not believed: whoever is called is called by an id, whatever else stands there.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from bot.render.blocks import (
    SECTION,
    TEXT_BUDGET,
    Block,
    Message,
    called,
    code,
    context,
    date,
    fit,
    is_called,
    listed,
    mention,
    message,
    packed,
    paragraphs,
    preformatted,
    printable,
    section,
    weight,
)
from bot.render.files import report_name
from bot.render.headlines import BAD
from bot.render.report import changed, service
from bot.render.services import STATE, how
from bot.render.titles import NOUNS
from bot.render.ways_back import call_buttons, way_back
from workers.contract import (
    HealthLine,
    LogLine,
    LogTail,
    Removed,
    Report,
    Tie,
    Trouble,
    Worse,
)
from workers.wording import amount, listing, short

# More than a policy takes can only come from somebody else.
MOST_PINGED = 5
NAME, LINE = 60, 240
NAMED = 3
ROOM_FOR_SERVICES, ROOM_FOR_REMOVED = 2_200, 3_200
# Of a log; and how much of its share its title takes.
MOST_LOGS, TITLE = 5, 150
NOW = {
    "gone": "is gone now",
    "restarted": "has restarted since",
    "exited": "has exited",
}
TIES = {
    Tie.NETWORK: "a network of {names}",
    Tie.PROJECT: "of the compose project of {names}",
    Tie.REPOSITORY: "of the image repository of {names}",
}
OWN = {
    Tie.NETWORK: "its network",
    Tie.PROJECT: "of its compose project",
    Tie.REPOSITORY: "of its image's repository",
}


def is_troubled(report: Report) -> bool:
    """Whether somebody has to look: a service is worse than before."""
    return any(line.change in BAD for line in report.health)


def trouble(run: Report) -> Message:
    """Call people to what is worse after a run."""
    bad = sorted((line for line in run.health if line.change in BAD), key=lambda line: not line.critical)
    known = run.trouble or Trouble(worse=())
    title = f"{_broken(bad, run.host)}\n{_for_whom(run)}"
    what = [*_services(bad, known.worse, run), *_removed(run)]
    end = [
        _next(known.worse, run),
        *call_buttons(run),
        context(f"Plan {short(run.plan_digest)} · {date(run.finished_at)}"),
    ]
    room = TEXT_BUDGET - len(title) - weight([*what, *end])
    return message(title, [*what, *_logs(known.worse, room), *end])


# What is broken, and who is called


def _broken(bad: Sequence[HealthLine], host: str) -> str:
    first, others = bad[0], len(bad) - 1
    now = NOW.get(first.after) or f"is {_word(first.after)} now"
    what = f"{code(first.name, NAME)} on {host} was {_word(first.before)} before this run and {now}."
    more = f" {amount(others, 'more service')} there {'is' if others == 1 else 'are'} worse as well."
    # Slack's bold ends at the first star, and with its line.
    said = what + (more if others else "")
    return said if "*" in said else f"*{said}*"


def _word(state: str) -> str:
    """A state as a word of the sentence; what is none is shown as it is."""
    return state if state.isascii() and state.isalpha() and len(state) <= STATE else code(state, STATE)


def _for_whom(run: Report) -> str:
    """Whom the policy names; where it names nobody, those who had a part in it: somebody has to know."""
    named = [one for one in run.ping if is_called(one)][:MOST_PINGED]
    if named:
        return f"For {listing(map(called, named))}, whom the policy of {run.host} names."
    people = list(dict.fromkeys(mention(person) for person in (*run.agreed, run.requester)))
    return f"For {listed(people)}, who confirmed and asked: the policy of {run.host} names nobody."


# How the services are


def _services(bad: Iterable[HealthLine], worse: Iterable[Worse], run: Report) -> list[Block]:
    known = {one.name: one for one in worse}
    gone = run.trouble.removed if run.trouble else ()
    lines = [_service(line, known.get(line.name), gone) for line in bad]
    return paragraphs(lines, room=ROOM_FOR_SERVICES, more=lambda left: _more(left, "service", run))


def _service(line: HealthLine, worse: Worse | None, gone: Iterable[Removed]) -> str:
    if worse is None:
        return changed(line)
    before = how(line.before, "before", worse.before)
    now = how(line.after, "now", worse.now) if worse.now else "gone now"
    used = [_used(one, ties) for one in gone if (ties := worse.ties.get(one.index))]
    more = [amount(len(used) - NAMED, "more object")] if len(used) > NAMED else []
    went = f"\n   This run removed of what it used: {listing([*used[:NAMED], *more])}." if used else ""
    return f"• {service(line)}: {before}; {now}{went}"


def _used(gone: Removed, ties: Iterable[Tie]) -> str:
    found = ", ".join(OWN[tie] for tie in TIES if tie in ties)
    return f"{NOUNS[gone.object.kind]} {code(gone.object.name, NAME)} ({found})"


# What the run removed before that, and the ways back


def _removed(run: Report) -> list[Block]:
    known = run.trouble
    if known is None:
        return [section("What this run removed stands in its report.")]
    seen = max((one.seen_at for one in known.worse), default=run.finished_at)
    ties = {one: list(_ties(one, known.worse)) for one in known.removed if one.at <= seen}
    if not ties:
        return [section("This run had removed nothing before that was seen.")]
    # Sorting leaves what is alike in its order.
    lines = [_gone(one, ties[one], run.host) for one in sorted(ties, key=lambda one: not ties[one])]
    shown = fit(lines, ROOM_FOR_REMOVED, lambda left: _more(left + known.more, "object", run))
    left = [_more(known.more, "object", run)] if known.more and shown == lines else []
    return [section(text) for text in packed([_title(known.worse, ties.values()), *shown, *left])]


def _title(worse: Iterable[Worse], ties: Iterable[Sequence[str]]) -> str:
    who, what = _names(worse), "*This run removed before that was seen*"
    if any(ties):
        return f"{what}, first what has to do with {who}, the rest as it went:"
    return f"{what}, as it went; nothing shows that it has to do with {who}:"


def _ties(gone: Removed, worse: Sequence[Worse]) -> Iterator[str]:
    for tie, phrase in TIES.items():
        whose = [one for one in worse if tie in one.ties.get(gone.index, ())]
        if whose:
            yield phrase.format(names=_names(whose))


def _names(worse: Iterable[Worse]) -> str:
    names = [code(one.name, NAME) for one in worse]
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return listing([*names[:NAMED], *more])


def _gone(gone: Removed, ties: Sequence[str], host: str) -> str:
    what = f"{NOUNS[gone.object.kind]} {code(gone.object.name)}"
    return f"• {', '.join([what, *ties])}. Way back: {way_back(gone, host)}."


# Logs


def _logs(worse: Iterable[Worse], room: int) -> list[Block]:
    """The ends of logs, each with its share of the room."""
    logs = [(one.name, one.log) for one in worse if one.log is not None]
    shown, left = logs[:MOST_LOGS], len(logs) - MOST_LOGS
    share = min(room // max(1, len(shown)), SECTION)
    more = [section(f"+{amount(left, 'more log')} not shown.")] if left > 0 else []
    return [*(block for name, log in shown for block in _log(code(name, NAME), log, share)), *more]


def _log(name: str, log: LogTail, room: int) -> list[Block]:
    if log.unread:
        return [section(f"*The log of {name}* was not read: {code(log.unread, LINE)}.")]
    if not log.lines:
        return [section(f"*The log of {name}* is empty.")]
    lines = _newest([_line(line, log.lines[-1]) for line in log.lines], room - TITLE)
    less = ", shortened" if log.cut or len(lines) < len(log.lines) else ""
    return [section(f"*The end of the log of {name}*{less}, times in UTC:"), preformatted(lines)]


def _line(line: LogLine, last: LogLine) -> str:
    at = f"{_time(line.at, last.at)} " if line.at else ""
    return at + (printable(line.text, LINE).strip() or "-")


def _time(at: datetime, last: datetime | None) -> str:
    """With its day where that is not the last line's."""
    is_last_day = last is not None and last.astimezone(UTC).date() == at.astimezone(UTC).date()
    return f"{at.astimezone(UTC):{'%H:%M:%S' if is_last_day else '%Y-%m-%d %H:%M:%S'}}"


def _newest(lines: Sequence[str], room: int) -> list[str]:
    """Lines from the end, one at least."""
    kept: list[str] = []
    for line in reversed(lines):
        room -= len(line) + 1
        if kept and room < 0:
            break
        kept.append(line)
    return kept[::-1]


# What to do


def _next(worse: Iterable[Worse], run: Report) -> Block:
    there = [one for one in worse if one.now is not None]
    unread = there and all(one.log is None for one in there)
    silence = f" No log is shown: the policy of {run.host} says so (`show_logs`)." if unread else ""
    freeze = f"`/prune freeze {run.host}` keeps further runs away while you look."
    return section(f"Nothing is put back by itself. {freeze}{silence}")


def _more(left: int, noun: str, run: Report) -> str:
    return f"+{amount(left, f'more {noun}')} in `{report_name(run)}`."
