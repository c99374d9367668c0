"""`python -m bot hosts`: admit hosts, list them, send them away."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot import host_needs, keys
from bot.errors import SettingsError
from bot.memory.store import Store
from workers.whoami import whoami

NO_HOST = "# No host is admitted yet; python -m bot hosts add NAME admits one."


def add_to(commands: Any, host_name: Any) -> None:
    """Say what can be typed; `host_name` reads a host's name."""
    hosts = commands.add_parser("hosts", help="admit hosts, list them, send them away")
    actions = hosts.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="the admitted hosts, and when each was last heard of")
    for name, help_ in (("add", "admit a host; prints what it needs"), ("remove", "send a host away")):
        actions.add_parser(name, help=help_).add_argument("name", type=host_name, metavar="NAME")


@dataclass(frozen=True)
class HostCommands:
    """What the actions do, and say."""

    store: Store
    key_file: Path
    redis_url: str
    at: datetime

    def run(self, options: argparse.Namespace) -> Iterator[str]:
        """Do one action; yields what is to be said."""
        match options.action:
            case "add":
                return self._add(options.name)
            case "remove":
                return self._remove(options.name)
        return self._list()

    def _add(self, host: str) -> Iterator[str]:
        known = keys.load_all(self.key_file)
        is_new = self.store.admit(host, self.at, by=whoami())
        yield f"# {host} {'is admitted' if is_new else 'was admitted before'}. Its worker needs:"
        yield from host_needs.lines(host, self.redis_url, keys.host_line(known))

    def _list(self) -> Iterator[str]:
        contacts = self.store.contacts()
        if not contacts:
            yield NO_HOST
        for contact in contacts:
            seen = contact.last_seen.isoformat(timespec="seconds") if contact.last_seen else "never"
            yield f"{contact.host}\t{seen}"

    def _remove(self, host: str) -> Iterator[str]:
        if not self.store.dismiss(host, self.at, by=whoami()):
            raise SettingsError(f"there is no host {host}; python -m bot hosts list shows them")
        yield f"{host} is sent away; its worker is not asked any more."
