"""What a worker does with a job: let it through once, do it in a child, account for it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from workers.contract import Busy, Claims, ExecutionOrder, RestoreOrder
from workers.halt import Halt
from workers.reasons import Code, reason
from workers.signing import SealError
from workers.transport.account import Account
from workers.transport.admission import Gate, JobType, read_call
from workers.transport.beat import Activity, Neighbour
from workers.transport.child import Child, Limits, signals_held

Function = Callable[[Any, Halt], None]

# An execution ends by itself before; these end what hangs.
LIMITS: Mapping[JobType, Limits] = {
    "plan": Limits(900),
    "answer": Limits(900),
    "execute": Limits(3600, grace=600),
    "restore_plan": Limits(900),
    "restore": Limits(3600, grace=600),
    "keep": Limits(120),
}
# Bringing back what lost a race has ten minutes of them.
RECOVERY = Limits(900)
# The words that a bot knows for it; one that asks for no restore needs no word for restores.
KEEPS_BUSY: Mapping[JobType, Busy] = {
    "plan": "plan",
    "execute": "execute",
    "restore_plan": "plan",
    "restore": "restore",
}
LOOK_SECONDS = 10.0


@dataclass
class Duties:
    """One worker's work: at most one child at a time; `meanwhile` is called every few seconds beside it.

    `heed` is called with an order before its run or restore begins: a stop may have come before it.
    """

    gate: Gate
    functions: Mapping[JobType, Function]
    recovery: Callable[[], None]
    account: Account
    neighbour: Neighbour
    heed: Callable[[ExecutionOrder | RestoreOrder], None] = lambda _: None
    activity: Activity = field(default_factory=Activity)
    in_hand: ExecutionOrder | RestoreOrder | None = None
    has_recovered: bool = False
    _child: Child | None = None
    _is_stopping: bool = False
    _is_halted: bool = False

    def do(self, packed: bytes, meanwhile: Callable[[], None]) -> bool:
        """Do what a job's bytes ask for, or turn it away; whether it was done."""
        try:
            call = read_call(packed)
            claims = self._admitted(self.gate.admit(call, datetime.now(UTC)))
        except SealError as refusal:
            self.account.refused(refusal.reason, refusal.claims)
            return False
        with self._busy(call.type, claims):
            exit_code = self._in_child(
                partial(self.functions[call.type], claims), LIMITS[call.type], meanwhile
            )
        if exit_code:
            self.recover(meanwhile)
            self.account.died(claims, exit_code)
        return exit_code == 0

    def recover(self, meanwhile: Callable[[], None]) -> None:
        """Have the runs reported that a dead process left open; what killed that one may forbid it yet."""
        exit_code = self._in_child(lambda _: self.recovery(), RECOVERY, meanwhile)
        self.has_recovered = exit_code == 0

    def stop(self) -> bool:
        """Ask the work in hand, or about to begin, to end after the object in hand; whether there is any."""
        self._is_stopping = True
        if self._child:
            self._child.stop()
        return self._child is not None

    def halt(self) -> None:
        """Ask the run or restore in hand alone, or about to begin, to end after the object in hand."""
        if self.in_hand is None:
            return
        self._is_halted = True
        if child := self._child:
            child.stop()

    def _admitted(self, claims: Claims) -> Claims:
        if self.neighbour.is_alive(datetime.now(UTC)):
            why = reason(Code.BUSY, detail=f"another worker runs as host {claims.host}")
            raise SealError(why, claims)
        return claims

    @contextmanager
    def _busy(self, type_: JobType, claims: Claims) -> Iterator[None]:
        if type_ in KEEPS_BUSY:
            self.activity = Activity(KEEPS_BUSY[type_], datetime.now(UTC))
        if isinstance(claims, ExecutionOrder | RestoreOrder):
            self.in_hand = claims
            self.heed(claims)
        try:
            yield
        finally:
            self.activity, self.in_hand, self._is_halted = Activity(), None, False

    def _in_child(self, work: Callable[[Halt], None], limits: Limits, meanwhile: Callable[[], None]) -> int:
        # A signal in between would find nobody to pass it on to.
        with self.account.stillness.held(), signals_held():
            self._child = Child.fork(work, limits, is_stopped=self._is_stopping or self._is_halted)
            if self._is_halted:
                # Another thread may have said so meanwhile.
                self._child.stop()
        while (exit_code := self._child.ended(within=LOOK_SECONDS)) is None:
            meanwhile()
        self._child = None
        return exit_code
