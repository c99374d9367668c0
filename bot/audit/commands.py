"""`python -m bot audit`: verify the bot's copy against the hosts' own, or export it.

Exit codes: 0 all hosts compared and the same, 1 differences, 2 usage, or a host that was not compared.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path

from bot.audit.compare import compare
from bot.audit.export import chosen, csv_lines, json_lines
from bot.audit.findings import UNCOMPARED, Finding, Found, finding
from bot.audit.reading import own
from bot.errors import SettingsError
from bot.memory.audit import Audit
from bot.memory.database import Database
from bot.render.audit import audit_lines
from workers.audit_lines import BrokenCopy, HostCopy, read

SAME, DIFFERENT, NOT_COMPARED = 0, 1, 2
FORMATS = {"csv": csv_lines, "jsonl": json_lines}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command line."""
    audit = commands.add_parser("audit", help="compare what is on record here and on the hosts; export it")
    actions = audit.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="name each difference to the hosts' own copies")
    verify.add_argument("files", nargs="*", type=Path, metavar="FILE", help="of workers audit --json")
    export = actions.add_parser("export", help="write all acts, oldest first")
    export.add_argument("--format", choices=sorted(FORMATS), default="csv")
    export.add_argument("--since", type=_moment, metavar="DATE", help="a day or a time, UTC unless it says")
    export.add_argument("--host", default="", metavar="HOST", help="only what concerns this host")


def _moment(text: str) -> datetime:
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-01-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def run(options: argparse.Namespace, database_file: Path) -> int:
    """Do one action; returns the exit code."""
    if not database_file.exists():
        raise SettingsError(f"there is no memory at {database_file}; PRUNE_STATE_DIR says where to look")
    with closing(Database(database_file)) as database:
        return verify(options.files, database) if options.action == "verify" else export(options, database)


def verify(files: Sequence[Path], database: Database) -> int:
    """Compare, and say what was found and what could not be compared."""
    copies, broken = _read(files)
    found = (*broken, *compare(own(database), copies))
    for line in audit_lines(found, list(dict.fromkeys(copy.head.host for copy in copies))):
        sys.stdout.write(f"{line}\n")
    return _exit_code(found, len(copies))


def _exit_code(found: Sequence[Finding], compared: int) -> int:
    """That nothing differs is no news where nothing was compared."""
    if any(one.is_difference for one in found):
        return DIFFERENT
    is_whole = compared and not any(one.code in UNCOMPARED for one in found)
    return SAME if is_whole else NOT_COMPARED


def _read(files: Sequence[Path]) -> tuple[list[HostCopy], list[Finding]]:
    copies, broken = [], []
    for file in files:
        try:
            copies.append(read(file.read_text(encoding="utf-8")))
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
        except (BrokenCopy, UnicodeDecodeError) as error:
            broken.append(finding(Found.BROKEN, "", file=str(file), detail=str(error)))
    return copies, broken


def export(options: argparse.Namespace, database: Database) -> int:
    """Write the acts to standard output."""
    acts = chosen(Audit(database).acts(), since=options.since, host=options.host)
    # Not by print: the line ends of CSV are its own.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(newline="", encoding="utf-8")
    sys.stdout.writelines(FORMATS[options.format](acts))
    return SAME
