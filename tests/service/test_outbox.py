"""The relay with a real ledger and a real Redis that is emptied, rolled back or away at the worst moment."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.service.queue_stage import until
from tests.stage.redis import RedisServer
from tests.unit.bot_values import plan_started
from workers.contract import EVENT, acknowledged_key, events_key
from workers.memory.ledger import Ledger
from workers.transport.connection import Patience, connect
from workers.transport.outbox import BATCH, Outbox, Relay
from workers.transport.stillness import Stillness, Troubles

HOST = "web-1"


@dataclass
class Line:
    """A host's ledger and relay at one end, a reader that records like the bot at the other."""

    ledger_file: Path
    server: RedisServer
    recorded: dict[int, str] = field(default_factory=dict)
    arrived: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client: Any = connect(self.server.url, Patience(0))
        self.relay = self.new_relay()

    def new_relay(self) -> Relay:
        stillness = Stillness()
        client = connect(self.server.url, Patience(0))
        return Relay(HOST, client, Outbox(self.ledger_file, stillness), Troubles(stillness))

    def tell(self, *requests: str) -> None:
        with closing(Ledger(self.ledger_file)) as ledger:
            for request in requests:
                ledger.tell(plan_started(HOST, request=request))

    def waiting(self) -> list[int]:
        with closing(Ledger(self.ledger_file)) as ledger:
            return [seq for seq, _ in ledger.outbox(after=0, limit=10_000)]

    def carry(self) -> None:
        """Carry until there is nothing to carry."""
        while self.relay.carry():
            pass

    def read(self) -> None:
        """Record what is in the stream, and acknowledge as far as nothing is missing."""
        for _, fields in self.client.xrange(events_key(HOST)):
            seq = int(fields[b"seq"])
            self.arrived.append(seq)
            self.recorded.setdefault(seq, EVENT.validate_json(fields[b"event"]).request_id)
        self.acknowledge(next(n for n in range(len(self.recorded) + 1) if n + 1 not in self.recorded))

    def acknowledge(self, seq: int) -> None:
        self.client.set(acknowledged_key(HOST), f"{self.relay.ledger}:{seq}")

    def exchange_until_known(self) -> None:
        def exchanged() -> bool:
            self.carry()
            self.read()
            return not self.waiting()

        until(exchanged, f"all to be acknowledged; waiting: {self.waiting()}, recorded: {self.recorded}")


@pytest.fixture
def line(redis_server: RedisServer, tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path / "ledger.db", redis_server)
    yield made
    made.client.close()


def test_s15_events_arrive_in_order_and_leave_the_ledger_once_acknowledged(line: Line) -> None:
    line.tell("a", "b", "c")
    line.carry()
    assert line.waiting() == [1, 2, 3]

    line.read()
    line.carry()

    assert line.arrived == [1, 2, 3]
    assert line.waiting() == []


def test_s15_each_event_says_from_which_number_on_the_ledger_still_has_them(line: Line) -> None:
    line.tell("a", "b", "c")
    line.carry()
    line.acknowledge(2)
    line.carry()
    line.tell("d")
    line.carry()

    told = [(int(f[b"seq"]), int(f[b"first"])) for _, f in line.client.xrange(events_key(HOST))]
    assert told == [(1, 1), (2, 1), (3, 1), (4, 3)]


@pytest.mark.parametrize("lose", [RedisServer.restart_empty, lambda server: server.client().flushall()])
def test_s15_a_redis_emptied_before_the_reader_came_loses_nothing(
    line: Line, lose: Callable[[RedisServer], object]
) -> None:
    line.tell("a", "b")
    line.carry()
    lose(line.server)
    line.tell("c", "d")

    line.exchange_until_known()

    assert line.recorded == {1: "a", 2: "b", 3: "c", 4: "d"}
    assert list(dict.fromkeys(line.arrived)) == [1, 2, 3, 4]


def test_s15_a_redis_rolled_back_loses_nothing(line: Line) -> None:
    line.tell("a")
    line.carry()
    line.read()
    line.carry()
    line.tell("b")
    line.carry()
    early = line.server.snapshot()
    line.carry()
    line.tell("c", "d")
    line.carry()
    line.server.roll_back(early)
    line.tell("e")

    line.exchange_until_known()

    assert list(line.recorded.values()) == ["a", "b", "c", "d", "e"]


def test_s15_a_gap_in_the_stream_is_not_taken_for_recorded(line: Line) -> None:
    line.tell("a", "b", "c", "d")
    line.carry()
    for entry, _ in line.client.xrange(events_key(HOST), count=2):
        line.client.xdel(events_key(HOST), entry)

    line.read()
    assert line.arrived == [3, 4]
    assert line.client.get(acknowledged_key(HOST)).endswith(b":0")
    line.exchange_until_known()

    assert line.recorded == {1: "a", 2: "b", 3: "c", 4: "d"}


