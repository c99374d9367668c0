"""`freeze`, `unfreeze` and `standing`: have nothing removed here, end that, and say what holds."""

import argparse
import json
from datetime import UTC, datetime

from workers.cli import standing, terminal
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.contract import FreezeOrder, UnfreezeOrder
from workers.errors import LedgerError
from workers.host import Place
from workers.wording import sentence

LONGEST_WHY = 300


def freeze(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Freeze the host."""
    _decide(FreezeOrder, options, place, f"{place.host} is not frozen by this")
    out(f"{place.host} is frozen: a run under way ends after the object in hand, and none begins.")
    out("python -m workers unfreeze ends that.")
    return Exit.DONE


def unfreeze(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """End that."""
    was_frozen = _decide(UnfreezeOrder, options, place, "What held before holds on")
    out(f"{place.host} {'is not frozen any more' if was_frozen else 'was not frozen'}.")
    return Exit.DONE


def _decide(
    type_: type[FreezeOrder | UnfreezeOrder], options: argparse.Namespace, place: Place, otherwise: str
) -> bool:
    """Have it kept; whether it was frozen.

    Whoever does it in a hurry has to learn what holds where that fails.
    """
    try:
        return standing.decide(type_, _said(options), place)
    except LedgerError as error:
        raise LedgerError(f"{error}. {otherwise}") from error


def _said(options: argparse.Namespace) -> str:
    return " ".join(options.why)[:LONGEST_WHY]


def show(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Say who froze the host, and what is protected from Slack."""
    found = list(standing.in_force(place))
    if options.json:
        out(json.dumps([{"about": about, **why.model_dump(mode="json")} for about, why in found], indent=2))
        return Exit.DONE
    for about, why in found:
        out(f"{about}: {sentence(why, terminal.voice(datetime.now(UTC)))}")
    if not found:
        out(f"{place.host} is not frozen, and nothing is protected from Slack.")
    return Exit.DONE
