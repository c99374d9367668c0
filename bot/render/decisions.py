"""What came of a decision about hosts: which hosts have it, which not yet, and what is in force."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.decisions import Decided, State, Verb
from bot.render.answers import said
from bot.render.blocks import (
    SECTION,
    TEXT_BUDGET,
    Message,
    code,
    context,
    date,
    mention,
    message,
    paragraphs,
    prose,
    slack_voice,
)
from bot.requests import Halt
from workers.contract import Kind
from workers.wording import amount, listing, sentence

NAMED = 8
# What the title and the reason may take besides is far less.
ROOM = TEXT_BUDGET - SECTION
DOING = {
    Verb.STOP: "Stopping what runs on {hosts}.",
    Verb.FREEZE: "Freezing {hosts}. Until each has said that it keeps to that, no order is sent there.",
    Verb.UNFREEZE: "Unfreezing {hosts}.",
    Verb.PROTECT: "Protecting {what} on {hosts}.",
    Verb.UNPROTECT: "Lifting the protection of {what} on {hosts}.",
}
DONE = {
    Verb.STOP: "{by} stopped what ran on {hosts}",
    Verb.FREEZE: "{by} froze {hosts}: nothing is removed there until it is unfrozen",
    Verb.UNFREEZE: "{by} unfroze {hosts}",
    Verb.PROTECT: "{by} protected {what} on {hosts}",
    Verb.UNPROTECT: "{by} lifted the protection of {what} on {hosts}",
}
ASKED = {
    Verb.STOP: "{by} asked to stop what runs on {hosts}; it was refused",
    Verb.FREEZE: "{by} asked to freeze {hosts}; it was refused",
    Verb.UNFREEZE: "{by} asked to unfreeze {hosts}; nothing was changed",
    Verb.PROTECT: "{by} asked to protect {what} on {hosts}; it was refused",
    Verb.UNPROTECT: "{by} asked to lift the protection of {what} on {hosts}; it was refused",
}
STATES = {
    State.OPEN: "not yet: nothing is heard of it from {hosts}; it is sent again until it is there",
    State.KEPT: "{hosts}: done",
    State.NOT_FROZEN: "{hosts}: not frozen before, so nothing changed",
    State.ENDED: "{hosts}: it is over",
    State.OVERTAKEN: "{hosts}: something else was decided since",
    State.LAPSED: "{hosts}: nobody heard of it in time, so what became of it is not known",
    State.DISMISSED: "{hosts}: sent away",
}
UNDONE = frozenset({State.NOT_FROZEN, State.REFUSED})
NO_RUN = "Nothing is under way or ordered{where}."
TOLD_THEN = "The channel is told when {they} it."


def deciding(decided: Sequence[Decided]) -> Message:
    """What the person who decides reads at once."""
    first = decided[0]
    text = DOING[first.verb].format(hosts=_hosts(decided), what=_what(first))
    return said(text, TOLD_THEN.format(they="the host has" if len(decided) == 1 else "all of them have"))


def decision(decided: Sequence[Decided]) -> Message:
    """What the channel reads of a decision: the decision, why, and how far it has come at each host."""
    first = decided[0]
    done = [one for one in decided if one.state not in UNDONE]
    title = (DONE if done else ASKED)[first.verb].format(
        by=mention(first.by), hosts=_hosts(done or decided), what=_what(first)
    )
    lines = [_line(state, [one for one in decided if one.state is state]) for state in State]
    lines += [f"{code(one.host)} refused: {_refusal(one)}" for one in decided if one.state is State.REFUSED]
    why = [context(reason)] if (reason := prose(first.why)) else []
    told = paragraphs(list(filter(None, lines)), room=ROOM, more=_more_refused)
    return message(f"{title}.", [*why, *told])


def protections(found: Iterable[Decided], now: datetime) -> Message:
    """What is protected from Slack, with who said so, until when, and whether the host has it."""
    kept = [one for one in found if one.verb is Verb.PROTECT and (one.until is None or now < one.until)]
    lines = [_protection(one) for one in kept]
    if not lines:
        return said(
            "Nothing is protected from Slack.", "What a host's policy file protects is named in its previews."
        )
    title = "Protected from Slack, beside what each policy protects"
    return message(title, paragraphs(lines, room=ROOM, more=_more_protected))


def _more_protected(left: int) -> str:
    return f"+{left} more; /prune protections HOST shows those of one host."


def _more_refused(left: int) -> str:
    return f"+{amount(left, 'more host')}."


def nothing_runs(hosts: Sequence[str]) -> Message:
    """There is nothing to stop."""
    return said(NO_RUN.format(where=f" on {listing(map(code, hosts))}" if hosts else ""))


def already_stopped(halt: Halt) -> Message:
    """It was said before."""
    return said(f"{mention(halt.by)} stopped it {date(halt.at)}; it ends as soon as no object is in hand.")


def not_protected(what: str, hosts: Sequence[str]) -> Message:
    """There is no such protection to lift."""
    return said(
        f"No protection from Slack reads {code(what)} on {listing(map(code, hosts))}. Nothing was begun.",
        "What a host's policy file protects can only be changed there.",
    )


def _line(state: State, decided: Sequence[Decided]) -> str:
    return STATES[state].format(hosts=_hosts(decided)) if decided and state in STATES else ""


def _refusal(one: Decided) -> str:
    return " ".join(sentence(why, slack_voice(one.at)) for why in one.reasons)


def _protection(one: Decided) -> str:
    until = date(one.until) if one.until else "it is lifted"
    waiting = "" if one.state is State.KEPT else ", which it has not said yet that it keeps to"
    return f"{code(one.host)}: {_what(one)} by {mention(one.by)} until {until}{waiting}"


def _what(one: Decided) -> str:
    kind = "" if one.kind is Kind.IMAGE else f"{one.kind} "
    return f"{kind}{code(one.pattern)}" if one.pattern else ""


def _hosts(decided: Sequence[Decided]) -> str:
    names = list(dict.fromkeys(code(one.host) for one in decided))
    return listing(names) if len(names) <= NAMED else f"{len(names)} hosts"
