"""Which records of the build cache an engine is asked for in one call, and as unused since when (S2, S7)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from tests.unit.facts_host import NOW, a_record, days, record_id
from workers.contract import Bytes, Kind, Outcome, Reference, Step
from workers.engine import Engine
from workers.execution.records import RecordRemoval
from workers.planning.activity import ClockReading
from workers.planning.fingerprints import of_cache_record
from workers.planning.inventory import CacheRecord

GRACE = timedelta(days=1)


class Builder:
    """Takes the end of a record for a use of what it lay on, as newer engines do (buildkit#5436)."""

    def __init__(self, *records: CacheRecord, api_version: str = "1.51") -> None:
        self.api_version = api_version
        self.records = {record.id: record for record in records}
        self.used = {record.id: days(40) for record in records}
        self.asked: list[set[str]] = []
        self._now = NOW

    def clock(self) -> ClockReading:
        now = self._tick()
        return ClockReading(told=now, after=now, before=now)

    def _tick(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def build(self, name: str) -> None:
        self.used[record_id(name)] = self._tick()

    def remove_cache_records(self, ids: Sequence[str], *, unused: timedelta | datetime) -> frozenset[str]:
        since = unused if isinstance(unused, datetime) else NOW - unused
        gone = [id_ for id_ in ids if self.used[id_] <= since]
        self.asked.append({self.records[id_].description for id_ in gone})
        for parent in (parent for id_ in gone for parent in self.records[id_].parents):
            self.used[parent] = self._tick()
        return frozenset(gone)


def a_removal(builder: Builder) -> RecordRemoval:
    return RecordRemoval(cast("Engine", builder), GRACE, builder.records)


def steps_of(builder: Builder) -> dict[str, Step]:
    """A step for each record, by its name, in the order in which they were given."""
    index = {id_: place for place, id_ in enumerate(builder.records)}
    above = {id_: [r.id for r in builder.records.values() if id_ in r.parents] for id_ in index}
    return {
        record.description: Step(
            index=index[record.id],
            object=Reference(kind=Kind.BUILD_CACHE, id=record.id, name=record.description),
            reasons=(),
            fingerprint=of_cache_record(record),
            expected=Bytes(),
            needs=tuple(index[id_] for id_ in above[record.id]),
        )
        for record in builder.records.values()
    }


def ended(removal: RecordRemoval, *steps: Step) -> dict[str, Outcome]:
    return {step.object.name: one.outcome for step, one in removal.remove(steps)}


def two_chains() -> Builder:
    return Builder(a_record("leaf-a", "a"), a_record("leaf-b", "b"), a_record("a"), a_record("b"))


def test_s7_a_record_used_after_its_release_stays_though_another_was_released_later() -> None:
    builder = two_chains()
    removal, steps = a_removal(builder), steps_of(builder)
    ended(removal, steps["leaf-a"])
    builder.build("a")
    ended(removal, steps["leaf-b"])

    assert ended(removal, steps["a"], steps["b"]) == {"a": Outcome.REFUSED, "b": Outcome.REMOVED}


def test_what_was_released_together_goes_together() -> None:
    builder = two_chains()
    ended(a_removal(builder), *steps_of(builder).values())

    assert builder.asked == [{"leaf-a", "leaf-b"}, {"a", "b"}]


def test_what_nothing_lay_on_goes_together() -> None:
    builder = Builder(a_record("one"), a_record("two"))
    ended(a_removal(builder), *steps_of(builder).values())

    assert builder.asked == [{"one", "two"}]


def test_engine_20_10_takes_no_end_for_a_use_and_is_asked_once() -> None:
    builder = two_chains()
    builder.api_version = "1.41"
    ended(a_removal(builder), *steps_of(builder).values())

    assert [len(asked) for asked in builder.asked] == [4]
