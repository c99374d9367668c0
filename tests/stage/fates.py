"""The table of what is to become of the objects on the hazard host: read, never computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.stage.catalogue import Fate
from workers.contract import Store

TABLE = Path(__file__).with_name("hazard_fates.txt")
LONGEST_NAME = 255
WRITTEN: Mapping[str, Fate] = {"kept": "kept", "waste": "waste"}


@dataclass(frozen=True)
class Row:
    """One line of the table. `code` is empty where no plan has a word about it: volumes."""

    kind: str
    name: str
    fate: Fate
    code: str
    sources: tuple[str, ...]
    trap: str


def longest(text: str) -> str:
    """The name with its ellipsis filled up to the most that a name may have before its tag."""
    head, ellipsis, tail = text.partition("…")
    return head + "x" * (LONGEST_NAME - len(head)) + tail if ellipsis else text


def read_table(text: str) -> dict[tuple[str, str], Row]:
    """The rows by kind and name; a line that is none, or is there twice, is an error."""
    rows = [_row(line) for line in text.splitlines() if line and not line.startswith("#")]
    table = {(row.kind, row.name): row for row in rows}
    if len(table) != len(rows):
        raise ValueError("an object has two fates")
    return table


def _row(line: str) -> Row:
    kind, name, written, code, sources, trap = (part.strip() for part in line.split(" | "))
    return Row(kind, longest(name), WRITTEN[written], code.strip("-"), tuple(sources.split(", ")), trap)


FATES: Mapping[tuple[str, str], Row] = read_table(TABLE.read_text())


# A containerd store drops an image in the moment in which a rebuild takes its tag.
DROPPED = ("image", "pay/cached:1 build 1")


def fates_on(store: Store) -> Mapping[tuple[str, str], Row]:
    """The rows of the objects that can be there."""
    return {key: row for key, row in FATES.items() if store is Store.GRAPH_DRIVER or key != DROPPED}


def fate_of(kind: str, name: str) -> Fate:
    return FATES[kind, longest(name)].fate
