"""One case as it is played: the request, where it stands still, what is done there, how it ends."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from bot.orders import EXECUTE, RESTORE, claims_id
from tests.faults.cells import Moment
from tests.faults.scene import HOST, Scene
from tests.stage.door import Hold
from tests.workspace import Message
from workers.contract import acknowledged_key, events_key

REACHED_SECONDS = 40
DELETE = "DELETE /"
# How many of the calls that there are at least in a part of a run may pass before one is held.
PASSING = {
    Moment.BEFORE_CONSUME: 2,
    Moment.AFTER_CONSUME: 8,
    Moment.MID_SAVE: 3,
    Moment.MID_STAGE: 7,
    Moment.BEFORE_REPORT: 3,
}
# Those that are a call of their own kind, whose answer may be held as well.
MID = (Moment.MID_SAVE, Moment.MID_STAGE)
SAVE, LOAD, TAG = r"GET /images/[^/]+/get", "POST /images/load", r"POST /images/[^/]+/tag"


@dataclass
class Play:
    """One request of one case, and what is known of it from the moment at which it can be confirmed."""

    scene: Scene
    rng: random.Random
    root: Message
    request_id: str
    plan: dict[str, Any]
    answers_before: int
    notes: list[str]

    @classmethod
    def asked(cls, scene: Scene, rng: random.Random, notes: list[str]) -> Self:
        """Have waste made and a plan of it, up to its button."""
        scene.next_channel()
        scene.litter(f"case-{rng.getrandbits(40):010x}")
        return cls._of(scene, rng, notes, cls._to_confirm(scene))

    @classmethod
    def _to_confirm(cls, scene: Scene) -> Message:
        return scene.ready(HOST)

    @classmethod
    def _of(cls, scene: Scene, rng: random.Random, notes: list[str], root: Message) -> Self:
        request_id = str((root.metadata or {})["event_payload"]["request"])
        return cls(
            scene=scene,
            rng=rng,
            root=root,
            request_id=request_id,
            plan=scene.records.plan(request_id),
            answers_before=len(scene.web.gate.answers),
            notes=notes,
        )

    order_type: ClassVar[str] = EXECUTE
    passing: ClassVar[Mapping[Moment, int]] = PASSING
    calls: ClassVar[Mapping[Moment, str]] = {Moment.MID_SAVE: SAVE, Moment.MID_STAGE: DELETE}

    @property
    def order_id(self) -> str:
        return claims_id(self.request_id, HOST, self.order_type)

    @property
    def removals(self) -> list[tuple[str, int]]:
        """What the engine was asked to change since then, and how it answered."""
        answers = self.scene.web.gate.answers[self.answers_before :]
        return [(call, status) for call, status in answers if not call.startswith("GET ")]

    def note(self, words: str) -> None:
        self.notes.append(words)

    @contextmanager
    def held_at(self, moment: Moment) -> Iterator[Hold]:
        """Inside the block the request stands still at that moment, which what is done there leads to."""
        with ExitStack() as stack:
            yield stack.enter_context(self._door(moment))

    def _door(self, moment: Moment) -> Any:
        match moment:
            case Moment.PLANNED:
                # Nothing is under way that could stand still.
                return nullcontext(Hold("", answered=False))
            case Moment.BEFORE_ORDER:
                return self.scene.bot_door.held(rf"(?s)MULTI .*PUSH rq:queue:{HOST} ")
            case Moment.AFTER_ORDER:
                return self.scene.worker_door.held(
                    rf"(?s)B?LMOVE rq:queue:{HOST} .* → .*{HOST}_", answered=True
                )
            case Moment.AFTER_REPORT:
                return self.scene.worker_door.held(rf"(?s).*XADD {events_key(HOST)} .*execution_finished")
            case Moment.BEFORE_ACK:
                pattern = self.rng.choice(
                    (rf"(?s)XACK {events_key(HOST)} ", rf"SET {acknowledged_key(HOST)} ")
                )
                return self.scene.bot_door.held(pattern, when=lambda _: self.is_in_history())
            case _:
                return self._at_engine(moment)

    def _at_engine(self, moment: Moment) -> Any:
        is_then, answered = self._then(moment), moment in MID and self.rng.random() < 0.5
        passing = self.rng.randrange(self.passing[moment])
        left = iter([*(False for _ in range(passing)), *(True for _ in range(10_000))])
        self.note(f"call {passing + 1}{', answered' if answered else ''}")

        def when(pid: int) -> bool:
            return pid != self.scene.web.worker.pid and is_then() and next(left)

        pattern = self.calls.get(moment, "GET /")
        return self.scene.web.gate.held(pattern, answered=answered, when=when)

    def _then(self, moment: Moment) -> Callable[[], bool]:
        records, order_id, steps = self.scene.records, self.order_id, len(self.plan["steps"])
        if moment is Moment.BEFORE_CONSUME:
            return lambda: not records.is_consumed(order_id)
        if moment is Moment.AFTER_CONSUME:
            return lambda: records.is_consumed(order_id) and not records.journal(order_id)
        if moment in self.calls:
            return lambda: True
        return lambda: len(records.journal(order_id)) == steps and self._all_answered()

    def _all_answered(self) -> bool:
        return sum(call.startswith(DELETE) for call, _ in self.removals) >= len(self.plan["steps"])

    # How it stands

    def is_in_history(self) -> bool:
        return bool(self.scene.records.history(self.request_id))

    def is_over(self) -> bool:
        """Whether nobody has anything left to do for it, and nothing of it can come back."""
        return self.is_told() and not self.scene.queued()

    def is_left_in_redis(self) -> bool:
        """Whether a job waits that its worker only looks for after the next one: Redis was set back to it."""
        return self.is_told() and bool(self.scene.queued())

    def is_told(self) -> bool:
        """Whether all is done and told."""
        records = self.scene.records
        return (
            not self.scene.children()
            and not records.open_runs()
            and not records.unacknowledged()
            and self.request_id not in records.open_requests()
        )

    def is_forgotten(self) -> bool:
        """Whether the bot waits for an order that nobody has any more."""
        records = self.scene.records
        return (
            records.settled(self.request_id) == "confirmed"
            and records.is_sent(self.request_id)
            and not self.scene.queued()
            and not self.scene.children()
            and not records.is_consumed(self.order_id)
            and not records.is_refused(self.order_id)
            and not records.unacknowledged()
            and "execution_started" not in records.events(self.request_id)
        )

    def standing(self) -> str:
        """Where it hangs."""
        records, scene = self.scene.records, self.scene
        looks = {
            "settled": records.settled(self.request_id),
            "sent": records.is_sent(self.request_id),
            "queued": scene.queued(),
            "children": scene.children(),
            "consumed": records.is_consumed(self.order_id),
            "open runs": records.open_runs(),
            "unacknowledged": records.unacknowledged(),
            "open requests": self.request_id in records.open_requests(),
            "events": ",".join(records.events(self.request_id)[-3:]),
            "thread": next((m.first_line for m in scene.roots() if m.ts == self.root.ts), ""),
        }
        return ", ".join(f"{name}: {value}" for name, value in looks.items())

    def is_undecided(self) -> bool:
        """Whether the bot has forgotten the click."""
        return self.scene.records.knows(self.request_id) and not self.scene.records.settled(self.request_id)


class RestorePlay(Play):
    """One restore: of a run that removed the waste of its case."""

    order_type = RESTORE
    passing: ClassVar[Mapping[Moment, int]] = {
        Moment.AFTER_CONSUME: 1,
        Moment.MID_STAGE: 3,
        Moment.BEFORE_TAGS: 2,
        Moment.BEFORE_REPORT: 2,
    }
    calls: ClassVar[Mapping[Moment, str]] = {Moment.MID_STAGE: LOAD, Moment.BEFORE_TAGS: TAG}

    @classmethod
    def _to_confirm(cls, scene: Scene) -> Message:
        scene.pruned(HOST)
        return scene.restore()

    def _all_answered(self) -> bool:
        of_images = sum(step["object"]["kind"] == "image" for step in self.plan["steps"])
        return sum(call.startswith(LOAD) for call, _ in self.removals) >= of_images


def holds_for(look: Callable[[], bool], seconds: float) -> bool:
    """Whether it is so now and stays so."""
    deadline = time.monotonic() + seconds
    while look():
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)
    return False
