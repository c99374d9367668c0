"""What people decide about hosts: to stop runs, to freeze and to protect; read from what they typed."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from workers.contract import Kind, Person, ProtectedKind
from workers.reasons import Reason
from workers.references import NamePattern, Pattern


@dataclass(frozen=True)
class UsageReply:
    """An answer, in plain text, to what cannot be understood; nothing is begun."""

    text: str


class Verb(StrEnum):
    """What is decided."""

    STOP = "stop"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    PROTECT = "protect"
    UNPROTECT = "unprotect"


@dataclass(frozen=True)
class Freeze:
    """Freeze or unfreeze hosts; the words are hosts or globs, and then why."""

    verb: Verb
    words: tuple[str, ...]


@dataclass(frozen=True)
class Stop:
    """End the runs and restores on hosts; no host means all."""

    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Protect:
    """Add a protection on hosts, for a time or until it is lifted, or lift it."""

    verb: Verb
    host: str
    kind: ProtectedKind
    pattern: str
    span: timedelta | None = None


@dataclass(frozen=True)
class Protections:
    """Show what was protected from Slack, on one host or on all."""

    host: str | None = None


class State(StrEnum):
    """How far a decision has come at its host."""

    OPEN = "open"
    KEPT = "kept"
    NOT_FROZEN = "not_frozen"  # kept as well: an unfreeze that had nothing to lift
    REFUSED = "refused"
    OVERTAKEN = "overtaken"  # by a later decision about the same
    ENDED = "ended"  # what was to stop is over
    LAPSED = "lapsed"  # nobody heard of it in time
    DISMISSED = "dismissed"  # the host is sent away


class Told(StrEnum):
    """What the channel was told."""

    NOTHING = ""
    WAITING = "waiting"
    ALL = "all"


@dataclass(frozen=True)
class Decided:
    """One decision at one host; `run` and `order_id` name the run or the restore that is to stop."""

    id: str
    host: str
    verb: Verb
    at: datetime
    by: Person
    channel: str
    response_url: str = ""
    why: str = ""
    kind: ProtectedKind = Kind.IMAGE
    pattern: str = ""
    until: datetime | None = None
    run: str = ""
    order_id: str = ""
    state: State = State.OPEN
    reasons: tuple[Reason, ...] = field(default=())
    sent_at: datetime | None = None
    told: Told = Told.NOTHING

    @property
    def about(self) -> str:
        """What a later decision would overtake: what is about the same thing."""
        match self.verb:
            case Verb.STOP:
                return about_run(self.order_id)
            case Verb.FREEZE | Verb.UNFREEZE:
                return "host"
        return f"{self.kind} {self.pattern}"


def turns(decided: Iterable[Decided]) -> Iterator[tuple[int, Decided]]:
    """Each with the count of those before it at its host: a decision says one thing at each of its hosts."""
    met = Counter[str]()
    for one in decided:
        yield met[one.host], one
        met[one.host] += 1


def about_run(order_id: str) -> str:
    """What a decision about the run of an order is about."""
    return f"run {order_id}"


Decision = Freeze | Stop | Protect | Protections

LONGEST_WHY = 300
LONGEST_DAYS = 3650
SPAN = re.compile(r"([0-9]{1,6})(min|h|d)")
UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
PREFIXES: dict[str, ProtectedKind] = {
    "container": Kind.CONTAINER,
    "network": Kind.NETWORK,
    "image": Kind.IMAGE,
}
VOLUME = ("volume:", "volumes:")
GLOB = re.compile(r"[*?\[]")

FREEZE_WHERE = "Say where: /prune {verb} web-1, or a pattern such as web-*, and then why if you like."
STOP_OPTIONS = (
    "/prune stop takes no option, only hosts: /prune stop web-1. Without any, every run and restore ends."
)
PROTECT_WHAT = "Say where and what: /prune {verb} web-1 registry.example/app:*{more}."
VOLUMES_STAY = (
    "Volumes are never removed, so none has to be protected. An image called volume is image:volume:TAG here."
)
FOR_WHAT = "--for needs a time such as 12h or 30d, at most 3650d. Without it a protection stays until lifted."
ONE_HOST = "/prune protections takes one host, or none for all: /prune protections web-1."


def read(words: Sequence[str]) -> Decision | UsageReply | None:
    """Read words as they were typed; None where the first one decides nothing."""
    reader = READERS.get(words[0].lower())
    return reader(words[0].lower(), words[1:]) if reader else None


def targets(words: Sequence[str], admitted: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Part the patterns that lead a line from the words that say why; a first word is always a pattern."""
    hosts, rest = tuple(admitted), list(words)
    patterns: list[str] = []
    while rest and (not patterns or _names_hosts(rest[0], hosts)):
        patterns += [part for part in rest.pop(0).lower().split(",") if part]
    return tuple(patterns), " ".join(rest)[:LONGEST_WHY]


