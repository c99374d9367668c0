"""Short answers that only the asker sees: help, what was misunderstood, why a click did nothing."""

from datetime import datetime

from bot.access import Denied, Why
from bot.commands import UsageReply
from bot.render.blocks import Message, date, mention, message, prose, section
from bot.requests import Settled, Settlement
from workers.wording import listing

MENTIONS = 10
NOTHING_DONE = "This click did nothing."

HELP = """\
`/prune preview` what would go on every host, and what stays
`/prune preview web-1 db-*` the same on some hosts
`/prune preview --only images,build-cache` the same for some kinds: containers, images, networks, build-cache
`/prune execute web-1` asks for the confirmation at once
`/prune hosts` every host, and whether it answers
`/prune history web-1` what was done, by whom, how much it freed
Nothing is removed before an approver presses the button under a plan. Volumes are never removed."""

DECIDED = {
    Settled.CONFIRMED: "Already confirmed",
    Settled.CANCELLED: "Already cancelled",
    Settled.EXPIRED: "This plan timed out",
    Settled.SUPERSEDED: "A newer plan has replaced this one",
}


def help_text() -> Message:
    """What can be typed."""
    return message("Safe Prune frees disk space on Docker hosts, never what is needed", [section(HELP)])


def usage(reply: UsageReply) -> Message:
    """An answer to what was not understood."""
    return said(prose(reply.text), "Nothing was begun. `/prune help` shows what can be typed.")


def already_settled(settlement: Settlement) -> Message:
    """An answer to a click that came late."""
    by = f" by {mention(settlement.by)}" if settlement.by else ""
    text = f"{DECIDED[settlement.how]}{by} {date(settlement.at)}. {NOTHING_DONE}"
    again = "" if settlement.how is Settled.CONFIRMED else "`/prune preview` makes a new plan."
    return said(text, again)


def changed() -> Message:
    """An answer to a click on plans that are no longer the ones drawn (S3)."""
    return said(
        f"The plans changed after you saw them. {NOTHING_DONE}", "Look at the message again, then decide."
    )


def timed_out(at: datetime) -> Message:
    """An answer to a click after the plan's time."""
    return said(f"This plan expired {date(at)}. {NOTHING_DONE}", "`/prune preview` makes a new plan.")


def outdated() -> Message:
    """An answer to a button whose request is not known."""
    return said(f"This request is not known any more. {NOTHING_DONE}", "`/prune preview` makes a new plan.")


def not_yet() -> Message:
    """An answer to a click before every host has answered."""
    return said(f"Not every host has answered yet. {NOTHING_DONE}", "The buttons come when all have.")


def not_allowed(denied: Denied) -> Message:
    """An answer to somebody who may not, with who may."""
    return said(*DENIALS[denied.why](denied))


def _no_channels(_: Denied) -> tuple[str, str]:
    return "No channel is set up for Safe Prune.", "Whoever runs the bot names some in PRUNE_CHANNELS."


def _other_channel(denied: Denied) -> tuple[str, str]:
    named = _listed([f"<#{channel}>" for channel in denied.channels])
    return "Safe Prune is not used in this channel.", f"Ask in {named}."


def _other_team(_: Denied) -> tuple[str, str]:
    return (
        "Safe Prune is for members of its own workspace.",
        "An approver of another one is named with its team in PRUNE_APPROVERS.",
    )


def _no_approvers(_: Denied) -> tuple[str, str]:
    return "Nobody may prune yet. Nothing was begun.", "Whoever runs the bot names people in PRUNE_APPROVERS."


def _not_approver(denied: Denied) -> tuple[str, str]:
    named = _listed([mention(approver) for approver in denied.approvers])
    return f"Only {named} may do this. Nothing was begun.", "Ask one of them to press the button."


def _not_alone(denied: Denied) -> tuple[str, str]:
    named = _listed([mention(approver) for approver in denied.approvers])
    return (
        f"This plan removes an unusual share of a host's images, so it takes two people. {NOTHING_DONE}",
        f"You asked for it; have another approver confirm it ({named}).",
    )


DENIALS = {
    Why.NO_CHANNELS: _no_channels,
    Why.OTHER_CHANNEL: _other_channel,
    Why.OTHER_TEAM: _other_team,
    Why.NO_APPROVERS: _no_approvers,
    Why.NOT_APPROVER: _not_approver,
    Why.NOT_ALONE: _not_alone,
}


def queue_unreachable() -> Message:
    """An answer while the hosts' queues cannot be reached."""
    return said(
        "The queue (Redis) does not answer, so no host was asked. Nothing was begun.",
        "It is tried again by itself; ask again in a minute, or look at Redis.",
    )


def invite_me() -> Message:
    """An answer where the bot cannot write."""
    return said("Safe Prune is not a member of this channel.", "Invite it, then ask again.")


def said(what: str, then: str = "") -> Message:
    """A plain answer: what is so, and what to do."""
    return message(what, [section(then)] if then else [])


def _listed(names: list[str]) -> str:
    more = [f"{len(names) - MENTIONS} more"] if len(names) > MENTIONS else []
    return listing([*names[:MENTIONS], *more])
