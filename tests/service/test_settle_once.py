"""S11: a request is settled once, however clicks, people, deliveries, processes and restarts interleave.

Several bots work on one memory. Each is stopped before each of its uses of the store, and goes on when the
drawn schedule says so; some are killed there. What Slack would show plays no part, so Slack is away.
"""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase as Stage
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import keys, render
from bot.arrivals import Call, Click
from bot.facts import About, Fact, Lookup
from bot.memory.database import Database
from bot.memory.history import Entry, History
from bot.memory.lookups import Lookups
from bot.memory.posts import ROOT
from bot.parts import Parts, Wiring
from bot.requests import Choice, Phase, Settled, Settlement
from bot.rulebook import simple
from bot.slack.identity import Identity
from tests.service.bot_stage import Clock, RedisServer, StandInHost
from tests.service.settling import REQUESTS, attempt
from tests.service.turns import TURNS, taking_turns
from tests.stage.redis import free_port
from tests.unit.bot_values import asked, plan, plan_ready
from workers.contract import ExecutionOrder, Person

SECONDS = 120.0
TEAM, CHANNEL = "T1", "C1"
PEOPLE = ("U1", "U2", "U3")
HOSTS = ("web-1", "web-2")
BOTS = 3
ROOT_TS = "1.000001"
NOWHERE = f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module", autouse=True)
def turns() -> Iterator[None]:
    with taking_turns():
        yield


@dataclass(frozen=True)
class Press:
    """A click, and what is known of it: whether it was made after the request was seen to be settled."""

    button: Settled
    value: str
    user: str
    trigger: str
    came_late: bool

    @property
    def request(self) -> str:
        return str(json.loads(self.value)["request"])


