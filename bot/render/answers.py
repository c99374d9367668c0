"""Short answers that only the asker sees: help, what was misunderstood, why a click did nothing."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from bot.access import Denied, Why
from bot.commands import UsageReply
from bot.consent import Consent
from bot.errors import AccessLost, SlackError
from bot.render.blocks import Message, code, context, date, listed, may, mention, message, prose, section
from bot.requests import Settled, Settlement
from bot.scopes import lacking
from workers.wording import listing

NOTHING_DONE = "This click did nothing."
NEW_PLAN = "`/prune preview` makes a new plan, `/prune restore` one of what comes back."
# Slack's words for a trigger that is used up: what was pressed or typed is too long ago.
TRIGGERS = ("expired_trigger_id", "exchanged_trigger_id")
NO_PLANS: Mapping[str, str] = MappingProxyType({})

HELP = """\
`/prune` opens a form to pick hosts and kinds
`/prune preview` what would go on every host, and what stays
`/prune preview web-1 db-*` the same on some hosts
`/prune preview --only images,build-cache` the same for some kinds: containers, images, networks, build-cache
`/prune execute web-1` asks for the confirmation at once
`/prune hosts` every host, and whether it answers; `/prune doctor` what the bot lacks, and what to do
`/prune status` what is under way in this channel; `/prune cancel` takes back your plans, `cancel web-1` any
`/prune history` past runs and restores, page by page: what came of each, who asked and who confirmed
`/prune history web-* by @ana since 7d` some of them, also `until`; a time is `12h`, `7d` or `2026-11-01`
`/prune restore web-1 3f2a app:2` what comes back of a run, and the confirmation; without a run, of the last
`/prune why web-1 app:2` why that stays or goes: an image, container, network, build cache record or volume
`/prune policy web-1` what is protected there, what may go when, and who may say so
`/prune volumes web-1` its volumes by size, age and last use, for review by hand
`/prune stop web-1` ends the run or restore there after the object in hand; without a host, every one
`/prune freeze web-1 db-* REASON` nothing is removed there until `/prune unfreeze web-1 db-*`
`/prune protect web-1 registry.example/app:* --for 30d` keeps images; `container:NAME` or `network:NAME` those
`/prune unprotect web-1 registry.example/app:*` lifts that; `/prune protections` shows all
Under a plan, boxes pick the hosts that go ahead; *Edit* leaves out kinds and objects, or keeps them for good.
Under a run or a restore, *Stop* ends it after the object in hand.
Where a service is worse after one, *Check Again* has the host look at it now; *Restore …* plans the way back.
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


def not_taken(why: str) -> Message:
    """An answer to a form that was handed in while Slack was asked, and had something wrong in it."""
    return said(f"Nothing of your form was taken: {prose(why)}", "Open it again to correct that.")


def already_settled(settlement: Settlement) -> Message:
    """An answer to a click that came late."""
    by = f" by {mention(settlement.by)}" if settlement.by else ""
    text = f"{DECIDED[settlement.how]}{by} {date(settlement.at)}. {NOTHING_DONE}"
    again = "" if settlement.how is Settled.CONFIRMED else NEW_PLAN
    return said(text, again)


def changed(seen: Mapping[str, str] = NO_PLANS, now: Mapping[str, str] = NO_PLANS) -> Message:
    """An answer to a click on plans that are no longer the ones drawn (S3), as digests by host."""
    told = " ".join([*(_differences(seen, now) if seen else ()), "Look at the message again, then decide."])
    return said(f"The plans changed after you saw them. {NOTHING_DONE}", told)


