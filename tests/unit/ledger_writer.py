"""Writes to a ledger from a process of its own, until it is killed; run as a script."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.unit.bot_values import plan, step_finished
from workers.contract import ExecutionOrder
from workers.errors import RefusedError
from workers.memory.ledger import Ledger

SECONDS = 60


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run_until_killed(ledger: Ledger, order: ExecutionOrder) -> None:
    """Have one object behind and one in hand, then say so and wait for the end."""
    made, now = plan(), datetime.now(UTC)
    ledger.consume(order, now)
    done, in_hand, *_ = made.steps
    ledger.ask(order.id, [(done, '{"tags": []}')], now)
    event = step_finished(order.id, made, done.index)
    ledger.end_step(order.id, event.step, event)
    ledger.ask(order.id, [(in_hand, '{"tags": ["app:1"]}')], now)
    say("in hand")
    time.sleep(SECONDS)


def consume_once(ledger: Ledger, order: ExecutionOrder) -> None:
    """Try to be the one who uses the order up."""
    say("ready")
    sys.stdin.readline()
    try:
        ledger.consume(order, datetime.now(UTC))
    except RefusedError as refusal:
        say(refusal.reasons[0].code)
    else:
        say("consumed")


if __name__ == "__main__":
    _, what, path, order_json = sys.argv
    work = {"run": run_until_killed, "consume": consume_once}[what]
    work(Ledger(Path(path)), ExecutionOrder.model_validate_json(order_json))
