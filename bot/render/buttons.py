"""The two buttons under a plan, and what a press of them says."""

import json
from dataclasses import dataclass

from bot.render.blocks import Block, plain
from bot.render.headlines import kind_counts
from bot.requests import Request
from workers.wording import bytes_range, listing

EXECUTE = "prune_execute"
CANCEL = "prune_cancel"
LABEL = 30
DIALOG = 300


@dataclass(frozen=True)
class Pressed:
    """What a button carries: the request, and the exact set of plans that was drawn (S3)."""

    request: str
    set_digest: str


def pressed(value: str) -> Pressed | None:
    """Read a button's value; None for what no button of ours says."""
    try:
        match json.loads(value):
            case {"request": str(request), "set": str(set_digest)}:
                return Pressed(request, set_digest)
    except (ValueError, RecursionError):
        pass
    return None


def buttons(request: Request) -> Block:
    """Execute, with a dialog in between, and cancel."""
    value = json.dumps({"request": request.asked.id, "set": request.set_digest})
    execute = {
        "type": "button",
        "action_id": EXECUTE,
        "text": plain(_verb(request)),
        "style": "danger",
        "value": value,
        "confirm": _dialog(request),
    }
    cancel = {"type": "button", "action_id": CANCEL, "text": plain("Cancel"), "value": value}
    return {"type": "actions", "elements": [execute, cancel]}


def _verb(request: Request) -> str:
    hosts = [part.host for part in request.confirmable]
    return f"Prune {hosts[0]}" if len(hosts) == 1 else f"Prune {len(hosts)} Hosts"


def _dialog(request: Request) -> Block:
    verb = _verb(request)
    return {
        "title": plain(f"{verb}?"),
        "text": plain(_consequences(request)),
        "confirm": plain(verb if len(verb) <= LABEL else "Prune 1 Host"),
        "deny": plain("Keep Everything"),
        "style": "danger",
    }


def _consequences(request: Request) -> str:
    """Name hosts, counts and bytes, with as many hosts as there is room for."""
    hosts = [part.host for part in request.confirmable]
    counts = ", ".join(kind_counts(part.plan for part in request.confirmable if part.plan))
    what = f"{counts}, {bytes_range(request.expected)}. Volumes stay. There is no undo."
    texts = [f"On {_first(hosts, shown)}: {what}" for shown in range(len(hosts), 0, -1)]
    return next((text for text in texts if len(text) <= DIALOG), texts[-1][:DIALOG])


def _first(hosts: list[str], shown: int) -> str:
    left = len(hosts) - shown
    return listing([*hosts[:shown], *([f"{left} more"] if left else [])])
