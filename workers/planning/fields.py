"""One object of an engine's answer, read field by field (pure).

An engine may answer nonsense. What cannot be read is noted under its path and reads as nothing, so that a bad
field makes one unreadable object, with a name and a cause, and never a traceback (S4).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self, TypeGuard

# Before everything else; the zero time of engines is in the same year.
NEVER = datetime(1, 1, 1, tzinfo=UTC)
# What a ledger and JSON elsewhere can hold.
LARGEST = 2**63 - 1
SHOWN = 40


class Fields:
    """The fields of one object; those inside it note into the same list."""

    def __init__(self, raw: object, *, path: str = "", unread: list[str] | None = None) -> None:
        self.unread: list[str] = [] if unread is None else unread
        self._path = path
        self._raw: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            self.note("", raw, "an object")

    @property
    def what(self) -> str:
        """What could not be read, in a line."""
        return "; ".join(self.unread)

    def note(self, key: str, found: object, expected: str) -> None:
        """Note that a field is not what it should be."""
        place = ".".join(part for part in (self._path, key) if part)
        self.unread.append(f"{place + ': ' if place else ''}{_shown(found)} instead of {expected}")

    def require(self, *keys: str) -> None:
        """Note fields that every engine sends, even empty, and this one did not."""
        for key in keys:
            if key not in self._raw:
                self.note(key, None, "a value")

    def text(self, key: str, *, needed: bool = False) -> str:
        """A text; empty where there is none, which is noted where one is needed."""
        value = self._raw.get(key, None if needed else "")
        if not is_clean(value) or (needed and not value):
            self.note(key, value, "a text")
            return ""
        return str(value)

    def id(self, key: str, shape: re.Pattern[str], *, needed: bool = False) -> str:
        """An id; one of another shape is no object's."""
        value = self.text(key, needed=needed)
        if value and not shape.fullmatch(value):
            self.note(key, value, "an id")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; engines write null for an empty one."""
        return tuple(str(value) for value in self._list(key, "texts") if self._is_text(key, value))

    def _is_text(self, key: str, value: object) -> bool:
        if not is_clean(value):
            self.note(key, value, "a text")
        return is_clean(value)

    def labels(self, key: str) -> Mapping[str, str]:
        """Texts by name; engines write null for none."""
        value = self._raw.get(key)
        if value is None:
            return {}
        if isinstance(value, Mapping) and all(is_clean(text) for pair in value.items() for text in pair):
            return value
        self.note(key, value, "texts by name")
        return {}

    def number(self, key: str, *, least: int = 0) -> int | None:
        """A number of bytes, objects and the like; None where there is none."""
        value = self._raw.get(key)
        if key not in self._raw:
            return None
        if is_number(value) and least <= value <= LARGEST:
            return value
        self.note(key, value, f"a number from {least} on")
        return None

    def flag(self, key: str, *, unknown: bool = False) -> bool:
        """Yes or no; `unknown` where it is not said."""
        value = self._raw.get(key)
        if isinstance(value, bool):
            return value
        if key in self._raw:
            self.note(key, value, "true or false")
        return unknown

    def moment(self, key: str, *, zero: bool = True) -> datetime | None:
        """A time; None where there is none, which some engines write as the year 1 (`zero`)."""
        value = self._raw.get(key)
        found = moment(value)
        none = value == "" or (isinstance(value, str) and value.startswith("0001-01-01"))
        is_none = value is None or (zero and none)
        if found is None and not is_none:
            self.note(key, value, "a time")
        return found

    def inside(self, key: str, *, needed: bool = False) -> Self:
        """The fields of an object inside this one; none of them where it is not there."""
        value = self._raw.get(key)
        return self._inner(key, {} if value is None and not needed else value)

    def each(self, key: str) -> tuple[Self, ...]:
        """The objects of a list inside this one."""
        return tuple(self._inner(key, value) for value in self._list(key, "objects"))

    def named(self, key: str, *, needed: bool = False) -> dict[str, Self]:
        """The objects inside an object, by their names; null stands for one without fields."""
        inner = self.inside(key, needed=needed)
        return {
            str(name): inner._inner(ascii(name)[1:-1], {} if value is None else value)
            for name, value in inner._raw.items()
            if inner._is_text("", name)
        }

    def _list(self, key: str, of: str) -> list[object]:
        value = self._raw.get(key)
        if value is None or isinstance(value, list):
            return value or []
        self.note(key, value, f"a list of {of}")
        return []

    def _inner(self, key: str, value: object) -> Self:
        place = ".".join(part for part in (self._path, key) if part)
        return type(self)(value, path=place, unread=self.unread)


def is_clean(value: object) -> TypeGuard[str]:
    """Whether it is a text that can be written down: JSON can carry halves of characters, UTF-8 cannot."""
    return isinstance(value, str) and (
        value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    )


def is_number(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; to Python true is one as well."""
    return isinstance(value, int) and not isinstance(value, bool)


def moment(text: object) -> datetime | None:
    """Read a time as engines write it; their zero (year 1) and what is unreadable mean unknown."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        return None if aware.year <= NEVER.year else aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def epoch(seconds: object) -> datetime | None:
    """Read a time in seconds since 1970; zero and less, and what no calendar holds, mean unknown."""
    if not isinstance(seconds, int) or seconds <= 0 or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def size_in(raw: object, key: str) -> int:
    """A size for the accounting alone: what the engine did not compute, or garbled, counts as nothing."""
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if is_number(value) and 0 <= value <= LARGEST else 0


def _shown(found: object) -> str:
    """What was found, short enough for a sentence and in letters that can be written down."""
    match found:
        case None:
            return "nothing"
        case Mapping():
            return "an object"
        case list():
            return "a list"
        case bool():
            return str(found).lower()
    text = ascii(found)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
