"""Containers as the list has them, with an inspection where that does not tell enough, asked or remembered.

What one told of a stopped container is remembered with the marks of the two files in which the engine keeps
it. It replaces a file at each change, so while they are the same ones nothing has changed.
"""

import json
import os
from collections.abc import Iterable, Mapping, Set
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.memory.sightings import Sightings
from workers.planning import answers, resting

Raw = dict[str, Any]
Mark = list[int]
FILES = ("config.v2.json", "hostconfig.json")
# Of a file that was replaced a moment ago it is not sure that the next one will look different.
AT_REST_NS = 2 * 10**9


@dataclass(frozen=True)
class Line:
    """A container's line in the list, with its inspection where one was needed."""

    listed: Raw
    inspected: Raw | None = None
    readable: bool = True


@dataclass(frozen=True)
class Kept:
    """What is remembered: the marks of the files, how the list had it, when it was asked, what it told."""

    mark: Mark
    stands: str
    asked: float
    told: Raw


class ContainerLines:
    """The containers of one inventory. `folder` is where the engine keeps its own files of them, if known."""

    def __init__(
        self, engine: Engine, sightings: Sightings, pool: Executor, now: datetime, *, folder: str
    ) -> None:
        self._engine, self._sightings, self._pool = engine, sightings, pool
        self._now, self._folder = now, folder
        self._kept: dict[str, Kept] = {}
        self._remembered = (
            {id_: _read(body) for id_, body in sightings.inspections().items()} if folder else {}
        )

    def of(self, listed: Iterable[Raw], events: Iterable[Raw]) -> tuple[Line, ...]:
        """Return each line with what it needs; what is gone meanwhile is left out."""
        containers, touched = list(listed), resting.touched(events)
        mounts = answers.resting_mounts(containers)
        lines = [
            self._known(raw, mounts, touched) or self._pool.submit(self._look_at, raw) for raw in containers
        ]
        looked = [line if isinstance(line, Line) else line.result() for line in lines]
        if any(line and line.inspected and answers.is_shareable(line.inspected) for line in looked):
            # Whoever runs may have joined it, and of those no list tells.
            looked = list(self._pool.map(self._in_full, looked))
        return tuple(line for line in looked if line is not None)

    def _in_full(self, line: Line | None) -> Line | None:
        if line is None or line.inspected is not None or not line.readable:
            return line
        return self._look_at(line.listed)

    def _known(self, listed: Raw, mounts: Set[answers.Mount], touched: Mapping[str, float]) -> Line | None:
        """A line that tells enough, or what is remembered of one that does not."""
        if not answers.needs_inspection(listed, mounts):
            return Line(listed)
        id_ = answers.id_of(listed)
        kept = self._remembered.get(id_)
        if kept is None or not self._still_holds(id_, kept, listed, touched):
            return None
        self._kept[id_] = kept
        return Line(listed, kept.told)

    def _still_holds(self, id_: str, kept: Kept, listed: Raw, touched: Mapping[str, float]) -> bool:
        """Whether the list, the engine's files and its events all say so: on a full disk a file may not."""
        return (
            kept.stands == resting.stands(listed)
            and kept.mark == _mark(self._folder, id_)
            and not resting.was_touched(id_, kept.asked, touched)
        )

    def _look_at(self, listed: Raw) -> Line | None:
        # What is no id is nobody's: that would pass for a container that is gone (S4).
        if not answers.OBJECT_ID.fullmatch(id_ := answers.id_of(listed)):
            return Line(listed, readable=False)
        # Before the inspection: what changes in between has other marks the next time.
        mark = _mark(self._folder, id_) if self._folder else None
        try:
            inspected = self._engine.inspect_container(id_)
        except NotFound:
            return None
        except EngineError:
            # `docker inspect` fails on containers that are being removed (docuum#237): unreadable, so kept.
            return Line(listed, readable=False)
        self._note(id_, mark, listed, inspected)
        return Line(listed, inspected)

    def _note(self, id_: str, mark: Mark | None, listed: Raw, inspected: Raw) -> None:
        told = resting.details(inspected)
        if mark and told and self._is_at_rest(mark) and resting.is_resting(listed, told):
            self._kept[id_] = Kept(mark, resting.stands(listed), self._now.timestamp(), told)

    def _is_at_rest(self, mark: Mark) -> bool:
        now = int(self._now.timestamp() * 10**9)
        return all(changed < now - AT_REST_NS for changed in mark[1::3])

    def keep(self) -> None:
        """Let the ledger remember what was asked, and forget containers that are not resting any more."""
        if self._kept != self._remembered:
            self._sightings.keep_inspections({id_: _written(kept) for id_, kept in self._kept.items()})


def _mark(folder: str, id_: str) -> Mark | None:
    """Which files they are, when each was last touched, and how long it is; None where one is missing."""
    try:
        found = [os.stat(os.path.join(folder, id_, name)) for name in FILES]
    except (OSError, ValueError):
        return None
    return [number for one in found for number in (one.st_ino, one.st_ctime_ns, one.st_size)]


def _written(kept: Kept) -> str:
    return json.dumps([kept.mark, kept.stands, kept.asked, kept.told])


def _read(body: str) -> Kept:
    return Kept(*json.loads(body))
