"""Events by their numbers: none may be missing in between, and none may be known to one side only (pure)."""

from collections.abc import Iterator, Sequence

from bot.audit.findings import Finding, Found, finding, ranges
from bot.audit.own import Heard
from workers.audit_lines import HostCopy


def differences(heard: Sequence[Heard], host: str, copies: Sequence[HostCopy]) -> Iterator[Finding]:
    """Compare each numbering that a host has used with what the bot has recorded of it."""
    own = [event for event in heard if event.host == host]
    known = {event.ledger for event in own}
    given = {copy.head.ledger for copy in copies}
    for copy in copies:
        ledger, last = copy.head.ledger, copy.events.last
        if ledger not in known and known and last:
            yield finding(Found.OTHER_LEDGER, host, ledger=ledger, known=", ".join(sorted(known)))
        yield from _one(host, [event for event in own if event.ledger == ledger], copy)
    for ledger in sorted(known - given):
        count = sum(event.ledger == ledger for event in own)
        yield finding(Found.LEDGER_NOT_GIVEN, host, ledger=ledger, events=count)


def _one(host: str, own: Sequence[Heard], copy: HostCopy) -> Iterator[Finding]:
    last, here = copy.events.last, {event.seq for event in own}
    waiting = set(copy.events.waiting) - here
    if missing := set(range(1, last + 1)) - here - waiting:
        yield finding(Found.EVENTS_MISSING, host, numbers=ranges(missing))
    if waiting:
        yield finding(Found.WAITING, host, count=len(waiting))
    written = copy.head.exported_at
    beyond = {event.seq for event in own if event.seq > last and not (event.at and event.at > written)}
    if beyond:
        yield finding(Found.EVENTS_NOT_THERE, host, numbers=ranges(beyond), last=last)
