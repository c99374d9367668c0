"""`python -m bot keys`: list the signing keys, and replace one by another without refusing an order."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from bot import keys
from bot.acts import What
from bot.memory.audit import Audit
from workers.whoami import whoami


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what can be typed."""
    top = commands.add_parser(
        "keys", help="list the signing keys, and make the first; replace one by another"
    )
    actions = top.add_subparsers(dest="action", metavar="ACTION")
    top.set_defaults(action="list")
    actions.add_parser("list", help="the keys, and which one signs (also without an action)")
    actions.add_parser("new", help="make a second key, which does not sign yet; prints what hosts need")
    for name, help_ in (("use", "sign with this key from now on"), ("retire", "forget a key")):
        actions.add_parser(name, help=help_).add_argument("id", metavar="ID")


def _list(_: argparse.Namespace, path: Path) -> Iterator[str]:
    if not path.exists():
        keys.make(path)
        yield f"# A signing key is made in {path}. Each host needs this line:"
    else:
        signing, *others = keys.load_all(path)
        yield f"{signing.id}\tsigns"
        yield from (f"{other.id}\tdoes not sign" for other in others)
    yield keys.host_line(keys.load_all(path))


def _new(_: argparse.Namespace, path: Path) -> Iterator[str]:
    key = keys.add(path)
    yield f"# Key {key.id} is made and does not sign yet."
    yield "# Give each host this line and restart its worker; python -m bot doctor names those that have not"
    yield "# got it. Then:"
    yield f"# python -m bot keys use {key.id}"
    yield keys.host_line(keys.load_all(path))


def _use(options: argparse.Namespace, path: Path) -> Iterator[str]:
    keys.use(path, options.id)
    yield f"# Key {options.id} signs from now on, also in a running bot."
    for other in keys.load_all(path)[1:]:
        yield f"# In 15 minutes no order signed with {other.id} is in force any more; then:"
        yield f"# python -m bot keys retire {other.id}"


def _retire(options: argparse.Namespace, path: Path) -> Iterator[str]:
    keys.retire(path, options.id)
    yield f"# Key {options.id} is gone. Each host needs this line only:"
    yield keys.host_line(keys.load_all(path))


ACTIONS: dict[str, Callable[[argparse.Namespace, Path], Iterator[str]]] = {
    "list": _list,
    "new": _new,
    "use": _use,
    "retire": _retire,
}


def run(options: argparse.Namespace, path: Path, audit: Audit, *, at: datetime) -> Iterator[str]:
    """Do one action and note it, also where it ends half way; yields what is to be said."""
    before = _ids(path)
    try:
        yield from ACTIONS[options.action](options, path)
    finally:
        for what, key in changes(before, _ids(path)):
            audit.note(what, at=at, by=whoami(), key=key)


def _ids(path: Path) -> tuple[str, ...]:
    """The ids of the keys, the one that signs first; none where there is no file yet."""
    return tuple(key.id for key in keys.load_all(path)) if path.exists() else ()


def changes(before: Sequence[str], after: Sequence[str]) -> list[tuple[What, str]]:
    """What was done to the keys, for the record."""
    return [
        *((What.KEY_MADE, key) for key in after if key not in before),
        *((What.KEY_USED, after[0]) for _ in after[:1] if before and after[0] != before[0]),
        *((What.KEY_RETIRED, key) for key in before if key not in after),
    ]
