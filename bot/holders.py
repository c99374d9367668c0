"""Whose run holds a host, by what is recorded of all open requests (pure)."""

from collections.abc import Iterable, Mapping

from bot.requests import Contact, Holder, HostPart, Request, Stage

EXECUTE = "execute"
# What waits behind a run: to plan, or to begin; or has waited too long for that.
WAITING = (Stage.ASKED, Stage.ORDERED, Stage.SILENT)
Holders = Mapping[str, Holder]


def holders(requests: Iterable[Request]) -> Holders:
    """The run of each host that is under way, as far as it has told."""
    return {
        part.host: Holder(request.approvers, part.since, part.plan_digest)
        for request in requests
        for part in request.parts
        if part.ordered and part.stage is Stage.EXECUTING
    }


def holder_of(contact: Contact, held: Holders) -> Holder | None:
    """Who holds a host that says it is at a run; of one that has not told of its run at least since when."""
    return held.get(contact.host, Holder(since=contact.busy_since)) if contact.busy == EXECUTE else None


def waiting(part: HostPart, contact: Contact, held: Holders) -> Holder | None:
    """The run of another request that a host is at while something else is expected of it."""
    if part.stage is Stage.ORDERED and part.host not in held:
        # What it is at may be this very order.
        return None
    return holder_of(contact, held) if part.stage in WAITING else None
