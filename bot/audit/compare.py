"""The bot's copy against a host's own: what one of the two says and the other does not (pure).

What is compared was written down twice, by two machines: what the bot decided and sent against what the host
consumed, and what the host told against what its ledger holds. Neither is ever compared with itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from bot.acts import Act, What
from bot.audit import numbering, runs
from bot.audit.findings import Finding, Found, finding, ranges
from bot.audit.own import Own
from workers.audit_lines import HostCopy, RefusalLine

Refusal = tuple[str, tuple[str, ...]]


def compare(own: Own, copies: Sequence[HostCopy]) -> tuple[Finding, ...]:
    """Compare all that can be; a host of which there is no copy is said to be not compared."""
    given = dict.fromkeys(copy.head.host for copy in copies)
    known = {*own.hosts, *(heard.host for heard in own.heard)}
    parts = [_host(own, host, [c for c in copies if c.head.host == host], known) for host in given]
    expected = sorted({*known, *_ordered(own.acts)})
    missing = (finding(Found.NO_FILE, host) for host in expected if host not in given)
    return (*_acts_missing(own.acts), *chain(*parts), *missing)


def _ordered(acts: Sequence[Act]) -> Iterator[str]:
    """The hosts that were sent orders, also those sent away since."""
    return (act.host for act in acts if act.what in (What.ORDERED, What.RESTORE_ORDERED))


def _acts_missing(acts: Sequence[Act]) -> Iterator[Finding]:
    """Acts are numbered without a gap, so one that somebody took out leaves a hole."""
    numbers = {act.number for act in acts}
    if lost := set(range(1, max(numbers, default=0) + 1)) - numbers:
        yield finding(Found.ACTS_MISSING, "", numbers=ranges(lost))


def _host(own: Own, host: str, copies: Sequence[HostCopy], known: set[str]) -> Iterator[Finding]:
    if host not in known:
        yield finding(Found.UNKNOWN_HOST, host)
        return
    yield from numbering.differences(own.heard, host, copies)
    yield from runs.differences(own, host, runs.runs(copies))
    yield from _restores(own, host, copies)
    yield from _refusals(own, host, copies)
    yield from _standing(own, host, copies)


def _restores(own: Own, host: str, copies: Sequence[HostCopy]) -> Iterator[Finding]:
    """An older worker's copy says nothing of restores, so what it lacks proves nothing."""
    if all(copy.tells_of_restores for copy in copies):
        yield from runs.differences(own, host, runs.restores(copies))
    elif runs.has_restores(own, host):
        yield finding(Found.RESTORES_NOT_TOLD, host)


def _refusals(own: Own, host: str, copies: Sequence[HostCopy]) -> Iterator[Finding]:
    theirs = [line for copy in copies for line in copy.refusals]
    sealed = Counter(_theirs(line) for line in theirs if line.order_id and not line.is_local)
    ours = Counter(_ours(act) for act in told(own, What.REFUSED, host, copies))
    for order, codes in (sealed - ours).elements():
        yield finding(Found.REFUSAL_NOT_HERE, host, order=order, codes=", ".join(codes))
    yield from _not_there(host, (ours - sealed).elements(), dropped=_dropped(copies))
    yield from _of_others(host, theirs)


def told(own: Own, what: What, host: str, copies: Sequence[HostCopy]) -> Iterator[Act]:
    """What of this the host told before its copy was written, by its own clock."""
    written = max(copy.head.exported_at for copy in copies)
    for act in (act for act in own.acts if act.what == what and act.host == host):
        if datetime.fromisoformat(str(act.detail["told_at"])) <= written:
            yield act


def _not_there(host: str, refusals: Iterable[Refusal], *, dropped: int) -> Iterator[Finding]:
    """A host keeps its last ones only, so that being refused without end does not fill its disk."""
    lost = list(refusals)
    if dropped and lost:
        yield finding(Found.REFUSALS_DROPPED, host, count=dropped)
        return
    for order, codes in lost:
        yield finding(Found.REFUSAL_NOT_THERE, host, order=order, codes=", ".join(codes))


def _dropped(copies: Sequence[HostCopy]) -> int:
    return sum(min((line.number for line in copy.refusals), default=1) - 1 for copy in copies)


def _of_others(host: str, refusals: Sequence[RefusalLine]) -> Iterator[Finding]:
    for line in refusals:
        if line.is_local:
            codes = ", ".join(why.code for why in line.reasons)
            yield finding(Found.REFUSED_AT_THE_HOST, host, who=line.requester, codes=codes)
    if nobodys := sum(not line.order_id for line in refusals):
        yield finding(Found.OF_NOBODY, host, count=nobodys)


def _standing(own: Own, host: str, copies: Sequence[HostCopy]) -> Iterator[Finding]:
    lines = (line for copy in copies for line in copy.standing)
    theirs = {line.request_id: f"{line.type} by {line.decided_by}" for line in lines}
    acts = told(own, What.TAKEN, host, copies)
    ours = {act.request_id: f"{act.detail.get('type')} by {act.detail.get('decided_by')}" for act in acts}
    for request in sorted({*ours, *theirs}):
        if request not in ours:
            yield finding(Found.STANDING_NOT_HERE, host, what=theirs[request])
        elif request not in theirs:
            yield finding(Found.STANDING_NOT_THERE, host, what=ours[request])
        elif ours[request] != theirs[request]:
            said = {"ours": ours[request], "theirs": theirs[request]}
            yield finding(Found.OTHER_STANDING, host, request=request, **said)


def _theirs(line: RefusalLine) -> Refusal:
    return line.order_id, tuple(str(why.code) for why in line.reasons)


def _ours(act: Act) -> Refusal:
    codes = act.detail.get("reasons")
    return act.order_id, tuple(map(str, codes)) if isinstance(codes, list) else ()
