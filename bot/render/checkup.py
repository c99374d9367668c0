"""What the doctor found, what is wrong first."""

from collections.abc import Sequence
from datetime import datetime

from bot.checks import Finding
from bot.render.blocks import TEXT_BUDGET, Message, context, listed, message, paragraphs, prose
from bot.render.summary import sentences
from workers.wording import amount

ROOM = TEXT_BUDGET - 2_000
NAMED = 20


def checkup(found: Sequence[Finding], now: datetime) -> Message:
    """Everything that is missing with its next step, and the names of the rest."""
    bad = [finding for finding in found if not finding.is_good]
    good = [finding.name for finding in found if finding.is_good]
    things = amount(len(found), "thing")
    title = f"{len(bad)} of {things} to mend" if bad else f"All is well: {things} looked at"
    lines = [
        f"• *{prose(one.name)}*: {' '.join([prose(one.lead), *sentences(one.problems, now)])}" for one in bad
    ]
    rest = context(f"In order: {prose(listed(good, NAMED))}.")
    shown = paragraphs(lines, room=ROOM, more=lambda left: f"+{left} more; `python -m bot doctor` says all.")
    return message(title, [*shown, *([rest] if good else [])])
