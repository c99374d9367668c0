"""Whatever a Redis forgets, every event is recorded once by the bot, and none leaves the ledger before."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from workers.transport.outbox import FIRST_PATIENCE, LONGEST_PATIENCE, Entry, Progress, Stream

BATCH = 3


@dataclass
class World:
    """A host, a Redis that forgets, and a bot that records; all as simple as they can be."""

    told: int = 0
    forgotten: int = 0
    progress: Progress = field(default_factory=lambda: Progress(ledger="a"))
    server: int = 1
    next_id: int = 1
    stream: list[Entry] = field(default_factory=list)
    acknowledged: int = 0
    read: int = 0
    recorded: list[int] = field(default_factory=list)
    now: float = 0.0
    saved: tuple[list[Entry], int] = field(default_factory=lambda: ([], 0))

    def tell(self) -> None:
        self.told += 1

    def carry(self) -> None:
        if self.progress.entries:
            oldest = self.progress.entries[0].id
            has_oldest = any(entry.id == oldest for entry in self.stream)
            heard = Stream(str(self.server), self.acknowledged, has_oldest)
            self.progress = self.progress.heard(heard, self.now)
        self.forgotten = max(self.forgotten, self.progress.acknowledged)
        rows = range(max(self.progress.upto, self.forgotten) + 1, self.told + 1)[:BATCH]
        if rows:
            self.put(rows)

    def put(self, rows: range) -> None:
        entries = tuple(Entry(seq, f"{self.server}-{self.next_id + n}") for n, seq in enumerate(rows))
        self.next_id += len(entries)
        self.stream.extend(entries)
        self.progress = self.progress.sent(entries, str(self.server), self.now)

    def lose_answer(self) -> None:
        """What was put there is there, but the host never learns that."""
        before = self.progress
        self.carry()
        self.progress = before

    def empty(self) -> None:
        self.stream, self.acknowledged, self.read = [], 0, 0

    def trim(self) -> None:
        gone = len(self.stream) // 2
        self.stream, self.read = self.stream[gone:], max(0, self.read - gone)

    def save(self) -> None:
        self.saved = (list(self.stream), self.acknowledged)

    def roll_back(self) -> None:
        self.stream, self.acknowledged = list(self.saved[0]), self.saved[1]
        self.server, self.read = self.server + 1, 0

    def roll_back_while_carrying(self) -> None:
        """Between the host's look and its sending."""
        self.tell()
        rows = range(max(self.progress.upto, self.forgotten) + 1, self.told + 1)[:BATCH]
        self.roll_back()
        self.put(rows)

    def restart_host(self) -> None:
        self.progress = Progress(ledger="a")

    def read_one(self) -> None:
        if self.read < len(self.stream):
            seq = self.stream[self.read].seq
            self.read += 1
            if seq not in self.recorded:
                self.recorded.append(seq)
        self.acknowledged = self.contiguous()

    def contiguous(self) -> int:
        known = set(self.recorded)
        return next(seq for seq in range(len(known) + 1) if seq + 1 not in known)

    def let_time_pass(self) -> None:
        self.now += FIRST_PATIENCE + 1


STEPS = st.sampled_from(
    [
        World.tell,
        World.carry,
        World.lose_answer,
        World.empty,
        World.trim,
        World.save,
        World.roll_back,
        World.roll_back_while_carrying,
        World.restart_host,
        World.read_one,
        World.let_time_pass,
    ]
)


@settings(max_examples=500)
@given(st.lists(STEPS, max_size=60))
def test_s15_every_event_is_recorded_once_and_none_is_forgotten_before(steps: list[object]) -> None:
    world = World()
    for step in steps:
        assert callable(step)
        step(world)
        assert world.forgotten <= world.contiguous()

    for _ in range(4 * (world.told + len(world.stream)) + 10):
        world.carry()
        world.read_one()

    assert list(range(1, world.told + 1)) == sorted(world.recorded)


@given(st.lists(STEPS, max_size=60))
def test_s15_with_nothing_new_to_tell_the_sending_comes_to_rest(steps: list[object]) -> None:
    world = World()
    for step in steps:
        assert callable(step)
        step(world)
    for _ in range(4 * (world.told + len(world.stream)) + 10):
        world.carry()
        world.read_one()

    before = len(world.stream)
    world.carry()

    assert before == len(world.stream)
    assert not world.progress.entries


def sent(*seqs: int) -> Progress:
    entries = tuple(Entry(seq, f"1-{seq}") for seq in seqs)
    return Progress(ledger="a").sent(entries, "first", now=0.0)


def test_s15_an_acknowledgement_of_what_was_never_sent_is_not_believed() -> None:
    assert sent(1, 2).heard(Stream("first", 99, has_oldest=True), now=0.0).acknowledged == 2


def test_s15_an_acknowledgement_does_not_go_back_when_redis_does() -> None:
    known = sent(1, 2, 3).heard(Stream("first", 2, has_oldest=True), now=0.0)

    assert known.heard(Stream("second", 1, has_oldest=False), now=0.0).upto == 2


def test_what_the_stream_has_lost_at_its_front_is_sent_again() -> None:
    assert sent(1, 2, 3).heard(Stream("first", 0, has_oldest=False), now=0.0).upto == 0


def test_another_start_of_redis_may_have_lost_the_end_so_all_is_sent_again() -> None:
    assert sent(1, 2, 3).heard(Stream("second", 1, has_oldest=True), now=0.0).upto == 1


def test_what_went_to_another_start_of_redis_than_what_was_before_is_not_all_it_needs() -> None:
    assert sent(1, 2).sent((Entry(3, "2-3"),), "second", now=0.0).upto == 0


def test_what_nobody_acknowledges_is_sent_again_more_and_more_seldom() -> None:
    progress, quiet, now, waits = sent(1), Stream("first", 0, has_oldest=True), 0.0, []
    for _ in range(10):
        waits.append(progress.patience)
        now += progress.patience + 1
        progress = progress.heard(quiet, now)
        assert progress.upto == 0
        progress = progress.sent((Entry(1, "1-1"),), "first", now)

    assert waits == sorted(waits)
    assert waits[0] == FIRST_PATIENCE
    assert waits[-1] == LONGEST_PATIENCE


def test_while_nothing_is_lost_and_nobody_is_late_nothing_is_sent_again() -> None:
    assert sent(1, 2, 3).heard(Stream("first", 1, has_oldest=True), now=FIRST_PATIENCE).upto == 3
