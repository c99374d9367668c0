"""Build cache records go by their full ids, several in one call: that takes half the time (S2)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workers.contract import Outcome, Step
from workers.engine import Engine
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound
from workers.execution.ended import REMOVED, Ended, refused
from workers.planning.accounting import cache_record
from workers.planning.fingerprints import differences, of_cache_record
from workers.planning.inventory import CacheRecord
from workers.reasons import Code, Reason, reason

SPANS_ONLY = "1.41"
KEPT = refused(reason(Code.ENGINE_SAYS_IN_USE, detail="the record was kept"))


@dataclass(frozen=True)
class RecordRemoval:
    """How records are removed that lay unused for so long; `known` are they as the stage began.

    `released` says when one that lay on a record was removed: newer engines take that for a use of it
    (buildkit#5436), so it is asked for as unused since then, and not in one call with what lies on it.
    """

    engine: Engine
    unused_for: timedelta
    known: Mapping[str, CacheRecord]
    released: dict[str, datetime] = field(default_factory=dict)

    def changed(self, step: Step) -> Reason | None:
        """Whether a record is another one by now, or wanted again.

        Raises:
            NotFound: it is gone.
        """
        fresh = self.known.get(step.object.id)
        if fresh is None:
            raise NotFound(f"build cache record {step.object.id}")
        what = differences(step.fingerprint, of_cache_record(fresh))
        return reason(Code.CHANGED, what=what) if what else None

    def remove(self, steps: Sequence[Step]) -> Iterator[tuple[Step, Ended]]:
        """Ask for as many at once as the engine lets go together; yield how each ended."""
        for wave in self._waves(steps):
            ended = self._asked([step.object.id for step in wave])
            yield from ((step, ended[step.object.id]) for step in wave)
            # Last, for it asks the engine once more: what went must be told whatever comes of that.
            self._release(id_ for id_, one in ended.items() if one.outcome is Outcome.REMOVED)

    def _waves(self, steps: Sequence[Step]) -> Iterator[list[Step]]:
        """One call has one time since when all of its records are unused."""
        if not self._takes_an_end_for_a_use:
            yield list(steps)
            return
        height: dict[int, int] = {}
        for step in steps:
            height[step.index] = 1 + max((height[need] for need in step.needs if need in height), default=0)
        for level in sorted(set(height.values())):
            wave = [step for step in steps if height[step.index] == level]
            yield from self._parted(wave)

    def _parted(self, wave: Iterable[Step]) -> Iterable[list[Step]]:
        """A record released earlier than another may have been used before the other was released."""
        parts: dict[timedelta | datetime, list[Step]] = {}
        for step in wave:
            parts.setdefault(self._unused(step.object.id), []).append(step)
        return parts.values()

    def _unused(self, id_: str) -> timedelta | datetime:
        """For how long a record has to lie unused, or since when."""
        return self.released.get(id_, self.unused_for)

    @property
    def _takes_an_end_for_a_use(self) -> bool:
        # Engine 20.10 does not, and reads no time but a span as that of the last use. Where records need not
        # lie unused at all, their last use is nothing to look at.
        return bool(self.unused_for) and self.engine.api_version != SPANS_ONLY

    def _release(self, gone: Iterable[str]) -> None:
        parents = {parent for id_ in gone for parent in self.known[id_].parents}
        if parents and self._takes_an_end_for_a_use:
            self.released.update(dict.fromkeys(parents, self.engine.clock().told))

    def _asked(self, ids: Sequence[str]) -> Mapping[str, Ended]:
        """How each ended, by its id. What went beside them is an alarm of the first."""
        try:
            gone = self.engine.remove_cache_records(ids, unused=self._unused(ids[0]))
        except Conflict as error:
            return dict.fromkeys(ids, refused(reason(Code.ENGINE_SAYS_IN_USE, detail=str(error))))
        except (AnswerLost, EngineUnreachable) as error:
            return self._looked_up(ids, error)
        except EngineError as error:
            return dict.fromkeys(ids, Ended(Outcome.FAILED, reason(Code.ENGINE_ERROR, detail=str(error))))
        return _ended(ids, gone)

    def _looked_up(self, ids: Sequence[str], error: EngineError) -> Mapping[str, Ended]:
        """A time-out or a cut is neither yes nor no: ask once more what is there (S4)."""
        unknown = Ended(Outcome.FAILED, reason(Code.STATE_UNKNOWN, detail=str(error)))
        try:
            there = records(self.engine)
        except EngineUnreachable:
            raise
        except EngineError:
            return dict.fromkeys(ids, unknown)
        return {id_: unknown if id_ in there else REMOVED for id_ in ids}


def records(engine: Engine) -> dict[str, CacheRecord]:
    """The records an engine has now, by id."""
    return {record.id: record for record in map(cache_record, engine.cache_records())}


def _ended(ids: Sequence[str], gone: Collection[str]) -> dict[str, Ended]:
    ended = {id_: REMOVED if id_ in gone else KEPT for id_ in ids}
    if surprise := set(gone) - set(ids):
        why = reason(Code.UNPLANNED_REMOVAL, object=min(surprise))
        ended[ids[0]] = Ended(ended[ids[0]].outcome, why, alarm=True)
    return ended
