"""`audit`: all that was asked, refused and done here, from the ledger."""

import argparse
from datetime import UTC, datetime

from workers import audit, audit_lines
from workers.cli import record
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.errors import UsageError
from workers.host import Place, ledger_of


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Never make a ledger of what is asked about: an empty one would say that nothing was ever done."""
    if not place.ledger_file.exists():
        raise UsageError(f"there is no ledger at {place.ledger_file}; PRUNE_STATE_DIR says where to look")
    with ledger_of(place) as ledger:
        found = list(audit.lines(ledger, place.host, datetime.now(UTC)))
    told = record.record_lines(found, has_bot=bool(place.redis_host))
    for line in audit_lines.spelled(found) if options.json else told:
        out(line.rstrip("\n"))
    return Exit.DONE
