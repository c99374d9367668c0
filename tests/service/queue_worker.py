"""A real worker whose jobs write down what they do instead of asking an engine; run as a script."""

import logging
import os
import sys
import time
from base64 import b64decode
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.unit.bot_values import finished, plan_ready, report, started, step_finished
from tests.unit.bot_values import plan as made_plan
from tests.unit.restores_told import restore_plan as made_restore_plan
from tests.unit.restores_told import restore_planned, restore_report
from workers.contract import (
    Answered,
    ExecutionOrder,
    ObjectAnswer,
    OrderRefused,
    PlanRequest,
    Question,
    RestoreOrder,
    RestorePlan,
    RestoreReport,
    RestoreRequest,
    StandingOrder,
    Status,
)
from workers.errors import RefusedError
from workers.halt import Halt
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders
from workers.reasons import Code, reason
from workers.transport.beat import Condition
from workers.transport.queue import serve

FOLDER = Path(os.environ.get("QUEUE_FOLDER", "/nonexistent"))
STEPS = 3
SECONDS = 60.0
GATED, FAILING = "gated", "failing"


def note(line: str) -> None:
    with (FOLDER / "diary").open("a") as diary:
        diary.write(f"{line}\n")


def owned(*_: object) -> None:
    """What an attacker would like to have run."""
    (FOLDER / "owned").touch()


def ledger() -> "closing[Ledger]":
    return closing(Ledger(FOLDER / "ledger.db"))


def wait_at(gate: str) -> None:
    """Be in the middle of an object until the test lets it through."""
    deadline = time.monotonic() + SECONDS
    while not (FOLDER / gate).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(gate)
        time.sleep(0.01)


def plan(request: PlanRequest, _: Halt) -> None:
    note(f"plan {request.request_id}")
    if request.reply_to == FAILING:
        raise RuntimeError("a mistake of ours")
    if request.reply_to == GATED:
        wait_at(f"open-{request.request_id}")
    made = made_plan(request.host, request=request.request_id, steps=STEPS, at=datetime.now(UTC))
    with ledger() as book:
        book.keep_plan(made, plan_ready(made, at=made.made_at))


def answer(question: Question, _: Halt) -> None:
    note(f"answer {question.request_id}")
    if question.reply_to == FAILING:
        raise RuntimeError("a mistake of ours")
    told = {"host": question.host, "at": datetime.now(UTC), "request_id": question.request_id}
    with ledger() as book:
        book.tell(Answered(**told, answer=ObjectAnswer(text=question.object)))


def execute(order: ExecutionOrder, halt: Halt) -> None:
    now = datetime.now(UTC)
    with ledger() as book:
        made = book.plan(order.plan_digest)
        assert made
        try:
            book.consume(order, now)
        except RefusedError as error:
            told = OrderRefused(
                host=order.host,
                at=now,
                request_id=order.request_id,
                order_id=order.id,
                reasons=error.reasons,
            )
            book.refuse(error.reasons, order_id=order.id, event=told, now=now)
            return
        standing = StandingOrders(book)
        note(f"execute {order.id}")
        book.tell(started(order.id, made, at=now))
        for step in made.steps:
            barred = standing.bars(order.id)
            if halt.requested or barred:
                break
            book.ask(order.id, [(step, "{}")], now)
            note(f"begun {step.index}")
            if order.reply_to == GATED:
                wait_at(f"open-{step.index}")
            event = step_finished(order.id, made, step.index, at=now)
            book.end_step(order.id, event.step, event)
            note(f"done {step.index}")
        whole = report(order.id, made, order.plan_digest, at=now)
        stopped_by = (*halt.reasons, *filter(None, (standing.bars(order.id),)))
        status = Status.STOPPED if stopped_by else Status.DONE
        run = whole.model_copy(update={"status": status, "stopped_by": stopped_by})
        book.finish(run, finished(run, at=now))


def restore_plan(request: RestoreRequest, _: Halt) -> None:
    note(f"restore_plan {request.request_id}")
    if request.reply_to == FAILING:
        raise RuntimeError("a mistake of ours")
    made = made_restore_plan(request.host, request.request_id, at=datetime.now(UTC))
    with ledger() as book:
        book.keep_restore_plan(made, restore_planned(made, at=made.made_at))


def restore(order: RestoreOrder, halt: Halt) -> None:
    with ledger() as book:
        book.consume_restore(order, datetime.now(UTC))
        note(f"restore {order.id}")
        if order.reply_to == GATED:
            wait_at(f"open-{order.id}")
        if order.reply_to == FAILING:
            raise RuntimeError("a mistake of ours")
        [made] = book.restore_plans_named(order.plan_digest)
        stopped_by = tuple(filter(None, [StandingOrders(book).stops(order.id), *halt.reasons]))
        status = Status.STOPPED if stopped_by else Status.DONE
        book.finish_restore(_ended(order, made, status).model_copy(update={"stopped_by": stopped_by}))


def _ended(order: RestoreOrder, made: RestorePlan, status: Status) -> RestoreReport:
    return restore_report(order.id, made, order.plan_digest, status, at=datetime.now(UTC))


def keep(order: StandingOrder, _: Halt) -> None:
    with ledger() as book:
        note(f"{order.type} {StandingOrders(book).take(order, datetime.now(UTC))}")


def recover() -> None:
    with ledger() as book:
        for left in book.open_runs():
            note(f"recovered {left.order.id}")
            whole = report(left.order.id, left.plan, left.order.plan_digest, at=datetime.now(UTC))
            update = {"status": Status.INTERRUPTED, "stopped_by": (reason(Code.INTERRUPTED),)}
            run = whole.model_copy(update=update)
            book.finish(run, finished(run, at=run.finished_at))
        for open_ in book.open_restores():
            note(f"recovered {open_.order.id}")
            book.finish_restore(_ended(open_.order, open_.plan, Status.INTERRUPTED))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(message)s", stream=sys.stderr)
    key_id, _, public = os.environ["QUEUE_KEY"].partition(":")
    serve(
        host=os.environ["QUEUE_HOST"],
        redis_url=os.environ["REDIS_URL"],
        keys={key_id: Ed25519PublicKey.from_public_bytes(b64decode(public))},
        ledger_file=FOLDER / "ledger.db",
        functions={
            "plan": plan,
            "answer": answer,
            "execute": execute,
            "restore_plan": restore_plan,
            "restore": restore,
            "keep": keep,
        },
        recover=recover,
        condition=lambda: Condition(engine_id="engine-1"),
        follow=lambda *_: None,
        version="0.1.0",
    )
    note("ended")


if __name__ == "__main__":
    main()
