"""The runs of which something may come back, for whoever did not say which."""

from collections.abc import Sequence

from bot.past import Run
from bot.render.answers import said
from bot.render.blocks import Message, code, date, message, section
from bot.wanted import Wanted
from workers.wording import amount

SHORT_ID = 12


def restorable(runs: Sequence[Run]) -> Message:
    """The last runs that removed something, the newest first, and how to name one."""
    if not runs:
        return said(
            "No run has removed anything here yet, as far as the bot knows.",
            "`/prune restore web-1` asks a host for the last run that it did itself.",
        )
    newest = Wanted(runs[0].order_id[:SHORT_ID]).words(runs[0].host)
    how = (
        f"{code(newest)} shows what of that run comes back and from where, and asks before it does. Names of"
        " objects may follow; without a run it is the host's last one."
    )
    return message("Which run is to come back?", [section("\n".join(map(_line, runs))), section(how)])


def _line(run: Run) -> str:
    gone = f"{amount(run.removed, 'object')} removed"
    return f"• {code(run.host)} {code(run.order_id[:SHORT_ID])} {date(run.finished_at)}: {gone}"
