"""What the form of a bare `/prune` says (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.commands import Execute, Preview
from workers.contract import Kind

START_HOSTS, START_KINDS, START_VERB = "start_hosts", "start_kinds", "start_verb"
PREVIEW, EXECUTE = "preview", "execute"
NO_HOST = "To execute, name the hosts."
NO_KIND = "Tick at least one kind; nothing else would be looked at."


@dataclass(frozen=True)
class Started:
    """Where a form was asked for; it travels with the form."""

    channel: str
    response_url: str


STARTED = TypeAdapter(Started)


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of a form."""

    field: str
    text: str


def command_of(values: Mapping[str, Sequence[str]]) -> Preview | Execute | Fault:
    """The command that somebody would have typed; all kinds ticked mean what each policy allows."""
    hosts, ticked = tuple(values.get(START_HOSTS, ())), set(values.get(START_KINDS, ()))
    kinds = tuple(kind for kind in Kind if kind in ticked)
    if not kinds:
        return Fault(START_KINDS, NO_KIND)
    only = None if len(kinds) == len(Kind) else kinds
    if EXECUTE not in values.get(START_VERB, ()):
        return Preview(hosts, only)
    return Execute(hosts, only) if hosts else Fault(START_HOSTS, NO_HOST)
