"""A host with a real ledger and a real relay; only its engine is made up. It takes each order once."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.keys import SigningKey
from tests.service.bot_stage import RedisServer, StandInHost
from tests.unit.bot_values import finished, plan, plan_ready, plan_started, report, started, step_finished
from workers.contract import Claims, Event, ExecutionOrder, OrderRefused, Plan
from workers.memory.ledger import Ledger
from workers.reasons import Code, reason
from workers.signing import digest
from workers.transport.connection import Patience, connect
from workers.transport.outbox import Outbox, Relay
from workers.transport.stillness import Stillness, Troubles


@dataclass
class LedgerHost(StandInHost):
    """It works when told to: takes its jobs, and carries its events to Redis."""

    file: Path = Path()
    plans: dict[str, Plan] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        stillness = Stillness()
        client: Any = connect(self.server.url, Patience(0))
        self._relay = Relay(self.name, client, Outbox(self.file, stillness), Troubles(stillness))
        with closing(Ledger(self.file)) as ledger:
            self.ledger = ledger.id

    @classmethod
    def of(cls, name: str, server: RedisServer, key: SigningKey, file: Path) -> "LedgerHost":
        return cls(name, server, key, file=file)

    def tell(self, *events: Event) -> None:
        with closing(Ledger(self.file)) as ledger:
            for event in events:
                ledger.tell(event)

    @property
    def waiting(self) -> list[int]:
        """The numbers of the events that the bot has not acknowledged."""
        with closing(Ledger(self.file)) as ledger:
            return [seq for seq, _ in ledger.outbox(after=0, limit=10_000)]

    def work(self) -> None:
        """Do what there is to do, and give a sign of life."""
        self.beat()
        client: Any = self.server.client
        while job := client.lpop(f"rq:queue:{self.name}"):
            self._do(self.opened(job.decode()))
        while self._relay.carry():
            pass

    def patience_ends(self) -> None:
        """As if the bot had not acknowledged anything for long: everything is sent again."""
        self._relay._progress = type(self._relay._progress)()

    def _do(self, claims: Claims) -> None:
        at = self.clock()
        if not isinstance(claims, ExecutionOrder):
            made = plan(self.name, request=claims.request_id, at=at)
            self.plans[digest(made)] = made
            self.tell(plan_started(self.name, request=claims.request_id, at=at), plan_ready(made, at=at))
        elif claims.id in self.runs:
            why = (reason(Code.ORDER_USED, order=claims.id),)
            told = {"host": self.name, "at": at, "request_id": claims.request_id}
            self.tell(OrderRefused(**told, order_id=claims.id, reasons=why))
        else:
            self.runs.append(claims.id)
            self._run(claims, self.plans[claims.plan_digest])

    def _run(self, order: ExecutionOrder, made: Plan) -> None:
        at = self.clock()
        self.tell(
            started(order.id, made, at=at),
            *(step_finished(order.id, made, step.index, at=at) for step in made.steps),
            finished(report(order.id, made, order.plan_digest, at=at), at=at),
        )
