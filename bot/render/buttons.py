"""The buttons under a plan and under a run, what a press of them says, and what asks for another plan."""

import json
from dataclasses import dataclass
from datetime import datetime

from bot.consent import Consent
from bot.render.blocks import Block, code, may, mention, plain, section
from bot.render.editing import edit_button
from bot.render.headlines import kind_counts
from bot.render.returning import NO_TAG_IS_TAKEN, by_kind
from bot.render.summary import gone_for_good
from bot.requests import HostPart, Phase, Request, Settled, Stage
from workers.contract import Status
from workers.wording import bytes_range, listing

EXECUTE = "prune_execute"
CANCEL = "prune_cancel"
STOP = "prune_stop"
AGAIN = "prune_again"
HOSTS_TO_REPEAT = 5
LABEL = 30
DIALOG = 300


@dataclass(frozen=True)
class Pressed:
    """What a button carries: the request, and the exact set of plans that was drawn (S3).

    `ticket`: in a message that one person alone sees, what proves that the bot made it.
    """

    request: str
    set_digest: str
    ticket: str = ""


def pressed(value: str) -> Pressed | None:
    """Read a button's value; None for what no button of ours says."""
    try:
        match json.loads(value):
            case {"request": str(request), "set": str(set_digest), "ticket": str(ticket)}:
                return Pressed(request, set_digest, ticket)
            case {"request": str(request), "set": str(set_digest)}:
                return Pressed(request, set_digest)
    except (ValueError, RecursionError):
        pass
    return None


def agreement(consent: Consent) -> list[Block]:
    """Who has agreed and who has to, where it is not simply up to one approver."""
    told = [*_agreed(consent), *_void(consent)]
    return [section(" ".join(told))] if told else []


def _agreed(consent: Consent) -> list[str]:
    if not consent.is_possible:
        return ["Nobody may execute this here: no rule names an approver for all of these hosts."]
    only = "" if consent.is_asker_entitled else " and may not execute"
    but = f", but not {mention(consent.requester)}, who asked{only}" if consent.takes_two else ""
    if consent.needed > 1:
        so_far = f"{len(consent.given)} of {consent.needed}"
        names = f": {listing([mention(person) for person in consent.given])}" if consent.given else ""
        return [f"*Approvals:* {so_far}{names}. May approve: {may(consent.who)}{but}."]
    return [f"*Takes two people.* May confirm: {may(consent.who)}{but}."] if consent.takes_two else []


def _void(consent: Consent) -> list[str]:
    names = listing([mention(person) for person in consent.void])
    return [f"No longer counts, for the plans or the rules changed: {names}."] if names else []


def buttons(request: Request, *, can_execute: bool, ticket: str = "") -> Block:
    """Execute, with a dialog in between, where anybody may and something is chosen; edit one; and cancel."""
    proof = {"ticket": ticket} if ticket else {}
    value = json.dumps({"request": request.asked.id, "set": request.set_digest, **proof})
    execute = [_execute(request, value)] if can_execute and request.confirmable else []
    can_edit = can_execute and not ticket and not request.asked.is_restore
    edit = [edit_button(part) for part in request.offered] if can_edit else []
    cancel = {"type": "button", "action_id": CANCEL, "text": plain("Cancel"), "value": value}
    return {"type": "actions", "elements": [*execute, *(edit if len(edit) == 1 else []), cancel]}


def stop_button(request: Request) -> list[Block]:
    """Ends it where it still goes on. No dialog: what is stopped too early can be done later."""
    hosts = [part.host for part in request.stoppable] if request.phase is Phase.EXECUTING else []
    if not hosts:
        return []
    verb = f"Stop {hosts[0]}" if len(hosts) == 1 else f"Stop {len(hosts)} Hosts"
    value = json.dumps({"request": request.asked.id, "set": request.set_digest})
    return [
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": STOP, "text": plain(verb), "value": value}],
        }
    ]


