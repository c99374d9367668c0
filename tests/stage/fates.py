"""The table of what is to become of the objects on the hazard host: read, never computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.stage.catalogue import Fate
from tests.stage.engine import DisposableEngine
from workers.contract import Store

TABLE = Path(__file__).with_name("hazard_fates.txt")
LONGEST_NAME = 255
WRITTEN: Mapping[str, Fate] = {"kept": "kept", "waste": "waste"}
STORES = {Store.GRAPH_DRIVER: "graph driver", Store.CONTAINERD: "containerd"}
# From here on a container can have an image mounted.
MOUNTS_IMAGES, FIRST_THAT_MOUNTS = "Docker 28", 28
TRAITS = frozenset({*STORES.values(), MOUNTS_IMAGES})


@dataclass(frozen=True)
class Row:
    """One line of the table. `code` is empty where no plan has a word about it: volumes.

    `where` are the traits that an engine needs for it to hold there, most often none.
    """

    kind: str
    name: str
    fate: Fate
    code: str
    sources: tuple[str, ...]
    trap: str
    where: frozenset[str]

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name


Fates = Mapping[tuple[str, str], Row]


def longest(text: str) -> str:
    """The name with its ellipsis filled up to the most that a name may have before its tag."""
    head, ellipsis, tail = text.partition("…")
    return head + "x" * (LONGEST_NAME - len(head)) + tail if ellipsis else text


def read_table(text: str) -> tuple[Row, ...]:
    """The rows; a line that is none, or speaks of an object as another one does, is an error."""
    rows = tuple(_row(line) for line in text.splitlines() if line and not line.startswith("#"))
    if len({(row.key, row.where) for row in rows}) != len(rows):
        raise ValueError("an object has two fates")
    return rows


def _row(line: str) -> Row:
    kind, name, written, code, sources, trap, *where = (part.strip() for part in line.split(" | "))
    needed = frozenset(word for words in where for word in words.split(", "))
    if len(where) > 1 or not needed <= TRAITS:
        raise ValueError(f"no engine is like that: {line}")
    return Row(
        kind=kind,
        name=longest(name),
        fate=WRITTEN[written],
        code=code.strip("-"),
        sources=tuple(sources.split(", ")),
        trap=trap,
        where=needed,
    )


ROWS = read_table(TABLE.read_text())


def traits_of(engine: DisposableEngine) -> frozenset[str]:
    """What of a running engine decides which rows hold on it."""
    major = int(engine.client.version()["Version"].partition(".")[0])
    mounts = {MOUNTS_IMAGES} if major >= FIRST_THAT_MOUNTS else set()
    return frozenset({STORES[engine.kind.store], *mounts})


def fates_on(traits: frozenset[str]) -> Fates:
    """The rows of the objects that can be on such an engine; of several for one the most particular holds."""
    holding = [row for row in ROWS if row.where <= traits]
    return {row.key: row for row in sorted(holding, key=lambda row: len(row.where))}


def fate_of(kind: str, name: str) -> Fate:
    """What becomes of it on most engines: its first row tells."""
    return next(row.fate for row in ROWS if row.key == (kind, longest(name)))
