"""Why an object stays or goes, in words that terminals and chats lay out as they like (pure)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from workers.contract import Explanation
from workers.wording import PLAIN_WORD, Voice, fragment, listing, short, size

SIZES = frozenset({"size", "written inside"})
TIMES = frozenset({"stopped", "built", "on this host since", "last used", "built upon", "created"})
# What the code itself says, beside names that somebody gave.
WORDS = frozenset({"state", "restart policy", "known from", "restorable", "driver", "type"})
NAME_IT = "Name an id, a name or a tag."


def verdict(one: Explanation, voice: Voice) -> str:
    """What becomes of it, with its id where its name is another: a volume has no id but its name."""
    id_ = "" if one.id == one.name else f" ({voice.quote(short(one.id))})"
    return f"{one.kind} {voice.quote(one.name)} {'stays' if one.keep else 'goes'}{id_}"


def because(one: Explanation, voice: Voice) -> Iterator[str]:
    """Every reason."""
    yield from (f"because {fragment(reason, voice)}" for reason in one.reasons)


def known(one: Explanation, voice: Voice) -> Iterator[tuple[str, str]]:
    """What is known of it, each with its name."""
    yield from ((name, _fact(name, value, voice)) for name, value in one.facts.items())


def unknown(host: str, text: str, nearest: Sequence[str]) -> str:
    """What is said where a text means nothing; whoever says it has quoted all of this."""
    alike = f"; most alike are {listing(nearest)}" if nearest else ""
    return f"nothing on {host} is called {text}{alike}"


def _fact(name: str, value: str | int, voice: Voice) -> str:
    if isinstance(value, int):
        return size(value) if name in SIZES else str(value)
    if name in TIMES and is_time(value):
        return voice.when(value)
    return value if name in WORDS and PLAIN_WORD.fullmatch(value) else voice.quote(value)


def is_time(text: str) -> bool:
    """Whether it is a time as facts are written."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
