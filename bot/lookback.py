"""What people ask of the past: runs on some hosts, of a person, in a stretch of time (pure)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.decisions import UsageReply, span_of
from workers.contract import AT_A_MACHINE, HOST_TEAM, Person

# So long ago, or a day of whoever asks.
When = timedelta | date


@dataclass(frozen=True)
class History:
    """Show past runs, of some hosts or of all; a person is named in their own way."""

    hosts: tuple[str, ...] = ()
    by: str = ""
    since: When | None = None
    until: When | None = None


MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
ID = re.compile(r"(?:(?P<team>[TE][A-Z0-9]+)/)?(?P<user>[UW][A-Z0-9]+)")
DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")
ME = "me"
FILTERS = ("by", "since", "until")
# They travel with the buttons that turn pages.
LONGEST_HOSTS = 600
MOST_PEOPLE = 10
SHOWN = 40

BY_WHOM = (
    "by needs a person: /prune history by @ana, or by me, by U0123ABCD, or by cli:root at a host itself."
)
WHEN = (
    '{word} needs a time such as 12h or 7d, or a day such as 2026-11-01; "{said}" is none. Hosts stand first.'
)
TWICE = "{word} can be said once."
NO_OPTION = 'There is no option "{said}". There are: --by, --since, --until.'
TOO_MANY = "That is too long a list of hosts to turn pages over. A pattern such as web-* names many."
NEVER = "since is not before until, so there can be no run between them."
NOBODY = (
    'Nobody called "{said}" has asked for a run or confirmed one. Name them as Slack does, by @ana, or by an'
    " id such as U0123ABCD; hosts stand before by."
)
UNTOLD = 'Slack did not say who is called "{said}" ({error}). Name them by an id such as U0123ABCD.'
SEVERAL = 'More than {most} people are called "{said}". Name one by an id such as U0123ABCD.'


def read(words: Sequence[str]) -> History | UsageReply:
    """Read what follows the command, as it was typed."""
    rest = [part for word in words for part in word.split(",") if part]
    strange = next((word for word in rest if word.startswith("-") and not _filter(word)), None)
    if strange is not None:
        return UsageReply(NO_OPTION.format(said=strange[:SHOWN]))
    hosts = [word.lower() for word in _until_filter(rest)]
    said: dict[str, str] = {}
    while rest:
        word, values = _filter(rest.pop(0)), _until_filter(rest)
        if word in said:
            return UsageReply(TWICE.format(word=word))
        said[word] = " ".join(values).removeprefix("=").strip()
    return _history(tuple(dict.fromkeys(hosts)), said)


def _until_filter(rest: list[str]) -> list[str]:
    """Take the words up to the next filter off the list."""
    end = next((at for at, word in enumerate(rest) if _filter(word)), len(rest))
    taken = rest[:end]
    del rest[:end]
    return taken


def _filter(word: str) -> str:
    plain = word.removeprefix("--").lower()
    return plain if plain in FILTERS else ""


def _history(hosts: tuple[str, ...], said: Mapping[str, str]) -> History | UsageReply:
    if sum(map(len, hosts)) > LONGEST_HOSTS:
        return UsageReply(TOO_MANY)
    if not said.get("by", ME):
        return UsageReply(BY_WHOM)
    times = {word: _when(value) for word, value in said.items() if word != "by"}
    for word, found in times.items():
        if found is None:
            return UsageReply(WHEN.format(word=word, said=said[word][:SHOWN]))
    return History(hosts, said.get("by", ""), times.get("since"), times.get("until"))


def _when(text: str) -> When | None:
    if not DAY.fullmatch(text):
        return span_of(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def stretch(
    asked: History, now: datetime, utc_offset: int
) -> tuple[datetime | None, datetime | None] | UsageReply:
    """From when to before when; a day is one of a clock that is so many seconds ahead of UTC, to its end."""
    since = _moment(asked.since, now, utc_offset, timedelta())
    until = _moment(asked.until, now, utc_offset, timedelta(days=1))
    return UsageReply(NEVER) if since and until and since >= until else (since, until)


def _moment(when: When | None, now: datetime, utc_offset: int, end: timedelta) -> datetime | None:
    if isinstance(when, date):
        return datetime.combine(when, time(), UTC) - timedelta(seconds=utc_offset) + end
    return None if when is None else now - when


def people_meant(
    by: str, asker: Person, known: Iterable[Person], names: Mapping[str, Sequence[str]]
) -> tuple[Person, ...]:
    """Which of the people in the history are meant; `names` has what users are called, by id."""
    people = tuple(known)
    if by.lower() == ME:
        return (asker,)
    if by.startswith(AT_A_MACHINE):
        return (Person(team=HOST_TEAM, user=by.removeprefix(AT_A_MACHINE)),)
    named = ID.fullmatch(by)
    by_id = [p for p in people if named and p.user == named["user"] and named["team"] in (None, p.team)]
    wanted = by.removeprefix("@").casefold()
    called = (p for p in people if wanted in (name.casefold() for name in names.get(p.user, ())))
    return tuple(by_id or called)