def again(request: Request, now: datetime) -> list[Block]:
    """Where nothing came of a request, what asks for the same once more: that decides and removes nothing."""
    if not _may_look_again(request, now):
        return []
    if request.asked.wanted:
        # What is there to bring back is asked anew; the button would ask for something else.
        return [section(f"To look again: {_typed(request)}")]
    button = {
        "type": "button",
        "action_id": AGAIN,
        "text": plain("Preview Again"),
        "value": request.asked.id,
    }
    return [{**section(f"To look again: {_typed(request)}"), "accessory": button}]


def _may_look_again(request: Request, now: datetime) -> bool:
    """Nothing was removed, or not everything came back, and no newer plan stands in its place."""
    if request.phase is Phase.FINISHED:
        return not any(_is_final(part) for part in request.parts if part.ordered)
    if request.phase is Phase.CLOSED:
        return request.settlement is None or request.settlement.how is not Settled.SUPERSEDED
    return request.phase is Phase.READY and request.is_expired(now)


def _is_final(part: HostPart) -> bool:
    """Something may have been removed, or everything is there again."""
    is_all_back = part.restored is not None and part.restored.status is Status.DONE
    return part.report is not None or part.stage is Stage.LOST or is_all_back


def _typed(request: Request) -> str:
    asked = request.asked
    if asked.wanted:
        return code(asked.wanted.words(asked.hosts[0]))
    named = asked.hosts if len(asked.hosts) <= HOSTS_TO_REPEAT else ()
    only = ("--only", ",".join(asked.kinds)) if asked.kinds else ()
    return f"`{' '.join(['/prune preview', *named, *only])}`"


def _execute(request: Request, value: str) -> Block:
    return {
        "type": "button",
        "action_id": EXECUTE,
        "text": plain(_verb(request)),
        "style": _style(request),
        "value": value,
        "confirm": _dialog(request),
    }


def _style(request: Request) -> str:
    return "primary" if request.asked.is_restore else "danger"


def _verb(request: Request) -> str:
    if request.asked.is_restore:
        return f"Restore {_back(request)} Object{'' if _back(request) == 1 else 's'}"
    hosts, asked = [part.host for part in request.confirmable], len(request.parts)
    if len(hosts) == 1:
        return f"Prune {hosts[0]}"
    return f"Prune {len(hosts)} Hosts" if len(hosts) == asked else f"Prune {len(hosts)} of {asked} Hosts"


def _dialog(request: Request) -> Block:
    verb, is_restore = _verb(request), request.asked.is_restore
    return {
        "title": plain(f"{verb}?"),
        "text": plain(_what_comes_back(request) if is_restore else _consequences(request)),
        "confirm": plain(verb if len(verb) <= LABEL else "Prune 1 Host"),
        "deny": plain("Leave It So" if is_restore else "Keep Everything"),
        "style": _style(request),
    }


def _back(request: Request) -> int:
    return sum(len(part.back.steps) for part in request.confirmable if part.back)


def _what_comes_back(request: Request) -> str:
    plans = [part.back for part in request.confirmable if part.back]
    told = [f"On {plan.host}: {', '.join(by_kind(plan))}, {bytes_range(plan.needs)}." for plan in plans]
    return f"{' '.join(told)} {NO_TAG_IS_TAKEN}"[:DIALOG]


def _consequences(request: Request) -> str:
    """Name hosts, counts, bytes and what has no way back, with as many hosts as there is room for."""
    hosts = [part.host for part in request.confirmable]
    counts = ", ".join(kind_counts(request.confirmable))
    lost = gone_for_good(step for part in request.confirmable for step in part.chosen_steps)
    what = " ".join([f"{counts}, {bytes_range(request.expected)}. Volumes stay.", *lost])
    texts = [f"On {_first(hosts, shown)}: {what}" for shown in range(len(hosts), 0, -1)]
    return next((text for text in texts if len(text) <= DIALOG), texts[-1][:DIALOG])


def _first(hosts: list[str], shown: int) -> str:
    left = len(hosts) - shown
    return listing([*hosts[:shown], *([f"{left} more"] if left else [])])