def _names_hosts(word: str, hosts: Sequence[str]) -> bool:
    """A glob that meets no host is a mistake to be told of, not a word that says why."""
    return bool(GLOB.search(word)) or any(fnmatchcase(host, word.lower()) for host in hosts)


def _freeze(verb: str, words: Sequence[str]) -> Decision | UsageReply:
    if not words or words[0].startswith("-"):
        return UsageReply(FREEZE_WHERE.format(verb=verb))
    return Freeze(Verb(verb), tuple(words))


def _stop(_: str, words: Sequence[str]) -> Decision | UsageReply:
    hosts = [part for word in words for part in word.lower().split(",") if part]
    if any(host.startswith("-") for host in hosts):
        return UsageReply(STOP_OPTIONS)
    return Stop(tuple(dict.fromkeys(hosts)))


def _protect(verb: str, words: Sequence[str]) -> Decision | UsageReply:
    plain, span = list(words), None
    if verb == Verb.PROTECT and "--for" in plain:
        at = plain.index("--for")
        span = span_of("".join(plain[at + 1 : at + 2]).removeprefix("="))
        if span is None:
            return UsageReply(FOR_WHAT)
        del plain[at : at + 2]
    if len(plain) != 2 or any(word.startswith("-") for word in plain):
        more = ", and --for 30d if you like" if verb == Verb.PROTECT else ""
        return UsageReply(PROTECT_WHAT.format(verb=verb, more=more))
    if plain[1].lower().startswith(VOLUME):
        return UsageReply(VOLUMES_STAY)
    kind, pattern = _kind(plain[1])
    fault = _fault(kind, pattern)
    return UsageReply(fault) if fault else Protect(Verb(verb), plain[0].lower(), kind, pattern, span)


def span_of(text: str) -> timedelta | None:
    """Read a time such as ``30d``; None for what is none."""
    found = SPAN.fullmatch(text.lower())
    span = int(found[1]) * UNITS[found[2]] if found else timedelta()
    return span if timedelta() < span <= timedelta(days=LONGEST_DAYS) else None


def _kind(text: str) -> tuple[ProtectedKind, str]:
    prefix, colon, rest = text.partition(":")
    return (PREFIXES[prefix], rest) if colon and prefix in PREFIXES else (Kind.IMAGE, text)


def _fault(kind: ProtectedKind, pattern: str) -> str:
    """What is wrong with a pattern, by the grammar of the policy file, with the place of it."""
    try:
        if kind is Kind.IMAGE:
            Pattern.parse(pattern)
        else:
            NamePattern.parse(pattern)
    except ValueError as error:
        return f"{error}."
    return ""


def _protections(_: str, words: Sequence[str]) -> Decision | UsageReply:
    if len(words) > 1 or any(word.startswith("-") for word in words):
        return UsageReply(ONE_HOST)
    return Protections(*(word.lower() for word in words))


READERS: dict[str, Callable[[str, Sequence[str]], Decision | UsageReply]] = {
    Verb.STOP: _stop,
    Verb.FREEZE: _freeze,
    Verb.UNFREEZE: _freeze,
    Verb.PROTECT: _protect,
    Verb.UNPROTECT: _protect,
    "protections": _protections,
}
