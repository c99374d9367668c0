"""The root message of a request: one message, drawn anew for every state until it is settled."""

from collections.abc import Sequence
from datetime import datetime

from bot.consent import Consent
from bot.render.blocks import (
    TEXT_BUDGET,
    Block,
    Message,
    bulk,
    context,
    date,
    mention,
    message,
    paragraphs,
    section,
    table,
    weight,
)
from bot.render.buttons import again, agreement, buttons, stop_button
from bot.render.columns import Unit
from bot.render.editing import chooser, edit_beside, edit_menu
from bot.render.headlines import headline
from bot.render.live import live
from bot.render.parts import host_line, host_text
from bot.render.restoring import restore_blocks
from bot.render.summary import kinds_by_bytes
from bot.render.titles import KIND_TITLES
from bot.requests import PLAN_WITHIN, START_WITHIN, HostPart, Phase, Request, Settled, Settlement, Stage
from workers.contract import Bytes, Person
from workers.wording import amount, listing, short

EVENT_TYPE = "prune_request"
# Slack takes 50 blocks; title, table, record, hosts to choose and buttons are five of them.
HOST_SECTIONS = 40
# What is said of the hosts comes before menus of them.
LINES_ROOM = 1_500
# As much of it as finds it in the logs of the bot and of the hosts.
ID = 8
IN_THE_THREAD = "What goes and what stays on each of them, and why, is in the thread."
DECISIONS = {
    Settled.CONFIRMED: "Confirmed",
    Settled.CANCELLED: "Cancelled",
    Settled.EXPIRED: "Timed out",
    Settled.SUPERSEDED: "Replaced",
}


def root(request: Request, now: datetime, consent: Consent | None = None, *, ticket: str = "") -> Message:
    """Draw a request as it stands, and how far it is agreed to where the rules have something to say.

    `ticket`: for a copy that one person alone sees.
    """
    title = headline(request, now)
    is_open = request.phase is Phase.READY and not request.is_expired(now)
    is_restore = request.asked.is_restore
    figures = _figures(request) if is_open and not is_restore else []
    can_execute = consent is None or consent.is_possible
    # Who alone sees a copy decides on it as it is; what goes ahead is chosen where everybody sees it.
    to_choose = is_open and can_execute and not ticket and not is_restore
    consented = agreement(consent) if is_open and consent else []
    record = _record(request, is_open=is_open)
    pressed = [buttons(request, can_execute=can_execute, ticket=ticket)] if is_open else stop_button(request)
    next_ = again(request, now)
    room = TEXT_BUDGET - len(title) - weight([*figures, *consented, record, *pressed, *next_])
    choice = chooser(request, room=room - LINES_ROOM) if to_choose else []
    if is_restore:
        hosts = restore_blocks(request, now, room=room)
    else:
        hosts = _hosts(request, now, figures, room=room - weight(choice), to_choose=to_choose)
    return message(
        title,
        [*figures, *hosts, *consented, record, *choice, *pressed, *next_],
        version=request.set_digest,
        metadata={"event_type": EVENT_TYPE, "event_payload": {"request": request.asked.id}},
    )


def _figures(request: Request) -> list[Block]:
    """The numbers of a decision: by kind for one host, by host for several, most bytes first."""
    parts = sorted(request.confirmable, key=lambda part: -part.expected.high)
    if len(parts) == 1 and (plan := parts[0].plan):
        kinds = kinds_by_bytes(plan, parts[0].excluded)
        return _freed("Goes", [(KIND_TITLES[kind], count, freed) for kind, count, freed in kinds])
    return _freed("Host", [(part.host, len(part.chosen_steps), part.expected) for part in parts])


def _freed(what: str, rows: Sequence[tuple[str, int, Bytes]]) -> list[Block]:
    unit = Unit.of(freed.high for _, _, freed in rows)
    told = [(name, str(count), unit.interval(freed)) for name, count, freed in rows]
    return table((what, "Objects", unit.head("Frees")), told)


def _hosts(
    request: Request, now: datetime, figures: Sequence[Block], *, room: int, to_choose: bool
) -> list[Block]:
    """A task for each host at work; a section for each other, or a line without figures if they are many."""
    several = not figures or len(request.confirmable) > 1
    tasks, parts = _tasks(request, now, room=room), _in_words(request)
    room -= bulk(tasks)
    texts = [host_text(part, request, now, counts=several) for part in parts]
    editable = request.offered if to_choose and len(request.offered) > 1 else ()
    if len(texts) <= HOST_SECTIONS and sum(map(len, texts)) <= room:
        drawn = zip(parts, texts, strict=True)
        return [*tasks, *(section(t) | (edit_beside(p) if p in editable else {}) for p, t in drawn)]
    counted = {row[0]["text"] for block in figures for row in block["rows"]}
    lines = [host_line(part, request, now) for part in parts if part.host not in counted]
    told = [context(IN_THE_THREAD)] if counted else []
    menu = edit_menu(editable, room=room - LINES_ROOM)
    room -= weight([*told, *menu])
    return [*tasks, *paragraphs(lines, room=room, more=_more), *told, *menu]


def _tasks(request: Request, now: datetime, *, room: int) -> list[Block]:
    """The hosts that were told to execute; half of the room is left for the others, where there are any."""
    if not any(part.ordered for part in request.parts):
        return []
    others = any(not part.ordered for part in request.parts)
    return [live(request, now, room=room // 2 if others else room)]


def _in_words(request: Request) -> list[HostPart]:
    """The hosts that are no task; once it stands what they free, those that free most first."""
    parts = [part for part in request.parts if not part.ordered]
    if request.phase is Phase.PLANNING:
        return parts
    return sorted(parts, key=lambda part: -part.expected.high)


def _more(left: int) -> str:
    return f"+{amount(left, 'more host')}, each told of in the thread."


def _record(request: Request, *, is_open: bool) -> Block:
    """Who asked, who decided, when, on which plans; in small letters, and in place of the buttons."""
    asked = request.asked
    facts = [f"Asked for by {mention(asked.requester)} {date(asked.made_at)}"]
    if request.settlement:
        facts.append(_decision(request.settlement, _agreed(request)))
    if request.confirmable:
        facts.append(_named(request))
    return context(" · ".join([*facts, *_expiry(request, is_open=is_open), f"Request {asked.id[:ID]}"]))


def _expiry(request: Request, *, is_open: bool) -> list[str]:
    """Until when something is waited for; no answer is never a yes (S13)."""
    if is_open and request.expires_at:
        return [f"Expires {date(request.expires_at)}"]
    if request.phase is Phase.PLANNING:
        return [f"Answers are waited for until {date(request.asked.made_at + PLAN_WITHIN)}"]
    if request.settlement and any(part.stage is Stage.ORDERED for part in request.parts):
        return [f"The order expires {date(request.settlement.at + START_WITHIN)}"]
    return []


def _agreed(request: Request) -> Sequence[Person]:
    is_confirmed = request.settlement is not None and request.settlement.how is Settled.CONFIRMED
    return request.approvers if is_confirmed else ()


def _decision(settlement: Settlement, approvers: Sequence[Person]) -> str:
    people = approvers or ([settlement.by] if settlement.by else [])
    by = f" by {listing([mention(person) for person in people])}" if people else ""
    return f"{DECISIONS[settlement.how]}{by} {date(settlement.at)}"


def _named(request: Request) -> str:
    digests, left = list(request.plans.values()), sum(len(part.excluded) for part in request.confirmable)
    less = f" less {amount(left, 'object')}" if left else ""
    return f"Plan {short(digests[0])}{less}" if len(digests) == 1 else f"Plans {request.set_digest}{less}"
