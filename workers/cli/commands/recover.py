"""`recover`: reports the runs that were cut off, as a worker does when it starts; goes on with none."""

import argparse
import json
from datetime import UTC, datetime

from workers.cli import terminal
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.host import Place, at_hand


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Look at each object of such a run, report what became of it, and show that."""
    with at_hand(place) as host:
        reports = host.recover()
    if options.json:
        out(json.dumps([report.model_dump(mode="json") for report in reports], indent=2))
        return Exit.DONE
    for report in reports:
        for line in terminal.report_lines(report, now=datetime.now(UTC)):
            out(line)
    if not reports:
        out("No run was cut off: every one has its report.")
    return Exit.DONE
