"""What people ask hosts about themselves: an object, their policy, volumes, services after a run (pure)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.copied import SEVERAL, unmarked
from bot.decisions import UsageReply
from workers.contract import Person, Topic
from workers.reasons import Reason


@dataclass(frozen=True)
class Ask:
    """Ask one host about itself, or about one object on it."""

    topic: Topic
    host: str
    object: str = ""


class Said(StrEnum):
    """What who asked was told besides that the host is asked."""

    NOTHING = ""
    WAITING = "waiting"
    ALL = "all"


@dataclass(frozen=True)
class Inquiry:
    """A recorded question; `error`: why it is not on its host's queue, `given_up`: and never will be.

    `thread`: where the channel reads the answer; empty where only who asked does.
    """

    id: str
    topic: Topic
    host: str
    object: str
    at: datetime
    by: Person
    channel: str
    response_url: str = ""
    sent_at: datetime | None = None
    error: str = ""
    given_up: bool = False
    said: Said = Said.NOTHING
    thread: str = ""

    def is_same(self, other: "Inquiry") -> bool:
        """Whether one answer serves both; what is given up waits for none."""
        about = (self.topic, self.host, self.object, self.thread)
        return not self.given_up and about == (other.topic, other.host, other.object, other.thread)


class Why(StrEnum):
    """What keeps an answer away."""

    SILENT = "silent"  # the host is not heard of
    SLOW = "slow"  # it is, and has not answered in time
    NOT_SENT = "not_sent"
    LINE_DOWN = "line_down"
    CANNOT = "cannot"  # the host says why
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class Unanswered:
    """Why there is no answer, or none yet: the queue's `error`, or the `reasons` that the host gives."""

    why: Why
    last_seen: datetime | None = None
    error: str = ""
    reasons: tuple[Reason, ...] = ()


LONGEST_OBJECT = 512
RUN = re.compile("[0-9a-f]{4,64}")

WHY_WHAT = "Say where and what: /prune why web-1 app:2, by an id or its beginning, a name or a tag."
ONE_HOST = "/prune {verb} takes one host: /prune {verb} web-1{more}."
TOO_LONG = f"An object's name has at most {LONGEST_OBJECT} characters."
VOLUMES = "Volumes are never removed. /prune volumes web-1 lists those of a host, for review by hand."


def read(text: str) -> Ask | UsageReply | None:
    """Read a line as it was typed; None where its first word asks nothing."""
    verb, _, rest = text.strip().partition(" ")
    reader = READERS.get(verb.lower())
    return reader(rest.split()) if reader else None


def pressed(value: str) -> Ask | None:
    """What a button asks that has a host look at its services again, ``HOST RUN``; None for other values."""
    host, _, run = value.partition(" ")
    is_ours = host and RUN.fullmatch(run) and not SEVERAL.search(host)
    return Ask(Topic.SERVICES, host, run) if is_ours else None


def _why(words: Sequence[str]) -> Ask | UsageReply:
    if len(words) < 2:
        return UsageReply(WHY_WHAT)
    name = unmarked(" ".join(words[1:]))
    if not name:
        return UsageReply(WHY_WHAT)
    if len(name) > LONGEST_OBJECT:
        return UsageReply(TOO_LONG)
    return _ask(Topic.OBJECT, "why", words[:1], name)


def _policy(words: Sequence[str]) -> Ask | UsageReply:
    return _ask(Topic.POLICY, "policy", words)


def _volumes(words: Sequence[str]) -> Ask | UsageReply:
    return _ask(Topic.VOLUMES, "volumes", words) if words else UsageReply(VOLUMES)


def _ask(topic: Topic, verb: str, words: Sequence[str], name: str = "") -> Ask | UsageReply:
    """One host, named in full: each answer is as long as a message."""
    hosts = [unmarked(word).lower() for word in words]
    if len(hosts) != 1 or not hosts[0] or hosts[0].startswith("-") or SEVERAL.search(hosts[0]):
        return UsageReply(ONE_HOST.format(verb=verb, more=" app:2" if topic is Topic.OBJECT else ""))
    return Ask(topic, hosts[0], name)


READERS: dict[str, Callable[[Sequence[str]], Ask | UsageReply]] = {
    "why": _why,
    "policy": _policy,
    "volumes": _volumes,
}