@dataclass
class World:
    """Bots that share a memory, and everything that people and hosts have done."""

    folder: Path
    server: RedisServer
    clock: Clock = field(default_factory=Clock)
    drawn: list[str] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    settled: dict[str, Settlement] = field(default_factory=dict)
    orders: list[ExecutionOrder] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    desks_killed: int = 0
    seq: int = 0

    def __post_init__(self) -> None:
        self.key = keys.make(self.folder / "signing.key")
        self.client: Any = self.server.client
        self.client.flushall()
        self.hosts = {h: StandInHost(h, self.server, self.key, clock=self.clock) for h in HOSTS}
        self.bots = [self.new_bot() for _ in range(BOTS)]
        for host in HOSTS:
            self.bots[0].reception.typed.store.admit(host, self.clock())
        self.know()

    def new_bot(self) -> Parts:
        who = Identity(TEAM, "team", "UBOT", "BBOT", frozenset())
        wiring = Wiring(
            database=self.folder / "bot.sqlite3",
            key=lambda: self.key,
            bot_token="xoxb",
            app_token="",
            signing_secret="",
            api_url=f"{NOWHERE}/api/",
            redis_url=self.server.url,
            book=simple((CHANNEL,), PEOPLE),
            bind="",
            port=None,
        )
        return Parts(wiring, who, clock=self.clock)

    def restart(self, number: int) -> None:
        self.bots[number].database.close()
        self.bots[number] = self.new_bot()

    def close(self) -> None:
        for bot in self.bots:
            bot.database.close()
        self.client.close()

    # What is done by a bot, in its turns

    def ask(self, bot: Parts, number: int) -> None:
        hosts = ("web-1", "web-1 web-2")[number % 2]
        person = Person(team=TEAM, user=PEOPLE[number % 3])
        bot.reception.command(Call(f"preview {hosts}", person, CHANNEL, f"ask {number} {self.seq}", ""))

    def answer(self, bot: Parts, number: int) -> None:
        """A host has planned for one of the open requests."""
        filed = bot.reception.typed.store.open_requests()
        if not filed:
            return
        chosen = filed[number % len(filed)].asked
        host = chosen.hosts[number % len(chosen.hosts)]
        self.seq += 1
        made = plan(host, request=chosen.id, steps=1 + number % 2, at=self.clock())
        event = plan_ready(made, at=self.clock())
        History(bot.database).record(host, [Entry("l1", self.seq, event.model_dump_json())], self.clock())

    def press(self, bot: Parts, press: Press) -> None:
        person = Person(team=TEAM, user=press.user)
        click = Click(press.value, person, CHANNEL, press.trigger, NOWHERE, message_ts=ROOT_TS)
        (bot.reception.execute if press.button is Settled.CONFIRMED else bot.reception.cancel)(click)

    def choose(self, bot: Parts, number: int) -> None:
        """Somebody leaves a host, or the first step of its plan, out of one of the open requests."""
        filed = bot.reception.typed.store.open_requests()
        if not filed:
            return
        asked = filed[number % len(filed)].asked
        host = asked.hosts[number % len(asked.hosts)]
        choice = [Choice(host), Choice(host, (0,)), Choice(host, is_left_out=True)][number % 3]
        person = Person(team=TEAM, user=PEOPLE[number % 3])
        bot.reception.choosing.choices.choose(asked.id, [choice], at=self.clock(), by=person)

    # What is done between the turns

    def wait(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)
        self.know()

    def know(self) -> None:
        """Somebody has just looked up everybody."""
        lookups, fact = Lookups(self.bots[0].database), Fact(self.clock(), team=TEAM)
        lookups.record(Lookup(About.CHANNEL, CHANNEL), fact)
        for person in PEOPLE:
            lookups.record(Lookup(About.PERSON, person), fact)

    def new_press(self, number: int) -> Press | None:
        """A click of somebody whose screen may be behind; now and then one that is delivered again."""
        if self.presses and number % 5 == 0:
            return self.presses[number % len(self.presses)]
        if not self.drawn:
            return None
        button = Settled.CONFIRMED if number % 3 else Settled.CANCELLED
        value = self.drawn[-1 - number % min(len(self.drawn), 3)]
        late = str(json.loads(value)["request"]) in self.settled
        return Press(button, value, PEOPLE[number % 3], f"t{len(self.presses)}", late)

    def look(self) -> None:
        """People look at what is drawn; the order of the world is looked after."""
        reception = self.bots[0].reception
        for dossier in reception.typed.dossiers.open():
            request = reception.presses.standing(dossier)
            value = json.dumps({"request": request.asked.id, "set": request.set_digest})
            if request.phase is Phase.READY and value not in self.drawn:
                self.drawn.append(value)
                posts = reception.answering.posts
                posts.begin(request.asked.id, ROOT, CHANNEL, self.clock())
                posts.show(request.asked.id, ROOT, ts=ROOT_TS, shown=value)
        for request_id in self.requests():
            now = reception.typed.store.settlement(request_id)
            if now is not None:
                assert self.settled.setdefault(request_id, now) == now, "a settlement was changed"
        self.notes |= {note.id: note.message.text for note in self.bots[0].reception.answering.posts.owed()}
        self.collect()

    def requests(self) -> list[str]:
        with self.bots[0].database.reading() as db:
            return [str(row["id"]) for row in db.execute("SELECT id FROM requests ORDER BY made_at, id")]

    def collect(self) -> None:
        for host in self.hosts.values():
            while job := self.client.lpop(f"rq:queue:{host.name}"):
                claims = host.opened(job.decode())
                if isinstance(claims, ExecutionOrder):
                    self.orders.append(claims)


Move = tuple[str, int]
KINDS_OF_MOVES = ["ask", "answer", "choose", "press", "press", "press", "desk"]
MOVES = st.tuples(st.sampled_from(KINDS_OF_MOVES), st.integers(0, 29))
WAITS = st.sampled_from([0, 0, 0, 1, 30, 61, 3600])
ROUNDS = st.lists(
    st.tuples(
        WAITS,
        st.lists(MOVES, min_size=2, max_size=BOTS),
        st.integers(0, 2**32),
        st.sampled_from([None, None, *range(BOTS)]),
    ),
    min_size=1,
    max_size=6,
)
THREE_AT_ONCE: list[Move] = [("press", 1), ("press", 3), ("press", 2)]
PRESSED_AND_CHOSEN: list[Move] = [("press", 1), ("choose", 1), ("press", 2)]
READY_REQUEST: list[Move] = [("ask", 0), ("answer", 0)]


