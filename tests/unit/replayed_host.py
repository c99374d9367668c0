"""A recorded host that does what a run asks of it, and of which a test can say what fails from when on."""

import copy
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast

from tests.stage.recording import Answers, Replayed
from tests.unit.bot_values import ANA, BO
from tests.unit.facts_host import a_policy
from workers import survey
from workers.contract import EngineIdentity, ExecutionOrder, Kind, Plan, Report
from workers.engine import Engine
from workers.errors import EngineUnreachable
from workers.execution.course import Course
from workers.execution.ended import REMOVED
from workers.execution.races import no_archive
from workers.execution.recovery import report_interrupted
from workers.execution.run import execute
from workers.execution.tools import Tools
from workers.execution.watch import DEATHS, Watch
from workers.memory.ledger import Ledger
from workers.memory.sightings import Sightings
from workers.planning.activity import ClockReading
from workers.planning.facts import Case, Own
from workers.planning.freed_bytes import freed_bytes
from workers.planning.inventory import Inventory
from workers.planning.planner import make_plan
from workers.planning.policy import Policy
from workers.reasons import Code, reason
from workers.signing import digest

RECORDING: Answers = json.loads(
    Path(__file__).with_name("recorded").joinpath("engine-20.10.json").read_text()
)
IDENTITY = EngineIdentity.model_validate(RECORDING["identity"])
# Long after the recording, and not before the present: a plan that has expired is not executed.
NOW = max(datetime.fromisoformat(RECORDING["at"]) + timedelta(days=40), datetime.now(UTC))
AT_ONCE = dict.fromkeys(("image_unused_for", "quiet_for", "steady_for", "settle"), timedelta(0))


# What no look at an engine is expected to end in.
UNFORESEEN = [HTTPException("no HTTP"), RecursionError("too deep"), KeyError("Id"), AssertionError()]


def nothing() -> None:
    """Nothing happens."""


class Obedient(Replayed):
    """The recorded engine, from which objects go; `after` happens in the moment after each removal."""

    def __init__(self) -> None:
        self.holds = copy.deepcopy(RECORDING)
        super().__init__(self.holds)
        self.removed: list[str] = []
        self.after: Callable[[], object] = nothing
        self.deaths: list[Any] = []
        # By how much its clock is off in its next answers, and whether each was asked for anew.
        self.ahead: list[timedelta] = []
        self.clocks_read: list[bool] = []

    def id(self) -> str:
        return IDENTITY.id

    def clock(self, *, anew: bool = True) -> ClockReading:
        self.clocks_read.append(anew)
        now = datetime.now(UTC)
        return ClockReading(told=now + self.ahead.pop(0) if self.ahead else now, after=now, before=now)

    def is_swarm_manager(self) -> bool:
        return bool(self.services())

    def latencies(self) -> Mapping[str, Sequence[float]]:
        return {}

    def forget_latencies(self) -> None:
        """There are none."""

    def cache_records(self) -> list[Any]:
        return []

    def events(self, wanted: object, *, since: datetime, until: datetime) -> list[Any]:
        return self.deaths if wanted == DEATHS else []

    def inspect_network(self, id_: str) -> Answers:
        return next(raw for raw in self.networks() if raw["Id"] == id_)

    def remove_container(self, id_: str) -> None:
        self._remove("containers", id_)

    def remove_network(self, id_: str) -> None:
        self._remove("networks", id_)

    def remove_image(self, id_: str) -> list[dict[str, str]]:
        self._remove("images", id_)
        return [{"Deleted": id_}]

    def _remove(self, section: str, id_: str) -> None:
        self.lose(section, id_)
        self.removed.append(id_)
        self.after()

    def lose(self, section: str, id_: str) -> None:
        """Somebody takes an object away."""
        self.holds[section] = [raw for raw in self.holds[section] if raw["Id"] != id_]
        self.holds.get(section.removesuffix("s"), {}).pop(id_, None)

    def goes_away(self, *, answers: bool) -> None:
        """It is not there any more; `answers`: whether what it is just asked for still has an answer."""
        away = EngineUnreachable("away")
        self.breaks(away, *(name for name in dir(self) if name in dir(Engine) and not name.startswith("_")))
        if not answers:
            raise away

    def breaks(self, error: Exception, *calls: str) -> None:
        """From now on these calls end with an error."""

        def broken(*_: object, **__: object) -> None:
            raise error

        for call in calls:
            setattr(self, call, broken)


class ReplayedHost:
    """What a worker has on such a host: an engine, a ledger and a policy."""

    def __init__(self, ledger: Ledger, **keys: Any) -> None:
        self.engine, self.ledger = Obedient(), ledger
        self.policy: Policy = a_policy(**(AT_ONCE | {"keep_previous": 0} | keys))

    def look(self) -> tuple[Inventory, Case]:
        sightings = Sightings(self.ledger, IDENTITY.id)
        engine = cast("Engine", self.engine)
        inventory = survey.take(engine, sightings, IDENTITY, local=False, now=NOW)
        memory = survey.remember(sightings, NOW, since=sightings.followed_since(NOW))
        return inventory, Case(inventory, self.policy, memory, Own(), NOW)

    def plan(self, *kinds: Kind) -> Plan:
        _, case = self.look()
        plan = make_plan(case, host="web-1", request_id="r", kinds=kinds or tuple(Kind), freed=freed_bytes)
        self.ledger.keep_plan(plan, None)
        return plan

    def execute(self, plan: Plan) -> Report:
        return execute(order_for(plan), self._tools())

    def die_in(self, plan: Plan) -> None:
        """A run removes the first object, asks for the second, and is heard of no more."""
        order, now = order_for(plan), datetime.now(UTC) - timedelta(hours=1)
        course = Course(order, plan, self.ledger, findings=(), ping=())
        self.ledger.consume(order, now)
        course.begin(Watch(cast("Engine", self.engine), self.policy, lambda _: None).pre_check()[0])
        for step in plan.steps[:2]:
            self.ledger.ask(order.id, [(step, "{}")], now)
        course.end(plan.steps[0], REMOVED)

    def recover(self) -> list[Report]:
        return report_interrupted(self.ledger, cast("Engine", self.engine), self.policy)

    def _tools(self) -> Tools:
        return Tools(
            engine=cast("Engine", self.engine),
            identity=IDENTITY,
            ledger=self.ledger,
            policy=self.policy,
            look=self.look,
            local=False,
            forget_image=lambda _: None,
            told_to_stop=lambda: False,
            wait=lambda _: None,
            consume=self.ledger.consume,
            save=lambda step, left: reason(Code.ARCHIVE_FAILED, detail="there is none"),
            load=no_archive,
        )


def order_for(plan: Plan) -> ExecutionOrder:
    now = datetime.now(UTC)
    return ExecutionOrder(
        key_id="k1",
        id=uuid.uuid4().hex,
        host="web-1",
        issued_at=now,
        expires_at=now + timedelta(minutes=10),
        request_id="r",
        reply_to="C1",
        requester=ANA,
        approver=BO,
        engine_id=plan.engine.id,
        plan_digest=digest(plan),
    )


def codes(reasons: Iterable[Any]) -> list[Code]:
    return [one.code for one in reasons]
