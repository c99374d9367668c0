"""One object that the stage has put onto an engine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from tests.stage.catalogue import Fate
from tests.stage.objects import Found


@dataclass(frozen=True)
class Placed:
    """The object, its name for people, what should become of it, and how old it shall be (None: new)."""

    found: Found
    name: str
    fate: Fate
    age: timedelta | None


def ids_by_name(kind: str, placed: Iterable[Placed]) -> dict[str, str]:
    return {one.name: one.found.id for one in placed if one.found.kind == kind}