@pytest.fixture(scope="module")
def server(stage_place: Callable[[], Path]) -> Iterator[RedisServer]:
    folder = stage_place()
    folder.mkdir()
    made = RedisServer(folder).start()
    yield made
    made.stop()


# A schedule that fails is read as it is: to shrink one takes minutes.
@settings(max_examples=60, phases=[Stage.explicit, Stage.reuse, Stage.generate])
@given(rounds=ROUNDS)
@example(rounds=[(0, THREE_AT_ONCE, seed, None) for seed in range(3)])
@example(rounds=[(0, PRESSED_AND_CHOSEN, seed, None) for seed in range(3)])
@example(rounds=[(0, THREE_AT_ONCE, 3, 0), (3600, [("desk", 0), ("press", 1)], 4, None)])
@example(rounds=[(3600, [("press", 2), ("desk", 0), ("press", 3)], seed, None) for seed in range(3)])
def test_s11_whatever_the_interleaving_a_request_is_settled_once(
    server: RedisServer, rounds: list[tuple[int, list[Move], int, int | None]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), server)
        try:
            for move in READY_REQUEST:
                play(world, [move], random.Random(0))
            for wait, moves, seed, restarted in rounds:
                world.wait(wait)
                play(world, moves, random.Random(seed))
                if restarted is not None:
                    world.restart(restarted)
            end(world)
            check(world)
        finally:
            world.close()


def play(world: World, moves: list[Move], choices: random.Random) -> None:
    """Let each bot make its move, all of them in one another's midst; one desk at a time is allowed."""
    works: list[tuple[int, str, Press | None, Callable[[], None]]] = []
    for number, (move, drawn) in enumerate(moves):
        bot, press = world.bots[number], world.new_press(drawn) if move == "press" else None
        if press is not None:
            world.presses.append(press)
            works.append((number, move, press, lambda b=bot, p=press: world.press(b, p)))  # type: ignore[misc]
        elif move in ("ask", "answer", "choose"):
            act = {"ask": world.ask, "answer": world.answer, "choose": world.choose}[move]
            works.append((number, move, None, lambda b=bot, a=act, d=drawn: a(b, d)))  # type: ignore[misc]
        elif move == "desk" and not any(done == "desk" for _, done, _, _ in works):
            works.append((number, move, None, lambda b=bot: b.desk.step() and None))  # type: ignore[misc]
    killed = TURNS.run([work for *_, work in works], choices)
    for (number, move, press, _), has_died in zip(works, killed, strict=True):
        if has_died:
            world.restart(number)
            world.desks_killed += move == "desk"
            world.killed |= {press.trigger} if press else set()
    world.look()


def end(world: World) -> None:
    """Let the desk do what is left to do, and let everybody click once more on everything, too late."""
    for seconds in (0, 3, 61, 7200, 61):
        world.wait(seconds)
        world.bots[0].desk.step()
        world.look()
    for number, value in enumerate(world.drawn):
        for user in PEOPLE:
            button = (Settled.CONFIRMED, Settled.CANCELLED)[number % 2]
            press = Press(button, value, user, f"late {number} {user}", came_late=True)
            world.presses.append(press)
            world.press(world.bots[number % BOTS], press)
    world.look()


def check(world: World) -> None:
    """One settlement stands, whoever came later read of it, and exactly what was confirmed is ordered."""
    assert {json.loads(value)["request"] for value in world.drawn} <= world.settled.keys()
    for request_id, settlement in world.settled.items():
        presses = {p.trigger: p for p in world.presses if p.request == request_id}
        check_answers(world, settlement, list(presses.values()))
        orders = [order for order in world.orders if order.request_id == request_id]
        check_orders(world, settlement, orders)
    assert {order.request_id for order in world.orders} <= world.settled.keys()


