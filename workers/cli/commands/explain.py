"""`explain`: says why an object stays or goes, and what is known of it."""

import argparse
import json
from datetime import UTC, datetime

from workers.cli import terminal
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.host import Place, at_hand


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Explain every object that the text names."""
    with at_hand(place) as host:
        found = host.explain(options.object)
    if options.json:
        out(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    else:
        for line in terminal.explanation_lines(found, now=datetime.now(UTC)):
            out(line)
    return Exit.DONE