def _differences(seen: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    both = seen.keys() & now.keys()
    for what, hosts in (
        ("New since then", now.keys() - both),
        ("No longer there", seen.keys() - both),
        ("Another plan", {host for host in both if seen[host] != now[host]}),
    ):
        if hosts:
            yield f"{what}: {listed(sorted(hosts))}."
    if seen == now:
        yield "The plans are the same, and something else of them is left out."


def too_late_to_choose() -> Message:
    """An answer to a choice that came when the plans were decided already."""
    return said(
        "This was decided meanwhile, so your choice counts for nothing.", "Look at the message again."
    )


def form_not_opened(error: SlackError, mark: str) -> Message:
    """An answer where Slack showed no form."""
    then = "Press or type it again; if it stays so, look at the bot's log."
    if error.code in TRIGGERS:
        then = "Press or type it again: Slack gives the bot three seconds for that, and they were over."
    elif error.remedy:
        then = f"Whoever runs the bot has to mend that: {prose(error.remedy)}."
    return said(f"Slack did not open the form: {why(error)}. Nothing was begun.", then, mark=mark)


def not_told_in_time(mark: str) -> Message:
    """An answer where Slack did not say in time who somebody is."""
    what = "Slack did not say in time whether you may. Nothing was begun."
    return said(what, "Type it again in a minute.", mark=mark)


def waited_too_long() -> Message:
    """An answer to what Slack had to be asked about for too long."""
    return said(
        "This waited too long for Slack, so it did nothing.",
        "Look again, then press or type it once more; if it stays so, look at the bot's log.",
    )


def stopped_before() -> Message:
    """An answer to a press that still waited when somebody stopped all that ran on its hosts."""
    return said(
        f"A stop came while your press still waited for Slack. {NOTHING_DONE}",
        "The plan is still there: press again if it is to go on.",
    )


def timed_out(at: datetime) -> Message:
    """An answer to a click after the plan's time."""
    return said(f"This plan expired {date(at)}. {NOTHING_DONE}", NEW_PLAN)


def outdated() -> Message:
    """An answer to a button whose request is not known."""
    return said(f"This request is not known any more. {NOTHING_DONE}", NEW_PLAN)


def elsewhere(channel: str) -> Message:
    """An answer to a button of a request that was made in another channel."""
    return said(
        f"This request belongs to <#{channel}>. {NOTHING_DONE}", "Decide it where everybody can see it."
    )


def not_ours() -> Message:
    """An answer to a button that stands in a message which the bot did not post."""
    return said(
        f"This button does not stand where the bot put it. {NOTHING_DONE}",
        "Press the one under the plan in this channel, or type `/prune execute` again. Where you have not"
        " typed that, somebody else may write as the bot: tell whoever runs it.",
    )


def not_yet() -> Message:
    """An answer to a click before every host has answered."""
    return said(f"Not every host has answered yet. {NOTHING_DONE}", "The buttons come when all have.")


def not_allowed(denied: Denied, mark: str = "") -> Message:
    """An answer to somebody who may not, with who may; the mark where that is Slack's trouble."""
    return said(*denial(denied), mark=mark if denied.error else "")


def denial(denied: Denied) -> tuple[str, str]:
    """Why somebody may not, and what they can do."""
    return DENIALS[denied.why](denied)


def _no_rules(_: Denied) -> tuple[str, str]:
    return "Nobody may do anything here yet. Nothing was begun.", f"Whoever runs the bot {SETS_RULES}."


def _no_group(denied: Denied) -> tuple[str, str]:
    place = f" about {listing(denied.hosts)}" if denied.hosts else ""
    return f"No rule says anything{place}. Nothing was begun.", f"Whoever runs the bot {SETS_RULES}."


def _other_channel(denied: Denied) -> tuple[str, str]:
    channels = listed([f"<#{channel}>" for channel in denied.channels])
    what = f"for {listing(denied.hosts)} " if denied.hosts else ""
    return f"Safe Prune is not used {what}in this channel.", f"Ask in {channels}."


def _shared_channel(_: Denied) -> tuple[str, str]:
    return (
        "Other organisations are in this channel, so nothing is begun from here.",
        "Ask in another channel, or have this one named under shared_channels in the rules.",
    )


def _other_team(_: Denied) -> tuple[str, str]:
    return (
        "Safe Prune is for members of its own workspace.",
        "Somebody of another one is named in the rules with their team, like T0123/U0123.",
    )


def _guest(_: Denied) -> tuple[str, str]:
    return (
        "Safe Prune is not for guests of this workspace. Nothing was begun.",
        "Ask a member, or have yourself named under guests in the rules.",
    )


def _left(_: Denied) -> tuple[str, str]:
    return "This account is switched off, so it counts for nothing.", "Ask a member of the workspace."


def _nobody(_: Denied) -> tuple[str, str]:
    return "Nobody may prune yet. Nothing was begun.", f"Whoever runs the bot {SETS_RULES}."


def _not_named(denied: Denied) -> tuple[str, str]:
    return f"Only {may(denied.who)} may do this. Nothing was begun.", "Ask one of them."


def _not_alone(denied: Denied) -> tuple[str, str]:
    return (
        f"This takes two people, and you asked for it. {NOTHING_DONE}",
        f"Have another approver confirm it ({may(denied.who)}).",
    )


def _not_known(denied: Denied) -> tuple[str, str]:
    if "channel_not_found" in denied.error:
        return INVITE_ME
    return (
        f"Slack did not say whether you may ({prose(denied.error)}). Nothing was begun.",
        "Try again in a minute; if it stays so, `python -m bot doctor` says what is missing.",
    )


def _not_a_member(_: Denied) -> tuple[str, str]:
    return (
        "Safe Prune is used in private channels that you are not in.",
        "Have a member of one of them invite you.",
    )


SETS_RULES = "says who may, in PRUNE_CHANNELS and PRUNE_APPROVERS or in the file PRUNE_RULES"
INVITE_ME = "Safe Prune is not a member of this channel.", "Invite it with `/invite`, then ask again."
DENIALS = {
    Why.NO_RULES: _no_rules,
    Why.NO_GROUP: _no_group,
    Why.OTHER_CHANNEL: _other_channel,
    Why.SHARED_CHANNEL: _shared_channel,
    Why.OTHER_TEAM: _other_team,
    Why.GUEST: _guest,
    Why.LEFT: _left,
    Why.NOBODY: _nobody,
    Why.NOT_NAMED: _not_named,
    Why.NOT_ALONE: _not_alone,
    Why.NOT_KNOWN: _not_known,
    Why.NOT_A_MEMBER: _not_a_member,
}


def counted(consent: Consent) -> Message:
    """An answer to a press that counts, where more of them are needed."""
    left = consent.needed - len(consent.given)
    approved = {name for person in consent.given for name in (person.user, person.spelled)}
    others = may([one for one in consent.who if one not in approved])
    return said(
        f"Your approval counts: {len(consent.given)} of {consent.needed}. Nothing is removed yet.",
        f"It begins when {left} more {'approves' if left == 1 else 'approve'} ({others}).",
    )


def queue_unreachable() -> Message:
    """An answer while the hosts' queues cannot be reached."""
    return said(
        "The queue (Redis) does not answer, so no host was asked. Nothing was begun.",
        "It is tried again by itself; ask again in a minute, or look at Redis.",
    )


def why(error: SlackError) -> str:
    """What Slack has against it."""
    match error:
        case AccessLost(scopes=()):
            return f"it does not take the bot's token any more ({prose(error.code)})"
        case AccessLost():
            return f"the app lacks the scope {prose(listing(map(lacking, error.scopes)))}"
    return prose(str(error))


def said(what: str, then: str = "", *, mark: str = "") -> Message:
    """A plain answer: what is so, what to do, and by which mark the bot's log tells more."""
    more = [context(f"In the bot's log: {code(mark)}")] if mark else []
    return message(what, [*([section(then)] if then else []), *more])
