"""Answers within a size that every carrier takes: what is left out of them is counted (pure)."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

from workers.contract import Explanation, ListedVolume, Names, ObjectExplanation, Value, VolumeUse
from workers.reasons import Reason

# Bytes; an engine that answers nonsense makes names as long as it likes.
ROOM = 48_000
LONGEST = 300
LONGEST_LIST = 400
MOST_REASONS = 10
MOST_USERS = 5
MOST_NAMES = 40

ValueT = TypeVar("ValueT", bound=Value)


def fitting(values: Sequence[ValueT]) -> tuple[ValueT, ...]:
    """As many from the front as there is room for."""
    ends = accumulate(len(value.model_dump_json().encode()) for value in values)
    return tuple(value for value, end in zip(values, ends, strict=False) if end <= ROOM)


def explanation(one: Explanation) -> ObjectExplanation:
    """One object with its first reasons and what is known of it."""
    return ObjectExplanation(
        kind=one.kind,
        id=clipped(one.id),
        name=clipped(one.name),
        keep=one.keep,
        reasons=tuple(map(clipped_reason, one.reasons[:MOST_REASONS])),
        facts={name: _fact(value) for name, value in one.facts.items()},
        more=max(0, len(one.reasons) - MOST_REASONS),
    )


def volume(one: VolumeUse) -> ListedVolume:
    """One volume with the first containers that mount it."""
    about = one.model_dump() | {
        "name": clipped(one.name),
        "users": tuple(map(clipped, one.users[:MOST_USERS])),
        "more": max(0, len(one.users) - MOST_USERS),
    }
    return ListedVolume.model_validate(about)


def names(texts: Iterable[str]) -> Names:
    """The first of many texts."""
    every = tuple(texts)
    return Names(first=tuple(map(clipped, every[:MOST_NAMES])), more=max(0, len(every) - MOST_NAMES))


def clipped(text: str, most: int = LONGEST) -> str:
    """A text of visible letters, shortened in the middle: names differ at both ends."""
    if len(text) > most:
        text = f"{text[: most // 2]}…{text[len(text) - most // 2 + 1 :]}"
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def clipped_reason(why: Reason) -> Reason:
    """A reason whose values are names, not stories."""
    return Reason(code=why.code, params={name: _short(value) for name, value in why.params.items()})


def _short(value: str | int) -> str | int:
    return clipped(value) if isinstance(value, str) else value


def _fact(value: str | int) -> str | int:
    """A list of names keeps whole ones, and counts the others."""
    if isinstance(value, int):
        return value
    if len(value) <= LONGEST_LIST:
        return clipped(value, LONGEST_LIST)
    every = value.split(", ")
    ends = accumulate(len(name) + len(", ") for name in every)
    kept = sum(end <= LONGEST_LIST for end in ends)
    left = f"{len(every) - kept:,} more"
    return clipped(f"{', '.join(every[:kept])} and {left}", 2 * LONGEST_LIST) if kept else clipped(value)
