"""A host that somebody's run holds: whose, since when, and what ends it."""

from collections.abc import Mapping

from bot.render.blocks import code, date, mention
from bot.requests import Holder
from workers.wording import listing, short

NAMED = 3


def being_pruned(holder: Holder) -> str:
    """A clause that follows the host's name."""
    by = f" by {listing([mention(one) for one in holder.by])}" if holder.by else ""
    since = f" since {date(holder.since)}" if holder.since else ""
    plan = f" (plan {code(short(holder.plan_digest))})" if holder.plan_digest else ""
    return f"is being pruned{by}{since}{plan}"


def way_out(host: str) -> str:
    """What ends it before its time."""
    return f"`/prune stop {host}` ends that after the object in hand."


def waits_for(held: Mapping[str, Holder]) -> str:
    """Why the plans of some hosts take longer; empty where none does."""
    lines = [
        f"{host} {being_pruned(holder)}: its plan comes when that is over. {way_out(host)}"
        for host, holder in list(held.items())[:NAMED]
    ]
    more = [f"{len(held) - NAMED} more are being pruned as well."] if len(held) > NAMED else []
    return "\n".join([*lines, *more])
