"""The command that prints a line of Redis' ACL file: `python -m bot acl HOST`, or `--bot`."""

import argparse
import sys
from pathlib import Path
from typing import Any

from bot import rights
from bot.errors import SettingsError
from bot.host_needs import HASH_COMMAND

TO_FILL_IN = (
    f"{rights.PLACEHOLDER} is no hash yet, and Redis refuses the whole file with it."
    f" Put a # and what this prints on the host in its place: {HASH_COMMAND.format(file='FILE')}"
)
HELP = f"""\
The line holds the hash of a password, never the password. Without --password-file it has {rights.PLACEHOLDER}
in its place: put there a # and what this prints on the host: {HASH_COMMAND.format(file="FILE")}"""


def add_to(commands: Any, host_name: Any) -> None:
    """Teach the command line this command; `host_name` reads a host's name."""
    parser = commands.add_parser("acl", help="print a user's line of Redis' ACL file", description=HELP)
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("name", type=host_name, nargs="?", metavar="HOST", help="the user of this host")
    whose.add_argument("--bot", action="store_true", help="the user of the bot")
    parser.add_argument("--password-file", metavar="FILE", help="holds the password; - for what is piped in")


def line(options: argparse.Namespace) -> str:
    """What Redis has to know of the bot or of a host."""
    theirs = rights.of_bot() if options.bot else rights.of_host(options.name)
    hash_ = rights.PLACEHOLDER
    if options.password_file:
        hash_ = rights.hashed(_password(options.password_file))
    return theirs.line(hash_)


def _password(path: str) -> str:
    try:
        password = (sys.stdin.read() if path == "-" else Path(path).read_text()).strip()
    except OSError as error:
        raise SettingsError(f"the password file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"the password file {path} is no text") from None
    if not password:
        raise SettingsError(f"the password file {path} is empty")
    return password
