"""`doctor`: checks engine, policy, ledger, keys and Redis."""

import argparse
import json

from workers.cli.doctor import Finding, examine
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.host import Place


def run(options: argparse.Namespace, place: Place, out: Out, **settings: str) -> Exit:
    """Say what was found; `settings` are what the caller found out of keys and Redis."""
    findings = examine(place, **settings)
    if options.json:
        out(json.dumps([finding.__dict__ for finding in findings], indent=2))
    else:
        for finding in findings:
            out(_finding_line(finding))
    return Exit.DONE if all(finding.good for finding in findings) else Exit.FAILED


def _finding_line(finding: Finding) -> str:
    step = f"\n       next: {finding.next_step}" if finding.next_step else ""
    return f"{'ok' if finding.good else 'NOT OK':<6} {finding.what}: {finding.found}{step}"