def check_answers(world: World, settlement: Settlement, presses: list[Press]) -> None:
    notes = {
        press.trigger: world.notes.get(press.trigger)
        for press in presses
        if press.trigger not in world.killed
    }
    won = [press for press in presses if press.trigger in notes and notes[press.trigger] is None]
    assert len(won) <= 1
    for press in won:
        assert settlement.by is not None
        assert (settlement.how, settlement.by.user) == (press.button, press.user)
    first = render.already_settled(settlement).text
    for press in presses:
        if press.trigger in notes and press not in won and press.came_late:
            assert notes[press.trigger] == first


def check_orders(world: World, settlement: Settlement, orders: list[ExecutionOrder]) -> None:
    ordered = {order.host: order.plan_digest for order in orders}
    if settlement.how is Settled.CONFIRMED:
        # A desk that was killed for longer than an order may wait sends none; a part of it goes to nobody.
        assert ordered == dict(settlement.plans) or not ordered
        left_out = {choice.host: choice.excluded for choice in settlement.choices}
        assert all(order.excluded == left_out.get(order.host, ()) for order in orders)
        assert settlement.set_digest == set_of(settlement)
    else:
        assert not ordered
    # A desk that died before it recorded what it sent sends the same order once more; hosts take it once.
    assert len({(order.host, order.id) for order in orders}) == len(ordered)
    assert len(orders) <= len(ordered) * (1 + world.desks_killed)


def set_of(settlement: Settlement) -> str:
    """What a button names that was drawn for exactly what was settled (S3)."""
    left_out = {choice.host: choice.excluded for choice in settlement.choices}
    lines = (" ".join([h, d, *map(str, left_out.get(h, ()))]) for h, d in settlement.plans.items())
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def test_s11_processes_that_settle_the_same_requests_agree_on_who_came_first(tmp_path: Path) -> None:
    """Four processes race; two of them are killed on the way, and started again with the same clicks."""
    file, names = tmp_path / "bot.sqlite3", ("p1", "p2", "p3", "p4")
    database = Database(file)
    with database.transaction() as db:
        for request_id in REQUESTS:
            filed = asked(id_=request_id)
            db.execute(
                "INSERT INTO requests (id, trigger_id, verb, channel, team, user, hosts, kinds, made_at,"
                " response_url) VALUES (?, ?, 'preview', 'C1', 'T1', 'U1', '[]', 'null', ?, '')",
                (filed.id, filed.id, filed.made_at.isoformat()),
            )
    racing = {name: started(file, name) for name in names}
    for process in racing.values():
        release(process)
    said = [line for name in names[:2] for line in killed_after(racing[name], 5)]
    again = [started(file, name) for name in names[:2]]
    for process in again:
        release(process)
    for process in [racing["p3"], racing["p4"], *again]:
        said += process.communicate(timeout=SECONDS)[0].splitlines()
        assert process.returncode == 0

    with database.reading() as db:
        rows = db.execute("SELECT request_id, how, user, click, set_digest, plans FROM settlements")
        stands = {row["request_id"]: row for row in rows}
    database.close()
    assert stands.keys() == set(REQUESTS)
    assert len(said) >= 4 * len(REQUESTS)
    for request_id, is_ours, how, by, name in map(json.loads, said):
        row = stands[request_id]
        assert (how, by) == (row["how"], row["user"])
        assert is_ours == (name == by)
    for number, request_id in enumerate(REQUESTS):
        row = stands[request_id]
        won = attempt(row["user"], number)
        assert (row["how"], row["set_digest"]) == (won.how, won.set_digest)
        assert (row["click"], json.loads(row["plans"])) == (f"{row['user']} {number}", dict(won.plans))


def started(file: Path, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.service.settling", str(file), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def release(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()


def killed_after(process: "subprocess.Popen[str]", lines: int) -> list[str]:
    """Kill a process once it has said so much; everything that it has said as a whole."""
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    rest, _ = process.communicate(timeout=SECONDS)
    return [*said, *(line for line in rest.splitlines(keepends=True) if line.endswith("\n"))]
