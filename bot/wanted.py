"""What people want back: objects of a run on one host, read from what they typed (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.copied import SEVERAL, unmarked
from bot.decisions import UsageReply
from workers.contract import LONGEST_NAME, MOST_OBJECTS


@dataclass(frozen=True)
class Wanted:
    """A run by the start of its id, empty for the last one; and objects of it, none for all of them."""

    run: str = ""
    objects: tuple[str, ...] = ()

    def words(self, host: str) -> str:
        """What somebody types to ask for the same again."""
        of = self.run or (LAST if self.objects and _is_run(self.objects[0]) else "")
        return " ".join(["/prune restore", host, *([of] if of else []), *self.objects])


@dataclass(frozen=True)
class Restore:
    """Ask a host what would come back; without a host, which runs there are."""

    host: str = ""
    wanted: Wanted = Wanted()


# An order's id or a plan's digest, or how one of them begins.
RUN = re.compile(r"(?:sha256:)?[0-9a-f]{4,64}")
LAST = "last"

ONE_HOST = "/prune restore takes one host, then a run and objects of it: /prune restore web-1 3f2a app:2."
NO_OPTION = "/prune restore takes no option. Objects stand after the host and the run: {example}"
EXAMPLE = "/prune restore web-1 3f2a app:2."
TOO_MANY = f"At most {MOST_OBJECTS} objects can be named at once; without any, all of the run come back."
TOO_LONG = f"An object's name has at most {LONGEST_NAME} characters."


def read(text: str) -> Restore | UsageReply:
    """Read a line as it was typed, from its first word on."""
    words = [word for word in map(unmarked, text.split()[1:]) if word]
    if not words:
        return Restore()
    host, *rest = words
    if host.startswith("-") or SEVERAL.search(host):
        return UsageReply(ONE_HOST)
    run, objects = _parted(rest)
    return _refusal(objects) or Restore(host.lower(), Wanted(run, tuple(dict.fromkeys(objects))))


def _parted(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The run, where the first word looks like one or says that it is the last; what follows are objects."""
    first = words[0].lower() if words else ""
    if first == LAST:
        return "", words[1:]
    return (first, words[1:]) if _is_run(first) else ("", words)


def _is_run(word: str) -> bool:
    """Whether a first word is taken for a run; an object called so stands behind one, or behind `last`."""
    return word == LAST or RUN.fullmatch(word) is not None


def _refusal(objects: Sequence[str]) -> UsageReply | None:
    if any(name.startswith("--") for name in objects):
        return UsageReply(NO_OPTION.format(example=EXAMPLE))
    if len(objects) > MOST_OBJECTS:
        return UsageReply(TOO_MANY)
    return UsageReply(TOO_LONG) if any(len(name) > LONGEST_NAME for name in objects) else None
