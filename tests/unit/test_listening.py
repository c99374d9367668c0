"""Whatever an engine tells between two looks is heard once, and what it forgot in between is not silence."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engine import Engine
from workers.errors import EngineError
from workers.execution import guards
from workers.execution.listening import Listening
from workers.planning.activity import MEMORY

Raw = Mapping[str, Any]


class Remembering:
    """The memory of an engine: its last events, whoever asks about what time."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def happens(self, action: str, id_: str, type_: str = "image", *, ago: float = 0) -> None:
        at = int((datetime.now(UTC).timestamp() - ago) * 10**6) * 1000
        self.told.append({"Type": type_, "Action": action, "Actor": {"ID": id_}, "timeNano": at})

    def events(
        self, wanted: Mapping[str, Collection[str]], *, since: datetime, until: datetime
    ) -> list[dict[str, Any]]:
        begin, end = (round(moment.timestamp() * 10**6) * 1000 for moment in (since, until))
        remembered = (e for e in self.told[-MEMORY:] if begin <= e["timeNano"] <= end)
        return [event for event in remembered if not wanted or event["Type"] in wanted]


def a_listening(engine: Remembering) -> Listening:
    return Listening(cast("Engine", engine), datetime.now(UTC))


@given(st.lists(st.lists(st.sampled_from(["pull", "untag", "tag"]), max_size=9), max_size=9))
def test_s7_every_event_is_heard_once_and_in_its_order(bursts: list[list[str]]) -> None:
    engine = Remembering()
    listening = a_listening(engine)
    heard: list[Raw] = []
    for number, burst in enumerate(bursts):
        for place, action in enumerate(burst):
            engine.happens(action, f"sha256:{number}.{place}")
        heard += listening.listen()

    assert heard == engine.told


def test_s2_an_untag_tells_once_who_lost_a_name() -> None:
    engine = Remembering()
    listening = a_listening(engine)
    engine.happens("untag", "sha256:a")
    engine.happens("tag", "sha256:b")

    assert guards.lost_a_name(listening.listen()) == {"sha256:a"}
    assert guards.lost_a_name(listening.listen()) == frozenset()
    engine.happens("untag", "sha256:c")
    assert guards.lost_a_name(listening.listen()) == {"sha256:c"}


def test_s2_the_last_minute_is_known_that_was_before_the_run_as_well() -> None:
    engine = Remembering()
    engine.happens("pull", "a:1")
    listening = a_listening(engine)
    engine.happens("pull", "b:1")

    assert [event["Actor"]["ID"] for event in listening.recent()] == ["a:1", "b:1"]
    assert set(listening.news().arrivals) == {"docker.io/library/b:1"}


def test_s7_who_came_and_went_since_the_run_judged_is_remembered() -> None:
    engine = Remembering()
    engine.happens("die", "before", "container")
    listening = a_listening(engine)
    for action, id_, type_ in (("start", "c1", "container"), ("die", "c1", "container")):
        engine.happens(action, id_, type_)
    engine.happens("connect", "n1", "network")
    listening.listen()
    engine.told.clear()
    engine.happens("create", "c2", "container")
    news = listening.news()

    assert [(use.container, use.ended) for use in news.uses] == [("c1", True)]
    assert set(news.joined) == {"n1"}


def test_s2_a_name_that_was_spoken_of_less_than_60_seconds_ago_has_not_been_left_alone() -> None:
    engine = Remembering()
    engine.happens("pull", "left:1", ago=65)
    engine.happens("pull", "touched:1", ago=55)
    listening = a_listening(engine)
    recent = listening.recent()

    assert guards.name_touched("touched:1", recent) is not None
    assert guards.name_touched("left:1", recent) is None


def test_s4_more_than_an_engine_remembers_between_two_looks_is_an_error_from_then_on() -> None:
    engine = Remembering()
    listening = a_listening(engine)
    for number in range(MEMORY + 1):
        engine.happens("create", str(number), "volume")

    for ask in chain.from_iterable([(listening.news, listening.recent, listening.listen)] * 2):
        with pytest.raises(EngineError, match=f"the last {MEMORY}"):
            ask()
    # An engine that has started anew remembers nothing of it either.
    engine.told.clear()
    with pytest.raises(EngineError, match=f"the last {MEMORY}"):
        listening.listen()


def test_s7_a_memory_that_is_full_of_what_was_heard_already_is_no_gap() -> None:
    engine = Remembering()
    listening = a_listening(engine)
    for number in range(2 * MEMORY):
        engine.happens("create", str(number), "volume")
        if number % (MEMORY - 1) == 0:
            listening.listen()

    engine.happens("pull", "app:1")
    assert set(listening.news().arrivals) == {"docker.io/library/app:1"}