def test_s15_an_acknowledgement_that_somebody_made_up_forgets_nothing(line: Line) -> None:
    line.tell("a")
    line.carry()
    line.acknowledge(99)
    line.tell("b", "c")

    line.relay.carry()
    assert line.waiting() == [100, 101, 102]
    line.client.set(acknowledged_key(HOST), "another-ledger:101")
    line.carry()

    assert line.waiting() == [100, 101, 102]


@pytest.mark.parametrize(
    "answer", ["", ":", "x", "{}:", "{}:-1", "{}:1.5", "{}:\u0662", "{}:" + "9" * 50, "\xff"]
)
def test_s15_an_acknowledgement_that_is_none_forgets_nothing(line: Line, answer: str) -> None:
    line.tell("a", "b")
    line.carry()

    line.client.set(acknowledged_key(HOST), answer.format(line.relay.ledger))
    line.carry()

    assert line.waiting() == [1, 2]


def test_s15_what_could_not_be_carried_is_carried_later(line: Line) -> None:
    line.server.kill()
    line.tell("a", "b")
    assert not line.relay.carry()
    line.server.start()

    assert line.relay.carry()
    line.exchange_until_known()

    assert line.recorded == {1: "a", 2: "b"}


def test_s15_a_host_started_anew_tells_again_what_is_not_acknowledged(line: Line) -> None:
    line.tell("a", "b")
    line.carry()

    line.relay = line.new_relay()
    line.exchange_until_known()

    assert line.recorded == {1: "a", 2: "b"}
    assert line.arrived[:4] == [1, 2, 1, 2]


@pytest.mark.parametrize("news", [["x"], ["x", "y", "z"]])
def test_s15_a_ledger_put_back_from_a_copy_is_not_taken_for_repeating_itself(
    line: Line, news: list[str]
) -> None:
    line.tell("a")
    copy = line.ledger_file.read_bytes()
    line.tell("b", "c")
    line.exchange_until_known()
    for path in line.ledger_file.parent.glob("ledger.db*"):
        path.unlink()
    line.ledger_file.write_bytes(copy)

    line.relay = line.new_relay()
    line.relay.carry()
    line.tell(*news)
    line.exchange_until_known()

    assert [line.recorded[seq] for seq in sorted(line.recorded)] == ["a", "b", "c", "a", *news]


def test_s15_a_ledger_put_back_beside_its_relay_is_told_anew_once(line: Line) -> None:
    line.tell("a", "b", "c")
    line.carry()
    line.acknowledge(99)

    assert [line.relay.carry() for _ in range(4)] == [True, True, False, False]
    assert line.waiting() == [100, 101, 102]


def test_s15_a_ledger_begun_anew_is_told_from_its_beginning(line: Line) -> None:
    line.tell("a", "b", "c")
    line.carry()
    for path in line.ledger_file.parent.glob("ledger.db*"):
        path.unlink()
    line.tell("x")

    line.carry()

    told = [EVENT.validate_json(f[b"event"]).request_id for _, f in line.client.xrange(events_key(HOST))]
    assert told == ["a", "b", "c", "x"]
    assert line.waiting() == [1]


def test_many_events_are_carried_in_batches(line: Line) -> None:
    count = 2 * BATCH + 1
    line.tell(*(str(n) for n in range(count)))

    line.exchange_until_known()

    assert list(line.recorded) == list(range(1, count + 1))


def test_entries_a_day_old_by_the_clock_of_redis_are_trimmed(line: Line) -> None:
    for number in range(1, 302):  # Redis drops whole blocks of a hundred
        line.client.xadd(events_key(HOST), {"seq": "old"}, id=f"1-{number}")
    line.tell("a")
    line.carry()
    line.tell("b")

    line.carry()

    left = [fields[b"seq"] for _, fields in line.client.xrange(events_key(HOST))]
    assert left.count(b"old") < 100
    assert left[-2:] == [b"1", b"2"]


def test_an_unusable_ledger_stops_nothing(line: Line) -> None:
    line.ledger_file.write_text("no database at all, " * 100)

    assert not line.relay.carry()
    line.ledger_file.unlink()
    line.tell("a")
    line.exchange_until_known()

    assert line.recorded == {1: "a"}


def test_with_nothing_to_tell_the_ledger_is_left_alone(line: Line) -> None:
    line.tell("a")
    line.exchange_until_known()
    line.carry()
    line.client.close()
    before = sorted(path.stat().st_mtime_ns for path in line.ledger_file.parent.glob("ledger.db*"))

    for _ in range(20):
        line.relay.carry()

    assert before == sorted(path.stat().st_mtime_ns for path in line.ledger_file.parent.glob("ledger.db*"))
