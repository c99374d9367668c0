"""Values in words: a reason becomes a sentence here and nowhere else, bytes become "38.2 GB".

Every reason is one clause, lower-case and without a full stop, so that it fits after "because"; a sentence is
that clause written out, with the next step. In what state things were left is for the caller to say.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter
from typing import Any

from workers.contract import Bytes, Kind, Reference
from workers.phrases import CLAUSES, HOLDERS, LABELS, NEXT_STEPS
from workers.reasons import Code, Reason

UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
SPANS = ((2 * 86400, 86400, "day"), (2 * 3600, 3600, "h"), (120, 60, "min"), (0, 1, "s"))
NOUNS = {
    Kind.CONTAINER: "stopped container",
    Kind.IMAGE: "image",
    Kind.NETWORK: "unused network",
    Kind.BUILD_CACHE: "build cache record",
}
# Letters that no terminal and no chat reads as mark-up.
PLAIN_WORD = re.compile(r"[A-Za-z0-9 .,:%()/+-]*")

# What is said where a value is missing.
UNKNOWN = {"since": "for an unknown time", "until": "until somebody lifts that"}
HOLDER = re.compile(r"(?P<what>[a-z-]+) (?P<size>[0-9]{1,20})(?: (?P<name>.+))?")


def utc(moment: str) -> str:
    """Write an ISO 8601 time as ``2026-11-24 09:11 UTC``; what is no time comes back as it is."""
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError):
        return moment


@dataclass(frozen=True)
class Voice:
    """How a reader wants names and times; with `now`, "since Monday" becomes "for 31 days"."""

    when: Callable[[str], str] = utc
    quote: Callable[[str], str] = str
    now: datetime | None = None
    person: Callable[[str], str] = str


PLAIN = Voice()


class _Phrase(Formatter):
    """Fills a clause; a missing value is called unknown, since an error here would silence the message."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Any) -> Any:  # noqa: ARG002
        return kwargs.get(key, "")

    def format_field(self, value: Any, format_spec: str) -> str:
        if value == "":
            return UNKNOWN.get(format_spec, "unknown")
        if isinstance(value, int):
            return self._number(value, format_spec)
        return self._text(str(value), format_spec)

    def _number(self, value: int, spec: str) -> str:
        match spec.split():
            case ["size"]:
                return size(value)
            case ["span"]:
                return span(value)
            case ["percent"]:
                return f"{value} %"
            case ["count"]:
                return f"{value:,}"
            case ["n", *noun]:
                return amount(value, " ".join(noun))
            case _:
                return str(value)

    def _text(self, value: str, spec: str) -> str:
        match spec:
            case "when":
                return self.voice.when(value)
            case "since":
                return self._since(value)
            case "until":
                return f"until {self.voice.when(value)}"
            case "person":
                return self.voice.person(value)
            case "short":
                return self.voice.quote(short(value))
            case "holders":
                return listing(self._holder(line) for line in value.split("\n"))
            case "kind" if value in tuple(Kind):
                return plural(NOUNS[Kind(value)])
        return value if spec and PLAIN_WORD.fullmatch(value) else self.voice.quote(value)

    def _holder(self, line: str) -> str:
        """Say who holds bytes: a line has a word for what it is, the bytes, and a name where it has one."""
        told = HOLDER.fullmatch(line)
        if told is None or told["what"] not in HOLDERS:
            return self.voice.quote(line)
        who = HOLDERS[told["what"]].format(name=self.voice.quote(told["name"] or ""))
        return f"{who} ({size(int(told['size']))})"

    def _since(self, moment: str) -> str:
        passed = _seconds(moment, self.voice.now) if self.voice.now else None
        return f"since {self.voice.when(moment)}" if passed is None else f"for {span(passed)}"


def _seconds(moment: str, now: datetime) -> float | None:
    """Seconds from a moment until now; None for what is no time, or still to come."""
    try:
        passed = (now - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):
        return None
    return passed if passed >= 0 else None


def fragment(reason: Reason, voice: Voice = PLAIN) -> str:
    """Say a reason so that it fits after "because"."""
    return _Phrase(voice).format(CLAUSES[reason.code], **reason.params).replace(" (unknown)", "")


def sentence(reason: Reason, voice: Voice = PLAIN) -> str:
    """Say a reason in full, with what to do next where somebody has to do something."""
    clause = fragment(reason, voice)
    return " ".join(filter(None, (clause[:1].upper() + clause[1:] + ".", NEXT_STEPS.get(reason.code))))


def label(code: Code) -> str:
    """Name a reason in two or three words, to count objects by."""
    return LABELS.get(code) or code.replace("_", " ")


def size(count: int) -> str:
    """Write bytes in decimal units with three significant digits, always: ``412 MB``, ``6.00 MB``, ``17 B``.

    Fewer digits where they would do make a column in which ``6 MB`` seems less exact than ``6.40 MB``.
    """
    if count < 0:
        return f"-{size(-count)}"
    power = 0
    while power < len(UNITS) - 1 and count >= 999.5 * 1000**power:
        power += 1
    return f"{_digits(count, 1000**power)} {UNITS[power]}"


def _digits(count: int, unit: int) -> str:
    if unit == 1:
        return str(count)
    value = count / unit
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def bytes_range(count: Bytes) -> str:
    """Write a size that may be an interval: ``38.2 GB``, ``36.0 to 38.2 GB``, ``900 MB to 1.23 GB``."""
    low, high = size(count.low), size(count.high)
    if low == high:
        return high
    number, unit = low.split()
    return f"{number if high.endswith(' ' + unit) else low} to {high}"


def span(seconds: float) -> str:
    """Write a length of time with one unit, rounded down: ``45 s``, ``12 min``, ``5 h``, ``31 days``."""
    _, unit, name = next((row for row in SPANS if seconds >= row[0]), SPANS[-1])
    count = int(seconds // unit)
    return f"{count} {name}{'s' if name == 'day' else ''}"


def plural(noun: str) -> str:
    """Give more than one of a noun that needs no more than an s."""
    return f"{noun}s"


def amount(count: int, noun: str) -> str:
    """Count things: ``1 image``, ``3 images``, ``no images``."""
    return f"{f'{count:,}' if count else 'no'} {noun if count == 1 else plural(noun)}"


def objects(kind: Kind, count: int) -> str:
    """Count a plan's objects of one kind: ``12 stopped containers``."""
    return amount(count, NOUNS[kind])


def names_apart(objects: Iterable[Reference]) -> dict[Reference, str]:
    """The name of each object; of those that have the same one, the start of its id as well."""
    each = dict.fromkeys(objects)
    often = Counter((one.kind, one.name) for one in each)
    return {one: f"{one.name} {short(one.id)}" if often[one.kind, one.name] > 1 else one.name for one in each}


def listing(words: Iterable[str]) -> str:
    """Join words as one writes them: ``a``, ``a and b``, ``a, b and c``."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def short(digest: str) -> str:
    """Name a digest by its first twelve digits, as Docker does."""
    return digest.removeprefix("sha256:")[:12]
