"""A process that settles requests, one after another, and prints what it was told each time.

python -m tests.service.settling DATABASE NAME: begins when told so on its standard input.
"""

import json
import random
import sys
from datetime import timedelta
from pathlib import Path

from bot.memory.database import Database
from bot.memory.store import Store
from bot.requests import Settled, Settlement
from tests.unit.bot_values import NOON
from workers.contract import Person

REQUESTS = tuple(f"r{number}" for number in range(60))


def attempt(name: str, number: int) -> Settlement:
    """What the process of this name says to the request of this number; the same whenever it is started."""
    how = random.Random(f"{name} {number}").choice(list(Settled))
    at = NOON + timedelta(seconds=number)
    return Settlement(how, at, Person(team="T1", user=name), f"set of {name}", {"web-1": name})


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(path: Path, name: str) -> None:
    store = Store(Database(path))
    say("ready")
    sys.stdin.readline()
    for number, request_id in enumerate(REQUESTS):
        decision = store.settle(request_id, attempt(name, number), click=f"{name} {number}")
        first = decision.settlement
        by = first.by.user if first.by else ""
        say(json.dumps([request_id, decision.is_ours, first.how, by, name]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
