"""What only an inspection or a history tells of images: from the ledger where it is known, else asked."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from datetime import datetime
from typing import Any

from workers.engine import Engine
from workers.errors import EngineError, NotFound
from workers.memory.sightings import Sightings
from workers.name_grammar import IMAGE_ID
from workers.planning import answers
from workers.planning.histories import HistoryStep
from workers.references import BadName, listed_names

Raw = dict[str, Any]
History = tuple[HistoryStep, ...]
GONE: Raw = {}


class ImageDetails:
    """The details of the images of one inventory, by id.

    Layers and history of an id never change. The time of tagging does: it is asked for anew where the names
    differ, or where an event spoke of the image since it was asked for.
    """

    def __init__(self, engine: Engine, sightings: Sightings, pool: Executor, now: datetime) -> None:
        self._engine, self._sightings, self._pool = engine, sightings, pool
        self._now = int(now.timestamp())
        self._remembered = sightings.layers()
        self._known: dict[str, Raw] = {}
        self._news: set[str] = set()

    def of(self, listed: Iterable[Raw], arrivals: Mapping[str, datetime]) -> Iterator[tuple[Raw, Raw | None]]:
        """Yield each line with its details, or with what could not be read; what is gone is left out."""
        lines = list(listed)
        here = self._remembered.keys() & map(answers.id_of, lines)
        self._known = {id_: json.loads(self._remembered[id_]) for id_ in here}
        old = [line for line in lines if not self._is_fresh(line, arrivals)]
        told = dict(zip(map(answers.id_of, old), self._pool.map(self._ask, old), strict=True))
        self._note({id_: one for id_, one in told.items() if one and answers.UNREAD not in one})
        for line in lines:
            details = told.get(answers.id_of(line), self._known.get(answers.id_of(line)))
            if details is not GONE:
                yield line, details

    def remembered_layers(self, id_: str) -> tuple[str, ...]:
        """Return the layers of an image that may be in no list any more; none where it was not looked at."""
        return tuple(json.loads(self._remembered.get(id_, "{}")).get("layers") or ())

    def _is_fresh(self, listed: Raw, arrivals: Mapping[str, datetime]) -> bool:
        known = self._known.get(answers.id_of(listed))
        # Without names where no more than a history could be read so far.
        if known is None or known.get("names") != answers.tags(listed):
            return False
        asked = known.get("asked", 0)
        # Events tell whole seconds.
        return not arrivals or all(at.timestamp() < asked for at in _told(listed, arrivals))

    def _ask(self, listed: Raw) -> Raw:
        # What is no id is nobody's, and an engine says so: that would pass for an image that is gone (S4).
        if not IMAGE_ID.fullmatch(id_ := answers.id_of(listed)):
            return {answers.UNREAD: "an id to ask by"}
        try:
            told = answers.image_details(self._engine.inspect_image(id_))
        except NotFound:
            return GONE
        except EngineError as error:
            return {answers.UNREAD: str(error)}
        return {**told, "names": answers.tags(listed), "asked": self._now}

    def histories(self, wanted: Iterable[str]) -> dict[str, History]:
        """Ask for histories; return those that could be read."""
        ids = sorted(wanted)
        told = zip(ids, self._pool.map(self._history, ids), strict=True)
        found = {id_: history for id_, history in told if history is not None}
        self._note({id_: {"history": history} for id_, history in found.items()})
        return {id_: answers.history_steps(history) for id_, history in found.items()}

    def _history(self, id_: str) -> list[tuple[int, str]] | None:
        try:
            return answers.history_details(self._engine.history(id_))
        except EngineError:
            return None

    def _note(self, news: Mapping[str, Raw]) -> None:
        for id_, details in news.items():
            self._known[id_] = {**self._known.get(id_, {}), **details}
        self._news.update(news)

    def keep(self) -> None:
        """Let the ledger remember what was asked."""
        self._sightings.keep_layers({id_: json.dumps(self._known[id_]) for id_ in self._news})


def _told(listed: Raw, arrivals: Mapping[str, datetime]) -> Iterator[datetime]:
    """When events spoke of an image, by its id or one of its names."""
    try:
        names = [*listed_names(listed.get("RepoTags")), *listed_names(listed.get("RepoDigests"))]
    except (BadName, TypeError, AttributeError):
        names = []
    keys = (answers.id_of(listed), *(name.full() for name in names))
    yield from (arrivals[key] for key in keys if key in arrivals)
