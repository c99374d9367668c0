"""`adopt`: takes the engine over from a ledger that is lost."""

import argparse

from workers.cli.adoption import adopted
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.host import Place, at_hand


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Take over, or say whose the engine is."""
    with at_hand(place) as host:
        return Exit.DONE if adopted(host, options.confirm, out) else Exit.REFUSED
